// SPDX-License-Identifier: Apache-2.0
#include "engine/ledger/ledger.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/ledger/ledger_state.h"

// Chunks that one ledger_expire lets go of: a million attempts a second are more than may come.
#define EXPIRE_CHUNKS 32

int ledger_new(struct ledger **ret, const struct ledger_limits *limits, struct qsbr *q,
               struct err_info *info)
{
    struct ledger *l = calloc(1, sizeof *l);

    if (!l) goto out;
    l->attempts_max = limits->attempts_max;
    l->since_s = INT64_MAX;
    l->lacks_s = INT64_MIN;
    for (int k = 0; k < CHUNKS_KEYS; k++) index_init(&l->index[k], &l->chunks, (enum chunks_key)k);
    if (chunks_init(&l->chunks, limits->attempts_max, q)) goto out_free;
    if (reserve_init(&l->reserve, limits->reservations_max)) goto out_chunks;
    *ret = l;
    return 0;
out_chunks:
    chunks_free(&l->chunks);
out_free:
    free(l);
out:
    return err_set(info, ERR_NOMEM,
                   "There is no address space for %zu attempts and %zu reservations; raise the "
                   "limit of virtual memory (ulimit -v) or lower the number of attempts.",
                   limits->attempts_max, limits->reservations_max);
}

void ledger_free(struct ledger *l)
{
    if (!l) return;
    while (qsbr_poll(l->chunks.q)) qsbr_wait(l->chunks.q);
    for (int k = 0; k < CHUNKS_KEYS; k++) index_free(&l->index[k]);
    reserve_free(&l->reserve);
    chunks_free(&l->chunks);
    free(l);
}

static void raise_since(struct ledger *l, int64_t since_s)
{
    if (since_s > atomic_load_explicit(&l->since_s, memory_order_relaxed))
        atomic_store_explicit(&l->since_s, since_s, memory_order_release);
}

static int64_t behind(int64_t start_s)
{
    return start_s < INT64_MAX ? start_s + 1 : INT64_MAX;
}

static void lack(struct ledger *l, int64_t start_s)
{
    if (l->lacks_s < behind(start_s)) l->lacks_s = behind(start_s);
    raise_since(l, l->lacks_s);
}

static void node_fill(struct chunks_node *node, const struct attempt *a)
{
    const uint64_t keys[CHUNKS_KEYS] = {a->device, a->client, a->guid};

    for (int k = 0; k < CHUNKS_KEYS; k++)
        atomic_store_explicit(&node->key[k], keys[k], memory_order_relaxed);
    atomic_store_explicit(&node->group, a->group, memory_order_relaxed);
    atomic_store_explicit(&node->subject, a->subject, memory_order_relaxed);
    atomic_store_explicit(&node->disposition, a->disposition, memory_order_relaxed);
    atomic_store_explicit(&node->area_code, a->area_code, memory_order_relaxed);
    atomic_store_explicit(&node->region, a->region, memory_order_relaxed);
    atomic_store_explicit(&node->country, a->country, memory_order_relaxed);
    atomic_store_explicit(&node->result, a->result, memory_order_relaxed);
    atomic_store_explicit(&node->ended, a->ended, memory_order_relaxed);
    node->start_s = a->start_s;
    node->channel = a->channel;
}

// Adds a node to its chains, and to the guids unless it is a `second` one of its attempt.
static int append(struct ledger *l, const struct attempt *a, bool second)
{
    const uint64_t keys[CHUNKS_KEYS] = {a->device, a->client, second ? 0 : a->guid};
    uint64_t head = chunks_head(&l->chunks);
    struct chunks_node *node;
    uint32_t number = 0;
    int err = ERR_FULL;

    if (atomic_load_explicit(&l->chunks.live, memory_order_relaxed) < l->attempts_max)
        number = chunks_next(&l->chunks);
    if (!number) goto refuse;
    for (int k = 0; k < CHUNKS_KEYS; k++) {
        err = keys[k] ? index_room(&l->index[k], keys[k]) : 0;
        if (err) goto refuse;
    }
    node = chunks_at(&l->chunks, number);
    node_fill(node, a);
    for (int k = 0; k < CHUNKS_CHAINS; k++)
        atomic_store_explicit(&node->prev[k], keys[k] ? index_find(&l->index[k], keys[k], head) : 0,
                              memory_order_relaxed);
    chunks_take(&l->chunks, a->start_s);
    for (int k = 0; k < CHUNKS_KEYS; k++)
        if (keys[k]) index_put(&l->index[k], keys[k], number);
    return 0;
refuse:
    lack(l, a->start_s);
    return err;
}

// Puts a node that is there already into a chain that it was not in. The chain stays in the order
// of sequences, or it would end at this node before its younger ones are gone.
static int link_late(struct ledger *l, uint32_t number, enum chunks_key chain, uint64_t key)
{
    struct chunks_node *node = chunks_at(&l->chunks, number), *younger = NULL;
    uint64_t head = chunks_head(&l->chunks);
    uint32_t next;
    int err = index_room(&l->index[chain], key);

    if (err) return err;
    next = index_find(&l->index[chain], key, head);
    while (next && chunks_is_newer(&l->chunks, next, number)) {
        younger = chunks_at(&l->chunks, next);
        next = chunks_older(&l->chunks, younger, chain, head);
    }
    atomic_store_explicit(&node->prev[chain], next, memory_order_relaxed);
    atomic_store_explicit(&node->key[chain], key, memory_order_relaxed);
    if (younger)
        atomic_store_explicit(&younger->prev[chain], number, memory_order_release);
    else
        index_put(&l->index[chain], key, number);
    return 0;
}

// What the start did not say and the end does.
static void node_end(struct chunks_node *node, const struct attempt *a)
{
    if (!atomic_load_explicit(&node->group, memory_order_relaxed))
        atomic_store_explicit(&node->group, a->group, memory_order_release);
    if (!atomic_load_explicit(&node->subject, memory_order_relaxed))
        atomic_store_explicit(&node->subject, a->subject, memory_order_release);
    if (!atomic_load_explicit(&node->area_code, memory_order_relaxed))
        atomic_store_explicit(&node->area_code, a->area_code, memory_order_release);
    if (!atomic_load_explicit(&node->region, memory_order_relaxed))
        atomic_store_explicit(&node->region, a->region, memory_order_release);
    if (!atomic_load_explicit(&node->country, memory_order_relaxed))
        atomic_store_explicit(&node->country, a->country, memory_order_release);
    if (a->disposition)
        atomic_store_explicit(&node->disposition, a->disposition, memory_order_release);
    atomic_store_explicit(&node->result, a->result, memory_order_release);
    atomic_store_explicit(&node->ended, true, memory_order_release);
}

// An end that names another device or contact than the start did: nobody knows who was called, so
// the attempt counts for both (and twice for a key that both name).
static int end(struct ledger *l, uint32_t number, const struct attempt *a)
{
    struct chunks_node *node = chunks_at(&l->chunks, number);
    const uint64_t keys[CHUNKS_CHAINS] = {a->device, a->client};
    struct attempt second = *a;
    bool differs = false;
    int err = 0;

    node_end(node, a);
    for (int k = 0; k < CHUNKS_CHAINS && !err; k++) {
        uint64_t there = atomic_load_explicit(&node->key[k], memory_order_relaxed);

        if (keys[k] && there && there != keys[k]) differs = true;
        if (keys[k] && !there) err = link_late(l, number, (enum chunks_key)k, keys[k]);
    }
    if (err) lack(l, node->start_s);
    second.start_s = node->start_s;
    if (!err && differs) err = append(l, &second, true);
    return err ? err : LEDGER_ENDED;
}

static struct ledger_asker asker_of(const struct attempt *a)
{
    return (struct ledger_asker){
        .device = a->device, .client = a->client, .group = a->group, .guid = a->guid};
}

int ledger_apply(struct ledger *l, const struct attempt *a)
{
    struct ledger_asker who = asker_of(a);
    const struct chunks_node *node;
    uint32_t number;
    int err;

    CHECK(a->guid && (a->device || a->client));
    ledger_fetch_index(l, &who);
    number = index_find(&l->index[CHUNKS_GUID], a->guid, chunks_head(&l->chunks));
    node = chunks_at(&l->chunks, number);
    ledger_fetch_chains(l, &who);
    if (number) {
        if (!a->ended || atomic_load_explicit(&node->ended, memory_order_relaxed))
            return LEDGER_REPEATED;
        err = end(l, number, a);
        // the start settled one without a guid already; another one is another attempt's
        ledger_release(l, &who);
        return err;
    }
    err = append(l, a, false);
    if (err) return err;
    // who no longer meets the reservation meets the attempt
    ledger_settle(l, &who);
    return LEDGER_NEW;
}

bool ledger_find(const struct ledger *l, uint64_t guid, struct attempt *ret)
{
    uint64_t head = chunks_head(&l->chunks);
    uint32_t number = guid ? index_find(&l->index[CHUNKS_GUID], guid, head) : 0;
    const struct chunks_node *node = chunks_at(&l->chunks, number);

    if (!number) return false;
    *ret = (struct attempt){.guid = guid, .start_s = node->start_s, .channel = node->channel};
    ret->ended = atomic_load_explicit(&node->ended, memory_order_acquire);
    ret->device = atomic_load_explicit(&node->key[CHUNKS_DEVICE], memory_order_acquire);
    ret->client = atomic_load_explicit(&node->key[CHUNKS_CLIENT], memory_order_acquire);
    ret->group = atomic_load_explicit(&node->group, memory_order_acquire);
    ret->subject = atomic_load_explicit(&node->subject, memory_order_acquire);
    ret->disposition = atomic_load_explicit(&node->disposition, memory_order_acquire);
    ret->area_code = atomic_load_explicit(&node->area_code, memory_order_acquire);
    ret->region = atomic_load_explicit(&node->region, memory_order_acquire);
    ret->country = atomic_load_explicit(&node->country, memory_order_acquire);
    ret->result = atomic_load_explicit(&node->result, memory_order_acquire);
    return true;
}

// Numbers come round after two rings: within half a ring each slot is looked at once.
static void sweep(struct ledger *l)
{
    uint32_t share = INDEX_SHARDS / (l->chunks.span / CHUNKS_NODES / 2);

    for (uint32_t i = 0; i <= share; i++) {
        for (int k = 0; k < CHUNKS_KEYS; k++) index_sweep(&l->index[k], l->swept);
        l->swept = (l->swept + 1) % INDEX_SHARDS;
    }
}

void ledger_expire(struct ledger *l, int64_t before_s)
{
    int64_t youngest_s;

    qsbr_poll(l->chunks.q);
    for (unsigned i = 0; i < EXPIRE_CHUNKS && chunks_is_old(&l->chunks, before_s, &youngest_s);
         i++) {
        raise_since(l, behind(youngest_s));
        chunks_drop(&l->chunks);
        sweep(l);
    }
}

void ledger_set_since(struct ledger *l, int64_t since_s)
{
    if (since_s < l->lacks_s) since_s = l->lacks_s;
    atomic_store_explicit(&l->since_s, since_s, memory_order_release);
}

void ledger_usage(const struct ledger *l, struct ledger_usage *ret)
{
    size_t bytes = atomic_load_explicit(&l->chunks.taken, memory_order_relaxed) * CHUNKS_BYTES;

    for (int k = 0; k < CHUNKS_KEYS; k++)
        bytes += atomic_load_explicit(&l->index[k].bytes, memory_order_relaxed);
    ret->attempts = atomic_load_explicit(&l->chunks.live, memory_order_relaxed);
    ret->reservations = reserve_usage(&l->reserve);
    ret->bytes = bytes + sizeof *l + 2 * l->reserve.size;
    ret->since_s = atomic_load_explicit(&l->since_s, memory_order_acquire);
}
