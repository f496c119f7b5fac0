// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/rule/expr.h"

#define F EXPR_FALSE
#define T EXPR_TRUE
#define U EXPR_UNKNOWN

static struct expr_pool pool;

static int teardown(void **state)
{
    (void)state;
    expr_pool_done(&pool);
    return 0;
}

static const struct expr *compiles(const char *text)
{
    struct expr_error error = {.text = "no error told"};
    int err = expr_compile(&pool, str_of(text), &error);

    if (err < 0) fail_msg("%s: %u:%u %s", text, error.line, error.column, error.text);
    assert_int_equal(err, pool.expr_count - 1);
    return &pool.expr[err];
}

static void refuses(const char *text, unsigned line, unsigned column, const char *what)
{
    struct expr_error error = {0};
    struct expr_pool before = pool;
    int err = expr_compile(&pool, str_of(text), &error);

    if (err >= 0) fail_msg("compiles: %s", text);
    assert_int_equal(err, ERR_BAD_VALUE);
    if (error.line != line || error.column != column || !strstr(error.text, what))
        fail_msg("%s: want %u:%u …%s…, got %u:%u %s", text, line, column, what, error.line,
                 error.column, error.text);
    assert_int_equal(pool.test_count, before.test_count);
    assert_int_equal(pool.field_count, before.field_count);
    assert_int_equal(pool.literal_count, before.literal_count);
    assert_int_equal(pool.count_count, before.count_count);
    assert_int_equal(pool.code_count, before.code_count);
    assert_int_equal(pool.expr_count, before.expr_count);
}

static struct json_value string(const char *text)
{
    return (struct json_value){.type = JSON_STRING, .text = str_of(text)};
}

static struct json_value number(const char *text)
{
    return (struct json_value){.type = JSON_NUMBER, .text = str_of(text)};
}

static const struct json_value missing = {.type = JSON_NONE};

// The value of the one test of `text` on a field.
static enum expr_value test_of(const char *text, struct json_value value)
{
    const struct expr *e = compiles(text);

    assert_int_equal(e->test_count, 1);
    return expr_test_field(&pool, &pool.test[e->test_first], value);
}

static void is(const char *text, struct json_value value, enum expr_value want)
{
    enum expr_value got = test_of(text, value);

    if (got != want)
        fail_msg("%s with %.*s: want %d, got %d", text, STR_ARG(value.text), want, got);
}

// Fields are named A … Z, `known` says "a" for A is true: A=1. Others are missing.
static enum expr_value with(const char *text, const char *known)
{
    const struct expr *e = compiles(text);
    enum expr_value values[EXPR_TESTS_MAX];

    for (unsigned i = 0; i < e->test_count; i++) {
        const struct expr_test *test = &pool.test[e->test_first + i];
        const char *at = strchr(known, pool.field[test->field].ptr[0]);

        values[i] = expr_test_field(&pool, test, at ? number(at[1] == '1' ? "1" : "0") : missing);
    }
    return expr_eval(&pool, e, values);
}

static void test_text(void **state)
{
    (void)state;
    is("$X == \"CA\"", string("CA"), T);
    is("$X == 'CA'", string("CA"), T);
    is("\"CA\" == $X", string("CA"), T);
    is("$X == \"CA\"", string("ca"), F);
    is("$X == \"CA\"", string(" CA  "), T);
    is("$X == \" CA \"", string("CA"), T);
    is("$X == \"CA\"", string("CAL"), F);
    is("$X != \"CA\"", string("NV"), T);
    is("$X != \"CA\"", string("CA"), F);
    is("$X == \"true\"", (struct json_value){.type = JSON_BOOL, .text = STR("true")}, T);
    is("$X == \"1\"", number("1"), T);
    is("$X == \"1\"", number("1.0"), F);
    is("$X in [\"CA\", 'NV', \"TX\"]", string("NV"), T);
    is("$X in [\"CA\", 'NV', \"TX\"]", string("UT"), F);
    is("$X in [\"CA\", 7]", number("7.0"), T);
    is("$x.y-z_9 == \"CA\"", string("CA"), T);
}

static void test_escapes(void **state)
{
    (void)state;
    is("$X == \"a\\\"b\"", string("a\"b"), T);
    is("$X == \"a\\\"b\"", string("a\\\"b"), F);
    is("$X == 'a\\'b'", string("a'b"), T);
    is("$X == 'a\"b'", string("a\"b"), T);
    is("$X == \"\\\\\"", string("\\"), T);
    is("$X == \"\\\\\"", string("\\\\"), F);
    is("$X == \"a\\\\\"", string("a"), F);
    is("$X == \"a\\\\\"", string("a\\b"), F);
    is("$X == \"\xc3\xa9\"", string("\xc3\xa9"), T);
}

static void test_numbers(void **state)
{
    static const struct {
        const char *value;
        int sign; // against 1.5
    } rows[] = {
        {"1.5", 0},
        {"1.50", 0},
        {"01.5", 0},
        {"15e-1", 0},
        {"0.15E+1", 0},
        {"0.0015e3", 0},
        {"150e-2", 0},
        {"1.4999", -1},
        {"1.499", -1},
        {"1.50001", 1},
        {"-1.5", -1},
        {"2", 1},
        {"1e3", 1},
        {"0", -1},
        {"1.5e0", 0},
        {"1e999", 1},
        {"-1e999", -1},
        {"1e-999", -1},
        {"1e99999999999999999999", 1},
        {"99999999999999999999999", 1},
        {"-99999999999999999999999", -1},
        {"0e99999", -1},
        {"15000000000000000000000000000000e-31", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *v = rows[i].value;

        is("$X < 1.5", number(v), rows[i].sign < 0);
        is("$X <= 1.5", number(v), rows[i].sign <= 0);
        is("$X > 1.5", number(v), rows[i].sign > 0);
        is("$X >= 1.5", string(v), rows[i].sign >= 0);
        is("$X == 1.5", number(v), rows[i].sign == 0);
        is("$X != 1.5", string(v), rows[i].sign != 0);
        is("1.5 > $X", number(v), rows[i].sign < 0);
        is("1.5 <= $X", number(v), rows[i].sign >= 0);
    }
    is("$X < -1.234", number("-1.2341"), T);
    is("$X < -1.234", number("-1.2339"), F);
    is("$X == 0", number("-0"), T);
    is("$X > -0.001", number("0"), T);
    is("$X == 999999999999.999", number("999999999999.999"), T);
    is("$X == 12125550100", string("12125550100"), T);
}

// Ordering needs numbers; equality with what is no number is answered, as text.
static void test_no_numbers(void **state)
{
    static const char *const texts[] = {"abc", "1.",  ".5",  "1e",  "+5",  "1 2", "0x10",
                                        "-",   "1e+", "1,5", "--1", "1-1", "NaN", "Infinity"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        is("$X < 5", string(texts[i]), U);
        is("$X >= 5", string(texts[i]), U);
        is("$X == 5", string(texts[i]), F);
        is("$X != 5", string(texts[i]), T);
        is("$X in [5, 6]", string(texts[i]), F);
    }
    is("$X == 1", (struct json_value){.type = JSON_BOOL, .text = STR("true")}, F);
    is("$X < 1", (struct json_value){.type = JSON_BOOL, .text = STR("true")}, U);
    is("$X == 5", string(" 5 "), T);
}

static void test_missing(void **state)
{
    const struct json_value blank[] = {
        missing, string(""), string("  "), {.type = JSON_NULL, .text = STR("null")}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(blank); i++) {
        is("$X == \"CA\"", blank[i], U);
        is("$X != \"CA\"", blank[i], U);
        is("$X < 5", blank[i], U);
        is("$X == 0", blank[i], U);
        is("$X in [\"CA\", \"NV\"]", blank[i], U);
        is("$X == \"\"", blank[i], T);
        is("$X == ' '", blank[i], T);
        is("$X != \"\"", blank[i], F);
        is("$X in [\"CA\", \"\"]", blank[i], T);
    }
    is("$X == \"\"", string("CA"), F);
    is("$X != \"\"", string("CA"), T);
    is("$X == \"[1]\"", (struct json_value){.type = JSON_ARRAY, .text = STR("[1]")}, U);
    is("$X != \"\"", (struct json_value){.type = JSON_OBJECT, .text = STR("{}")}, U);
}

static void test_kleene(void **state)
{
    static const struct {
        const char *known;
        enum expr_value both, either, not_a;
    } rows[] = {
        {"A0B0", F, F, T}, {"A0B1", F, T, T}, {"A0", F, U, T}, {"A1B0", F, T, F}, {"A1B1", T, T, F},
        {"A1", U, T, F},   {"B0", F, U, U},   {"B1", U, T, U}, {"", U, U, U},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(with("$A == 1 and $B == 1", rows[i].known), rows[i].both);
        assert_int_equal(with("$A == 1 or $B == 1", rows[i].known), rows[i].either);
        assert_int_equal(with("not $A == 1", rows[i].known), rows[i].not_a);
        assert_int_equal(with("NOT not NOT $A == 1", rows[i].known), rows[i].not_a);
        assert_int_equal(with("$A not in [1, 2]", rows[i].known), rows[i].not_a);
    }
}

// Every combination of three fields and their states, against the sentence spelled out here.
static void test_precedence(void **state)
{
    static const char *const states[] = {"0", "1", "?"};

    (void)state;
    for (unsigned n = 0; n < 27; n++) {
        unsigned a = n % 3, b = n / 3 % 3, c = n / 9;
        // as three-valued numbers: false 0, unknown 1, true 2
        unsigned va = a == 2 ? 1 : a * 2, vb = b == 2 ? 1 : b * 2, vc = c == 2 ? 1 : c * 2;
        static const enum expr_value back[] = {F, U, T};
        char known[32];
        unsigned want;

        snprintf(known, sizeof known, "%s%s%s%s%s%s", a < 2 ? "A" : "", a < 2 ? states[a] : "",
                 b < 2 ? "B" : "", b < 2 ? states[b] : "", c < 2 ? "C" : "",
                 c < 2 ? states[c] : "");
        want = vb < vc ? vb : vc;
        want = va > want ? va : want;
        assert_int_equal(with("$A == 1 or $B == 1 and $C == 1", known), back[want]);
        want = va > vb ? va : vb;
        want = want < vc ? want : vc;
        assert_int_equal(with("($A == 1 oR $B == 1) AND $C == 1", known), back[want]);
        want = 2 - va < vb ? 2 - va : vb;
        assert_int_equal(with("not $A == 1 and $B == 1", known), back[want]);
        want = 2 - (va < vb ? va : vb);
        assert_int_equal(with("not ($A == 1 and $B == 1)", known), back[want]);
    }
}

static const struct expr_count *count_of(const char *text)
{
    const struct expr *e = compiles(text);

    assert_int_equal(e->test_count, 1);
    assert_true(pool.test[e->test_first].of_count);
    return &pool.count[pool.test[e->test_first].count];
}

static void test_count_words(void **state)
{
    const uint64_t three = call_result_bit(33) | call_result_bit(21) | call_result_bit(20);
    const struct expr_count *c = count_of("AttemptsOnDevice(24H, [Answer, Abandoned, 20]) > 1");

    (void)state;
    assert_int_equal(c->by, COUNT_BY_DEVICE);
    assert_int_equal(c->period_s, 86400);
    assert_true(c->results == three);
    c = count_of("ATTEMPTSONCONTACT(30m) == 0");
    assert_int_equal(c->by, COUNT_BY_CLIENT);
    assert_int_equal(c->period_s, 1800);
    assert_true(c->results == call_result_default_set());
    assert_int_equal(count_of("AttemptsOnDevice(366d) > 1")->period_s, 366 * 86400);
    c = count_of("AttemptsOnDevice ( 7D , [ no answer , 'NoAnswer', \"No Answer\", Converse-On, "
                 "62 ] ) >= 1");
    assert_true(c->results == (call_result_bit(7) | call_result_bit(30) | 1ull << 62));
    // each once
    compiles(
        "AttemptsOnDevice(1H) > 1 and AttemptsOnDevice(60M) > 2 and AttemptsOnContact(1H) > 1");
    assert_ptr_equal(count_of("AttemptsOnDevice(1H) > 1"), count_of("3 < AttemptsOnDevice(60m)"));
}

static void test_count_values(void **state)
{
    static const struct {
        const char *text;
        enum expr_value known[4];   // for 1, 2, 3 and 4 attempts, of which no more than 3 are told
        enum expr_value unknown[4]; // the same when there may be more
    } rows[] = {
        {"AttemptsOnDevice(24H) > 2", {F, F, T, T}, {U, U, T, T}},
        {"AttemptsOnDevice(24H) >= 2", {F, T, T, T}, {U, T, T, T}},
        {"AttemptsOnDevice(24H) < 2", {T, F, F, F}, {U, F, F, F}},
        {"AttemptsOnDevice(24H) <= 2", {T, T, F, F}, {U, U, F, F}},
        {"AttemptsOnDevice(24H) == 2", {F, T, F, F}, {U, U, F, F}},
        {"AttemptsOnDevice(24H) != 2", {T, F, T, T}, {U, U, T, T}},
        {"2 < AttemptsOnDevice(24H)", {F, F, T, T}, {U, U, T, T}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct expr *e = compiles(rows[i].text);
        const struct expr_test *test = &pool.test[e->test_first];

        assert_int_equal(test->number, 2);
        for (unsigned n = 1; n <= 4; n++) {
            struct attempts_count count = {.count = n < 3 ? n : 3};

            assert_int_equal(expr_test_count(test, &count), rows[i].known[n - 1]);
            count.unknown = true;
            assert_int_equal(expr_test_count(test, &count), rows[i].unknown[n - 1]);
        }
    }
}

// The forms that the contract and CX Contact's help show.
static void test_documented(void **state)
{
    const struct expr *e;

    (void)state;
    e = compiles("$GSW_STATE_CODE == \"CA\" and AttemptsOnDevice(24H, [Answer, Abandoned]) > 1");
    assert_int_equal(e->test_count, 2);
    e = compiles("not ($GSW_STATE_CODE in [\"CA\"] and AttemptsOnDevice(24H, [Answer, Abandoned, "
                 "Overflowed]) > 1)");
    assert_int_equal(e->test_count, 2);
    assert_int_equal(e->code_count, 4);
    assert_int_equal(pool.code[e->code_first + 2], EXPR_OP_AND);
    assert_int_equal(pool.code[e->code_first + 3], EXPR_OP_NOT);
    e = compiles("not ($GSW_STATE_CODE in [\"CA\", \"NV\"])\r\n\tand AttemptsOnDevice(24H, "
                 "[Answer, 21]) >= 2");
    assert_int_equal(e->test_count, 2);
    assert_int_equal(pool.field_count, 1);
    assert_true(str_eq(pool.field[0], STR("GSW_STATE_CODE")));
}

static void test_sign_errors(void **state)
{
    (void)state;
    refuses("$X = 1", 1, 4, "write == to compare");
    refuses("$X === 1", 1, 4, "write == to compare");
    refuses("$X <> 1", 1, 4, "write !=");
    refuses("$X => 1", 1, 4, "write >=");
    refuses("$X =< 1", 1, 4, "write <=");
    refuses("$X == 1 && $Y == 2", 1, 9, "write and");
    refuses("$X == 1 & $Y == 2", 1, 9, "write and");
    refuses("$X == 1 || $Y == 2", 1, 9, "write or");
    refuses("!($X == 1)", 1, 1, "write not");
    refuses("$X == \xe2\x80\x9c"
            "CA\xe2\x80\x9d",
            1, 7, "straight quotes");
    refuses("$X in {1}", 1, 7, "[ and ]");
    refuses("$X == 1 # why", 1, 9, "`#` is not in this language");
    refuses("$X == \x01", 1, 7, "byte 0x01");
    refuses("$X == \"CA", 1, 7, "no end");
    refuses("$X == \"CA\\", 1, 7, "no end");
    refuses("$X == \"C\\A\"", 1, 9, "backslash");
    refuses("$ == 1", 1, 1, "name of a field follows $");
    refuses("$X == 1.2345", 1, 7, "3 digits behind");
    refuses("$X == 1234567890123", 1, 7, "12 digits");
    refuses("$X == 12abc", 1, 7, "`12abc` is neither");
    refuses("$X == -", 1, 7, "`-`");
    refuses("$X == 1\n  and\n  $Y = 2", 3, 6, "write ==");
    refuses("$X == \"\xc3\xa9\" && $Y == 1", 1, 11, "write and"); // columns are characters
}

static void test_type_errors(void **state)
{
    (void)state;
    refuses("$X", 1, 1, "a field alone is no condition");
    refuses("not ($X)", 1, 6, "a field alone is no condition");
    refuses("$Y == 1 and $X or $Z == 1", 1, 13, "a field alone");
    refuses("AttemptsOnDevice(24H)", 1, 1, "a count alone is no condition");
    refuses("\"CA\"", 1, 1, "a text alone");
    refuses("5", 1, 1, "a number alone");
    refuses("5 and $X == 1", 1, 1, "a number alone");
    refuses("$X < \"5\"", 1, 6, "compare numbers");
    refuses("\"5\" >= $X", 1, 1, "compare numbers");
    refuses("$X == $Y", 1, 7, "one side of a comparison is a text or a number");
    refuses("5 == 5", 1, 6, "two values");
    refuses("AttemptsOnDevice(24H) > AttemptsOnDevice(1H)", 1, 25, "one side");
    refuses("AttemptsOnDevice(24H) > $X", 1, 25, "one side");
    refuses("AttemptsOnDevice(24H) > \"1\"", 1, 25, "whole number from 0 to 1000");
    refuses("AttemptsOnDevice(24H) > 1.5", 1, 25, "whole number");
    refuses("AttemptsOnDevice(24H) > -1", 1, 25, "whole number");
    refuses("AttemptsOnDevice(24H) > 1001", 1, 25, "whole number");
    refuses("AttemptsOnDevice(24H) in [1]", 1, 1, "a field stands before `in`");
    refuses("\"CA\" in $X", 1, 1, "a field stands before `in`");
    refuses("1 < $X < 5", 1, 8, "not chained");
    refuses("$X == CA", 1, 7, "`CA` is nothing known");
    refuses("$X == true", 1, 7, "`true` is nothing known");
    refuses("$X in [CA]", 1, 8, "quotes: \"CA\"");
    refuses("24H > AttemptsOnDevice(1H)", 1, 1, "length of time");
}

static void test_shape_errors(void **state)
{
    (void)state;
    refuses("", 1, 1, "empty");
    refuses(" \n ", 1, 1, "empty");
    refuses("$X ==", 1, 6, "where the text ends");
    refuses("$X == 1 and", 1, 12, "where the text ends");
    refuses("$X == 1 $Y == 2", 1, 9, "and, or, or the end is expected here, not `$Y`");
    refuses("($X == 1", 1, 9, "and, or, or ) is expected here, where the text ends");
    refuses("$X == 1)", 1, 8, "not `)`");
    refuses("and $X == 1", 1, 1, "not `and`");
    refuses("$X == 1 and or $Y == 1", 1, 13, "not `or`");
    refuses("$X == and", 1, 7, "not `and`");
    refuses("$X in \"CA\"", 1, 7, "a list, [..], is expected");
    refuses("$X in []", 1, 8, "a text or a number");
    refuses("$X in [1,]", 1, 10, "a text or a number");
    refuses("$X in [1 2]", 1, 10, "`,` or `]`");
    refuses("$X in [1, 2", 1, 12, "`,` or `]`");
    refuses("$X not 5", 1, 8, "`in`, for `not in`,");
    refuses("[1] == $X", 1, 1, "behind `in` only");
    refuses("AttemptsOn(24H) > 1", 1, 1, "counts are AttemptsOnDevice and AttemptsOnContact");
    refuses("AttemptsOnDevice > 1", 1, 18, "( and a length of time");
    refuses("AttemptsOnDevice() > 1", 1, 18, "24H, 90M or 7D");
    refuses("AttemptsOnDevice(24) > 1", 1, 18, "has its unit");
    refuses("AttemptsOnDevice(24S) > 1", 1, 18, "24H, 90M or 7D");
    refuses("AttemptsOnDevice(1.5H) > 1", 1, 18, "24H, 90M or 7D");
    refuses("AttemptsOnDevice(0H) > 1", 1, 18, "at least 1M and at most 366D");
    refuses("AttemptsOnDevice(367D) > 1", 1, 18, "at most 366D");
    refuses("AttemptsOnDevice(8785H) > 1", 1, 18, "at most 366D");
    refuses("AttemptsOnDevice(999999999999M) > 1", 1, 18, "at most 366D");
    refuses("AttemptsOnDevice(24H, Answer) > 1", 1, 23, "a list of call results");
    refuses("AttemptsOnDevice(24H, []) > 1", 1, 24, "a call result such as");
    refuses("AttemptsOnDevice(24H, [Answerd]) > 1", 1, 24, "`Answerd` is no call result");
    refuses("AttemptsOnDevice(24H, [Busy, No Reply]) > 1", 1, 30, "`No Reply` is no call result");
    refuses("AttemptsOnDevice(24H, [1.5]) > 1", 1, 24, "whole number from 0 to 62");
    refuses("AttemptsOnDevice(24H, [63]) > 1", 1, 24, "whole number from 0 to 62");
    refuses("AttemptsOnDevice(24H, [-1]) > 1", 1, 24, "whole number from 0 to 62");
    refuses("AttemptsOnDevice(24H, [Answer) > 1", 1, 30, "`,` or `]`");
    refuses("AttemptsOnDevice(24H [Answer]) > 1", 1, 22, ") or a list");
}

static const char *repeated(struct buf *b, const char *first, const char *more, unsigned times,
                            const char *last)
{
    expr_pool_done(&pool); // its texts are in the buffer
    buf_reset(b);
    buf_str(b, str_of(first));
    for (unsigned i = 0; i < times; i++) buf_str(b, str_of(more));
    buf_str(b, str_of(last));
    buf_char(b, '\0');
    assert_false(b->failed);
    return b->ptr;
}

static void test_limits(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 16);
    compiles(repeated(&b, "$A==1", " or $A==1", EXPR_TESTS_MAX - 1, ""));
    refuses(repeated(&b, "$A==1", " or $A==1", EXPR_TESTS_MAX, ""), 1, 1, "at most 64 comparisons");
    compiles(repeated(&b, "", "(", EXPR_DEPTH_MAX, "$A==1))))))))))))))))))))))))))))))))"));
    refuses(repeated(&b, "", "(", EXPR_DEPTH_MAX + 1, "$A==1"), 1, 33, "at most 32 parentheses");
    // all operands wait to the end
    with(repeated(&b, "", "$A==1 and ($B==1 or (", EXPR_DEPTH_MAX / 2 - 1,
                  "$A==1))))))))))))))))))))))))))))))"),
         "A1");
    compiles(repeated(&b, "", "not ", 500, "$A==1"));
    refuses(repeated(&b, "$A==1 or not $A==1 or not $A==1", " or not(not $A==1)", 62, ""), 1, 1,
            "at most");
    compiles(repeated(&b, "$A == \"", "x", EXPR_TEXT_MAX - 8, "\""));
    refuses(repeated(&b, "$A == \"", "x", EXPR_TEXT_MAX - 7, "\""), 1, 1, "at most 4096 bytes");
    compiles(repeated(&b, "$", "x", 64, "==1"));
    refuses(repeated(&b, "$", "x", 65, "==1"), 1, 1, "at most 64 characters");
    compiles(repeated(&b, "$A in [1", ",1", 2000, "]"));
    buf_done(&b);
}

// A pool that is full says so, and is as it was.
static void test_full(void **state)
{
    struct expr_error error = {0};
    unsigned before;
    struct buf b;
    int err = 0;

    (void)state;
    buf_init(&b, 1 << 16);
    repeated(&b, "$A in [1", ",1", 2000, "]");
    for (unsigned i = 0; i < 100 && err >= 0; i++) {
        before = pool.literal_count;
        err = expr_compile(&pool, str_of(b.ptr), &error);
    }
    assert_int_equal(err, ERR_FULL);
    assert_non_null(strstr(error.text, "more expressions than can be kept"));
    assert_int_equal(pool.literal_count, before);
    compiles("$A == 1");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_text, teardown),
        cmocka_unit_test_teardown(test_escapes, teardown),
        cmocka_unit_test_teardown(test_numbers, teardown),
        cmocka_unit_test_teardown(test_no_numbers, teardown),
        cmocka_unit_test_teardown(test_missing, teardown),
        cmocka_unit_test_teardown(test_kleene, teardown),
        cmocka_unit_test_teardown(test_precedence, teardown),
        cmocka_unit_test_teardown(test_count_words, teardown),
        cmocka_unit_test_teardown(test_count_values, teardown),
        cmocka_unit_test_teardown(test_documented, teardown),
        cmocka_unit_test_teardown(test_sign_errors, teardown),
        cmocka_unit_test_teardown(test_type_errors, teardown),
        cmocka_unit_test_teardown(test_shape_errors, teardown),
        cmocka_unit_test_teardown(test_limits, teardown),
        cmocka_unit_test_teardown(test_full, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
