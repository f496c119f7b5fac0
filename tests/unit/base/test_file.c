// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/file.h"

static char dir[] = "/tmp/dialgate-file-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    unlink("f");
    unlink("a/b/f");
    rmdir("a/b");
    rmdir("a");
    return rmdir(dir);
}

static void holds(const char *path, const char *want)
{
    struct err_info info = {0};
    struct buf b;

    buf_init(&b, 1 << 20);
    if (file_read_all(path, &b, &info)) fail_msg("%s", info.text);
    assert_int_equal(b.size_bytes, strlen(want));
    if (b.size_bytes) assert_memory_equal(b.ptr, want, b.size_bytes);
    buf_done(&b);
}

static void test_replace(void **state)
{
    struct err_info info;
    struct stat st;

    (void)state;
    assert_int_equal(file_replace("f", "one", 3, NULL), 0); // no directory in the path
    holds("f", "one");
    assert_int_equal(file_replace("f", "longer content", 14, NULL), 0);
    assert_int_equal(file_replace("f", "", 0, NULL), 0);
    holds("f", "");
    assert_int_equal(access("f.new", F_OK), -1);
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_replace("no/such/f", "x", 1, &info), ERR_IO);
    assert_non_null(strstr(info.text, "no/such/f"));
    assert_int_equal(file_replace("/tmp/.", "x", 1, NULL), ERR_IO); // rename fails
    assert_int_equal(access("/tmp/..new", F_OK), -1);               // and leaves nothing
}

static void test_make_dir(void **state)
{
    char path[64];
    struct err_info info;

    (void)state;
    assert_int_equal(file_make_dir("a/b", NULL), 0);
    assert_int_equal(file_make_dir("a/b/", NULL), 0);
    assert_int_equal(file_make_dir("a", NULL), 0);
    assert_int_equal(file_make_dir(".", NULL), 0);
    assert_int_equal(file_make_dir("", NULL), 0);
    assert_int_equal(file_make_dir("/", NULL), 0);
    snprintf(path, sizeof path, "%s/a/b", dir);
    assert_int_equal(file_make_dir(path, NULL), 0);
    assert_int_equal(file_replace("a/b/f", "x", 1, NULL), 0);
    holds("a/b/f", "x");
    assert_int_equal(file_make_dir("a/b/f", &info), ERR_IO); // a file is no directory
    assert_non_null(strstr(info.text, "a/b/f"));
    assert_int_equal(file_make_dir("a/b/f/g", NULL), ERR_IO);
    assert_int_equal(file_sync_dir("a", NULL), 0);
    assert_int_equal(file_sync_dir("nowhere", NULL), ERR_IO);
}

static void test_read(void **state)
{
    struct err_info info;
    struct buf b;

    (void)state;
    assert_int_equal(file_replace("f", "12345", 5, NULL), 0);
    buf_init(&b, 4);
    assert_int_equal(file_read_all("f", &b, &info), ERR_FULL);
    assert_non_null(strstr(info.text, "larger than 4 bytes"));
    buf_reset(&b);
    assert_int_equal(file_read_all("nothing", &b, &info), ERR_IO);
    assert_int_equal(info.err, ERR_IO);
    assert_int_equal(file_read_all(".", &b, NULL), ERR_IO); // a directory
    buf_done(&b);
}

static void test_write_all(void **state)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct err_info info;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, "x", 1, &info), ERR_IO);
    assert_int_equal(file_write_all(fd, "x", 0, &info), 0);
    close(fd);
    assert_int_equal(file_write_all(-1, "x", 1, NULL), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_make_dir),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_write_all),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
