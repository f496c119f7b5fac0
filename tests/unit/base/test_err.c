// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/err.h"

static void test_table(void **state)
{
    struct err_info info = {0};

    (void)state;
    assert_string_equal(err_code(ERR_NOMEM), "out_of_memory");
    assert_string_equal(err_code(ERR_BUSY), "busy");
    assert_int_equal(err_http_status(ERR_METHOD), 405);
    assert_int_equal(err_http_status(0), 200);
    assert_string_equal(err_code(ERR_END_), "unknown");
    assert_string_equal(err_code(ERR_BASE_), "unknown");
    assert_string_equal(err_code(1), "unknown");
    assert_int_equal(err_set(&info, ERR_IO, "%s %d", "x", 5), ERR_IO);
    assert_string_equal(info.text, "x 5");
    assert_int_equal(info.err, ERR_IO);
    assert_int_equal(err_set(NULL, ERR_FULL, "x"), ERR_FULL);
    for (int e = ERR_BASE_ + 1; e < ERR_END_; e++) {
        assert_true(err_text(e)[0] && e < 0);
        assert_in_range(err_http_status(e), 400, 599);
        for (int f = e + 1; f < ERR_END_; f++) assert_string_not_equal(err_code(e), err_code(f));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
