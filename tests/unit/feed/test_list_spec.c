// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/feed/fixture.h"

#include "engine/feed/feed.h"
#include "engine/wire/number.h"

static int parse(struct list_spec *spec, const char *text, struct err_info *info)
{
    return list_spec_parse(spec, str_of(text), "default", "US", info);
}

static void test_good(void **state)
{
    struct list_spec s;
    struct err_info info;

    (void)state;
    assert_int_equal(parse(&s, "national=/data/dnc.txt", &info), 0);
    assert_string_equal(s.name, "national");
    assert_string_equal(s.tenant, "default");
    assert_string_equal(s.file, "/data/dnc.txt");
    assert_string_equal(s.region, "US");
    assert_int_equal(s.kind, SET_DEVICE);
    assert_int_equal(s.channel, CHANNEL_ANY);
    assert_true(s.required);
    assert_int_equal(
        parse(&s, "a.b-c_9=,kind=email,channel=SMS,optional,tenant=*,country=gb", &info), 0);
    assert_string_equal(s.file, "");
    assert_string_equal(s.tenant, "*");
    assert_string_equal(s.region, "GB");
    assert_int_equal(s.kind, SET_EMAIL);
    assert_int_equal(s.channel, CHANNEL_SMS);
    assert_false(s.required);
    assert_int_equal(parse(&s, "x=a=b, kind = client , required", &info), 0);
    assert_string_equal(s.file, "a=b");
    assert_int_equal(s.kind, SET_CLIENT);
    assert_true(s.required);
}

static void test_bad(void **state)
{
    static const char *const bad[] = {
        "",
        "n",
        "=f",
        ".n=f",
        "a/b=f",
        "n=f,kind=phone",
        "n=f,kind",
        "n=f,channel=fax",
        "n=f,channel",
        "n=f,tenant=a b",
        "n=f,tenant=",
        "n=f,country=XX",
        "n=f,",
        "n=f,wanted",
        "n=f,required=1",
        "n=f,optional,",
        "n=f,tenant",
    };
    char big[700];
    struct err_info info;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct list_spec s = {.kind = 77};

        if (parse(&s, bad[i], &info) != ERR_CONFIG) fail_msg("'%s' is taken", bad[i]);
        assert_int_equal(s.kind, 77); // untouched
        assert_non_null(strstr(info.text, "try:"));
    }
    memset(big, 'a', sizeof big);
    memcpy(big, "n=", 2);
    big[sizeof big - 1] = '\0';
    assert_int_equal(parse(&(struct list_spec){0}, big, &info), ERR_CONFIG);
    big[1] = 'n';
    big[65] = '=';
    assert_int_equal(parse(&(struct list_spec){0}, big, &info), ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};

    if (number_start()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
