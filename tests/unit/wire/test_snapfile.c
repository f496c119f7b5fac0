// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/rand.h"
#include "engine/wire/snapfile.h"

#define SEED 4711u

static struct snapfile_list lists[2];

static void make_lists(void)
{
    memset(lists, 0, sizeof lists);
    lists[0].number = 3;
    lists[0].kind = 1;
    lists[0].has_file = 1;
    lists[0].file_stamp = UINT64_MAX - 4;
    lists[0].rows = 100;
    lists[0].accepted = 90;
    str_copy(lists[0].name, sizeof lists[0].name, STR("national"));
    str_copy(lists[0].tenant, sizeof lists[0].tenant, STR("default"));
    memcpy(lists[0].region, "US", 3);
    lists[1] = lists[0];
    lists[1].number = 4;
}

// A file whose body is `size` seeded bytes, given in pieces of uneven size.
static void make_file(struct buf *out, char **ret_body, size_t size)
{
    struct snapfile_head head = {.list_count = 2, .seed = 9, .lsn = 17, .created_s = 1000};
    char *body = malloc(size + 1);
    struct snapfile_sum sum;
    struct rand r;

    make_lists();
    rand_seed(&r, SEED);
    for (size_t i = 0; i < size; i++) body[i] = (char)rand_u64(&r);
    buf_init(out, (size_t)16 << 20);
    snapfile_sum_init(&sum);
    snapfile_head_put(out, &head, lists);
    for (size_t at = 0; at < size;) {
        size_t piece = 1 + rand_below(&r, 700000);

        if (piece > size - at) piece = size - at;
        snapfile_sum_add(&sum, body + at, piece);
        buf_put(out, body + at, piece);
        at += piece;
    }
    assert_int_equal(snapfile_tail_put(out, &sum, &head), 0);
    snapfile_sum_done(&sum);
    assert_false(out->failed);
    *ret_body = body;
}

static void check_size(size_t size)
{
    char *body, *copy = malloc(size + 1);
    struct snapfile f;
    struct buf b;

    make_file(&b, &body, size);
    assert_int_equal(snapfile_open(&f, buf_view(&b), NULL), 0);
    assert_int_equal(f.head->seed, 9);
    assert_int_equal(f.head->lsn, 17);
    assert_int_equal(f.head->created_s, 1000);
    assert_int_equal(f.head->list_count, 2);
    assert_int_equal(f.lists[1].number, 4);
    assert_int_equal(f.lists[0].file_stamp, UINT64_MAX - 4);
    assert_int_equal(f.lists[0].accepted, 90);
    assert_string_equal(f.lists[1].name, "national");
    assert_int_equal(f.body_bytes, size);
    assert_int_equal((f.body - b.ptr) % SNAPFILE_PAGE_BYTES, 0);
    assert_int_equal(f.chunk_count, (size + SNAPFILE_CHUNK_BYTES - 1) / SNAPFILE_CHUNK_BYTES);
    for (size_t at = 0, piece = 1; at < size; at += piece, piece = piece * 3 + 1) {
        if (piece > size - at) piece = size - at;
        assert_false(snapfile_at_end(&f));
        assert_int_equal(snapfile_read(&f, copy + at, piece), 0);
    }
    assert_true(snapfile_at_end(&f));
    assert_memory_equal(copy, body, size);
    assert_int_equal(snapfile_read(&f, copy, 0), 0);
    assert_int_equal(snapfile_read(&f, copy, 1), ERR_CORRUPT); // past the end
    free(copy);
    free(body);
    buf_done(&b);
}

static void test_round_trip(void **state)
{
    (void)state;
    print_message("seed %u\n", SEED);
    check_size(0);
    check_size(1);
    check_size(8);
    check_size(SNAPFILE_CHUNK_BYTES - 1);
    check_size(SNAPFILE_CHUNK_BYTES);
    check_size(SNAPFILE_CHUNK_BYTES + 1);
    check_size(3 * SNAPFILE_CHUNK_BYTES + 12345);
}

static void test_no_lists(void **state)
{
    struct snapfile_head head = {.seed = 1};
    struct snapfile_sum sum;
    struct snapfile f;
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    snapfile_sum_init(&sum);
    snapfile_head_put(&b, &head, NULL);
    assert_int_equal(b.size_bytes, SNAPFILE_PAGE_BYTES);
    assert_int_equal(snapfile_tail_put(&b, &sum, &head), 0);
    assert_int_equal(snapfile_open(&f, buf_view(&b), NULL), 0);
    assert_int_equal(f.head->list_count, 0);
    assert_true(snapfile_at_end(&f));
    snapfile_sum_done(&sum);
    buf_done(&b);
}

static void test_cut_off(void **state)
{
    struct snapfile f = {.at = 99};
    struct err_info info;
    struct buf b;
    char *body;

    (void)state;
    make_file(&b, &body, 5000);
    for (size_t n = 0; n < b.size_bytes; n += n < 200 || n + 200 > b.size_bytes ? 1 : 97) {
        assert_int_equal(snapfile_open(&f, str_make(b.ptr, n), &info), ERR_CORRUPT);
        assert_int_equal(f.at, 99);
    }
    assert_string_equal(info.text, "the snapshot is cut off");
    free(body);
    buf_done(&b);
}

// Damage outside the body is found by open.
static void test_damaged_frame(void **state)
{
    size_t front = sizeof(struct snapfile_head) + sizeof lists;
    size_t back = sizeof(struct snapfile_tail) + 3 * sizeof(uint64_t);
    struct snapfile f;
    struct buf b;
    char *body;

    (void)state;
    make_file(&b, &body, 2 * SNAPFILE_CHUNK_BYTES + 501);
    for (size_t i = 0; i < front + back; i++) {
        size_t at = i < front ? i : b.size_bytes - 1 - (i - front);
        int err;

        b.ptr[at] ^= 0x10;
        err = snapfile_open(&f, buf_view(&b), NULL);
        assert_true(err == ERR_CORRUPT || err == ERR_VERSION);
        b.ptr[at] ^= 0x10;
    }
    assert_int_equal(snapfile_open(&f, buf_view(&b), NULL), 0);
    free(body);
    buf_done(&b);
}

// Damage in the body is found when its chunk is first touched, and not before.
static void test_damaged_body(void **state)
{
    size_t size = 2 * SNAPFILE_CHUNK_BYTES + 501;
    char *body, *copy = malloc(size);
    struct snapfile f;
    struct rand r;
    struct buf b;

    (void)state;
    make_file(&b, &body, size);
    rand_seed(&r, SEED);
    for (int round = 0; round < 30; round++) {
        size_t at = rand_below(&r, size), chunk = at / SNAPFILE_CHUNK_BYTES;
        char *byte = b.ptr + 4096 + at;

        *byte ^= (char)(1 << rand_below(&r, 8));
        assert_int_equal(snapfile_open(&f, buf_view(&b), NULL), 0);
        for (size_t c = 0; c < 3; c++)
            assert_int_equal(snapfile_check(&f, c), c == chunk ? ERR_CORRUPT : 0);
        assert_int_equal(snapfile_read(&f, copy, chunk * SNAPFILE_CHUNK_BYTES), 0);
        assert_int_equal(snapfile_read(&f, copy, 1), ERR_CORRUPT);
        memcpy(b.ptr + 4096, body, size);
    }
    free(copy);
    free(body);
    buf_done(&b);
}

// Two chunks that changed places are both found: a sum knows its chunk's index.
static void test_swapped_chunks(void **state)
{
    struct snapfile f;
    struct buf b;
    char *body;

    (void)state;
    make_file(&b, &body, 2 * SNAPFILE_CHUNK_BYTES);
    memset(b.ptr + 4096, 0, 2 * SNAPFILE_CHUNK_BYTES);
    memcpy(b.ptr + 4096, body + SNAPFILE_CHUNK_BYTES, SNAPFILE_CHUNK_BYTES);
    memcpy(b.ptr + 4096 + SNAPFILE_CHUNK_BYTES, body, SNAPFILE_CHUNK_BYTES);
    assert_int_equal(snapfile_open(&f, buf_view(&b), NULL), 0);
    assert_int_equal(snapfile_check(&f, 0), ERR_CORRUPT);
    assert_int_equal(snapfile_check(&f, 1), ERR_CORRUPT);
    free(body);
    buf_done(&b);
}

static void test_other_version(void **state)
{
    struct err_info info;
    struct snapfile f;
    struct buf b;
    char *body;

    (void)state;
    make_file(&b, &body, 10);
    b.ptr[8] = 2;
    assert_int_equal(snapfile_open(&f, buf_view(&b), &info), ERR_VERSION);
    assert_string_equal(info.text, "the snapshot has format version 2, not 1");
    free(body);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_no_lists),
        cmocka_unit_test(test_cut_off),       cmocka_unit_test(test_damaged_frame),
        cmocka_unit_test(test_damaged_body),  cmocka_unit_test(test_swapped_chunks),
        cmocka_unit_test(test_other_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
