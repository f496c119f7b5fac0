// SPDX-License-Identifier: Apache-2.0
//
// pages: bits of NANP devices, one block per exchange (NPA-NXX), several planes in a block.
//
// A block holds 157 words (10,048 bits for 10,000 lines) of each plane present, interleaved: word w
// of the plane of rank r stands at block[w * count + r], so that neighbouring words answer for all
// planes. A descriptor per exchange is one atomic word: which block, how many planes, which planes.
// Everything is one mapping: this header, the descriptors, then blocks handed out from the bottom.
//
// Threads: one writer; any number of readers, who hold a qsbr_reader when `q` is given. Blocks that
// readers may still see come back through the qsbr.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/check.h"
#include "engine/base/qsbr.h"

#define PAGES_NPAS      800 // 200 … 999, and as many NXX
#define PAGES_EXCHANGES (PAGES_NPAS * PAGES_NPAS)
#define PAGES_LINES     10000
#define PAGES_WORDS     157 // ceil(10,000 / 64)
#define PAGES_PLANES    16
// The smallest reservation that is still tried when larger ones are refused.
#define PAGES_BYTES_MIN ((size_t)1 << 30)

struct pages_limbo;

struct pages {
    size_t size_bytes;
    struct qsbr *q;                   // NULL: no readers
    uint64_t top;                     // next never-used word, counted from the start of the mapping
    uint64_t end;                     // first word behind the mapping
    uint64_t spare[PAGES_PLANES + 1]; // first free block of that many planes, 0 = none
    uint64_t blocks;                  // exchanges that have one
    struct pages_limbo *limbo;        // replaced blocks, not yet retired
    _Alignas(64) _Atomic uint64_t desc[PAGES_EXCHANGES];
};

// A descriptor: word index of the block (43 bits), number of planes (5), mask of planes (16).
static inline uint64_t pages_desc(uint64_t at, unsigned count, unsigned planes)
{
    return at << 21 | (uint64_t)count << 16 | planes;
}
static inline uint64_t pages_desc_at(uint64_t desc)
{
    return desc >> 21;
}
static inline unsigned pages_desc_count(uint64_t desc)
{
    return desc >> 16 & 31;
}
static inline unsigned pages_desc_planes(uint64_t desc)
{
    return desc & 0xffff;
}

// Ten digits with NPA and NXX from 200 to 999?
static inline bool pages_nanp_ok(uint64_t nanp)
{
    return nanp - 2000000000 < 8000000000 && nanp / 10000 % 1000 >= 200;
}
// Exchange number (0 … 639,999) of a valid NANP number, and its line (0 … 9,999).
static inline uint32_t pages_exchange(uint64_t nanp, uint32_t *ret_line)
{
    uint32_t prefix = (uint32_t)(nanp / 10000), npa = prefix / 1000;

    *ret_line = (uint32_t)(nanp - (uint64_t)prefix * 10000);
    return prefix - 1000 * npa - 200 + (npa - 200) * PAGES_NPAS;
}
static inline uint64_t pages_nanp(uint32_t exchange, uint32_t line)
{
    uint64_t npa = 200 + exchange / PAGES_NPAS, nxx = 200 + exchange % PAGES_NPAS;

    return (npa * 1000 + nxx) * 10000 + line;
}

static inline uint64_t pages_load(const struct pages *p, uint32_t exchange)
{
    DEBUG_CHECK(exchange < PAGES_EXCHANGES);
    return atomic_load_explicit(&p->desc[exchange], memory_order_acquire);
}
static inline _Atomic uint64_t *pages_block(const struct pages *p, uint64_t desc)
{
    return (_Atomic uint64_t *)p + pages_desc_at(desc);
}
// Index of `plane`'s word among the words of a row; the plane is in `planes`.
static inline unsigned pages_rank(unsigned planes, unsigned plane)
{
    return (unsigned)__builtin_popcount(planes & ((1u << plane) - 1));
}

// Reserves `size_bytes` of address space, or the largest half, quarter … the kernel grants. NULL
// when even PAGES_BYTES_MIN (or `size_bytes`, if smaller) is refused.
struct pages *pages_new(size_t size_bytes, struct qsbr *q);
// For qsbr_retire; NULL is fine. No reader is left.
void pages_free(void *pages);

// -- writer ------------------------------------------------------------------------------------
bool pages_has(const struct pages *p, uint64_t nanp, unsigned plane); // is the plane in its block?
bool pages_test(const struct pages *p, uint64_t nanp, unsigned plane);
// The plane is in the block. True when the bit changed.
bool pages_set(struct pages *p, uint64_t nanp, unsigned plane);
bool pages_clear(struct pages *p, uint64_t nanp, unsigned plane);
// Gives the exchange's block an all-zero plane, if it has it not. 0 or ERR_NOMEM.
int pages_plane_add(struct pages *p, uint32_t exchange, unsigned plane);
// Takes the plane with its bits out of the block; never fails (without memory the bits go only).
void pages_plane_drop(struct pages *p, uint32_t exchange, unsigned plane);
// Stores `words` (PAGES_WORDS of them, one plane) over the plane's words; the plane is there.
void pages_plane_store(struct pages *p, uint32_t exchange, unsigned plane, const uint64_t *words);
void pages_plane_read(const struct pages *p, uint32_t exchange, unsigned plane, uint64_t *words);
// A new block for an exchange that has none, its words undefined, not yet visible; NULL without
// memory. pages_publish shows it.
uint64_t *pages_block_new(struct pages *p, unsigned count, uint64_t *ret_at);
void pages_publish(struct pages *p, uint32_t exchange, uint64_t at, unsigned planes);
// All blocks hold plane 0 only and no reader is here: names that plane `plane`.
void pages_relabel(struct pages *p, unsigned plane);
// A copy in a mapping of its own, without unused blocks, without the planes in `dropped`, and with
// plane 0 of `added` (may be NULL) as `plane`. NULL without memory.
struct pages *pages_rebuilt(const struct pages *old, unsigned dropped, const struct pages *added,
                            unsigned plane);
// Hands replaced blocks to the qsbr. Call at the end of an operation that added or dropped planes.
void pages_flush(struct pages *p);
// Memory in use, including blocks that wait for reuse; 0 before the first block.
size_t pages_bytes(const struct pages *p);
