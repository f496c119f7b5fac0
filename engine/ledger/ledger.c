// SPDX-License-Identifier: Apache-2.0
#include "engine/ledger/ledger.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/limits.h"
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

// Numbers come round after two rings: within half a ring each slot is looked at once.
static void sweep(struct ledger *l)
{
    uint32_t share = INDEX_SHARDS / (l->chunks.span / CHUNKS_NODES / 2);

    for (uint32_t i = 0; i <= share; i++) {
        for (int k = 0; k < CHUNKS_KEYS; k++) index_sweep(&l->index[k], l->swept);
        l->swept = (l->swept + 1) % INDEX_SHARDS;
    }
}

static void drop_oldest(struct ledger *l, int64_t youngest_s)
{
    raise_since(l, behind(youngest_s));
    chunks_drop(&l->chunks);
    sweep(l);
}

// In a full ring the oldest chunk gives way to what is younger than all of it.
static void make_room(struct ledger *l, int64_t start_s)
{
    int64_t youngest_s;

    if (atomic_load_explicit(&l->chunks.live, memory_order_relaxed) < l->attempts_max) return;
    if (!chunks_is_old(&l->chunks, start_s, &youngest_s)) return;
    lack(l, youngest_s);
    drop_oldest(l, youngest_s);
    qsbr_poll(l->chunks.q);
}

// Adds a node to its chains, and as the newest of its guid.
static int append(struct ledger *l, const struct attempt *a)
{
    const uint64_t keys[CHUNKS_KEYS] = {a->device, a->client, a->guid};
    struct chunks_node *node;
    uint32_t number = 0;
    int err = ERR_FULL;
    uint64_t head;

    make_room(l, a->start_s);
    head = chunks_head(&l->chunks);
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
// of sequences, or it would end at this node before its younger ones are gone. ERR_FULL when its
// place is too far down.
static int link_late(struct ledger *l, uint32_t number, enum chunks_key chain, uint64_t key)
{
    struct chunks_node *node = chunks_at(&l->chunks, number), *younger = NULL;
    uint64_t head = chunks_head(&l->chunks);
    unsigned steps = 0;
    uint32_t next;
    int err = index_room(&l->index[chain], key);

    if (err) return err;
    next = index_find(&l->index[chain], key, head);
    while (next && chunks_is_newer(&l->chunks, next, number)) {
        if (++steps > LIMIT_LEDGER_CHAIN) return ERR_FULL;
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

static uint64_t key_of(const struct chunks_node *node, int chain)
{
    return atomic_load_explicit(&node->key[chain], memory_order_relaxed);
}

static bool is_ended(const struct chunks_node *node)
{
    return atomic_load_explicit(&node->ended, memory_order_relaxed);
}

static bool is_same_contact(const struct chunks_node *node, const struct attempt *a)
{
    uint64_t device = key_of(node, CHUNKS_DEVICE), client = key_of(node, CHUNKS_CLIENT);

    return (!device || !a->device || device == a->device) &&
           (!client || !a->client || client == a->client);
}

static uint32_t find_in_chain(const struct ledger *l, enum chunks_key chain, uint64_t key,
                              const struct attempt *a)
{
    uint64_t head = chunks_head(&l->chunks);
    uint32_t number = index_find(&l->index[chain], key, head);

    for (unsigned steps = 0; number && steps < LIMIT_LEDGER_CHAIN; steps++) {
        const struct chunks_node *node = chunks_at(&l->chunks, number);

        if (key_of(node, CHUNKS_GUID) == a->guid && is_same_contact(node, a)) return number;
        number = chunks_older(&l->chunks, node, chain, head);
    }
    return 0;
}

// The node that `a` reports on. *ret_other: one of the same guid and another contact.
static uint32_t find(const struct ledger *l, const struct attempt *a, uint32_t *ret_other)
{
    uint32_t number = index_find(&l->index[CHUNKS_GUID], a->guid, chunks_head(&l->chunks));

    *ret_other = 0;
    if (!number || is_same_contact(chunks_at(&l->chunks, number), a)) return number;
    *ret_other = number;
    // one chain is enough: contacts without a name ("0") have very long ones
    return a->device ? find_in_chain(l, CHUNKS_DEVICE, a->device, a)
                     : find_in_chain(l, CHUNKS_CLIENT, a->client, a);
}

// Nothing in `a` is news of the node.
static bool is_told(const struct chunks_node *node, const struct attempt *a)
{
    return (is_ended(node) || !a->ended) && (!a->device || key_of(node, CHUNKS_DEVICE)) &&
           (!a->client || key_of(node, CHUNKS_CLIENT));
}

static int add(struct ledger *l, const struct attempt *a, int64_t start_s)
{
    struct attempt later = *a;
    int err;

    if (later.start_s < start_s) later.start_s = start_s;
    err = append(l, &later);
    return err ? err : LEDGER_NEW;
}

static int tell(struct ledger *l, uint32_t number, const struct attempt *a)
{
    struct chunks_node *node = chunks_at(&l->chunks, number);
    const uint64_t keys[CHUNKS_CHAINS] = {a->device, a->client};
    int err = 0;

    if (a->ended && !is_ended(node)) node_end(node, a);
    for (int k = 0; k < CHUNKS_CHAINS && !err; k++)
        if (keys[k] && !key_of(node, k)) err = link_late(l, number, (enum chunks_key)k, keys[k]);
    if (err == ERR_FULL) return add(l, a, node->start_s);
    if (err) lack(l, node->start_s);
    return err ? err : LEDGER_ENDED;
}

static struct ledger_asker asker_of(const struct attempt *a)
{
    return (struct ledger_asker){
        .device = a->device, .client = a->client, .group = a->group, .guid = a->guid};
}

int ledger_recall(struct ledger *l, const struct attempt *a)
{
    struct ledger_asker who = asker_of(a);
    uint32_t number, other;

    CHECK(a->guid && (a->device || a->client));
    ledger_fetch_index(l, &who);
    number = find(l, a, &other);
    ledger_fetch_chains(l, &who);
    if (number && is_told(chunks_at(&l->chunks, number), a)) return LEDGER_REPEATED;
    if (number) return tell(l, number, a);
    return add(l, a, other ? chunks_at(&l->chunks, other)->start_s : a->start_s);
}

int ledger_apply(struct ledger *l, const struct attempt *a)
{
    struct ledger_asker who = asker_of(a);
    int n = ledger_recall(l, a);

    // only now: who no longer meets the reservation meets the attempt
    if (n == LEDGER_NEW) ledger_settle(l, &who);
    // the start settled one without a guid already; another one is another attempt's
    if (n == LEDGER_ENDED) ledger_release(l, &who);
    return n;
}

bool ledger_knows(const struct ledger *l, const struct attempt *a)
{
    uint32_t other, number = find(l, a, &other);

    return number && is_told(chunks_at(&l->chunks, number), a);
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

void ledger_expire(struct ledger *l, int64_t before_s)
{
    int64_t youngest_s;

    qsbr_poll(l->chunks.q);
    for (unsigned i = 0; i < EXPIRE_CHUNKS && chunks_is_old(&l->chunks, before_s, &youngest_s); i++)
        drop_oldest(l, youngest_s);
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
