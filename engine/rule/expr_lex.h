// SPDX-License-Identifier: Apache-2.0
//
// expr_lex: the words of an expression, one at a time. What is no word of the language is an error
// that says what to write instead. Pure functions; private to expr.
#pragma once

#include "engine/rule/expr.h"

#define EXPR_FIELD_MAX  64 // bytes of a field's name
#define EXPR_WHOLE_MAX  12 // digits before the point
#define EXPR_THOUSANDTH 1000

enum expr_token {
    EXPR_TOKEN_END,
    EXPR_TOKEN_FIELD,  // text: the name without '$'
    EXPR_TOKEN_TEXT,   // text: between the quotes, escapes as they stand
    EXPR_TOKEN_NUMBER, // milli
    EXPR_TOKEN_SPAN,   // "24H": text is all of it, milli the number, unit the letter in lower case
    EXPR_TOKEN_WORD,
    EXPR_TOKEN_AND,
    EXPR_TOKEN_OR,
    EXPR_TOKEN_NOT,
    EXPR_TOKEN_IN,
    EXPR_TOKEN_COMPARE, // compare
    EXPR_TOKEN_OPEN,
    EXPR_TOKEN_CLOSE,
    EXPR_TOKEN_LIST,
    EXPR_TOKEN_LIST_END,
    EXPR_TOKEN_COMMA
};

struct expr_lex {
    const char *begin, *at, *end; // `at`: behind the token
    struct expr_error *error;
    bool failed; // `error` says why; every token is END from then on
    // The token that was read last.
    enum expr_token token;
    struct str raw; // as it stands
    struct str text;
    bool escaped;
    int64_t milli;
    char unit;
    enum expr_compare compare;
};

// Reads the first token.
void expr_lex_start(struct expr_lex *lex, struct str text, struct expr_error *error);
void expr_lex_next(struct expr_lex *lex);
// Fails at a place of the text, if nothing failed before. Always false.
bool expr_lex_fail(struct expr_lex *lex, const char *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
