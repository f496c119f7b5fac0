// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/expr_lex.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/base/check.h"

bool expr_lex_fail(struct expr_lex *lex, const char *at, const char *fmt, ...)
{
    struct expr_error *error = lex->error;
    va_list args;

    if (lex->failed) return false;
    error->line = error->column = 1;
    for (const char *p = lex->begin; p < at; p++) {
        // a character of several bytes is one column
        if (((unsigned char)*p & 0xc0) != 0x80) error->column++;
        if (*p != '\n') continue;
        error->line++;
        error->column = 1;
    }
    va_start(args, fmt);
    vsnprintf(error->text, sizeof error->text, fmt, args);
    va_end(args);
    lex->failed = true;
    lex->at = lex->end;
    lex->token = EXPR_TOKEN_END;
    return false;
}

static bool is_letter(char c)
{
    return str_lower(c) >= 'a' && str_lower(c) <= 'z';
}

static bool is_word(char c)
{
    return is_letter(c) || str_is_digit(c) || c == '_' || c == '.' || c == '-';
}

static const char *skip_word(const struct expr_lex *lex, const char *p)
{
    while (p < lex->end && is_word(*p)) p++;
    return p;
}

static void take(struct expr_lex *lex, enum expr_token token, const char *end)
{
    lex->token = token;
    lex->raw = lex->text = str_make(lex->at, (size_t)(end - lex->at));
    lex->at = end;
}

static void take_field(struct expr_lex *lex)
{
    const char *begin = lex->at + 1, *end = skip_word(lex, begin);
    struct str name = str_make(begin, (size_t)(end - begin));

    if (name.size == 0) {
        expr_lex_fail(lex, lex->at, "the name of a field follows $, as in $GSW_STATE_CODE");
        return;
    }
    if (name.size > EXPR_FIELD_MAX) {
        expr_lex_fail(lex, lex->at, "the name of a field has at most %d characters",
                      EXPR_FIELD_MAX);
        return;
    }
    take(lex, EXPR_TOKEN_FIELD, end);
    lex->text = name;
}

static void take_text(struct expr_lex *lex)
{
    const char *p = lex->at + 1, quote = *lex->at;
    bool escaped = false;

    for (; p < lex->end && *p != quote; p++) {
        if (*p != '\\') continue;
        escaped = true;
        p++;
        if (p == lex->end) break;
        if (*p != '\\' && *p != '"' && *p != '\'') {
            expr_lex_fail(lex, p - 1,
                          "a backslash stands before \" ' or \\ only; "
                          "write \\\\ for one");
            return;
        }
    }
    if (p == lex->end) {
        expr_lex_fail(lex, lex->at, "this text has no end; close it with %c", quote);
        return;
    }
    take(lex, EXPR_TOKEN_TEXT, p + 1);
    lex->text = str_make(lex->raw.ptr + 1, lex->raw.size - 2);
    lex->escaped = escaped;
}

// The digits of `end` - `p`, in thousandths; false when there are too many behind the point.
static bool to_milli(const char *p, const char *end, int64_t *ret)
{
    unsigned decimals = 0;
    bool point = false;
    int64_t milli = 0;

    for (; p < end; p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (point && ++decimals > 3) return false;
        milli = milli * 10 + (*p - '0');
    }
    for (; decimals < 3; decimals++) milli *= 10;
    *ret = milli;
    return true;
}

static void take_number(struct expr_lex *lex)
{
    bool minus = *lex->at == '-';
    const char *digits = lex->at + minus, *p = digits, *number_end;
    enum expr_token token = EXPR_TOKEN_NUMBER;
    int64_t milli;

    while (p < lex->end && str_is_digit(*p)) p++;
    if (p - digits > EXPR_WHOLE_MAX) {
        expr_lex_fail(lex, lex->at,
                      "a number has at most %d digits before its point; longer ones "
                      "are text, in quotes",
                      EXPR_WHOLE_MAX);
        return;
    }
    if (p + 1 < lex->end && *p == '.' && str_is_digit(p[1]))
        for (p++; p < lex->end && str_is_digit(*p);) p++;
    number_end = p;
    if (!to_milli(digits, number_end, &milli)) {
        expr_lex_fail(lex, lex->at, "a number has at most 3 digits behind its point");
        return;
    }
    if (p < lex->end && is_letter(*p) && !minus) {
        lex->unit = str_lower(*p++);
        token = EXPR_TOKEN_SPAN;
    }
    if (p < lex->end && is_word(*p)) {
        p = skip_word(lex, p);
        expr_lex_fail(lex, lex->at, "`%.*s` is neither a number nor a length of time like 24H",
                      (int)(p - lex->at < 32 ? p - lex->at : 32), lex->at);
        return;
    }
    take(lex, token, p);
    lex->milli = minus ? -milli : milli;
}

static void take_word(struct expr_lex *lex)
{
    static const struct {
        struct str word;
        enum expr_token token;
    } words[] = {
        {STR("and"), EXPR_TOKEN_AND},
        {STR("or"), EXPR_TOKEN_OR},
        {STR("not"), EXPR_TOKEN_NOT},
        {STR("in"), EXPR_TOKEN_IN},
    };

    take(lex, EXPR_TOKEN_WORD, skip_word(lex, lex->at));
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_eq_nocase(lex->raw, words[i].word)) lex->token = words[i].token;
}

// Signs: those of which there are many, then the longest first. A sentence: what people write for
// it, and what they should.
static const struct {
    struct str sign;
    enum expr_token token;
    enum expr_compare compare;
    const char *instead;
} signs[] = {
    {STR(","), EXPR_TOKEN_COMMA, 0, NULL},
    {STR("("), EXPR_TOKEN_OPEN, 0, NULL},
    {STR(")"), EXPR_TOKEN_CLOSE, 0, NULL},
    {STR("["), EXPR_TOKEN_LIST, 0, NULL},
    {STR("]"), EXPR_TOKEN_LIST_END, 0, NULL},
    {STR("==="), EXPR_TOKEN_END, 0, "=== is not in this language; write == to compare"},
    {STR("!=="), EXPR_TOKEN_END, 0, "!== is not in this language; write != to compare"},
    {STR("=="), EXPR_TOKEN_COMPARE, EXPR_EQ, NULL},
    {STR("!="), EXPR_TOKEN_COMPARE, EXPR_NE, NULL},
    {STR("<="), EXPR_TOKEN_COMPARE, EXPR_LE, NULL},
    {STR(">="), EXPR_TOKEN_COMPARE, EXPR_GE, NULL},
    {STR("<>"), EXPR_TOKEN_END, 0, "<> is not in this language; write != to compare"},
    {STR("=>"), EXPR_TOKEN_END, 0, "=> is not in this language; write >= to compare"},
    {STR("=<"), EXPR_TOKEN_END, 0, "=< is not in this language; write <= to compare"},
    {STR("&&"), EXPR_TOKEN_END, 0, "&& is not in this language; write and"},
    {STR("||"), EXPR_TOKEN_END, 0, "|| is not in this language; write or"},
    {STR("<"), EXPR_TOKEN_COMPARE, EXPR_LT, NULL},
    {STR(">"), EXPR_TOKEN_COMPARE, EXPR_GT, NULL},
    {STR("="), EXPR_TOKEN_END, 0, "= is not in this language; write == to compare"},
    {STR("&"), EXPR_TOKEN_END, 0, "& is not in this language; write and"},
    {STR("|"), EXPR_TOKEN_END, 0, "| is not in this language; write or"},
    {STR("!"), EXPR_TOKEN_END, 0, "! is not in this language; write not"},
    {STR("\xe2\x80\x9c"), EXPR_TOKEN_END, 0, "text stands in straight quotes: \" or '"},
    {STR("\xe2\x80\x9d"), EXPR_TOKEN_END, 0, "text stands in straight quotes: \" or '"},
    {STR("\xe2\x80\x98"), EXPR_TOKEN_END, 0, "text stands in straight quotes: \" or '"},
    {STR("\xe2\x80\x99"), EXPR_TOKEN_END, 0, "text stands in straight quotes: \" or '"},
    {STR("{"), EXPR_TOKEN_END, 0, "{ is not in this language; a list stands in [ and ]"},
    {STR("}"), EXPR_TOKEN_END, 0, "} is not in this language; a list stands in [ and ]"},
};

static void take_sign(struct expr_lex *lex)
{
    struct str rest = str_make(lex->at, (size_t)(lex->end - lex->at));
    unsigned char c = (unsigned char)*lex->at;

    for (size_t i = 0; i < COUNT_OF(signs); i++) {
        if (signs[i].sign.ptr[0] != *lex->at || !str_starts(rest, signs[i].sign)) continue;
        if (signs[i].instead) {
            expr_lex_fail(lex, lex->at, "%s", signs[i].instead);
            return;
        }
        take(lex, signs[i].token, lex->at + signs[i].sign.size);
        lex->compare = signs[i].compare;
        return;
    }
    if (c > ' ' && c < 0x7f)
        expr_lex_fail(lex, lex->at, "`%c` is not in this language; text stands in quotes", c);
    else
        expr_lex_fail(lex, lex->at, "byte 0x%02x is not in this language; text stands in quotes",
                      c);
}

void expr_lex_next(struct expr_lex *lex)
{
    char c;

    while (lex->at < lex->end && memchr(" \t\r\n", *lex->at, 4)) lex->at++;
    lex->escaped = false;
    if (lex->at == lex->end) {
        take(lex, EXPR_TOKEN_END, lex->end);
        return;
    }
    c = *lex->at;
    if (c == '$')
        take_field(lex);
    else if (c == '"' || c == '\'')
        take_text(lex);
    else if (str_is_digit(c) || (c == '-' && lex->at + 1 < lex->end && str_is_digit(lex->at[1])))
        take_number(lex);
    else if (is_letter(c) || c == '_')
        take_word(lex);
    else
        take_sign(lex);
}

void expr_lex_start(struct expr_lex *lex, struct str text, struct expr_error *error)
{
    *lex = (struct expr_lex){.begin = text.ptr, .at = text.ptr, .error = error};
    lex->end = text.size ? text.ptr + text.size : text.ptr;
    expr_lex_next(lex);
}
