// SPDX-License-Identifier: Apache-2.0
//
// ledger: attempts per device and contact, in memory, and the reservations of those about to be
// made. Durability is feed/reports.h; this room never does I/O.
//
// One writer thread (marked W) applies reports and lets old attempts go; any number of readers
// (marked R, with a qsbr_reader, quiet at the end of each turn) count without a lock. Reservations
// are made and released by readers themselves with single-word atomics.
//
// An attempt stands in a chain of its device and one of its contact, newest insert first. Attempts
// live in chunks in the order they came; a chunk goes as a whole when its youngest attempt is older
// than the longest window in use, so that expiry costs no question anything.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/hash.h"
#include "engine/base/qsbr.h"
#include "engine/ledger/reserve.h"
#include "engine/wire/attempt.h"

struct ledger;

struct ledger_limits {
    size_t attempts_max;     // attempts in memory; the sum is at LIMIT_ATTEMPTS
    size_t reservations_max; // LIMIT_RESERVATIONS, a power of two, 128 at least
};

// `q` must outlive it. ERR_NOMEM.
int ledger_new(struct ledger **ret, const struct ledger_limits *limits, struct qsbr *q,
               struct err_info *info);
void ledger_free(struct ledger *l);

// The key of a device, contact or group within a tenant: `key_hash` is already keyed (set_key.hash,
// or hash_keyed of a group's name), `tenant_hash` is hash_keyed of the tenant's name. Never 0.
static inline uint64_t ledger_key(uint64_t key_hash, uint64_t tenant_hash)
{
    uint64_t h = hash_keyed_u64(tenant_hash, key_hash);

    return h ? h : 1;
}

// -- questions (R) -----------------------------------------------------------------------------
struct ledger_asker {
    uint64_t device, client, group, guid; // ledger_key of each; 0 = absent
    uint32_t subject;
    bool holds_unnamed; // it keeps a reservation without a guid: one such does not count
};
// In steps, so that the misses of many questions overlap; each may be left out.
void ledger_fetch_index(const struct ledger *l, const struct ledger_asker *who);
void ledger_fetch_chains(const struct ledger *l, const struct ledger_asker *who);
// Instead of ledger_fetch_chains, where chains are long: one attempt further along both chains a
// call. Call it for all questions of a turn, LEDGER_AHEAD rounds or until none says true; `ahead`
// begins as zeros and is of use until the reader is quiet.
#define LEDGER_AHEAD 6
struct ledger_ahead {
    uint32_t number[2];
};
bool ledger_fetch_further(const struct ledger *l, const struct ledger_asker *who,
                          struct ledger_ahead *ahead);
// Attempts and live reservations (those of the asker's own guid do not count).
// - By both keys: attempts of the device by the contact or by nobody who is named, and those of the
//   contact that name no device. Without the key that is asked for: 0; by both with one: by that.
// - A group or subject that the asker or the attempt does not say fits.
// - A reservation counts as an attempt that starts now, whatever the question's filters but its
//   window and group; oldest_s is now_s when only reservations were counted.
// - A chain longer than LIMIT_LEDGER_CHAIN that gave no answer by then counts as `enough`.
// - Unknown when the window begins before what is kept (ledger_set_since), or the ledger is not
//   ready; what is there is counted all the same.
struct attempts_count ledger_count(const struct ledger *l, const struct ledger_asker *who,
                                   const struct attempts_query *query, int64_t now_s);

// Keeps an attempt free for the asker until `until_s`: RESERVE_TAKEN, RESERVE_PROLONGED for a guid
// that has one already, or RESERVE_FULL. Who reserves has to count once more afterwards (others may
// have passed between count and reserve): of two at once at least one sees the other. Who then
// steps back releases what was TAKEN; what was PROLONGED is still an earlier answer's.
enum reserve_kept ledger_reserve(struct ledger *l, const struct ledger_asker *who, int64_t now_s,
                                 int64_t until_s);
// The same without counting again, for most: the newest attempts of the asker's device and client
// as they were before it counted, and whether after its reservation they are the newest still and
// nobody else's reservation is there. Then a count would find nothing more than it did.
struct ledger_newest {
    uint32_t device, client; // numbers of attempts; 0 = none
};
void ledger_newest(const struct ledger *l, const struct ledger_asker *who,
                   struct ledger_newest *ret);
bool ledger_unchanged(const struct ledger *l, const struct ledger_asker *who,
                      const struct ledger_newest *before, int64_t now_s);
void ledger_release(struct ledger *l, const struct ledger_asker *who);
// The same by who has only the guid's report: releases the reservation of that guid, or, when the
// question carried none, one without a guid of the same device or client.
void ledger_settle(struct ledger *l, const struct ledger_asker *who);

// -- reports (W) -------------------------------------------------------------------------------
enum ledger_applied { LEDGER_NEW, LEDGER_ENDED, LEDGER_REPEATED };
// Adds a start, or ends the attempt of that guid (1 replaces 0, a late 0 changes nothing, a repeat
// changes nothing). The attempt began when its first report says; a later one adds what is missing
// (LEDGER_ENDED too). One that names another device or contact is an attempt of its own under the
// same guid: nobody knows who was called, or the guid is no guid. Settles its reservation.
// ledger_applied, or ERR_FULL, ERR_NOMEM: then the ledger lacks it and counts are unknown until
// what is lacking is too old to matter. When all places are taken, the oldest attempts give way to
// a younger one: counts are known from behind them on.
int ledger_apply(struct ledger *l, const struct attempt *a);
// The same for what is read from the log: settles nothing, because what is reserved is another's.
int ledger_recall(struct ledger *l, const struct attempt *a);
// Would it change nothing? (W)
bool ledger_knows(const struct ledger *l, const struct attempt *a);
// The attempt of that guid as it is known, the newest if there are several. R or W.
bool ledger_find(const struct ledger *l, uint64_t guid, struct attempt *ret);
// Lets go of chunks whose attempts all started before `before_s`. Cheap; call once a second.
void ledger_expire(struct ledger *l, int64_t before_s);
// Everything that started at or after `since_s` is here (W). INT64_MAX: nothing is known yet (the
// state of a new ledger): every count is unknown. What ledger_apply refused stays lacking.
void ledger_set_since(struct ledger *l, int64_t since_s);

struct ledger_usage {
    uint64_t attempts, reservations; // live ones
    size_t bytes;
    int64_t since_s;
};
void ledger_usage(const struct ledger *l, struct ledger_usage *ret); // any thread, approximate
