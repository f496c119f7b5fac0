// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"

static char written[4096];

// What `say` writes to standard error.
static const char *heard(void (*say)(void))
{
    int ends[2], saved = dup(STDERR_FILENO);
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    say();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    n = read(ends[0], written, sizeof written - 1);
    close(ends[0]);
    written[n > 0 ? n : 0] = '\0';
    return written;
}

static void say_plain(void)
{
    log_info("list national", "%d rows", 7);
}

static void say_debug(void)
{
    log_line(LOG_DEBUG, "x", "never");
}

static void say_dirty(void)
{
    log_warn("file", "%s", "a\nb\x1b[2J\tc");
}

static void say_long(void)
{
    char text[3000];

    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_error("x", "%s", text);
}

static void a_line_is_instant_level_subject_sentence(void **state)
{
    (void)state;
    assert_string_equal(heard(say_plain), "2026-11-22T13:00:00Z info  list national: 7 rows\n");
    assert_string_equal(heard(say_debug), "");
    log_set_level(LOG_DEBUG);
    assert_string_equal(heard(say_debug), "2026-11-22T13:00:00Z debug x: never\n");
    log_set_level(LOG_INFO);
}

static void a_line_stays_one_line(void **state)
{
    const char *text;

    (void)state;
    assert_string_equal(heard(say_dirty), "2026-11-22T13:00:00Z warn  file: a b [2J c\n");
    text = heard(say_long);
    assert_int_equal(strlen(text), 1023);
    assert_ptr_equal(strchr(text, '\n'), text + 1022);
}

static void on_a_terminal_a_line_wipes_the_progress(void **state)
{
    (void)state;
    log_set_terminal(true);
    assert_string_equal(heard(say_plain),
                        "\r\033[K2026-11-22T13:00:00Z info  list national: 7 rows\n");
    log_set_terminal(false);
}

static void secrets_are_masked(void **state)
{
    char dst[LOG_MASK_SIZE];

    (void)state;
    assert_string_equal(log_masked(dst, STR("2125551234")), "********34");
    assert_string_equal(log_masked(dst, STR("1234")), "****");
    assert_string_equal(log_masked(dst, STR("")), "");
    assert_string_equal(log_masked(dst, STR("somebody.long@example.org")), "*************rg");
    assert_string_equal(log_masked(dst, STR("12345\n7")), "******7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_instant_level_subject_sentence),
        cmocka_unit_test(a_line_stays_one_line),
        cmocka_unit_test(on_a_terminal_a_line_wipes_the_progress),
        cmocka_unit_test(secrets_are_masked),
    };
    int64_t ns;

    if (!clock_parse(STR("2026-11-22T13:00:00Z"), &ns)) return 1;
    clock_freeze(ns);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
