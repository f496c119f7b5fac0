// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "engine/set/set.h"
#include "engine/set/set_state.h"
#include "engine/set/set_stream.h"

#define BUFFER_BYTES ((size_t)1 << 18)

struct out {
    const struct set *s;
    struct qsbr_reader *me;
    const struct set_sink *sink;
    bool quiet; // between two writes nothing shared is held
    size_t fill_bytes;
    unsigned char data[BUFFER_BYTES];
};

static int flush(struct out *o)
{
    int rc;

    if (o->quiet) qsbr_sleep(o->me);
    rc = o->fill_bytes ? o->sink->write(o->sink->ctx, o->data, o->fill_bytes) : 0;
    if (o->quiet) qsbr_wake(o->me);
    o->fill_bytes = 0;
    return rc;
}

static int append(struct out *o, const void *data, size_t size_bytes)
{
    int rc = 0;

    CHECK(size_bytes <= sizeof o->data);
    if (o->fill_bytes + size_bytes > sizeof o->data) rc = flush(o);
    if (rc) return rc;
    memcpy(o->data + o->fill_bytes, data, size_bytes);
    o->fill_bytes += size_bytes;
    return 0;
}

static int dump_head(struct out *o)
{
    const struct set *s = o->s;
    unsigned owned = atomic_load(&s->planes_owned);
    uint64_t keys = atomic_load(&s->key_entries);
    struct set_stream_head head = {
        .magic = SET_STREAM_MAGIC,
        .version = SET_STREAM_VERSION,
        .seed_sum = hash_keyed(s->seed, SET_STREAM_SEED_TEXT, sizeof SET_STREAM_SEED_TEXT),
        .keys = keys,
        .keys_not = ~keys,
    };

    for (unsigned k = 0; k < PAGES_PLANES; k++)
        if (owned >> k & 1) head.plane_id[k] = atomic_load(&s->plane_id[k]);
    return append(o, &head, sizeof head);
}

static int dump_page(struct out *o, uint32_t exchange)
{
    const struct pages *pages = set_state_view(o->s)->pages;
    uint64_t desc = pages_load(pages, exchange), words[PAGES_WORDS * PAGES_PLANES];
    struct set_stream_page page = {exchange, pages_desc_planes(desc)};
    unsigned count = pages_desc_count(desc) * PAGES_WORDS;
    const _Atomic uint64_t *block = pages_block(pages, desc);
    int rc;

    if (!desc) return 0;
    for (unsigned i = 0; i < count; i++)
        words[i] = atomic_load_explicit(&block[i], memory_order_acquire);
    rc = append(o, &page, sizeof page);
    return rc ? rc : append(o, words, count * sizeof words[0]);
}

static int dump_pages(struct out *o)
{
    struct set_stream_page end = {SET_STREAM_END, 0};
    int rc = 0;

    o->quiet = true;
    for (uint32_t x = 0; x < PAGES_EXCHANGES && !rc; x++) {
        rc = dump_page(o, x);
        if (x % 256 == 0) qsbr_quiet(o->me);
    }
    o->quiet = false;
    return rc ? rc : append(o, &end, sizeof end);
}

struct chunk {
    struct set_stream_chunk head;
    uint64_t hash[SET_STREAM_CHUNK];
    uint16_t tag[SET_STREAM_CHUNK];
    uint64_t span[SET_STREAM_CHUNK];
};

static int dump_chunk(struct out *o, struct chunk *c)
{
    int rc = append(o, &c->head, sizeof c->head);

    if (!rc) rc = append(o, c->hash, c->head.count * sizeof c->hash[0]);
    if (!rc) rc = append(o, c->tag, c->head.count * sizeof c->tag[0]);
    if (!rc) rc = append(o, c->span, c->head.dated * sizeof c->span[0]);
    c->head = (struct set_stream_chunk){0};
    return rc;
}

static int dump_keys(struct out *o, struct chunk *c)
{
    struct keys_walk w = {.k = set_state_view(o->s)->keys};
    struct keys_entry e;
    int rc = 0;

    while (!rc && keys_walk_next(&w, &e)) {
        c->hash[c->head.count] = e.hash;
        c->tag[c->head.count++] = (uint16_t)(e.id << 1 | e.dated);
        if (e.dated) c->span[c->head.dated++] = (uint64_t)e.span.from_s << 32 | e.span.till_s;
        if (c->head.count == SET_STREAM_CHUNK) rc = dump_chunk(o, c);
    }
    if (!rc && c->head.count) rc = dump_chunk(o, c);
    return rc ? rc : dump_chunk(o, c); // the empty one
}

int set_dump(const struct set *s, struct qsbr_reader *me, const struct set_sink *sink)
{
    struct out *o = malloc(sizeof *o);
    struct chunk *c = calloc(1, sizeof *c);
    uint64_t publishes = atomic_load(&s->publishes), tail = SET_STREAM_MAGIC;
    int rc = o && c ? 0 : ERR_NOMEM;

    if (rc) goto out;
    *o = (struct out){.s = s, .me = me, .sink = sink};
    qsbr_wake(me);
    rc = publishes & 1 ? ERR_BUSY : dump_head(o);
    if (!rc) rc = dump_pages(o);
    if (!rc) rc = dump_keys(o, c);
    if (!rc) rc = append(o, &tail, sizeof tail);
    if (!rc) rc = flush(o);
    if (!rc && atomic_load(&s->publishes) != publishes) rc = ERR_BUSY;
    qsbr_sleep(me);
out:
    free(c);
    free(o);
    return rc;
}
