// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/expr.h"

#include <stdlib.h>

#include "engine/base/check.h"

#define EXPONENT_MAX 100000

void expr_pool_done(struct expr_pool *pool)
{
    free(pool->field);
    free(pool->literal);
    free(pool->count);
    free(pool->test);
    free(pool->code);
    free(pool->expr);
    *pool = (struct expr_pool){0};
}

// A number of a record, exact as far as a comparison with thousandths goes.
struct decimal {
    int64_t milli; // towards zero
    bool rest;     // digits beyond thousandths follow
    bool minus;
};

static bool read_exponent(const char *p, const char *end, int *ret)
{
    bool minus = p < end && *p == '-';
    int n = 0;

    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end) return false;
    for (; p < end; p++) {
        if (!str_is_digit(*p)) return false;
        if (n < EXPONENT_MAX) n = n * 10 + (*p - '0');
    }
    *ret = minus ? -n : n;
    return true;
}

// The digits from `p` to `end`, the first of which counts 10^`place`.
static void read_digits(struct decimal *d, const char *p, const char *end, int place)
{
    const int64_t huge = INT64_MAX / 10 - 1;

    for (; p < end; p++) {
        if (*p == '.') continue;
        if (place >= -3)
            d->milli = d->milli > huge / 10 ? huge : d->milli * 10 + (*p - '0');
        else if (*p != '0')
            d->rest = true;
        place--;
    }
    for (; place >= -3 && d->milli; place--) {
        if (d->milli > huge / 10) {
            d->milli = huge;
            break;
        }
        d->milli *= 10;
    }
}

// A JSON number, leading zeros allowed: what numeric strings look like.
static bool read_decimal(struct str text, struct decimal *ret)
{
    const char *p = text.ptr, *end = text.ptr + text.size, *digits, *whole_end;
    int exponent = 0;

    *ret = (struct decimal){0};
    if (p < end && *p == '-') {
        ret->minus = true;
        p++;
    }
    digits = p;
    while (p < end && str_is_digit(*p)) p++;
    whole_end = p;
    if (whole_end == digits) return false;
    if (p < end && *p == '.') {
        const char *fraction = ++p;

        while (p < end && str_is_digit(*p)) p++;
        if (p == fraction) return false;
    }
    if (p < end) {
        if ((*p != 'e' && *p != 'E') || !read_exponent(p + 1, end, &exponent)) return false;
    }
    read_digits(ret, digits, p, (int)(whole_end - digits) - 1 + exponent);
    return true;
}

// -1, 0, 1
static int order(const struct decimal *d, int64_t milli)
{
    int64_t mine = d->minus ? -d->milli : d->milli;

    if (mine != milli) return mine < milli ? -1 : 1;
    if (!d->rest) return 0;
    return d->minus ? -1 : 1;
}

static bool same_text(struct str text, const struct expr_literal *literal)
{
    const char *p = literal->text.ptr, *end = p + literal->text.size;
    size_t i = 0;

    if (!literal->escaped) return str_eq(text, literal->text);
    for (; p < end && i < text.size; p++, i++) {
        if (*p == '\\') p++;
        if (*p != text.ptr[i]) return false;
    }
    return p == end && i == text.size;
}

// A value of a record that is there: its number is looked for when it is asked for.
struct scalar {
    struct str text;
    bool looked, is_number;
    struct decimal number;
};

static bool is_number(struct scalar *v)
{
    if (!v->looked) v->is_number = read_decimal(v->text, &v->number);
    v->looked = true;
    return v->is_number;
}

static bool equals(const struct expr_literal *literal, struct scalar *v)
{
    if (!literal->is_number) return same_text(v->text, literal);
    return is_number(v) && order(&v->number, literal->milli) == 0;
}

// What is not there equals "" and nothing else that could be told.
static enum expr_value test_absent(const struct expr_pool *pool, const struct expr_test *test)
{
    for (unsigned i = 0; i < test->literal_count; i++) {
        const struct expr_literal *literal = &pool->literal[test->literal_first + i];

        if (literal->is_number || literal->text.size) continue;
        if (test->compare == EXPR_NE) return EXPR_FALSE;
        return EXPR_TRUE;
    }
    return EXPR_UNKNOWN;
}

static enum expr_value test_order(const struct expr_test *test, int sign)
{
    switch (test->compare) {
    case EXPR_LT:
        return sign < 0;
    case EXPR_LE:
        return sign <= 0;
    case EXPR_GT:
        return sign > 0;
    default:
        return sign >= 0;
    }
}

enum expr_value expr_test_field(const struct expr_pool *pool, const struct expr_test *test,
                                struct json_value value)
{
    const struct expr_literal *literal = &pool->literal[test->literal_first];
    struct scalar v = {.looked = value.type == JSON_BOOL};
    bool found = false;

    DEBUG_CHECK(!test->of_count && test->literal_count > 0);
    if (value.type == JSON_NONE || json_is_absent(value)) return test_absent(pool, test);
    // a list or an object is neither equal nor unequal to anything
    if (value.type == JSON_ARRAY || value.type == JSON_OBJECT) return EXPR_UNKNOWN;
    v.text = str_trim(value.text);
    if (test->compare == EXPR_LT || test->compare == EXPR_LE || test->compare == EXPR_GT ||
        test->compare == EXPR_GE)
        return is_number(&v) ? test_order(test, order(&v.number, literal->milli)) : EXPR_UNKNOWN;
    for (unsigned i = 0; i < test->literal_count && !found; i++) found = equals(&literal[i], &v);
    return (test->compare == EXPR_NE) != found ? EXPR_TRUE : EXPR_FALSE;
}

enum expr_value expr_test_count(const struct expr_test *test, const struct attempts_count *count)
{
    bool reached = count->count >= test->number, passed = count->count > test->number;
    // more may have been made than are known
    enum expr_value no = count->unknown ? EXPR_UNKNOWN : EXPR_FALSE;
    enum expr_value yes = count->unknown ? EXPR_UNKNOWN : EXPR_TRUE;

    DEBUG_CHECK(test->of_count);
    switch (test->compare) {
    case EXPR_GT:
        return passed ? EXPR_TRUE : no;
    case EXPR_GE:
        return reached ? EXPR_TRUE : no;
    case EXPR_LE:
        return passed ? EXPR_FALSE : yes;
    case EXPR_LT:
        return reached ? EXPR_FALSE : yes;
    case EXPR_NE:
        return passed ? EXPR_TRUE : reached ? no : yes;
    default:
        return passed ? EXPR_FALSE : reached ? yes : no;
    }
}

static enum expr_value both(enum expr_value a, enum expr_value b)
{
    if (a == EXPR_FALSE || b == EXPR_FALSE) return EXPR_FALSE;
    return a == EXPR_TRUE && b == EXPR_TRUE ? EXPR_TRUE : EXPR_UNKNOWN;
}

static enum expr_value negated(enum expr_value a)
{
    return a == EXPR_UNKNOWN ? a : a == EXPR_TRUE ? EXPR_FALSE : EXPR_TRUE;
}

enum expr_value expr_eval(const struct expr_pool *pool, const struct expr *e,
                          const enum expr_value *test_values)
{
    enum expr_value stack[EXPR_TESTS_MAX]; // no more can wait than there are tests
    unsigned top = 0;

    for (unsigned i = 0; i < e->code_count; i++) {
        uint16_t step = pool->code[e->code_first + i];

        if (step == EXPR_OP_NOT) {
            stack[top - 1] = negated(stack[top - 1]);
        } else if (step == EXPR_OP_AND) {
            top--;
            stack[top - 1] = both(stack[top - 1], stack[top]);
        } else if (step == EXPR_OP_OR) {
            top--;
            stack[top - 1] = negated(both(negated(stack[top - 1]), negated(stack[top])));
        } else {
            stack[top++] = test_values[step];
        }
    }
    DEBUG_CHECK(top == 1);
    return stack[0];
}
