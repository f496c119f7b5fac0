// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "engine/set/set.h"
#include "engine/set/set_state.h"
#include "engine/set/set_stream.h"

// Lines of the last word of a plane.
#define LAST_BITS (PAGES_LINES - (PAGES_WORDS - 1) * 64)
// More keys than any machine of today holds: the head is not to be trusted.
#define KEYS_HINT_MAX ((uint64_t)1 << 32)

struct in {
    struct set *s;
    const struct set_source *source;
    unsigned planes; // owned, as the head says
    uint64_t page_count[PAGES_PLANES];
};

static int take(struct in *in, void *dst, size_t size_bytes)
{
    return size_bytes ? in->source->read(in->source->ctx, dst, size_bytes) : 0;
}

static int load_head(struct in *in)
{
    struct set *s = in->s;
    struct set_stream_head head;
    int rc = take(in, &head, sizeof head);

    if (rc) return rc;
    if (head.magic != SET_STREAM_MAGIC) return ERR_CORRUPT;
    if (head.version != SET_STREAM_VERSION) return ERR_VERSION;
    if (head.seed_sum != hash_keyed(s->seed, SET_STREAM_SEED_TEXT, sizeof SET_STREAM_SEED_TEXT))
        return ERR_CORRUPT;
    if (head.keys != ~head.keys_not || head.keys > KEYS_HINT_MAX) return ERR_CORRUPT;
    for (unsigned k = 0; k < PAGES_PLANES; k++) {
        unsigned id = head.plane_id[k];

        if (!id) continue;
        if (id >= LIMIT_SET_IDS || s->plane_of[id] >= 0) return ERR_CORRUPT;
        set_state_plane_own(s, id, k);
        in->planes |= 1u << k;
    }
    return head.keys ? set_state_grow(s, head.keys) : 0;
}

// Without the instruction, which the oldest x86-64 lacks, the builtin is a call into libgcc: it was
// two fifths of a warm start.
static inline unsigned bits_of(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(x * UINT64_C(0x0101010101010101) >> 56);
}

static int load_page(struct in *in, const struct set_stream_page *page)
{
    struct pages *pages = set_state_view(in->s)->pages;
    unsigned count = (unsigned)__builtin_popcount(page->planes), r = 0;
    uint64_t at, *words;
    int rc;

    if (!page->planes || page->planes & ~in->planes) return ERR_CORRUPT;
    words = pages_block_new(pages, count, &at);
    if (!words) return ERR_NOMEM;
    rc = take(in, words, (size_t)count * PAGES_WORDS * sizeof *words);
    if (rc) return rc;
    for (unsigned k = 0; k < PAGES_PLANES; k++) {
        if (!(page->planes >> k & 1)) continue;
        if (words[(PAGES_WORDS - 1) * count + r] >> LAST_BITS) return ERR_CORRUPT;
        for (unsigned w = 0; w < PAGES_WORDS; w++)
            in->page_count[k] += bits_of(words[w * count + r]);
        r++;
    }
    pages_publish(pages, page->exchange, at, page->planes);
    return 0;
}

static int load_pages(struct in *in)
{
    struct set_stream_page page;
    uint32_t next = 0;
    int rc;

    for (;;) {
        rc = take(in, &page, sizeof page);
        if (rc) return rc;
        if (page.exchange == SET_STREAM_END) return page.planes ? ERR_CORRUPT : 0;
        if (page.exchange < next || page.exchange >= PAGES_EXCHANGES) return ERR_CORRUPT;
        next = page.exchange + 1;
        rc = load_page(in, &page);
        if (rc) return rc;
    }
}

struct chunk {
    struct set_stream_chunk head;
    uint64_t hash[SET_STREAM_CHUNK];
    uint16_t tag[SET_STREAM_CHUNK];
    uint64_t span[SET_STREAM_CHUNK];
};

static int load_entry(struct set *s, const struct chunk *c, uint32_t i, uint32_t *dated)
{
    unsigned id = c->tag[i] >> 1;
    struct set_span span = SET_ALWAYS;
    int rc;

    if (!id || id >= LIMIT_SET_IDS || !c->hash[i]) return ERR_CORRUPT;
    if (c->tag[i] & 1) {
        if (*dated == c->head.dated) return ERR_CORRUPT;
        span.from_s = (uint32_t)(c->span[*dated] >> 32);
        span.till_s = (uint32_t)c->span[*dated];
        if (set_state_always(span)) return ERR_CORRUPT;
        ++*dated;
    }
    rc = set_state_put(s, c->hash[i], id, span);
    if (rc == 1) set_state_count(s, id, s->page_count[id], s->key_count[id] + 1);
    return rc < 0 ? rc : 0;
}

static int load_keys(struct in *in, struct chunk *c)
{
    int rc;

    for (;;) {
        uint32_t dated = 0;

        rc = take(in, &c->head, sizeof c->head);
        if (rc) return rc;
        if (!c->head.count) return c->head.dated ? ERR_CORRUPT : 0;
        if (c->head.count > SET_STREAM_CHUNK || c->head.dated > c->head.count) return ERR_CORRUPT;
        rc = take(in, c->hash, c->head.count * sizeof c->hash[0]);
        if (!rc) rc = take(in, c->tag, c->head.count * sizeof c->tag[0]);
        if (!rc) rc = take(in, c->span, c->head.dated * sizeof c->span[0]);
        for (uint32_t i = 0; i < c->head.count && !rc; i++) rc = load_entry(in->s, c, i, &dated);
        if (!rc && dated != c->head.dated) rc = ERR_CORRUPT;
        if (rc) return rc;
    }
}

int set_load(struct set *s, const struct set_source *source, struct err_info *info)
{
    struct in in = {.s = s, .source = source};
    struct chunk *c = malloc(sizeof *c);
    uint64_t tail = 0;
    int rc = c ? 0 : ERR_NOMEM;

    CHECK(!s->page_entries && !s->key_entries && !s->planes_taken);
    if (!rc) rc = load_head(&in);
    if (!rc) rc = load_pages(&in);
    for (unsigned k = 0; k < PAGES_PLANES && !rc; k++)
        if (in.planes >> k & 1) set_state_count(s, s->plane_id[k], in.page_count[k], 0);
    if (!rc) rc = load_keys(&in, c);
    if (!rc) rc = take(&in, &tail, sizeof tail);
    if (!rc && tail != SET_STREAM_MAGIC) rc = ERR_CORRUPT;
    free(c);
    set_state_settle(s);
    if (rc == ERR_NOMEM) return err_set(info, rc, "Not enough memory for the stored lists.");
    if (rc == ERR_VERSION)
        return err_set(info, rc,
                       "The stored lists were written by another version; "
                       "try: remove the snapshot and load the files again.");
    if (rc)
        return err_set(info, rc,
                       "The stored lists contradict themselves or could not be read; "
                       "try: remove the snapshot and load the files again.");
    return 0;
}
