// SPDX-License-Identifier: Apache-2.0
//
// Any text as an expression, compiled into a pool that has one already: a refused one leaves the
// pool as it was and points into the text; an accepted one is within its limits, its program never
// takes what is not there, and what it says with some tests unknown it says whatever they are.
#include "engine/base/check.h"
#include "engine/rule/expr.h"
#include "tests/fuzz/fuzz.h"

#define TRIES 16

static void check_refused(const struct expr_error *error, struct str text)
{
    unsigned lines = 1;

    for (size_t i = 0; i < text.size; i++) lines += text.ptr[i] == '\n';
    CHECK(error->line >= 1 && error->line <= lines);
    CHECK(error->column >= 1 && error->column <= text.size + 1);
    CHECK(error->text[0] && strlen(error->text) < sizeof error->text);
}

static void check_code(const struct expr_pool *pool, const struct expr *e)
{
    unsigned top = 0;

    CHECK(e->test_count >= 1 && e->test_count <= EXPR_TESTS_MAX);
    CHECK(e->code_count <= EXPR_CODE_MAX);
    CHECK(e->test_first + e->test_count == pool->test_count);
    CHECK(e->code_first + e->code_count == pool->code_count);
    for (unsigned i = 0; i < e->code_count; i++) {
        uint16_t step = pool->code[e->code_first + i];

        if (step == EXPR_OP_NOT) {
            CHECK(top >= 1);
        } else if (step == EXPR_OP_AND || step == EXPR_OP_OR) {
            CHECK(top >= 2);
            top--;
        } else {
            CHECK(step < e->test_count);
            top++;
        }
    }
    CHECK(top == 1);
}

static void check_tests(const struct expr_pool *pool, const struct expr *e)
{
    static const struct str texts[] = {STR("CA"), STR("1.5"), STR("-7"), STR("1e9"), STR(" ")};

    for (unsigned i = 0; i < e->test_count; i++) {
        const struct expr_test *test = &pool->test[e->test_first + i];

        CHECK(test->of_count ? test->count < pool->count_count : test->field < pool->field_count);
        if (test->of_count) {
            CHECK(pool->count[test->count].period_s >= 60 && pool->count[test->count].results);
            continue;
        }
        CHECK(test->literal_first + test->literal_count <= pool->literal_count);
        for (size_t k = 0; k < COUNT_OF(texts); k++) {
            struct json_value value = {.type = JSON_STRING, .text = texts[k]};

            CHECK((unsigned)expr_test_field(pool, test, value) <= EXPR_UNKNOWN);
        }
    }
}

static void check_monotone(const struct expr_pool *pool, const struct expr *e)
{
    uint64_t state = 0x9e3779b97f4a7c15;

    for (unsigned n = 0; n < TRIES; n++) {
        enum expr_value some[EXPR_TESTS_MAX], all[EXPR_TESTS_MAX], told;

        for (unsigned i = 0; i < e->test_count; i++) {
            state = state * 6364136223846793005 + 1442695040888963407;
            all[i] = state >> 62 & 1 ? EXPR_TRUE : EXPR_FALSE;
            some[i] = state >> 63 ? EXPR_UNKNOWN : all[i];
        }
        CHECK(expr_eval(pool, e, all) != EXPR_UNKNOWN);
        told = expr_eval(pool, e, some);
        CHECK(told == EXPR_UNKNOWN || told == expr_eval(pool, e, all));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = str_make((const char *)data, size);
    struct expr_error error = {0};
    struct expr_pool pool = {0}, before;
    int err;

    CHECK(expr_compile(&pool, STR("$A == 1 and AttemptsOnDevice(1H) > 1"), &error) == 0);
    before = pool;
    err = expr_compile(&pool, text, &error);
    if (err < 0) {
        CHECK(err == ERR_BAD_VALUE);
        CHECK(pool.expr_count == before.expr_count && pool.test_count == before.test_count &&
              pool.code_count == before.code_count && pool.field_count == before.field_count &&
              pool.literal_count == before.literal_count && pool.count_count == before.count_count);
        check_refused(&error, text);
    } else {
        CHECK(err == 1);
        check_code(&pool, &pool.expr[err]);
        check_tests(&pool, &pool.expr[err]);
        check_monotone(&pool, &pool.expr[err]);
    }
    expr_pool_done(&pool);
    return 0;
}
