// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/logrec.h"

#include <assert.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/wire/record.h"

#define FRAME_MAGIC 0x52474c44u // "DLGR"
#define SEED_PROBE  0x4449414c47415445u

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the formats are read in place");

static const char head_magic[8] = "DGLOG\0\0\1";

struct head {
    char magic[8];
    uint64_t first_lsn;
    uint64_t seed_check;
    uint64_t sum;
};
static_assert(sizeof(struct head) == LOGREC_HEAD_BYTES, "on disk");

struct frame {
    uint32_t magic;
    uint32_t size_bytes;
    uint64_t lsn;
    uint16_t type;
    uint16_t list;
    uint32_t zero;
};
static_assert(sizeof(struct frame) == 24, "on disk");

struct entry_frame {
    struct frame frame;
    uint64_t hash;
    uint64_t device;
    uint32_t from_s, till_s;
    uint8_t part;
    uint8_t zero[7];
    uint64_t sum;
};
static_assert(sizeof(struct entry_frame) == LOGREC_ENTRY_BYTES, "on disk");

struct define_frame {
    struct frame frame;
    uint8_t kind, channel, required, zero;
    char region[4];
    char tenant[LIMIT_NAME_BYTES + 1];
    char name[LIMIT_NAME_BYTES + 1];
    char zeros[6];
    uint64_t sum;
};
static_assert(sizeof(struct define_frame) == LOGREC_DEFINE_BYTES, "on disk");

struct attempt_frame {
    struct frame frame;
    int64_t received_s, start_s;
    uint64_t device, client, guid, group;
    uint32_t subject, disposition;
    uint16_t area_code;
    uint8_t region, country, channel, result, ended, zero;
    uint64_t sum;
};
static_assert(sizeof(struct attempt_frame) == LOGREC_ATTEMPT_BYTES, "on disk");

// What stands before the text of a raw report; padding and sum follow the text.
struct raw_frame {
    struct frame frame;
    int64_t received_s;
    uint32_t text_bytes, zero;
};
static_assert(sizeof(struct raw_frame) + 8 == LOGREC_RAW_BYTES, "on disk");
static_assert(LOGREC_RAW_BYTES + LIMIT_REPORT_RAW_BYTES + 8 <= LOGREC_BYTES_MAX, "fits a frame");

static_assert(offsetof(struct attempt_frame, sum) == LOGREC_ATTEMPT_BYTES - 8, "no hidden padding");
static_assert(offsetof(struct define_frame, sum) == LOGREC_DEFINE_BYTES - 8, "no hidden padding");
static_assert(offsetof(struct entry_frame, sum) == LOGREC_ENTRY_BYTES - 8, "no hidden padding");

static uint64_t seed_check(uint64_t seed)
{
    return hash_keyed_u64(seed, SEED_PROBE);
}

void logrec_head_put(struct buf *out, uint64_t first_lsn, uint64_t seed)
{
    struct head h = {.first_lsn = first_lsn, .seed_check = seed_check(seed)};

    memcpy(h.magic, head_magic, sizeof h.magic);
    h.sum = hash_sum(&h, offsetof(struct head, sum));
    buf_put(out, &h, sizeof h);
}

int logrec_head_get(struct str bytes, uint64_t seed, uint64_t *ret_first_lsn)
{
    struct head h;

    if (bytes.size < sizeof h) return 0;
    memcpy(&h, bytes.ptr, sizeof h);
    if (memcmp(h.magic, head_magic, 5) != 0) return ERR_CORRUPT;
    if (h.sum != hash_sum(&h, offsetof(struct head, sum))) return ERR_CORRUPT;
    if (memcmp(h.magic, head_magic, sizeof h.magic) != 0) return ERR_VERSION;
    if (h.seed_check != seed_check(seed)) return ERR_CONFLICT;
    *ret_first_lsn = h.first_lsn;
    return sizeof h;
}

// Fills in the frame's sum, which is its last member, and appends it.
static void put_frame(struct buf *out, void *frame, uint32_t size_bytes, const struct logrec *rec)
{
    struct frame f = {FRAME_MAGIC, size_bytes, rec->lsn, (uint16_t)rec->type, rec->list, 0};
    uint64_t sum;

    memcpy(frame, &f, sizeof f);
    sum = hash_keyed(rec->lsn, frame, size_bytes - sizeof sum);
    memcpy((char *)frame + size_bytes - sizeof sum, &sum, sizeof sum);
    buf_put(out, frame, size_bytes);
}

static void put_define(struct buf *out, const struct logrec *rec)
{
    const struct logrec_define *d = &rec->define;
    struct define_frame f = {.kind = d->kind, .channel = d->channel, .required = d->required};

    str_copy(f.region, sizeof f.region, str_make(d->region, strnlen(d->region, sizeof d->region)));
    CHECK(str_copy(f.tenant, sizeof f.tenant, str_of(d->tenant)));
    CHECK(str_copy(f.name, sizeof f.name, str_of(d->name)));
    put_frame(out, &f, sizeof f, rec);
}

static void put_entry(struct buf *out, const struct logrec *rec)
{
    const struct logrec_entry *e = &rec->entry;
    bool set = rec->type == LOGREC_ENTRY_SET;
    struct entry_frame f = {.hash = e->hash,
                            .device = e->device,
                            .from_s = set ? e->from_s : 0,
                            .till_s = set ? e->till_s : 0,
                            .part = (uint8_t)e->part};

    put_frame(out, &f, sizeof f, rec);
}

static void put_attempt(struct buf *out, const struct logrec *rec)
{
    const struct attempt *a = &rec->attempt.attempt;
    struct attempt_frame f = {.received_s = rec->attempt.received_s,
                              .start_s = a->start_s,
                              .device = a->device,
                              .client = a->client,
                              .guid = a->guid,
                              .group = a->group,
                              .subject = a->subject,
                              .disposition = a->disposition,
                              .area_code = a->area_code,
                              .region = a->region,
                              .country = a->country,
                              .channel = a->channel,
                              .result = a->result,
                              .ended = a->ended};

    put_frame(out, &f, sizeof f, rec);
}

static void put_raw(struct buf *out, const struct logrec *rec)
{
    const struct logrec_raw *raw = &rec->raw;
    union {
        struct raw_frame head;
        char bytes[LOGREC_BYTES_MAX];
    } f;
    size_t padded = (raw->text.size + 7) & ~(size_t)7;

    CHECK(raw->text.size <= LIMIT_REPORT_RAW_BYTES);
    memset(&f, 0, sizeof f.head + padded);
    f.head.received_s = raw->received_s;
    f.head.text_bytes = (uint32_t)raw->text.size;
    if (raw->text.size) memcpy(f.bytes + sizeof f.head, raw->text.ptr, raw->text.size);
    put_frame(out, &f, (uint32_t)(LOGREC_RAW_BYTES + padded), rec);
}

void logrec_put(struct buf *out, const struct logrec *rec)
{
    switch (rec->type) {
    case LOGREC_LIST_DEFINE:
        put_define(out, rec);
        return;
    case LOGREC_ENTRY_SET:
    case LOGREC_ENTRY_DELETE:
        put_entry(out, rec);
        return;
    case LOGREC_ATTEMPT:
        put_attempt(out, rec);
        return;
    case LOGREC_REPORT_RAW:
        put_raw(out, rec);
        return;
    }
    CHECK(!"a type of log record");
}

// The size of the sound frame at the start of `bytes`, 0 when the bytes end too early.
static int frame_get(struct str bytes, struct frame *ret)
{
    uint32_t magic = FRAME_MAGIC;
    size_t begin = bytes.size < sizeof magic ? bytes.size : sizeof magic;
    struct frame f;
    uint64_t sum;

    if (begin && memcmp(bytes.ptr, &magic, begin) != 0) return ERR_CORRUPT;
    if (bytes.size < sizeof f) return 0;
    memcpy(&f, bytes.ptr, sizeof f);
    if (f.size_bytes < sizeof f + sizeof sum || f.size_bytes > LOGREC_BYTES_MAX ||
        f.size_bytes % 8 != 0)
        return ERR_CORRUPT;
    if (bytes.size < f.size_bytes) return 0;
    memcpy(&sum, bytes.ptr + f.size_bytes - sizeof sum, sizeof sum);
    if (sum != hash_keyed(f.lsn, bytes.ptr, f.size_bytes - sizeof sum)) return ERR_CORRUPT;
    *ret = f;
    return (int)f.size_bytes;
}

static int get_define(const char *bytes, int size_bytes, struct logrec *ret)
{
    struct define_frame f;
    struct logrec_define *d = &ret->define;

    if (size_bytes != sizeof f) return ERR_CORRUPT;
    memcpy(&f, bytes, sizeof f);
    if (!memchr(f.tenant, '\0', sizeof f.tenant) || !memchr(f.name, '\0', sizeof f.name) ||
        !memchr(f.region, '\0', sizeof d->region) || f.required > 1)
        return ERR_CORRUPT;
    *d = (struct logrec_define){.kind = f.kind, .channel = f.channel, .required = f.required};
    memcpy(d->region, f.region, sizeof d->region);
    memcpy(d->tenant, f.tenant, sizeof d->tenant);
    memcpy(d->name, f.name, sizeof d->name);
    return size_bytes;
}

static int get_entry(const char *bytes, int size_bytes, struct logrec *ret)
{
    struct entry_frame f;

    if (size_bytes != sizeof f) return ERR_CORRUPT;
    memcpy(&f, bytes, sizeof f);
    if (f.part > LOGREC_LIFTED) return ERR_CORRUPT;
    ret->entry =
        (struct logrec_entry){(enum logrec_part)f.part, f.hash, f.device, f.from_s, f.till_s};
    return size_bytes;
}

static int get_attempt(const char *bytes, int size_bytes, struct logrec *ret)
{
    struct attempt_frame f;

    if (size_bytes != sizeof f) return ERR_CORRUPT;
    memcpy(&f, bytes, sizeof f);
    if ((!f.device && !f.client) || !f.guid || f.channel > CHANNEL_ANY || f.ended > 1 ||
        (f.result > CALL_RESULT_OTHER && f.result != ATTEMPT_NO_RESULT))
        return ERR_CORRUPT;
    ret->attempt.received_s = f.received_s;
    ret->attempt.attempt = (struct attempt){.device = f.device,
                                            .client = f.client,
                                            .guid = f.guid,
                                            .group = f.group,
                                            .start_s = f.start_s,
                                            .subject = f.subject,
                                            .disposition = f.disposition,
                                            .area_code = f.area_code,
                                            .region = f.region,
                                            .country = f.country,
                                            .channel = f.channel,
                                            .result = f.result,
                                            .ended = f.ended};
    return size_bytes;
}

static int get_raw(const char *bytes, int size_bytes, struct logrec *ret)
{
    struct raw_frame f;

    if (size_bytes < LOGREC_RAW_BYTES) return ERR_CORRUPT;
    memcpy(&f, bytes, sizeof f);
    if (f.text_bytes > LIMIT_REPORT_RAW_BYTES ||
        LOGREC_RAW_BYTES + ((f.text_bytes + 7) & ~7u) != (uint32_t)size_bytes)
        return ERR_CORRUPT;
    ret->raw = (struct logrec_raw){f.received_s, str_make(bytes + sizeof f, f.text_bytes)};
    return size_bytes;
}

int logrec_get(struct str bytes, struct logrec *ret)
{
    struct logrec rec = {0};
    struct frame f;
    int size = frame_get(bytes, &f);

    if (size <= 0) return size;
    rec.list = f.list;
    rec.lsn = f.lsn;
    rec.type = (enum logrec_type)f.type;
    switch (f.type) {
    case LOGREC_LIST_DEFINE:
        size = get_define(bytes.ptr, size, &rec);
        break;
    case LOGREC_ENTRY_SET:
    case LOGREC_ENTRY_DELETE:
        size = get_entry(bytes.ptr, size, &rec);
        break;
    case LOGREC_ATTEMPT:
        size = get_attempt(bytes.ptr, size, &rec);
        break;
    case LOGREC_REPORT_RAW:
        size = get_raw(bytes.ptr, size, &rec);
        break;
    default:
        return ERR_VERSION;
    }
    if (size > 0) *ret = rec;
    return size;
}

size_t logrec_scan(struct str bytes, uint64_t lsn_min)
{
    for (size_t at = 0; at + sizeof(struct frame) <= bytes.size; at += 8) {
        uint32_t magic;
        struct frame f;

        memcpy(&magic, bytes.ptr + at, sizeof magic);
        if (magic != FRAME_MAGIC) continue;
        if (frame_get(str_make(bytes.ptr + at, bytes.size - at), &f) > 0 && f.lsn >= lsn_min)
            return at;
    }
    return LOGREC_NO_FRAME;
}
