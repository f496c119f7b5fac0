// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>

#include "engine/net/route.h"

static const struct route table[] = {
    {.method = HTTP_POST, .pattern = "/ocs/validate", .tag = 1},
    {.method = HTTP_POST, .pattern = "/ocs/{tenant}/validate", .tag = 2},
    {.method = HTTP_GET, .pattern = "/v1/lists", .tag = 3},
    {.method = HTTP_GET, .pattern = "/v1/lists/{list}/entries/{value}", .tag = 4},
    {.method = HTTP_PUT, .pattern = "/v1/lists/{list}/entries/{value}", .tag = 5},
    {.method = HTTP_GET, .pattern = "/v1/{any}", .tag = 6},
    {.method = HTTP_DELETE, .pattern = "/v1/{any}", .tag = 7},
};

static const struct route *find(enum http_method m, const char *path,
                                struct str param[HTTP_PARAMS_MAX], int *err, char allow[64])
{
    struct buf b;
    const struct route *r;

    buf_wrap(&b, allow, 63);
    *err = 0;
    r = route_find(table, sizeof table / sizeof table[0], m, str_of(path), param, err, &b);
    allow[b.size_bytes] = '\0';
    return r;
}

static void test_find(void **state)
{
    struct str param[HTTP_PARAMS_MAX] = {0};
    char allow[64];
    int err;

    (void)state;
    assert_int_equal(find(HTTP_POST, "/ocs/validate", param, &err, allow)->tag, 1);
    assert_null(param[0].ptr);
    assert_int_equal(find(HTTP_POST, "/ocs/acme/validate", param, &err, allow)->tag, 2);
    assert_true(str_eq(param[0], STR("acme")));
    // a literal row wins over a pattern that stands anywhere
    assert_int_equal(find(HTTP_GET, "/v1/lists", param, &err, allow)->tag, 3);
    assert_int_equal(find(HTTP_GET, "/v1/lists/a%2Fb/entries/+1212", param, &err, allow)->tag, 4);
    assert_true(str_eq(param[0], STR("a%2Fb")));
    assert_true(str_eq(param[1], STR("+1212")));
    assert_int_equal(find(HTTP_PUT, "/v1/lists/x/entries/y", param, &err, allow)->tag, 5);
}

static void test_refuse(void **state)
{
    static const char *const unknown[] = {
        "/",          "/ocs", "/ocs/",       "/ocs/validate/", "/ocs//x", "/v1/lists/x/entries/",
        "/v1/lists/", "*",    "/ocs/validat"};
    struct str param[HTTP_PARAMS_MAX] = {0};
    char allow[64];
    int err;

    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_null(find(HTTP_POST, unknown[i], param, &err, allow));
        assert_int_equal(err, ERR_NOT_FOUND);
        assert_string_equal(allow, "");
    }
    assert_null(find(HTTP_OTHER, "/v1/lists/x/entries/y", param, &err, allow));
    assert_int_equal(err, ERR_METHOD);
    assert_string_equal(allow, "GET, PUT");
    assert_null(find(HTTP_GET, "/ocs/validate", param, &err, allow));
    assert_int_equal(err, ERR_METHOD);
    assert_string_equal(allow, "POST");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_refuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
