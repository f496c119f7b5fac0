// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>

#include "engine/net/http.h"

static void test_unescape(void **state)
{
    static const char *const bad[] = {"%", "%1", "a%zz", "%0g", "%00", "x%"};
    char dst[64];
    struct str got = {0};

    (void)state;
    assert_true(http_unescape(STR("a%20b%2fC%2Bd"), dst, &got));
    assert_true(str_eq(got, STR("a b/C+d")));
    assert_true(http_unescape(STR(""), dst, &got));
    assert_int_equal(got.size, 0);
    assert_true(http_unescape(STR("%ff%C3"), dst, &got));
    assert_memory_equal(got.ptr, "\xff\xc3", 2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(http_unescape(str_of(bad[i]), dst, &got));
}

static void test_query(void **state)
{
    struct str q = STR("a=1&bb=2&c&d=&a=3");

    (void)state;
    assert_true(str_eq(http_query(q, STR("a")), STR("1")));
    assert_true(str_eq(http_query(q, STR("bb")), STR("2")));
    assert_non_null(http_query(q, STR("c")).ptr);
    assert_int_equal(http_query(q, STR("c")).size, 0);
    assert_non_null(http_query(q, STR("d")).ptr);
    assert_null(http_query(q, STR("b")).ptr);
    assert_null(http_query((struct str){0}, STR("a")).ptr);
}

static void test_canned(void **state)
{
    static struct http_canned c;
    static char big[HTTP_CANNED_BYTES];

    (void)state;
    assert_true(http_canned_init(&c, 200, STR("application/json"), STR("{}")));
    assert_true(str_eq(str_make(c.bytes[0], c.size[0]),
                       STR("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                           "Content-Length: 2\r\n\r\n{}")));
    assert_true(str_eq(str_make(c.bytes[1], c.size[1]),
                       STR("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                           "Content-Length: 2\r\nConnection: close\r\n\r\n{}")));
    assert_true(str_eq(str_make(c.bytes[2], c.size[2]),
                       STR("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                           "Content-Length: 2\r\nConnection: keep-alive\r\n\r\n{}")));
    assert_int_equal(c.size[3], c.size[1]);
    assert_false(http_canned_init(&c, 200, STR("a"), str_make(big, sizeof big)));
}

static void test_problem(void **state)
{
    char memory[512];
    struct buf b;

    (void)state;
    buf_wrap(&b, memory, sizeof memory);
    http_problem(&b, ERR_NO_LIST, STR("no \"x\""));
    assert_true(
        str_eq(buf_view(&b), STR("{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                                 "\"code\":\"list_unknown\",\"detail\":\"no \\\"x\\\"\"}")));
    buf_reset(&b);
    http_problem(&b, ERR_METHOD, (struct str){0});
    assert_non_null(memmem(b.ptr, b.size_bytes, "does not take that method", 25));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unescape),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_canned),
        cmocka_unit_test(test_problem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
