// SPDX-License-Identifier: Apache-2.0
//
// Rule sets in the data directory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/feed/rules.h"

static char dir[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/dialgate-rules-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static void path_to(char path[256], const char *name)
{
    snprintf(path, 256, "%s/rules/%s", dir, name);
}

static int tear_down(void **state)
{
    char path[256];

    (void)state;
    path_to(path, "acme.json");
    unlink(path);
    path_to(path, "");
    rmdir(path);
    return rmdir(dir);
}

static void save(const char *document, uint64_t file_sum)
{
    struct err_info info = {0};

    if (rules_save(dir, "acme", file_sum, str_of(document), &info)) fail_msg("%s", info.text);
}

static void holds(const char *document, uint64_t file_sum)
{
    struct rules_saved saved;
    struct err_info info = {0};

    if (rules_load(&saved, dir, "acme", &info)) fail_msg("%s", info.text);
    assert_int_equal(saved.document.size, strlen(document));
    assert_memory_equal(saved.document.ptr, document, saved.document.size);
    assert_true(saved.file_sum == file_sum);
    rules_done(&saved);
}

static void what_was_saved_is_loaded(void **state)
{
    struct rules_saved saved;

    (void)state;
    assert_int_equal(rules_load(&saved, dir, "acme", NULL), ERR_NOT_FOUND);
    save("{\"version\": \"1\",\n  \"x\": \"}\"}", 0xfedcba9876543210);
    holds("{\"version\": \"1\",\n  \"x\": \"}\"}", 0xfedcba9876543210);
    save("{}", 0);
    holds("{}", 0);
    save("\xef\xbb\xbf\r\n\t {\"version\":\"2\"}\n\n ", 1);
    holds("{\"version\":\"2\"}", 1);
    assert_int_equal(rules_load(&saved, dir, "initech", NULL), ERR_NOT_FOUND);
}

static void put_text(const char *text)
{
    char path[256];

    path_to(path, "acme.json");
    assert_int_equal(file_replace(path, text, strlen(text), NULL), 0);
}

// Every byte of the file changed, one after the other: the document is never another one.
static void damage_is_told(void **state)
{
    static const char document[] = "{\"version\":\"1\"}";
    char path[256], *copy;
    struct buf text;

    (void)state;
    save(document, 7);
    path_to(path, "acme.json");
    buf_init(&text, 4096);
    assert_int_equal(file_read_all(path, &text, NULL), 0);
    copy = str_dup(buf_view(&text));
    for (size_t i = 0; i < text.size_bytes; i++) {
        struct err_info info = {0};
        struct rules_saved saved;

        copy[i] ^= 1;
        put_text(copy);
        if (rules_load(&saved, dir, "acme", &info) == 0) {
            assert_int_equal(saved.document.size, sizeof document - 1);
            assert_memory_equal(saved.document.ptr, document, sizeof document - 1);
            assert_true(saved.file_sum == 7);
            rules_done(&saved);
        } else {
            assert_int_equal(info.err, ERR_CORRUPT);
            assert_non_null(strstr(info.text, "acme.json"));
        }
        copy[i] ^= 1;
        if (i < 12) continue;
        put_text("");
        assert_int_equal(rules_load(&saved, dir, "acme", NULL), ERR_CORRUPT);
        copy[i] = '\0';
        put_text(copy);                                   // cut off there
        if (rules_load(&saved, dir, "acme", NULL) == 0) { // but for the line's end
            assert_int_equal(i, text.size_bytes - 1);
            rules_done(&saved);
        }
        copy[i] = text.ptr[i];
    }
    free(copy);
    buf_done(&text);
}

static void a_directory_that_cannot_be_written(void **state)
{
    struct err_info info = {0};
    char path[256];

    (void)state;
    path_to(path, "");
    path[strlen(path) - 1] = '\0';
    assert_int_equal(file_replace(path, "x", 1, NULL), 0); // a file where the directory should be
    assert_int_equal(rules_save(dir, "acme", 0, STR("{}"), &info), ERR_STORAGE);
    assert_non_null(strstr(info.text, dir));
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_saved_is_loaded),
        TEST(damage_is_told),
        TEST(a_directory_that_cannot_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
