// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/rule/builtin.h"
#include "engine/rule/pack.h"

static char dir[64], path[2][128];

static void put(unsigned i, const char *name, const char *text)
{
    snprintf(path[i], sizeof path[i], "%s/%s", dir, name);
    assert_int_equal(file_replace(path[i], text, strlen(text), NULL), 0);
}

static int set_up(void **state)
{
    (void)state;
    memset(path, 0, sizeof path);
    snprintf(dir, sizeof dir, "/tmp/dialgate-pack-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(path); i++)
        if (path[i][0]) unlink(path[i]);
    return rmdir(dir);
}

static void refused(const char *text, const char *sentence)
{
    struct packs *p = NULL;
    struct err_info info = {0};

    put(0, "bad.json", text);
    assert_int_equal(packs_load(&p, dir, &info), ERR_BAD_VALUE);
    assert_null(p);
    assert_non_null(strstr(info.text, "bad.json"));
    if (!strstr(info.text, sentence)) fail_msg("\"%s\" not in \"%s\"", sentence, info.text);
}

static unsigned builtin_count(void)
{
    unsigned n = 0;

    for (const struct builtin_file *f = builtin_files; f->name; f++)
        n += strlen(f->name) > 5 && strcmp(f->name + strlen(f->name) - 5, ".json") == 0;
    return n;
}

static void test_built_in(void **state)
{
    struct packs *p = NULL;
    struct err_info info = {0};

    (void)state;
    assert_int_equal(packs_load(&p, NULL, &info), 0);
    assert_int_equal(packs_count(p), builtin_count());
    for (unsigned i = 0; i < packs_count(p); i++) {
        const struct pack *pack = packs_at(p, i);

        assert_ptr_equal(packs_find(p, pack->name), pack);
        assert_true(pack->version.size > 0);
        assert_int_equal(pack->sum, hash_sum(pack->text.ptr, pack->text.size));
    }
    assert_null(packs_find(p, STR("no such pack")));
    packs_free(p);
    packs_free(NULL);
}

static void test_directory_joins(void **state)
{
    struct packs *p = NULL;
    const struct pack *pack;

    (void)state;
    put(0, "mine.json",
        " {\"pack\": \"mine\", \"version\": \"1\", \"jurisdiction\": \"US\", \"lists\": [ ], "
        "\"rules\": [{}], \"calendars\": {\"mine-days\": [\"12-25\"], \"none\": []}} ");
    put(1, "not-a-pack.txt", "nothing");
    assert_int_equal(packs_load(&p, dir, NULL), 0);
    assert_int_equal(packs_count(p), builtin_count() + 1);
    pack = packs_find(p, STR("mine"));
    assert_non_null(pack);
    assert_true(str_eq(pack->version, STR("1")));
    assert_true(str_eq(pack->jurisdiction, STR("US")));
    assert_true(str_eq(pack->lists, STR("[ ]")));
    assert_true(str_eq(pack->rules, STR("[{}]")));
    assert_true(str_eq(packs_calendar(p, STR("mine-days")), STR("[\"12-25\"]")));
    assert_true(str_eq(packs_calendar(p, STR("none")), STR("[]")));
    assert_null(packs_calendar(p, STR("mine-day")).ptr);
    packs_free(p);
}

// A file replaces the built-in pack of the same name, calendars and all.
static void test_directory_replaces(void **state)
{
    struct packs *p = NULL;
    const struct pack *pack;

    (void)state;
    put(0, "x.json",
        "{\"pack\":\"holidays\",\"version\":\"9\",\"calendars\":{\"us-federal\":[\"01-01\"]}}");
    assert_int_equal(packs_load(&p, dir, NULL), 0);
    pack = packs_find(p, STR("holidays"));
    assert_true(str_eq(pack->version, STR("9")));
    assert_null(pack->rules.ptr);
    assert_true(str_eq(packs_calendar(p, STR("us-federal")), STR("[\"01-01\"]")));
    assert_null(packs_calendar(p, STR("uk")).ptr);
    packs_free(p);
}

static void test_refused(void **state)
{
    (void)state;
    refused("", "no JSON object");
    refused("[]", "no JSON object");
    refused("{\"pack\":\"a\",\"version\":\"1\",\"title\":\"Qu\xe9"
            "bec\"}",
            "not UTF-8 at byte 37");
    refused("{\"pack\":\"a\",\"version\":\"1\"", "no JSON near byte 25");
    refused("{\"pack\":\"a\",\"version\":\"1\"} x", "no JSON near byte");
    refused("{\"version\":\"1\"}", "needs \"pack\"");
    refused("{\"pack\":\"a b\",\"version\":\"1\"}", "needs \"pack\"");
    refused("{\"pack\":\"\",\"version\":\"1\"}", "needs \"pack\"");
    refused("{\"pack\":\"a\"}", "needs \"version\"");
    refused("{\"pack\":7}", "\"pack\" must be text");
    refused("{\"pack\":\"a\",\"version\":\"1\",\"rules\":{}}", "\"rules\" must be an array");
    refused("{\"pack\":\"a\",\"version\":\"1\",\"rulez\":[]}", "unknown key \"rulez\"");
    refused("{\"pack\":\"a\",\"version\":\"1\",\"pack\":\"b\"}", "key \"pack\" comes twice");
    refused("{\"pack\":\"a\",\"version\":\"1\",\"calendars\":{\"x\":3}}", "calendar \"x\" must be");
    refused("{\"pack\":\"a\",\"version\":\"1\",\"calendars\":{\"x\":[],\"x\":[]}}",
            "calendar \"x\" is there already");
    refused("{\"pack\":\"a\",\"version\":\"1\",\"note\":[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]}",
            "no JSON near");
}

static void test_two_files_of_one_name(void **state)
{
    struct packs *p = NULL;
    struct err_info info = {0};

    (void)state;
    put(0, "a.json", "{\"pack\":\"mine\",\"version\":\"1\"}");
    put(1, "b.json", "{\"pack\":\"mine\",\"version\":\"2\"}");
    assert_int_equal(packs_load(&p, dir, &info), ERR_BAD_VALUE);
    assert_non_null(strstr(info.text, "b.json: pack \"mine\" stands in"));
    assert_non_null(strstr(info.text, "a.json as well"));
}

static void test_directory_missing(void **state)
{
    struct packs *p = NULL;
    struct err_info info = {0};

    (void)state;
    assert_int_equal(packs_load(&p, "/nonexistent-packs", &info), ERR_IO);
    assert_non_null(strstr(info.text, "/nonexistent-packs"));
    assert_int_equal(packs_load(&p, "", &info), 0);
    packs_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_built_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_joins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_replaces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_files_of_one_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_missing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
