// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/base/conf.h"
#include "engine/base/file.h"

static char path[] = "/tmp/dialgate-conf-XXXXXX";

static int set_up(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    if (fd < 0) return -1;
    close(fd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static int clear_env(void **state)
{
    (void)state;
    unsetenv("DIALGATE_IDLE_TIMEOUT_MS");
    unsetenv("DIALGATE_LIST");
    unsetenv("DIALGATE_CONFIG");
    unsetenv("DIALGATE_EPOLL");
    return 0;
}

static void write_file(const char *text)
{
    assert_int_equal(file_replace(path, text, strlen(text), NULL), 0);
}

// Loads with these arguments (ended by NULL); the result of conf_load.
static int load(struct conf *c, struct err_info *info, const char *const *args)
{
    static char *argv[32];
    int argc = 0;

    argv[argc++] = "dialgate-engine";
    while (*args) argv[argc++] = (char *)*args++;
    return conf_load(c, argc, argv, info);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_ARGS   ((const char *const[]){NULL})

static void refused(const char *part, const char *const *args)
{
    struct err_info info = {0};
    struct conf c;
    int err = load(&c, &info, args);

    conf_done(&c);
    assert_int_equal(err, info.err);
    assert_true(err == ERR_CONFIG || err == ERR_IO);
    if (!strstr(info.text, part)) fail_msg("'%s' does not say '%s'", info.text, part);
}

static void test_defaults(void **state)
{
    struct conf c;

    (void)state;
    assert_int_equal(load(&c, NULL, NO_ARGS), 0);
    assert_string_equal(conf_text(&c, CONF_LISTEN), "127.0.0.1:8080");
    assert_true(conf_uint(&c, CONF_IDLE_TIMEOUT_MS) == 600000);
    assert_false(conf_flag(&c, CONF_EPOLL));
    assert_int_equal(c.item_count[CONF_LIST], 0);
    assert_false(conf_given(&c, CONF_LISTEN));
    assert_string_equal(conf_text(&c, CONF_DATA), "");
    conf_done(&c);
    // the table itself: every default is a good value
    for (int o = 0; o < CONF_COUNT; o++) {
        uint64_t n;

        if (conf_rows[o].type != CONF_TYPE_UINT) continue;
        assert_true(str_to_u64(str_of(conf_rows[o].fallback), &n));
        assert_true(n >= conf_rows[o].min && n <= conf_rows[o].max);
    }
}

static void test_precedence(void **state)
{
    struct conf c;

    (void)state;
    write_file("idle_timeout_ms = 1000\n");
    assert_int_equal(load(&c, NULL, ARGS("--config", path)), 0);
    assert_true(conf_uint(&c, CONF_IDLE_TIMEOUT_MS) == 1000);
    conf_done(&c);
    setenv("DIALGATE_IDLE_TIMEOUT_MS", "2000", 1);
    assert_int_equal(load(&c, NULL, ARGS("--config", path)), 0);
    assert_true(conf_uint(&c, CONF_IDLE_TIMEOUT_MS) == 2000);
    conf_done(&c);
    assert_int_equal(load(&c, NULL, ARGS("--config", path, "--idle-timeout-ms=3000")), 0);
    assert_true(conf_uint(&c, CONF_IDLE_TIMEOUT_MS) == 3000);
    conf_done(&c);
    setenv("DIALGATE_IDLE_TIMEOUT_MS", "", 1); // as good as none
    setenv("DIALGATE_CONFIG", path, 1);
    assert_int_equal(load(&c, NULL, NO_ARGS), 0);
    assert_true(conf_uint(&c, CONF_IDLE_TIMEOUT_MS) == 1000);
    conf_done(&c);
}

static void test_spellings(void **state)
{
    struct conf c;

    (void)state;
    assert_int_equal(load(&c, NULL, ARGS("--idle_timeout_ms", "100", "--epoll", "--data=a=b")), 0);
    assert_true(conf_uint(&c, CONF_IDLE_TIMEOUT_MS) == 100);
    assert_true(conf_flag(&c, CONF_EPOLL));
    assert_string_equal(conf_text(&c, CONF_DATA), "a=b");
    conf_done(&c);
    assert_int_equal(load(&c, NULL, ARGS("--epoll=false", "--threads", "1", "--threads", "2")), 0);
    assert_false(conf_flag(&c, CONF_EPOLL));
    assert_true(conf_uint(&c, CONF_THREADS) == 2); // the last one
    conf_done(&c);
    assert_int_equal(load(&c, NULL, ARGS("-h", "--version")), 0);
    assert_true(c.help && c.version);
    conf_done(&c);
    write_file("# a comment\r\n\r\n  idle_timeout_ms=500  \r\nepoll = true\ndata = x # y");
    assert_int_equal(load(&c, NULL, ARGS("--config", path)), 0);
    assert_true(conf_uint(&c, CONF_IDLE_TIMEOUT_MS) == 500);
    assert_true(conf_flag(&c, CONF_EPOLL));
    assert_string_equal(conf_text(&c, CONF_DATA), "x # y"); // '#' begins a line only
    conf_done(&c);
}

static void test_lists(void **state)
{
    struct conf c;

    (void)state;
    assert_int_equal(load(&c, NULL, ARGS("--list", "a=1", "--list=b=2")), 0);
    assert_int_equal(c.item_count[CONF_LIST], 2);
    assert_string_equal(c.items[CONF_LIST][0], "a=1");
    assert_string_equal(c.items[CONF_LIST][1], "b=2");
    conf_done(&c);
    setenv("DIALGATE_LIST", "c=3;d=4,required;;", 1);
    write_file("list = e=5\nlist = f=6\nlist =\n");
    assert_int_equal(load(&c, NULL, ARGS("--config", path)), 0);
    assert_int_equal(c.item_count[CONF_LIST], 2);
    assert_string_equal(c.items[CONF_LIST][1], "d=4,required");
    conf_done(&c);
    unsetenv("DIALGATE_LIST");
    assert_int_equal(load(&c, NULL, ARGS("--config", path)), 0);
    assert_int_equal(c.item_count[CONF_LIST], 2);
    assert_string_equal(c.items[CONF_LIST][0], "e=5");
    conf_done(&c);
    assert_int_equal(load(&c, NULL, ARGS("--config", path, "--list", "a=1")), 0);
    assert_int_equal(c.item_count[CONF_LIST], 1); // a stronger place replaces, it does not add
    conf_done(&c);
}

static void test_refused(void **state)
{
    (void)state;
    refused("--nothing", ARGS("--nothing"));
    refused("unexpected argument 'x'", ARGS("x"));
    refused("unknown option --;", ARGS("--"));
    refused("needs a value", ARGS("--threads"));
    refused("from 0 to 64", ARGS("--threads", "65"));
    refused("from 100 to", ARGS("--idle-timeout-ms", "99"));
    refused("whole number", ARGS("--threads", "-1"));
    refused("whole number", ARGS("--threads", "1k"));
    refused("whole number", ARGS("--threads="));
    refused("true or false", ARGS("--epoll=yes"));
    refused("cannot open", ARGS("--config", "/nowhere/at.all"));
    setenv("DIALGATE_EPOLL", "1", 1);
    refused("environment", NO_ARGS);
    unsetenv("DIALGATE_EPOLL");
    write_file("threads = 1\n\nnothing = 1\n");
    refused("line 3: unknown key 'nothing'", ARGS("--config", path));
    write_file("threads 1\n");
    refused("line 1: no '='", ARGS("--config", path));
    write_file("threads = many\n");
    refused("line 1", ARGS("--config", path));
    write_file("config = other\n");
    refused("unknown key 'config'", ARGS("--config", path));
    assert_int_equal(file_replace(path, "data = a\0b\n", 11, NULL), 0);
    refused("NUL", ARGS("--config", path));
}

// The sample names every key, loads as it is, and loads with each default put in force.
static void test_sample(void **state)
{
    FILE *to = fopen(path, "w");
    struct err_info info = {0};
    struct conf c;
    struct buf b;

    (void)state;
    conf_write_sample(to);
    fclose(to);
    assert_int_equal(load(&c, &info, ARGS("--config", path)), 0);
    for (int o = 0; o < CONF_COUNT; o++)
        assert_int_equal(conf_given(&c, (enum conf_option)o), o == CONF_CONFIG);
    conf_done(&c);
    buf_init(&b, 1 << 20);
    assert_int_equal(file_read_all(path, &b, NULL), 0);
    for (size_t i = 0; i + 1 < b.size_bytes; i++)
        if (b.ptr[i] == '#' && b.ptr[i + 1] != ' ' && (i == 0 || b.ptr[i - 1] == '\n'))
            b.ptr[i] = ' ';
    assert_int_equal(file_replace(path, b.ptr, b.size_bytes, NULL), 0);
    if (load(&c, &info, ARGS("--config", path)) != 0) fail_msg("%s", info.text);
    for (int o = 0; o < CONF_COUNT; o++) {
        if (o == CONF_CONFIG || conf_rows[o].type == CONF_TYPE_LIST) continue;
        if (!c.text[o]) fail_msg("%s is not in the sample", conf_rows[o].key);
        if (conf_rows[o].type != CONF_TYPE_FLAG)
            assert_string_equal(c.text[o], conf_rows[o].fallback);
    }
    conf_done(&c);
    buf_done(&b);
}

static void test_help(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    (void)state;
    conf_write_help(to);
    fclose(to);
    assert_non_null(strstr(text, "--idle-timeout-ms N"));
    assert_non_null(strstr(text, "(default 127.0.0.1:8080)"));
    assert_non_null(strstr(text, "--sample-config"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, clear_env),
        cmocka_unit_test_setup(test_precedence, clear_env),
        cmocka_unit_test_setup(test_spellings, clear_env),
        cmocka_unit_test_setup(test_lists, clear_env),
        cmocka_unit_test_setup(test_refused, clear_env),
        cmocka_unit_test_setup(test_sample, clear_env),
        cmocka_unit_test(test_help),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
