// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "engine/base/rand.h"
#include "engine/wire/logrec.h"
#include "engine/wire/record.h"

#define SEED 20261122u

static struct logrec define_rec(uint64_t lsn)
{
    struct logrec rec = {.type = LOGREC_LIST_DEFINE, .list = 319, .lsn = lsn};

    rec.define = (struct logrec_define){.kind = 2, .channel = 3, .required = true};
    memcpy(rec.define.region, "CA", 3);
    memset(rec.define.tenant, 't', LIMIT_NAME_BYTES);
    str_copy(rec.define.name, sizeof rec.define.name, STR("national"));
    return rec;
}

static struct logrec entry_rec(enum logrec_type type, uint64_t lsn)
{
    struct logrec rec = {.type = type, .list = 7, .lsn = lsn};

    rec.entry = (struct logrec_entry){LOGREC_LIFTED, 0x123456789abcdef0, 12125551234, 5, 9};
    return rec;
}

static struct logrec attempt_rec(uint64_t lsn)
{
    struct logrec rec = {.type = LOGREC_ATTEMPT, .lsn = lsn};

    rec.attempt.received_s = 1795357675;
    rec.attempt.attempt = (struct attempt){.device = 11,
                                           .client = 12,
                                           .guid = 13,
                                           .group = 14,
                                           .start_s = -5,
                                           .subject = 0xfffffffe,
                                           .disposition = 16,
                                           .area_code = 989,
                                           .region = 127,
                                           .country = 255,
                                           .channel = CHANNEL_ANY,
                                           .result = CALL_RESULT_OTHER,
                                           .ended = true};
    return rec;
}

static struct logrec raw_rec(uint64_t lsn, struct str text)
{
    return (struct logrec){.type = LOGREC_REPORT_RAW, .lsn = lsn, .raw = {77, text}};
}

static void check_attempt(const struct attempt *a, const struct attempt *b)
{
    assert_true(a->device == b->device && a->client == b->client && a->guid == b->guid);
    assert_true(a->group == b->group && a->start_s == b->start_s && a->subject == b->subject);
    assert_true(a->disposition == b->disposition && a->area_code == b->area_code);
    assert_true(a->region == b->region && a->country == b->country && a->channel == b->channel);
    assert_true(a->result == b->result && a->ended == b->ended);
}

static void test_reports(void **state)
{
    struct logrec rec = attempt_rec(9), got;
    char text[LIMIT_REPORT_RAW_BYTES];
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 16);
    logrec_put(&b, &rec);
    assert_int_equal(logrec_get(buf_view(&b), &got), LOGREC_ATTEMPT_BYTES);
    assert_int_equal(got.lsn, 9);
    assert_int_equal(got.attempt.received_s, 1795357675);
    check_attempt(&got.attempt.attempt, &rec.attempt.attempt);
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)i;
    for (size_t n = 0; n <= sizeof text; n = n < 18 ? n + 1 : n * 13 / 10 + 1) {
        if (n > sizeof text - 600) n = sizeof text;
        rec = raw_rec(10 + n, str_make(text, n));
        buf_reset(&b);
        logrec_put(&b, &rec);
        assert_int_equal(b.size_bytes, LOGREC_RAW_BYTES + (n + 7) / 8 * 8);
        assert_int_equal(logrec_get(buf_view(&b), &got), b.size_bytes);
        assert_int_equal(got.lsn, 10 + n);
        assert_int_equal(got.raw.received_s, 77);
        assert_int_equal(got.raw.text.size, n);
        assert_memory_equal(got.raw.text.ptr, text, n);
        assert_int_equal(logrec_get(str_make(b.ptr, b.size_bytes - 1), &got), 0);
        if (n == sizeof text) break;
    }
    buf_done(&b);
}

static void test_round_trip(void **state)
{
    struct logrec set = entry_rec(LOGREC_ENTRY_SET, 41), del = entry_rec(LOGREC_ENTRY_DELETE, 42);
    struct logrec def = define_rec(43), got;
    struct str rest;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    logrec_put(&b, &set);
    logrec_put(&b, &del);
    logrec_put(&b, &def);
    assert_int_equal(b.size_bytes, 2 * LOGREC_ENTRY_BYTES + LOGREC_DEFINE_BYTES);
    rest = buf_view(&b);
    assert_int_equal(logrec_get(rest, &got), LOGREC_ENTRY_BYTES);
    assert_int_equal(got.type, LOGREC_ENTRY_SET);
    assert_int_equal(got.lsn, 41);
    assert_int_equal(got.list, 7);
    assert_memory_equal(&got.entry, &set.entry, sizeof set.entry);
    rest = str_make(rest.ptr + LOGREC_ENTRY_BYTES, rest.size - LOGREC_ENTRY_BYTES);
    assert_int_equal(logrec_get(rest, &got), LOGREC_ENTRY_BYTES);
    assert_int_equal(got.type, LOGREC_ENTRY_DELETE);
    assert_int_equal(got.entry.from_s, 0);
    assert_int_equal(got.entry.till_s, 0);
    assert_true(got.entry.device == 12125551234);
    rest = str_make(rest.ptr + LOGREC_ENTRY_BYTES, rest.size - LOGREC_ENTRY_BYTES);
    assert_int_equal(logrec_get(rest, &got), LOGREC_DEFINE_BYTES);
    assert_int_equal(got.list, 319);
    assert_true(got.define.required);
    assert_int_equal(got.define.kind, 2);
    assert_int_equal(got.define.channel, 3);
    assert_string_equal(got.define.region, "CA");
    assert_string_equal(got.define.name, "national");
    assert_int_equal(strlen(got.define.tenant), LIMIT_NAME_BYTES);
    buf_done(&b);
}

// Every prefix is "not enough", never corrupt and never a record; `ret` stays as it was.
static void test_short(void **state)
{
    struct logrec rec = define_rec(1), got = {.lsn = 99};
    char bytes[LOGREC_DEFINE_BYTES];
    struct buf b;

    (void)state;
    buf_wrap(&b, bytes, sizeof bytes);
    logrec_put(&b, &rec);
    assert_false(b.failed);
    for (size_t n = 0; n < sizeof bytes; n++) {
        assert_int_equal(logrec_get(str_make(bytes, n), &got), 0);
        assert_int_equal(got.lsn, 99);
    }
}

// Each single bit matters.
static void test_flipped_bits(void **state)
{
    struct logrec rec = entry_rec(LOGREC_ENTRY_SET, 77), got = {.lsn = 99};
    char bytes[LOGREC_ENTRY_BYTES];
    struct buf b;

    (void)state;
    buf_wrap(&b, bytes, sizeof bytes);
    logrec_put(&b, &rec);
    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        assert_true(logrec_get(buf_view(&b), &got) <= 0);
        assert_int_equal(got.lsn, 99);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_int_equal(logrec_get(buf_view(&b), &got), LOGREC_ENTRY_BYTES);
}

// As somebody writes a frame that this version would not.
static void reseal(char *frame, uint32_t size_bytes, uint64_t lsn)
{
    uint64_t sum = hash_keyed(lsn, frame, size_bytes - 8);

    memcpy(frame + size_bytes - 8, &sum, 8);
}

static void test_sound_but_unknown(void **state)
{
    struct logrec rec = entry_rec(LOGREC_ENTRY_SET, 5), got = {.lsn = 99};
    char bytes[LOGREC_ENTRY_BYTES];
    uint16_t type = 77;
    struct buf b;

    (void)state;
    buf_wrap(&b, bytes, sizeof bytes);
    logrec_put(&b, &rec);
    memcpy(bytes + 16, &type, sizeof type);
    reseal(bytes, sizeof bytes, 5);
    assert_int_equal(logrec_get(buf_view(&b), &got), ERR_VERSION);
    assert_int_equal(logrec_scan(buf_view(&b), 5), 0); // a later version's record is no torn tail
    type = LOGREC_LIST_DEFINE;                         // sound, but of the wrong size
    memcpy(bytes + 16, &type, sizeof type);
    reseal(bytes, sizeof bytes, 5);
    assert_int_equal(logrec_get(buf_view(&b), &got), ERR_CORRUPT);
    type = LOGREC_ENTRY_SET;
    memcpy(bytes + 16, &type, sizeof type);
    bytes[48] = 3; // no such part
    reseal(bytes, sizeof bytes, 5);
    assert_int_equal(logrec_get(buf_view(&b), &got), ERR_CORRUPT);
    assert_int_equal(got.lsn, 99);
}

// Sound sums around an attempt or raw report that nobody could have meant.
static void test_reports_that_contradict_themselves(void **state)
{
    static const struct {
        size_t at;
        unsigned char byte;
    } wrong[] = {{84, 4}, {85, 64}, {85, 254}, {86, 2}};
    struct logrec rec = attempt_rec(3), got = {.lsn = 99};
    char bytes[LOGREC_ATTEMPT_BYTES], was;
    uint32_t size = 17;
    struct buf b;

    (void)state;
    buf_wrap(&b, bytes, sizeof bytes);
    logrec_put(&b, &rec);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        was = bytes[wrong[i].at];
        bytes[wrong[i].at] = (char)wrong[i].byte;
        reseal(bytes, sizeof bytes, 3);
        assert_int_equal(logrec_get(buf_view(&b), &got), ERR_CORRUPT);
        bytes[wrong[i].at] = was;
    }
    bytes[85] = (char)ATTEMPT_NO_RESULT;
    reseal(bytes, sizeof bytes, 3);
    assert_int_equal(logrec_get(buf_view(&b), &got), sizeof bytes);
    memset(bytes + 40, 0, 16); // neither device nor client
    reseal(bytes, sizeof bytes, 3);
    got.lsn = 99;
    assert_int_equal(logrec_get(buf_view(&b), &got), ERR_CORRUPT);
    rec = raw_rec(4, STR("0123456789abcdef"));
    buf_reset(&b);
    logrec_put(&b, &rec);
    memcpy(bytes + 32, &size, sizeof size); // longer than its frame
    reseal(bytes, (uint32_t)b.size_bytes, 4);
    assert_int_equal(logrec_get(buf_view(&b), &got), ERR_CORRUPT);
    size = UINT32_MAX;
    memcpy(bytes + 32, &size, sizeof size);
    reseal(bytes, (uint32_t)b.size_bytes, 4);
    assert_int_equal(logrec_get(buf_view(&b), &got), ERR_CORRUPT);
    assert_int_equal(got.lsn, 99);
}

static void test_scan(void **state)
{
    struct buf b;
    size_t third = 2 * LOGREC_ENTRY_BYTES;

    (void)state;
    buf_init(&b, 1 << 16);
    for (uint64_t lsn = 10; lsn < 14; lsn++) {
        struct logrec rec = entry_rec(LOGREC_ENTRY_SET, lsn);

        logrec_put(&b, &rec);
    }
    assert_int_equal(logrec_scan(buf_view(&b), 10), 0);
    assert_int_equal(logrec_scan(buf_view(&b), 12), third);
    assert_true(logrec_scan(buf_view(&b), 14) == LOGREC_NO_FRAME);
    b.ptr[0] ^= 1;
    b.ptr[LOGREC_ENTRY_BYTES + 30] ^= 1;
    assert_int_equal(logrec_scan(buf_view(&b), 10), third); // a corrupt middle shows
    // a torn tail does not: half of the last frame
    assert_true(logrec_scan(str_make(b.ptr + 3 * LOGREC_ENTRY_BYTES, 40), 10) == LOGREC_NO_FRAME);
    memset(b.ptr, 0, b.size_bytes); // nor do blocks the file system left zero
    assert_true(logrec_scan(buf_view(&b), 0) == LOGREC_NO_FRAME);
    assert_true(logrec_scan(str_make(NULL, 0), 0) == LOGREC_NO_FRAME);
    buf_done(&b);
}

static void test_head(void **state)
{
    char bytes[LOGREC_HEAD_BYTES];
    uint64_t lsn = 0;
    struct buf b;

    (void)state;
    buf_wrap(&b, bytes, sizeof bytes);
    logrec_head_put(&b, 1234, 55);
    assert_int_equal(logrec_head_get(buf_view(&b), 55, &lsn), LOGREC_HEAD_BYTES);
    assert_int_equal(lsn, 1234);
    assert_int_equal(logrec_head_get(str_make(bytes, 31), 55, &lsn), 0);
    assert_int_equal(logrec_head_get(buf_view(&b), 56, &lsn), ERR_CONFLICT);
    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(logrec_head_get(buf_view(&b), 55, &lsn), ERR_CORRUPT);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
}

static void test_garbage(void **state)
{
    struct logrec got;
    struct rand r;
    char bytes[256];

    (void)state;
    print_message("seed %u\n", SEED);
    rand_seed(&r, SEED);
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)rand_u64(&r);
        if (round % 2) memcpy(bytes, "DLGR", 4);
        assert_true(logrec_get(str_make(bytes, rand_below(&r, sizeof bytes + 1)), &got) <= 0);
        assert_true(logrec_scan(str_make(bytes, sizeof bytes), 0) == LOGREC_NO_FRAME);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_sound_but_unknown),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_reports_that_contradict_themselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
