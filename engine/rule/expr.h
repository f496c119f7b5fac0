// SPDX-License-Identifier: Apache-2.0
//
// expr: custom expressions, `block_if` and `unless` (grammar and meaning: docs/expressions.md).
//
//   not ($GSW_STATE_CODE in ["CA", "NV"]) and AttemptsOnDevice(24H, [Answer, 21]) >= 2
//
// Compiled once into tests and a program over them; type-checked; every error has line and column.
// A test looks at the record alone (a field with a literal) or compares a count of attempts with a
// whole number. Values have three states: a test on a field that the record lacks is unknown
// (`$X == ""` is true for it), `and or not` follow Kleene, and who asks treats unknown as the
// worse. Cost is bounded: EXPR_TESTS_MAX tests, EXPR_CODE_MAX steps, no loop.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/wire/attempt.h"
#include "engine/wire/json.h"

#define EXPR_TEXT_MAX  4096
#define EXPR_TESTS_MAX 64  // of one expression
#define EXPR_CODE_MAX  192 // steps of one expression
#define EXPR_DEPTH_MAX 32  // parentheses in each other

enum expr_value { EXPR_FALSE, EXPR_TRUE, EXPR_UNKNOWN };
enum expr_compare { EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE, EXPR_IN };

// A literal: text without spaces around it, or a number in thousandths ("1.5" is 1500; at most 3
// decimals, 12 digits).
struct expr_literal {
    bool is_number;
    bool escaped; // text has \" \' \\ in it, as they were written
    int64_t milli;
    struct str text;
};

struct expr_count {
    enum count_by by; // AttemptsOnDevice, AttemptsOnContact
    uint32_t period_s;
    uint64_t results;
};

struct expr_test {
    enum expr_compare compare;
    bool of_count;
    uint16_t field;                        // of expr_pool.field, for tests on a field
    uint16_t literal_first, literal_count; // of expr_pool.literal; IN has several
    uint16_t count;                        // of expr_pool.count, for tests on a count
    uint32_t number;                       // what a count is compared with
};

// A step: a test's number pushes its value; the operators below take theirs from the stack.
enum { EXPR_OP_AND = 0xfffd, EXPR_OP_OR, EXPR_OP_NOT };

struct expr {
    uint16_t test_first, test_count; // of expr_pool.test
    uint16_t code_first, code_count; // of expr_pool.code; postfix
};

// All expressions of one ruleset. Grows while it is made, immutable afterwards. Texts point into
// the ruleset's own memory.
struct expr_pool {
    unsigned field_count, literal_count, count_count, test_count, code_count, expr_count;
    struct str *field; // names without '$', each once
    struct expr_literal *literal;
    struct expr_count *count; // each once
    struct expr_test *test;
    uint16_t *code;
    struct expr *expr;
};

struct expr_error {
    unsigned line, column; // from 1
    char text[160];        // what is wrong and what would be right
};

// Compiles `text` (which must outlive the pool, escapes already undone) into the pool; its index in
// pool.expr. ERR_BAD_VALUE, ERR_NOMEM, ERR_FULL, with `error`; the pool is as before then.
int expr_compile(struct expr_pool *pool, struct str text, struct expr_error *error);
void expr_pool_done(struct expr_pool *pool);

// A test on a field, for the value that a record has there (type JSON_NONE when it has none).
// Numbers compare as numbers with number literals (numeric strings too), else as text, exact case,
// without spaces around it. `value` has its escapes undone.
enum expr_value expr_test_field(const struct expr_pool *pool, const struct expr_test *test,
                                struct json_value value);
// A test on a count of attempts.
enum expr_value expr_test_count(const struct expr_test *test, const struct attempts_count *count);
// The expression, given the values of its tests (in the order of its tests).
enum expr_value expr_eval(const struct expr_pool *pool, const struct expr *e,
                          const enum expr_value *test_values);
