// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/snapfile.h"

#include <string.h>

#include "engine/base/check.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the formats are read in place");

static const char head_magic[8] = "DGSNAP\0\0";
static const char tail_magic[8] = "DGSNAPEN";

// 1 TiB of body
#define SUMS_MAX_BYTES ((size_t)8 << 20)

static uint64_t rounded(uint64_t size, uint64_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static uint64_t lists_bytes(const struct snapfile_head *head)
{
    return (uint64_t)head->list_count * sizeof(struct snapfile_list);
}

static uint64_t head_sum(const struct snapfile_head *head, const void *lists)
{
    uint64_t sum = hash_sum(head, offsetof(struct snapfile_head, sum));

    return head->list_count ? hash_keyed(sum, lists, lists_bytes(head)) : sum;
}

static void put_zeros(struct buf *out, uint64_t count)
{
    static const char zeros[SNAPFILE_PAGE_BYTES];

    CHECK(count < sizeof zeros);
    buf_put(out, zeros, count);
}

void snapfile_head_put(struct buf *out, struct snapfile_head *head,
                       const struct snapfile_list *lists)
{
    uint64_t used = sizeof *head + lists_bytes(head);

    memcpy(head->magic, head_magic, sizeof head->magic);
    head->version = SNAPFILE_VERSION;
    head->body_at = rounded(used, SNAPFILE_PAGE_BYTES);
    head->zero = 0;
    head->sum = head_sum(head, lists);
    buf_put(out, head, sizeof *head);
    buf_put(out, lists, lists_bytes(head));
    put_zeros(out, head->body_at - used);
}

void snapfile_sum_init(struct snapfile_sum *s)
{
    s->chunk_bytes = 0;
    s->body_bytes = 0;
    buf_init(&s->sums, SUMS_MAX_BYTES);
}

void snapfile_sum_done(struct snapfile_sum *s)
{
    buf_done(&s->sums);
}

static uint64_t chunks_of(uint64_t body_bytes)
{
    return rounded(body_bytes, SNAPFILE_CHUNK_BYTES) / SNAPFILE_CHUNK_BYTES;
}

static void end_chunk(struct snapfile_sum *s)
{
    uint64_t sum = XXH3_64bits_digest(&s->chunk);

    buf_put(&s->sums, &sum, sizeof sum);
    s->chunk_bytes = 0;
}

void snapfile_sum_add(struct snapfile_sum *s, const void *data, size_t size_bytes)
{
    const char *at = data;

    while (size_bytes > 0) {
        size_t part = SNAPFILE_CHUNK_BYTES - s->chunk_bytes;

        if (part > size_bytes) part = size_bytes;
        if (s->chunk_bytes == 0)
            XXH3_64bits_reset_withSeed(&s->chunk, s->body_bytes / SNAPFILE_CHUNK_BYTES);
        XXH3_64bits_update(&s->chunk, at, part);
        s->chunk_bytes += part;
        s->body_bytes += part;
        at += part;
        size_bytes -= part;
        if (s->chunk_bytes == SNAPFILE_CHUNK_BYTES) end_chunk(s);
    }
}

int snapfile_tail_put(struct buf *out, struct snapfile_sum *s, const struct snapfile_head *head)
{
    struct snapfile_tail t = {.body_bytes = s->body_bytes,
                              .chunk_count = chunks_of(s->body_bytes),
                              .body_at = head->body_at,
                              .head_sum = head->sum};
    uint64_t padded = rounded(s->body_bytes, 8);

    if (s->chunk_bytes > 0) end_chunk(s);
    if (s->sums.failed) return ERR_NOMEM;
    CHECK(s->sums.size_bytes == t.chunk_count * 8);
    memcpy(t.magic, tail_magic, sizeof t.magic);
    t.file_bytes = head->body_at + padded + s->sums.size_bytes + sizeof t;
    t.sums_sum = hash_sum(s->sums.ptr, s->sums.size_bytes);
    t.sum = hash_sum(&t, offsetof(struct snapfile_tail, sum));
    put_zeros(out, padded - s->body_bytes);
    buf_str(out, buf_view(&s->sums));
    buf_put(out, &t, sizeof t);
    return out->failed ? ERR_NOMEM : 0;
}

static int corrupt(struct err_info *info, const char *what)
{
    return err_set(info, ERR_CORRUPT, "the snapshot's %s does not match its checksum", what);
}

static int open_head(struct snapfile *f, struct str bytes, struct err_info *info)
{
    const struct snapfile_head *head = (const void *)bytes.ptr;

    if (bytes.size < sizeof *head + sizeof(struct snapfile_tail) ||
        memcmp(head->magic, head_magic, sizeof head->magic) != 0)
        return err_set(info, ERR_CORRUPT, "the file is no snapshot");
    if (head->version != SNAPFILE_VERSION)
        return err_set(info, ERR_VERSION, "the snapshot has format version %u, not %u",
                       head->version, SNAPFILE_VERSION);
    if (head->list_count > LIMIT_LISTS || sizeof *head + lists_bytes(head) > bytes.size)
        return corrupt(info, "head");
    f->head = head;
    f->lists = (const void *)(bytes.ptr + sizeof *head);
    if (head->sum != head_sum(head, f->lists)) return corrupt(info, "head");
    if (head->body_at != rounded(sizeof *head + lists_bytes(head), SNAPFILE_PAGE_BYTES))
        return corrupt(info, "head");
    for (unsigned i = 0; i < head->list_count; i++)
        if (!memchr(f->lists[i].tenant, '\0', sizeof f->lists[i].tenant) ||
            !memchr(f->lists[i].name, '\0', sizeof f->lists[i].name) ||
            !memchr(f->lists[i].region, '\0', sizeof f->lists[i].region))
            return corrupt(info, "list table");
    return 0;
}

static int open_tail(struct snapfile *f, struct str bytes, struct err_info *info)
{
    uint64_t sums_at, sums_bytes;
    struct snapfile_tail t;

    memcpy(&t, bytes.ptr + bytes.size - sizeof t, sizeof t);
    if (memcmp(t.magic, tail_magic, sizeof t.magic) != 0 || t.file_bytes != bytes.size)
        return err_set(info, ERR_CORRUPT, "the snapshot is cut off");
    if (t.sum != hash_sum(&t, offsetof(struct snapfile_tail, sum))) return corrupt(info, "tail");
    if (t.head_sum != f->head->sum || t.body_at != f->head->body_at || t.body_bytes > bytes.size ||
        t.chunk_count != chunks_of(t.body_bytes))
        return corrupt(info, "tail");
    sums_at = t.body_at + rounded(t.body_bytes, 8);
    sums_bytes = t.chunk_count * 8;
    if (sums_at + sums_bytes + sizeof t != bytes.size) return corrupt(info, "tail");
    f->body = bytes.ptr + t.body_at;
    f->body_bytes = t.body_bytes;
    f->sums = (const void *)(bytes.ptr + sums_at);
    f->chunk_count = t.chunk_count;
    return t.sums_sum == hash_sum(f->sums, sums_bytes) ? 0 : corrupt(info, "table of sums");
}

int snapfile_open(struct snapfile *ret, struct str bytes, struct err_info *info)
{
    struct snapfile f = {0};
    int err;

    CHECK(((uintptr_t)bytes.ptr & 7) == 0);
    err = open_head(&f, bytes, info);
    // a tail is where it says only in a file whose size is a multiple of 8
    if (!err && bytes.size % 8 != 0) err = err_set(info, ERR_CORRUPT, "the snapshot is cut off");
    if (!err) err = open_tail(&f, bytes, info);
    if (!err) *ret = f;
    return err;
}

int snapfile_check(const struct snapfile *f, uint64_t chunk)
{
    uint64_t at = chunk * SNAPFILE_CHUNK_BYTES, size;

    CHECK(chunk < f->chunk_count);
    size = f->body_bytes - at;
    if (size > SNAPFILE_CHUNK_BYTES) size = SNAPFILE_CHUNK_BYTES;
    return hash_keyed(chunk, f->body + at, size) == f->sums[chunk] ? 0 : ERR_CORRUPT;
}

int snapfile_read(void *snapfile, void *dst, size_t size_bytes)
{
    struct snapfile *f = snapfile;
    uint64_t last;

    if (size_bytes == 0) return 0;
    if (size_bytes > f->body_bytes - f->at) return ERR_CORRUPT;
    last = (f->at + size_bytes - 1) / SNAPFILE_CHUNK_BYTES;
    while (f->checked_count <= last) {
        int err = snapfile_check(f, f->checked_count);

        if (err) return err;
        f->checked_count++;
    }
    memcpy(dst, f->body + f->at, size_bytes);
    f->at += size_bytes;
    return 0;
}

bool snapfile_at_end(const struct snapfile *f)
{
    return f->at == f->body_bytes;
}
