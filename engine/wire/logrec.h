// SPDX-License-Identifier: Apache-2.0
//
// logrec: the records of the write-ahead logs as bytes. Pure functions, no I/O.
//
// There are two logs, of lists and of call reports; they share this format and have no type of
// record in common. A segment is a header (LOGREC_HEAD_BYTES) and frames. All is little-endian and
// 8-byte aligned within the file:
//   header  magic[8] "DGLOG\0\0\1" | u64 first lsn | u64 check of the seed | u64 sum
//   frame   u32 magic | u32 size | u64 lsn | u16 type | u16 list | u32 0 | payload | u64 sum
// A sum is XXH3 of everything before it in the header or frame; a frame's is seeded with its lsn,
// so that no frame passes for another one. A type keeps its size and meaning for ever; what is new
// gets a new type, which older versions refuse (ERR_VERSION).
//
// Replaying a segment:
//   at = logrec_head_get(bytes, seed, &lsn);
//   while ((n = logrec_get(rest, &rec)) > 0) { apply(&rec); rest += n; }
//   rest empty                                     -> complete
//   logrec_scan(rest, next lsn) == LOGREC_NO_FRAME -> torn tail: nothing valid follows, cut it
//   else                                           -> corrupt middle: stop with a sentence
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/limits.h"
#include "engine/base/str.h"
#include "engine/wire/attempt.h"

enum logrec_type {
    LOGREC_LIST_DEFINE = 1,
    LOGREC_ENTRY_SET,
    LOGREC_ENTRY_DELETE,
    LOGREC_ATTEMPT,
    LOGREC_REPORT_RAW
};

// Which of a list's three ids (feed/catalog.h) an entry is in.
enum logrec_part { LOGREC_BASE, LOGREC_ADDED, LOGREC_LIFTED };

// Names are terminated; kind, channel as the enums set_kind and channel have them.
struct logrec_define {
    uint8_t kind, channel;
    bool required;
    char region[3];
    char tenant[LIMIT_NAME_BYTES + 1];
    char name[LIMIT_NAME_BYTES + 1];
};

struct logrec_entry {
    enum logrec_part part;
    uint64_t hash;           // keyed hash of the key, under the seed of the data directory
    uint64_t device;         // E.164 integer, 0 for other kinds
    uint32_t from_s, till_s; // ENTRY_SET only; written as 0 for ENTRY_DELETE
};

// A call report. Times of receipt never go back within a log.
struct logrec_attempt {
    int64_t received_s;
    struct attempt attempt;
};

// A call report of which nothing could be made, as it came.
struct logrec_raw {
    int64_t received_s;
    struct str text; // at most LIMIT_REPORT_RAW_BYTES; read: a view into the log's bytes
};

struct logrec {
    enum logrec_type type;
    uint16_t list; // of the first three types
    uint64_t lsn;
    union {
        struct logrec_define define;   // LOGREC_LIST_DEFINE
        struct logrec_entry entry;     // LOGREC_ENTRY_SET, LOGREC_ENTRY_DELETE
        struct logrec_attempt attempt; // LOGREC_ATTEMPT
        struct logrec_raw raw;         // LOGREC_REPORT_RAW
    };
};

#define LOGREC_HEAD_BYTES    32
#define LOGREC_ENTRY_BYTES   64
#define LOGREC_DEFINE_BYTES  176
#define LOGREC_ATTEMPT_BYTES 96
#define LOGREC_RAW_BYTES     48   // and the text, rounded up to 8
#define LOGREC_BYTES_MAX     4096 // no frame, of this version or a later one, is longer
#define LOGREC_NO_FRAME      SIZE_MAX

// Appends a segment's header. `seed` itself is not written, only a check of it.
void logrec_head_put(struct buf *out, uint64_t first_lsn, uint64_t seed);
// LOGREC_HEAD_BYTES, 0 = not enough bytes, ERR_CORRUPT, ERR_VERSION (another version's magic),
// ERR_CONFLICT (sound, but written under another seed: of another data directory).
int logrec_head_get(struct str bytes, uint64_t seed, uint64_t *ret_first_lsn);

// Appends one frame. `out` fails as buf does.
void logrec_put(struct buf *out, const struct logrec *rec);
// Reads the frame at the start of `bytes`: its size, 0 = the bytes end before the frame does,
// ERR_CORRUPT, or ERR_VERSION for a sound frame of a type that this version does not know.
int logrec_get(struct str bytes, struct logrec *ret);
// Offset of the first sound frame (of any type) with lsn >= lsn_min at a multiple of 8 from the
// start of `bytes`, offset 0 included; LOGREC_NO_FRAME when there is none.
size_t logrec_scan(struct str bytes, uint64_t lsn_min);
