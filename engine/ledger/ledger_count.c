// SPDX-License-Identifier: Apache-2.0
#include "engine/base/check.h"
#include "engine/base/limits.h"
#include "engine/ledger/ledger_state.h"
#include "engine/wire/record.h"

struct walk {
    const struct ledger *l;
    const struct ledger_asker *who;
    const struct attempts_query *query;
    uint64_t head;
    struct attempts_count result;
};

static bool has_word(const uint32_t *words, unsigned count, uint32_t word)
{
    for (unsigned i = 0; i < count; i++)
        if (words[i] == word) return true;
    return false;
}

static bool fits_outcome(const struct attempts_query *q, const struct chunks_node *node)
{
    if (q->disposition_count) {
        uint32_t said = atomic_load_explicit(&node->disposition, memory_order_acquire);

        return !said || has_word(q->dispositions, q->disposition_count, said);
    } else {
        uint8_t result = atomic_load_explicit(&node->result, memory_order_acquire);

        return result == ATTEMPT_NO_RESULT || q->results & call_result_bit(result);
    }
}

static bool fits_place(const struct attempts_query *q, const struct chunks_node *node)
{
    unsigned region = atomic_load_explicit(&node->region, memory_order_acquire);
    unsigned country = atomic_load_explicit(&node->country, memory_order_acquire);
    unsigned area_code = atomic_load_explicit(&node->area_code, memory_order_acquire);

    if (region && !(q->regions[region / 64 % ATTEMPT_REGION_WORDS] >> region % 64 & 1))
        return false;
    if (country && !(q->countries[country / 64] >> country % 64 & 1)) return false;
    if (!area_code || !q->area_code_count) return true;
    for (unsigned i = 0; i < q->area_code_count; i++)
        if (q->area_codes[i] == area_code) return true;
    return false;
}

static inline bool fits(const struct walk *w, const struct chunks_node *node)
{
    const struct attempts_query *q = w->query;

    if (node->start_s < q->since_s || node->start_s >= q->before_s) return false;
    // a medium that is none of ours may be any
    if (node->channel < CHANNEL_COUNT && !(q->channels >> node->channel & 1)) return false;
    if (!fits_outcome(q, node)) return false;
    if (q->group_only && w->who->group) {
        uint64_t group = atomic_load_explicit(&node->group, memory_order_acquire);

        if (group && group != w->who->group) return false;
    }
    if (q->subject_only && w->who->subject) {
        uint32_t subject = atomic_load_explicit(&node->subject, memory_order_acquire);

        if (subject && subject != w->who->subject) return false;
    }
    return !q->placed || fits_place(q, node);
}

static inline void add(struct attempts_count *r, int64_t start_s)
{
    if (r->count++ == 0 || start_s < r->oldest_s) r->oldest_s = start_s;
}

// The attempts of one key, those whose other key is 0 or `other`.
static void walk_chain(struct walk *w, enum chunks_key chain, uint64_t key, uint64_t other,
                       bool any_other, int64_t now_s)
{
    const struct chunks *c = &w->l->chunks;
    uint32_t number = index_find(&w->l->index[chain], key, w->head);
    unsigned steps = 0;

    while (number && w->result.count < w->query->enough) {
        const struct chunks_node *node = chunks_at(c, number);
        uint64_t its_other;

        if (++steps > LIMIT_LEDGER_CHAIN) {
            add(&w->result, now_s);
            w->result.count = w->query->enough;
            return;
        }
        number = chunks_older(c, node, chain, w->head);
        if (number) __builtin_prefetch(chunks_at(c, number));
        its_other = atomic_load_explicit(&node->key[!chain], memory_order_acquire);
        if (!any_other && its_other && its_other != other) continue;
        if (fits(w, node)) add(&w->result, node->start_s);
    }
}

// Both keys: attempts of the device whose contact is the asker's or not said, then those of the
// contact whose device is not said.
static void walk_both(struct walk *w, int64_t now_s)
{
    walk_chain(w, CHUNKS_DEVICE, w->who->device, w->who->client, false, now_s);
    walk_chain(w, CHUNKS_CLIENT, w->who->client, 0, false, now_s);
}

static void count_reserved(struct walk *w, uint64_t key, int64_t now_s)
{
    const struct attempts_query *q = w->query;
    struct reserve_entry e = {
        .key = key, .group = q->group_only ? w->who->group : 0, .guid = w->who->guid};

    if (now_s < q->since_s || now_s >= q->before_s) return;
    w->result.reserved = reserve_count(&w->l->reserve, &e, w->who->holds_unnamed, now_s, q->enough);
    w->result.count = w->result.reserved;
    if (w->result.count) w->result.oldest_s = now_s;
}

struct attempts_count ledger_count(const struct ledger *l, const struct ledger_asker *who,
                                   const struct attempts_query *query, int64_t now_s)
{
    uint64_t device = query->by == COUNT_BY_CLIENT ? 0 : who->device;
    uint64_t client = query->by == COUNT_BY_DEVICE ? 0 : who->client;
    struct walk w = {.l = l, .who = who, .query = query};
    int64_t since_s;

    DEBUG_CHECK(query->enough > 0);
    if (!device && !client) return w.result;
    // first the reservations: one that is settled has become an attempt that the walk then finds
    count_reserved(&w, device ? device : client, now_s);
    w.head = chunks_head(&l->chunks);
    since_s = atomic_load_explicit(&l->since_s, memory_order_acquire);
    if (device && client)
        walk_both(&w, now_s);
    else if (device)
        walk_chain(&w, CHUNKS_DEVICE, device, 0, true, now_s);
    else
        walk_chain(&w, CHUNKS_CLIENT, client, 0, true, now_s);
    // and once more: what went meanwhile raised it before it went
    if (since_s < atomic_load_explicit(&l->since_s, memory_order_acquire))
        since_s = atomic_load_explicit(&l->since_s, memory_order_acquire);
    w.result.unknown = query->since_s < since_s;
    return w.result;
}

void ledger_fetch_index(const struct ledger *l, const struct ledger_asker *who)
{
    if (who->device) {
        index_prefetch(&l->index[CHUNKS_DEVICE], who->device);
        reserve_prefetch(&l->reserve, who->device);
    }
    if (who->client) {
        index_prefetch(&l->index[CHUNKS_CLIENT], who->client);
        reserve_prefetch(&l->reserve, who->client);
    }
}

#define AHEAD_END UINT32_MAX

// One attempt further. `at`: 0 = not begun; AHEAD_END when there is none further.
static bool step(const struct ledger *l, enum chunks_key chain, uint64_t key, uint64_t head,
                 uint32_t *at)
{
    const struct chunks *c = &l->chunks;

    if (*at == AHEAD_END || !key) return false;
    *at = *at ? chunks_older(c, chunks_at(c, *at), chain, head)
              : index_guess(&l->index[chain], key, head);
    if (!*at) {
        *at = AHEAD_END;
        return false;
    }
    __builtin_prefetch(chunks_at(c, *at));
    return true;
}

bool ledger_fetch_further(const struct ledger *l, const struct ledger_asker *who,
                          struct ledger_ahead *ahead)
{
    uint64_t head = chunks_head(&l->chunks);
    bool device = step(l, CHUNKS_DEVICE, who->device, head, &ahead->number[0]);
    bool client = step(l, CHUNKS_CLIENT, who->client, head, &ahead->number[1]);

    return device || client;
}

void ledger_fetch_chains(const struct ledger *l, const struct ledger_asker *who)
{
    struct ledger_ahead ahead = {0};

    ledger_fetch_further(l, who, &ahead);
}

void ledger_newest(const struct ledger *l, const struct ledger_asker *who,
                   struct ledger_newest *ret)
{
    uint64_t head = chunks_head(&l->chunks);

    *ret = (struct ledger_newest){0};
    if (who->device) ret->device = index_find(&l->index[CHUNKS_DEVICE], who->device, head);
    if (who->client) ret->client = index_find(&l->index[CHUNKS_CLIENT], who->client, head);
}

bool ledger_unchanged(const struct ledger *l, const struct ledger_asker *who,
                      const struct ledger_newest *before, int64_t now_s)
{
    struct reserve_entry device = {.key = who->device, .guid = who->guid};
    struct reserve_entry client = {.key = who->client, .guid = who->guid};
    struct ledger_newest now;

    if (who->device && reserve_count(&l->reserve, &device, who->holds_unnamed, now_s, 1))
        return false;
    if (who->client && reserve_count(&l->reserve, &client, who->holds_unnamed, now_s, 1))
        return false;
    ledger_newest(l, who, &now);
    return now.device == before->device && now.client == before->client;
}
