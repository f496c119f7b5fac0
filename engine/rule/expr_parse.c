// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/rule/expr_lex.h"

#define PERIOD_DAYS_MAX  366
#define COUNT_NUMBER_MAX 1000 // as much as an attempts rule may allow
#define SHOWN_MAX        32   // bytes of the text that an error repeats
#define POOL_INDEX_MAX   UINT16_MAX

enum operand_kind { OPERAND_FIELD, OPERAND_COUNT, OPERAND_TEXT, OPERAND_NUMBER };

struct operand {
    enum operand_kind kind;
    const char *at; // where it begins
    uint16_t index; // of the pool's field or count
    struct expr_literal literal;
};

struct parser {
    struct expr_lex lex;
    struct expr_pool *pool;
    struct expr e;
    unsigned depth; // open parentheses
    int err;        // ERR_NOMEM, ERR_FULL; 0 while only the text is to blame
};

static bool fail_memory(struct parser *p, int err)
{
    p->err = err;
    return expr_lex_fail(&p->lex, p->lex.begin,
                         err == ERR_FULL ? "the rule set has more expressions than can be kept"
                                         : "memory is out");
}

// Room for one more in the array whose address stands at `at`. Arrays hold a power of two, so that
// the count says when one is full.
static bool grow(struct parser *p, void *at, unsigned count, size_t each_bytes)
{
    void *array;

    if (count >= POOL_INDEX_MAX) return fail_memory(p, ERR_FULL);
    if (count & (count - 1)) return true;
    memcpy(&array, at, sizeof array);
    array = realloc(array, (count ? (size_t)count * 2 : 1) * each_bytes);
    if (!array) return fail_memory(p, ERR_NOMEM);
    memcpy(at, &array, sizeof array);
    return true;
}

static bool unexpected(struct parser *p, const char *wanted)
{
    struct str raw = p->lex.raw;

    if (p->lex.token == EXPR_TOKEN_END)
        return expr_lex_fail(&p->lex, raw.ptr, "%s is expected here, where the text ends", wanted);
    return expr_lex_fail(&p->lex, raw.ptr, "%s is expected here, not `%.*s`", wanted,
                         (int)(raw.size < SHOWN_MAX ? raw.size : SHOWN_MAX), raw.ptr);
}

static bool expect(struct parser *p, enum expr_token token, const char *wanted)
{
    if (p->lex.token != token) return unexpected(p, wanted);
    expr_lex_next(&p->lex);
    return !p->lex.failed;
}

static bool add_code(struct parser *p, uint16_t step)
{
    struct expr_pool *pool = p->pool;

    if (p->e.code_count == EXPR_CODE_MAX)
        return expr_lex_fail(&p->lex, p->lex.begin,
                             "an expression has at most %d tests and operators; write two rules",
                             EXPR_CODE_MAX);
    if (!grow(p, &pool->code, pool->code_count, sizeof *pool->code)) return false;
    pool->code[pool->code_count++] = step;
    p->e.code_count++;
    return true;
}

static bool add_test(struct parser *p, const struct expr_test *test)
{
    struct expr_pool *pool = p->pool;

    if (p->e.test_count == EXPR_TESTS_MAX)
        return expr_lex_fail(&p->lex, p->lex.begin,
                             "an expression has at most %d comparisons; use in [..] or two rules",
                             EXPR_TESTS_MAX);
    if (!grow(p, &pool->test, pool->test_count, sizeof *pool->test)) return false;
    pool->test[pool->test_count++] = *test;
    return add_code(p, p->e.test_count++);
}

static bool add_literal(struct parser *p, const struct expr_literal *literal)
{
    struct expr_pool *pool = p->pool;

    if (!grow(p, &pool->literal, pool->literal_count, sizeof *pool->literal)) return false;
    pool->literal[pool->literal_count++] = *literal;
    return true;
}

static bool add_field(struct parser *p, struct str name, uint16_t *ret)
{
    struct expr_pool *pool = p->pool;
    unsigned i = 0;

    while (i < pool->field_count && !str_eq(pool->field[i], name)) i++;
    *ret = (uint16_t)i;
    if (i < pool->field_count) return true;
    if (!grow(p, &pool->field, i, sizeof *pool->field)) return false;
    pool->field[pool->field_count++] = name;
    return true;
}

static bool add_count(struct parser *p, const struct expr_count *c, uint16_t *ret)
{
    struct expr_pool *pool = p->pool;
    unsigned i = 0;

    while (i < pool->count_count &&
           (pool->count[i].by != c->by || pool->count[i].period_s != c->period_s ||
            pool->count[i].results != c->results))
        i++;
    *ret = (uint16_t)i;
    if (i < pool->count_count) return true;
    if (!grow(p, &pool->count, i, sizeof *pool->count)) return false;
    pool->count[pool->count_count++] = *c;
    return true;
}

// -- AttemptsOnDevice(24H, [Answer, 21]) -------------------------------------------------------

static bool parse_span(struct parser *p, uint32_t *ret_s)
{
    static const char wanted[] = "a length of time such as 24H, 90M or 7D";
    struct expr_lex *lex = &p->lex;
    int64_t n = lex->milli / EXPR_THOUSANDTH, each_s;

    if (lex->token == EXPR_TOKEN_NUMBER)
        return expr_lex_fail(lex, lex->raw.ptr,
                             "a length of time has its unit: M minutes, H hours or D days, as in "
                             "24H");
    if (lex->token != EXPR_TOKEN_SPAN) return unexpected(p, wanted);
    each_s = lex->unit == 'm' ? 60 : lex->unit == 'h' ? 3600 : lex->unit == 'd' ? 86400 : 0;
    if (!each_s || lex->milli % EXPR_THOUSANDTH) return unexpected(p, wanted);
    if (n < 1 || n > PERIOD_DAYS_MAX * INT64_C(86400) / each_s)
        return expr_lex_fail(lex, lex->raw.ptr, "a length of time is at least 1M and at most %dD",
                             PERIOD_DAYS_MAX);
    *ret_s = (uint32_t)(n * each_s);
    expr_lex_next(lex);
    return !lex->failed;
}

// A name of several words may stand without quotes: [No Answer, Busy].
static struct str take_words(struct expr_lex *lex)
{
    struct str words = lex->text;

    if (lex->token == EXPR_TOKEN_TEXT) {
        expr_lex_next(lex);
        return words;
    }
    while (!lex->failed && lex->token == EXPR_TOKEN_WORD) {
        words.size = (size_t)(lex->at - words.ptr);
        expr_lex_next(lex);
    }
    return words;
}

static bool parse_result(struct parser *p, uint64_t *results)
{
    struct expr_lex *lex = &p->lex;
    const char *at = lex->raw.ptr;
    unsigned number = 0;
    struct str name;

    if (lex->token == EXPR_TOKEN_NUMBER) {
        if (lex->milli < 0 || lex->milli % EXPR_THOUSANDTH ||
            lex->milli >= CALL_RESULT_OTHER * EXPR_THOUSANDTH)
            return expr_lex_fail(lex, at, "a call result is a whole number from 0 to %d",
                                 CALL_RESULT_OTHER - 1);
        *results |= call_result_bit(lex->milli / EXPR_THOUSANDTH);
        expr_lex_next(lex);
        return !lex->failed;
    }
    if (lex->token != EXPR_TOKEN_WORD && lex->token != EXPR_TOKEN_TEXT)
        return unexpected(p, "a call result such as Answer, \"No Answer\" or 33");
    name = take_words(lex);
    if (lex->failed) return false;
    if (!call_result_find(name, &number))
        return expr_lex_fail(lex, at,
                             "`%.*s` is no call result; a name such as Answer or \"No Answer\", "
                             "or a number is expected here",
                             (int)(name.size < SHOWN_MAX ? name.size : SHOWN_MAX), name.ptr);
    *results |= call_result_bit(number);
    return true;
}

static bool parse_results(struct parser *p, uint64_t *ret)
{
    uint64_t results = 0;

    if (!expect(p, EXPR_TOKEN_LIST, "a list of call results, [..],")) return false;
    for (;;) {
        if (!parse_result(p, &results)) return false;
        if (p->lex.token != EXPR_TOKEN_COMMA) break;
        expr_lex_next(&p->lex);
    }
    if (!expect(p, EXPR_TOKEN_LIST_END, "`,` or `]`")) return false;
    *ret = results;
    return true;
}

static bool parse_count(struct parser *p, struct operand *ret)
{
    struct expr_lex *lex = &p->lex;
    struct expr_count c = {.results = call_result_default_set()};
    struct str name = lex->raw;

    if (str_eq_nocase(name, STR("AttemptsOnDevice")))
        c.by = COUNT_BY_DEVICE;
    else if (str_eq_nocase(name, STR("AttemptsOnContact")))
        c.by = COUNT_BY_CLIENT;
    else
        return expr_lex_fail(lex, name.ptr,
                             "`%.*s` is nothing known here; fields begin with $, text stands in "
                             "quotes, counts are AttemptsOnDevice and AttemptsOnContact",
                             (int)(name.size < SHOWN_MAX ? name.size : SHOWN_MAX), name.ptr);
    ret->kind = OPERAND_COUNT;
    expr_lex_next(lex);
    if (!expect(p, EXPR_TOKEN_OPEN, "( and a length of time, as in (24H),") ||
        !parse_span(p, &c.period_s))
        return false;
    if (lex->token == EXPR_TOKEN_COMMA) {
        expr_lex_next(lex);
        if (!parse_results(p, &c.results)) return false;
    }
    return expect(p, EXPR_TOKEN_CLOSE, ") or a list of call results, as in (24H, [Answer]),") &&
           add_count(p, &c, &ret->index);
}

// -- comparisons -------------------------------------------------------------------------------

static bool parse_literal(struct parser *p, struct expr_literal *ret)
{
    struct expr_lex *lex = &p->lex;

    *ret = (struct expr_literal){.is_number = lex->token == EXPR_TOKEN_NUMBER,
                                 .escaped = lex->escaped,
                                 .milli = lex->milli,
                                 .text = str_trim(lex->text)};
    expr_lex_next(lex);
    return !lex->failed;
}

static bool parse_operand(struct parser *p, struct operand *ret)
{
    struct expr_lex *lex = &p->lex;

    *ret = (struct operand){.at = lex->raw.ptr};
    switch (lex->token) {
    case EXPR_TOKEN_FIELD:
        ret->kind = OPERAND_FIELD;
        if (!add_field(p, lex->text, &ret->index)) return false;
        expr_lex_next(lex);
        return !lex->failed;
    case EXPR_TOKEN_NUMBER:
        ret->kind = OPERAND_NUMBER;
        return parse_literal(p, &ret->literal);
    case EXPR_TOKEN_TEXT:
        ret->kind = OPERAND_TEXT;
        return parse_literal(p, &ret->literal);
    case EXPR_TOKEN_WORD:
        return parse_count(p, ret);
    case EXPR_TOKEN_SPAN:
        return expr_lex_fail(lex, ret->at,
                             "a length of time stands in AttemptsOnDevice(..) and "
                             "AttemptsOnContact(..) only");
    case EXPR_TOKEN_LIST:
        return expr_lex_fail(lex, ret->at,
                             "a list stands behind `in` only, as in $STATE in "
                             "[\"CA\", \"NV\"]");
    default:
        return unexpected(p, "a field, a count or a value");
    }
}

static bool is_literal(const struct operand *o)
{
    return o->kind == OPERAND_TEXT || o->kind == OPERAND_NUMBER;
}

static bool add_field_test(struct parser *p, const struct operand *field,
                           const struct operand *literal, enum expr_compare compare)
{
    const struct expr_test test = {.compare = compare,
                                   .field = field->index,
                                   .literal_first = (uint16_t)p->pool->literal_count,
                                   .literal_count = 1};

    if (compare != EXPR_EQ && compare != EXPR_NE && literal->kind == OPERAND_TEXT)
        return expr_lex_fail(&p->lex, literal->at,
                             "< <= > >= compare numbers; text is compared with == and !=, and a "
                             "number stands without quotes");
    return add_literal(p, &literal->literal) && add_test(p, &test);
}

static bool add_count_test(struct parser *p, const struct operand *count,
                           const struct operand *literal, enum expr_compare compare)
{
    int64_t milli = literal->literal.milli;
    struct expr_test test = {.compare = compare, .of_count = true, .count = count->index};

    if (literal->kind != OPERAND_NUMBER || milli < 0 || milli % EXPR_THOUSANDTH ||
        milli > COUNT_NUMBER_MAX * EXPR_THOUSANDTH)
        return expr_lex_fail(&p->lex, literal->at,
                             "a count is compared with a whole number from 0 to %d",
                             COUNT_NUMBER_MAX);
    test.number = (uint32_t)(milli / EXPR_THOUSANDTH);
    return add_test(p, &test);
}

static enum expr_compare flip(enum expr_compare compare)
{
    switch (compare) {
    case EXPR_LT:
        return EXPR_GT;
    case EXPR_LE:
        return EXPR_GE;
    case EXPR_GT:
        return EXPR_LT;
    case EXPR_GE:
        return EXPR_LE;
    default:
        return compare;
    }
}

static bool parse_compare(struct parser *p, struct operand *left)
{
    enum expr_compare compare = p->lex.compare;
    struct operand right, *what = left, *with = &right;

    expr_lex_next(&p->lex);
    if (!parse_operand(p, &right)) return false;
    if (p->lex.token == EXPR_TOKEN_COMPARE)
        return expr_lex_fail(&p->lex, p->lex.raw.ptr,
                             "comparisons are not chained; join two of them with and");
    if (is_literal(left)) {
        what = &right;
        with = left;
        compare = flip(compare);
    }
    if (is_literal(what) || !is_literal(with))
        return expr_lex_fail(&p->lex, right.at,
                             is_literal(what)
                                 ? "two values are compared here; one side is a field or a count"
                                 : "one side of a comparison is a text or a number");
    if (what->kind == OPERAND_COUNT) return add_count_test(p, what, with, compare);
    return add_field_test(p, what, with, compare);
}

static bool parse_in(struct parser *p, const struct operand *left, bool negated)
{
    struct expr_lex *lex = &p->lex;
    struct expr_test test = {.compare = EXPR_IN,
                             .field = left->index,
                             .literal_first = (uint16_t)p->pool->literal_count};
    struct expr_literal literal;

    if (left->kind != OPERAND_FIELD)
        return expr_lex_fail(lex, left->at,
                             "a field stands before `in`, as in $STATE in [\"CA\"]; "
                             "counts are compared with numbers");
    expr_lex_next(lex);
    if (!expect(p, EXPR_TOKEN_LIST, "a list, [..],")) return false;
    for (;;) {
        if (lex->token == EXPR_TOKEN_WORD)
            return expr_lex_fail(lex, lex->raw.ptr, "text stands in quotes: \"%.*s\"",
                                 (int)(lex->raw.size < SHOWN_MAX ? lex->raw.size : SHOWN_MAX),
                                 lex->raw.ptr);
        if (lex->token != EXPR_TOKEN_TEXT && lex->token != EXPR_TOKEN_NUMBER)
            return unexpected(p, "a text or a number");
        if (!parse_literal(p, &literal) || !add_literal(p, &literal)) return false;
        test.literal_count++;
        if (lex->token != EXPR_TOKEN_COMMA) break;
        expr_lex_next(lex);
    }
    return expect(p, EXPR_TOKEN_LIST_END, "`,` or `]`") && add_test(p, &test) &&
           (!negated || add_code(p, EXPR_OP_NOT));
}

static bool parse_test(struct parser *p)
{
    static const char *const alone[] = {
        [OPERAND_FIELD] = "a field alone is no condition; compare it, as in $NAME == \"yes\"",
        [OPERAND_COUNT] = ("a count alone is no condition; compare it, as in "
                           "AttemptsOnDevice(24H) >= 3"),
        [OPERAND_TEXT] = "a text alone is no condition; compare it with a field",
        [OPERAND_NUMBER] = "a number alone is no condition; compare it with a field or a count",
    };
    struct operand left;

    if (!parse_operand(p, &left)) return false;
    switch (p->lex.token) {
    case EXPR_TOKEN_COMPARE:
        return parse_compare(p, &left);
    case EXPR_TOKEN_IN:
        return parse_in(p, &left, false);
    case EXPR_TOKEN_NOT:
        expr_lex_next(&p->lex);
        if (p->lex.token != EXPR_TOKEN_IN) return unexpected(p, "`in`, for `not in`,");
        return parse_in(p, &left, true);
    default:
        // what is wrong with the next word comes first
        return !p->lex.failed && expr_lex_fail(&p->lex, left.at, "%s", alone[left.kind]);
    }
}

// -- and, or, not ------------------------------------------------------------------------------

static bool parse_or(struct parser *p);

static bool parse_not(struct parser *p)
{
    bool negated = false;

    for (; p->lex.token == EXPR_TOKEN_NOT; expr_lex_next(&p->lex)) negated = !negated;
    if (p->lex.token == EXPR_TOKEN_OPEN) {
        if (p->depth == EXPR_DEPTH_MAX)
            return expr_lex_fail(&p->lex, p->lex.raw.ptr,
                                 "at most %d parentheses stand in each other", EXPR_DEPTH_MAX);
        p->depth++;
        expr_lex_next(&p->lex);
        if (!parse_or(p) || !expect(p, EXPR_TOKEN_CLOSE, "and, or, or )")) return false;
        p->depth--;
    } else if (!parse_test(p)) {
        return false;
    }
    return !negated || add_code(p, EXPR_OP_NOT);
}

static bool parse_and(struct parser *p)
{
    if (!parse_not(p)) return false;
    while (p->lex.token == EXPR_TOKEN_AND) {
        expr_lex_next(&p->lex);
        if (!parse_not(p) || !add_code(p, EXPR_OP_AND)) return false;
    }
    return true;
}

static bool parse_or(struct parser *p)
{
    if (!parse_and(p)) return false;
    while (p->lex.token == EXPR_TOKEN_OR) {
        expr_lex_next(&p->lex);
        if (!parse_and(p) || !add_code(p, EXPR_OP_OR)) return false;
    }
    return true;
}

static bool parse(struct parser *p, struct str text)
{
    struct expr_pool *pool = p->pool;

    if (text.size > EXPR_TEXT_MAX)
        return expr_lex_fail(&p->lex, text.ptr, "an expression has at most %d bytes",
                             EXPR_TEXT_MAX);
    if (!p->lex.failed && p->lex.token == EXPR_TOKEN_END)
        return expr_lex_fail(&p->lex, text.ptr, "an expression is expected, this one is empty");
    if (!parse_or(p)) return false;
    if (p->lex.token != EXPR_TOKEN_END) return unexpected(p, "and, or, or the end");
    if (p->lex.failed || !grow(p, &pool->expr, pool->expr_count, sizeof *pool->expr)) return false;
    pool->expr[pool->expr_count++] = p->e;
    return true;
}

int expr_compile(struct expr_pool *pool, struct str text, struct expr_error *error)
{
    const struct expr_pool before = *pool;
    struct parser p = {.pool = pool};

    p.e.test_first = (uint16_t)pool->test_count;
    p.e.code_first = (uint16_t)pool->code_count;
    expr_lex_start(&p.lex, text, error);
    if (parse(&p, text)) return (int)pool->expr_count - 1;
    DEBUG_CHECK(p.lex.failed);
    // arrays that grew stay larger than their counts ask for
    pool->field_count = before.field_count;
    pool->literal_count = before.literal_count;
    pool->count_count = before.count_count;
    pool->test_count = before.test_count;
    pool->code_count = before.code_count;
    return p.err ? p.err : ERR_BAD_VALUE;
}
