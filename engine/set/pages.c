// SPDX-License-Identifier: Apache-2.0
#include "engine/set/pages.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

#define LIMBO_BLOCKS 256

// Replaced blocks that one grace period frees together.
struct pages_limbo {
    struct pages *pages;
    unsigned count;
    struct {
        uint64_t at;
        unsigned planes;
    } blocks[LIMBO_BLOCKS];
};

static_assert(PAGES_WORDS * 64 >= PAGES_LINES, "a page holds every line of an exchange");
static_assert(offsetof(struct pages, desc) % 64 == 0, "descriptors start on a line");

struct pages *pages_new(size_t size_bytes, struct qsbr *q)
{
    struct pages *p = mem_map(size_bytes);

    CHECK(size_bytes > sizeof *p);
    while (!p && size_bytes / 2 >= PAGES_BYTES_MIN) {
        size_bytes /= 2;
        p = mem_map(size_bytes);
    }
    if (!p) return NULL;
    p->size_bytes = size_bytes;
    p->q = q;
    p->top = sizeof *p / sizeof(uint64_t);
    p->end = size_bytes / sizeof(uint64_t);
    return p;
}

void pages_free(void *pages)
{
    struct pages *p = pages;

    if (!p) return;
    free(p->limbo);
    mem_unmap(p, p->size_bytes);
}

static void block_free(struct pages *p, uint64_t at, unsigned planes)
{
    atomic_store_explicit((_Atomic uint64_t *)p + at, p->spare[planes], memory_order_relaxed);
    p->spare[planes] = at;
}

static void on_grace(void *ptr)
{
    struct pages_limbo *l = ptr;

    for (unsigned i = 0; i < l->count; i++)
        block_free(l->pages, l->blocks[i].at, l->blocks[i].planes);
    free(l);
}

void pages_flush(struct pages *p)
{
    struct pages_limbo *l = p->limbo;

    p->limbo = NULL;
    if (l) qsbr_retire(p->q, on_grace, l);
}

static void block_retire(struct pages *p, uint64_t desc)
{
    uint64_t at = pages_desc_at(desc);
    unsigned planes = pages_desc_count(desc);
    struct pages_limbo *l;

    if (!p->limbo && p->q) {
        p->limbo = malloc(sizeof *p->limbo);
        if (p->limbo) *p->limbo = (struct pages_limbo){.pages = p};
    }
    l = p->limbo;
    if (!l) { // no memory to remember it: wait for the readers here
        if (p->q) qsbr_wait(p->q);
        block_free(p, at, planes);
        return;
    }
    l->blocks[l->count].at = at;
    l->blocks[l->count++].planes = planes;
    if (l->count == LIMBO_BLOCKS) pages_flush(p);
}

uint64_t *pages_block_new(struct pages *p, unsigned count, uint64_t *ret_at)
{
    uint64_t at = p->spare[count], words = (uint64_t)count * PAGES_WORDS;

    CHECK(count >= 1 && count <= PAGES_PLANES);
    if (at) {
        p->spare[count] = atomic_load_explicit((_Atomic uint64_t *)p + at, memory_order_relaxed);
    } else {
        // rows of several planes start where as few lines as possible are straddled
        at = count > 1 ? (p->top + 7) & ~(uint64_t)7 : p->top;
        if (at + words > p->end) return NULL;
        p->top = at + words;
    }
    *ret_at = at;
    return (uint64_t *)p + at;
}

void pages_publish(struct pages *p, uint32_t exchange, uint64_t at, unsigned planes)
{
    uint64_t old = pages_load(p, exchange), desc = 0;

    if (planes) desc = pages_desc(at, (unsigned)__builtin_popcount(planes), planes);
    atomic_store_explicit(&p->desc[exchange], desc, memory_order_release);
    p->blocks += !old && desc;
    p->blocks -= old && !desc;
    if (old) block_retire(p, old);
}

static _Atomic uint64_t *word_of(const struct pages *p, uint64_t nanp, unsigned plane,
                                 uint64_t *ret_bit)
{
    uint32_t line;
    uint64_t desc = pages_load(p, pages_exchange(nanp, &line));
    unsigned planes = pages_desc_planes(desc);

    if (!(planes >> plane & 1)) return NULL;
    *ret_bit = (uint64_t)1 << (line & 63);
    return pages_block(p, desc) + (line >> 6) * pages_desc_count(desc) + pages_rank(planes, plane);
}

bool pages_has(const struct pages *p, uint64_t nanp, unsigned plane)
{
    uint64_t bit;

    return word_of(p, nanp, plane, &bit) != NULL;
}

bool pages_test(const struct pages *p, uint64_t nanp, unsigned plane)
{
    uint64_t bit;
    _Atomic uint64_t *word = word_of(p, nanp, plane, &bit);

    return word && atomic_load_explicit(word, memory_order_relaxed) & bit;
}

bool pages_set(struct pages *p, uint64_t nanp, unsigned plane)
{
    uint64_t bit, old;
    _Atomic uint64_t *word = word_of(p, nanp, plane, &bit);

    CHECK(word);
    old = atomic_load_explicit(word, memory_order_relaxed);
    if (old & bit) return false;
    atomic_store_explicit(word, old | bit, memory_order_release);
    return true;
}

bool pages_clear(struct pages *p, uint64_t nanp, unsigned plane)
{
    uint64_t bit, old;
    _Atomic uint64_t *word = word_of(p, nanp, plane, &bit);

    if (!word) return false;
    old = atomic_load_explicit(word, memory_order_relaxed);
    if (!(old & bit)) return false;
    atomic_store_explicit(word, old & ~bit, memory_order_release);
    return true;
}

// Copies a block's rows into one with other planes; planes the old one lacks become zero.
static void block_copy(_Atomic uint64_t *dst, unsigned dst_planes, const _Atomic uint64_t *src,
                       unsigned src_planes)
{
    unsigned dst_count = (unsigned)__builtin_popcount(dst_planes);
    unsigned src_count = (unsigned)__builtin_popcount(src_planes);
    unsigned from[PAGES_PLANES], rank = 0;

    for (unsigned k = 0; k < PAGES_PLANES; k++)
        if (dst_planes >> k & 1)
            from[rank++] = src_planes >> k & 1 ? pages_rank(src_planes, k) : PAGES_PLANES;
    for (unsigned w = 0; w < PAGES_WORDS; w++)
        for (unsigned r = 0; r < dst_count; r++) {
            uint64_t word = 0;

            if (from[r] < PAGES_PLANES)
                word = atomic_load_explicit(&src[w * src_count + from[r]], memory_order_relaxed);
            atomic_store_explicit(&dst[w * dst_count + r], word, memory_order_relaxed);
        }
}

static int planes_change(struct pages *p, uint32_t exchange, unsigned planes)
{
    uint64_t desc = pages_load(p, exchange), at = 0;
    void *block;

    if (planes) {
        block = pages_block_new(p, (unsigned)__builtin_popcount(planes), &at);
        if (!block) return ERR_NOMEM;
        block_copy(block, planes, pages_block(p, desc), pages_desc_planes(desc));
    }
    pages_publish(p, exchange, at, planes);
    return 0;
}

int pages_plane_add(struct pages *p, uint32_t exchange, unsigned plane)
{
    unsigned planes = pages_desc_planes(pages_load(p, exchange));

    CHECK(plane < PAGES_PLANES);
    if (planes >> plane & 1) return 0;
    return planes_change(p, exchange, planes | 1u << plane);
}

void pages_plane_drop(struct pages *p, uint32_t exchange, unsigned plane)
{
    static const uint64_t none[PAGES_WORDS];
    unsigned planes = pages_desc_planes(pages_load(p, exchange));

    if (!(planes >> plane & 1)) return;
    if (planes_change(p, exchange, planes & ~(1u << plane)))
        pages_plane_store(p, exchange, plane, none);
}

void pages_plane_store(struct pages *p, uint32_t exchange, unsigned plane, const uint64_t *words)
{
    uint64_t desc = pages_load(p, exchange);
    unsigned count = pages_desc_count(desc);
    _Atomic uint64_t *dst = pages_block(p, desc) + pages_rank(pages_desc_planes(desc), plane);

    CHECK(pages_desc_planes(desc) >> plane & 1);
    for (unsigned w = 0; w < PAGES_WORDS; w++)
        atomic_store_explicit(&dst[w * count], words[w], memory_order_release);
}

void pages_plane_read(const struct pages *p, uint32_t exchange, unsigned plane, uint64_t *words)
{
    uint64_t desc = pages_load(p, exchange);
    unsigned count = pages_desc_count(desc);
    const _Atomic uint64_t *src = pages_block(p, desc) + pages_rank(pages_desc_planes(desc), plane);

    CHECK(pages_desc_planes(desc) >> plane & 1);
    for (unsigned w = 0; w < PAGES_WORDS; w++)
        words[w] = atomic_load_explicit(&src[w * count], memory_order_relaxed);
}

struct pages *pages_rebuilt(const struct pages *old, unsigned dropped, const struct pages *added,
                            unsigned plane)
{
    struct pages *p = pages_new(old->size_bytes, NULL);
    uint64_t words[PAGES_WORDS];

    for (uint32_t x = 0; p && x < PAGES_EXCHANGES; x++) {
        uint64_t desc = pages_load(old, x), at;
        bool more = added && pages_load(added, x);
        unsigned planes = (pages_desc_planes(desc) & ~dropped) | (unsigned)more << plane;
        void *block;

        if (!planes) continue;
        block = pages_block_new(p, (unsigned)__builtin_popcount(planes), &at);
        if (!block) {
            pages_free(p);
            return NULL;
        }
        block_copy(block, planes, pages_block(old, desc), pages_desc_planes(desc));
        pages_publish(p, x, at, planes);
        if (!more) continue;
        pages_plane_read(added, x, 0, words);
        pages_plane_store(p, x, plane, words);
    }
    if (p) p->q = old->q;
    return p;
}

void pages_relabel(struct pages *p, unsigned plane)
{
    for (uint32_t x = 0; x < PAGES_EXCHANGES; x++) {
        uint64_t desc = pages_load(p, x);

        if (desc)
            atomic_store_explicit(&p->desc[x], pages_desc(pages_desc_at(desc), 1, 1u << plane),
                                  memory_order_relaxed);
    }
}

size_t pages_bytes(const struct pages *p)
{
    // before the first block the table is address space only: what is merely read stays unmapped
    return p->top > sizeof *p / sizeof(uint64_t) ? p->top * sizeof(uint64_t) : 0;
}
