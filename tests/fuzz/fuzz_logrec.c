// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a log segment, also with the sums put right so that what lies behind them is
// reached; and a snapshot around any body, with one byte changed.
#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/wire/logrec.h"
#include "engine/wire/snapfile.h"
#include "tests/fuzz/fuzz.h"

// What was read is written back as something that reads the same.
static void check_record(const struct logrec *rec)
{
    char bytes[LOGREC_BYTES_MAX];
    struct logrec again;
    struct buf b;

    buf_wrap(&b, bytes, sizeof bytes);
    logrec_put(&b, rec);
    CHECK(!b.failed && logrec_get(buf_view(&b), &again) == (int)b.size_bytes);
    CHECK(again.type == rec->type && again.list == rec->list && again.lsn == rec->lsn);
    if (rec->type == LOGREC_LIST_DEFINE)
        CHECK(strcmp(again.define.name, rec->define.name) == 0 &&
              strcmp(again.define.tenant, rec->define.tenant) == 0);
    else if (rec->type == LOGREC_ATTEMPT)
        CHECK(again.attempt.received_s == rec->attempt.received_s &&
              memcmp(&again.attempt.attempt, &rec->attempt.attempt,
                     offsetof(struct attempt, ended)) == 0);
    else if (rec->type == LOGREC_REPORT_RAW)
        CHECK(again.raw.received_s == rec->raw.received_s && str_eq(again.raw.text, rec->raw.text));
    else
        CHECK(again.entry.hash == rec->entry.hash && again.entry.part == rec->entry.part);
}

static void check_log(struct str rest)
{
    uint64_t first_lsn;
    struct logrec rec;
    size_t found;
    int n;

    logrec_head_get(rest, 7, &first_lsn);
    while ((n = logrec_get(rest, &rec)) > 0) {
        CHECK((size_t)n <= rest.size && n % 8 == 0);
        CHECK(logrec_scan(rest, 0) == 0);
        check_record(&rec);
        rest = str_make(rest.ptr + n, rest.size - (size_t)n);
    }
    found = logrec_scan(rest, 0);
    CHECK(found == LOGREC_NO_FRAME || (found % 8 == 0 && found < rest.size));
}

// Puts the sum of each frame right whose size is plausible.
static void reseal(char *at, size_t size)
{
    while (size >= 32) {
        uint32_t magic = 0x52474c44, frame;
        uint64_t lsn, sum;

        memcpy(&frame, at + 4, sizeof frame);
        memcpy(&lsn, at + 8, sizeof lsn);
        frame = frame / 8 * 8;
        if (frame < 32 || frame > size) return;
        memcpy(at, &magic, sizeof magic);
        memcpy(at + 4, &frame, sizeof frame);
        sum = hash_keyed(lsn, at, frame - 8);
        memcpy(at + frame - 8, &sum, sizeof sum);
        at += frame;
        size -= frame;
    }
}

static void check_snapshot(struct str body, size_t flip_at, char flip)
{
    struct snapfile_list list = {.number = 1};
    struct snapfile_head head = {.list_count = 1, .seed = 7};
    struct snapfile_sum sum;
    struct snapfile f;
    struct buf b;
    char *copy = malloc(body.size + 1);

    buf_init(&b, (size_t)1 << 24);
    snapfile_sum_init(&sum);
    snapfile_head_put(&b, &head, &list);
    snapfile_sum_add(&sum, body.ptr, body.size);
    buf_str(&b, body);
    CHECK(snapfile_tail_put(&b, &sum, &head) == 0 && !b.failed);
    b.ptr[flip_at % b.size_bytes] ^= flip;
    if (snapfile_open(&f, buf_view(&b), NULL) == 0 && snapfile_read(&f, copy, body.size) == 0)
        CHECK(snapfile_at_end(&f) && (body.size == 0 || memcmp(copy, body.ptr, body.size) == 0));
    else
        CHECK(flip != 0);
    snapfile_sum_done(&sum);
    buf_done(&b);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy;

    if (size < 4) return 0;
    copy = malloc(size);
    memcpy(copy, data, size);
    check_log(str_make(copy, size));
    reseal(copy, size);
    check_log(str_make(copy, size));
    check_snapshot(str_make((const char *)data + 4, size - 4), data[0] | (size_t)data[1] << 8,
                   (char)data[2]);
    free(copy);
    return 0;
}
