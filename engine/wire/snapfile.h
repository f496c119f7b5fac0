// SPDX-License-Identifier: Apache-2.0
//
// snapfile: the snapshot file as bytes. Pure functions, no I/O; a reader maps the file and never
// parses it. All is little-endian:
//   head    struct snapfile_head, with a sum over itself and the list table
//   lists   list_count times struct snapfile_list
//   zeros   to a multiple of SNAPFILE_PAGE_BYTES
//   body    what the set dumps, summed in chunks of SNAPFILE_CHUNK_BYTES (the last one is shorter)
//   zeros   to a multiple of 8
//   sums    one u64 a chunk: XXH3 seeded with the chunk's index
//   tail    struct snapfile_tail, last in the file: one that was cut off anywhere has none
//
// Writing:  snapfile_head_put -> write; for each piece of the body: snapfile_sum_add, write;
//           snapfile_tail_put -> write.
// Reading:  snapfile_open(bytes of the whole file); snapfile_read(…) as the set's source.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/base/str.h"

#define SNAPFILE_VERSION     1
#define SNAPFILE_PAGE_BYTES  4096
#define SNAPFILE_CHUNK_BYTES ((size_t)1 << 20)

// Head and list table stand in the file exactly so.
struct snapfile_head {
    char magic[8]; // filled by snapfile_head_put, as are version, body_at and sum
    uint32_t version;
    uint32_t list_count;
    uint64_t seed;     // of the keyed hashes in the body
    uint64_t lsn;      // the log is to be replayed from this one on
    int64_t created_s; // epoch seconds
    uint64_t body_at;  // offset of the body
    uint64_t zero;
    uint64_t sum;
};
static_assert(sizeof(struct snapfile_head) == 64, "on disk");

struct snapfile_list {
    uint16_t number;
    uint8_t kind, channel; // as the enums set_kind and channel have them
    uint8_t required;
    uint8_t has_file; // the identity below is of a file whose content is in the body
    char region[3];   // home of national numbers when that file was read
    char tenant[LIMIT_NAME_BYTES + 1];
    char name[LIMIT_NAME_BYTES + 1];
    char zeros[5];
    uint64_t file_bytes; // which file: size, stamp (feed/loader.h), XXH3 of its content
    uint64_t file_stamp;
    uint64_t file_sum;
    uint64_t rows, accepted, duplicates, invalid, suppressed, skipped; // as in struct list_rows
    int64_t loaded_at_s;
    uint64_t load_ms;
    int64_t file_written_s; // mtime of that file; 0 in snapshots made before it was kept
    uint64_t zero[2];
};
static_assert(sizeof(struct snapfile_list) == 256, "on disk");
static_assert(offsetof(struct snapfile_list, file_bytes) == 144, "no hidden padding");

struct snapfile_tail {
    char magic[8];
    uint64_t body_bytes;
    uint64_t chunk_count;
    uint64_t body_at;
    uint64_t file_bytes; // with this tail
    uint64_t head_sum;   // of the head this tail belongs to
    uint64_t sums_sum;   // XXH3 of the chunk sums
    uint64_t sum;        // XXH3 of the above
};
static_assert(sizeof(struct snapfile_tail) == 64, "on disk");

// -- writing -------------------------------------------------------------------------------------
// Appends head, list table and zeros; completes `head`, which snapfile_tail_put wants again.
void snapfile_head_put(struct buf *out, struct snapfile_head *head,
                       const struct snapfile_list *lists);

// Sums of the body as it passes by in pieces of any size. Owner: the caller; about 1 KiB, aligned
// to 64 bytes (on the stack it is; on the heap take aligned_alloc). A failed allocation is sticky
// and shows in snapfile_tail_put.
struct snapfile_sum {
    XXH3_state_t chunk;
    size_t chunk_bytes; // in the chunk under way
    uint64_t body_bytes;
    struct buf sums;
};
void snapfile_sum_init(struct snapfile_sum *s);
void snapfile_sum_done(struct snapfile_sum *s);
void snapfile_sum_add(struct snapfile_sum *s, const void *data, size_t size_bytes);

// Appends zeros, sums and tail. 0, or ERR_NOMEM when a sum or `out` found no room.
int snapfile_tail_put(struct buf *out, struct snapfile_sum *s, const struct snapfile_head *head);

// -- reading -------------------------------------------------------------------------------------
// A view of the whole file's bytes, which must outlive it and begin at a multiple of 8.
struct snapfile {
    const struct snapfile_head *head;
    const struct snapfile_list *lists; // head->list_count; every name is terminated
    const char *body;
    uint64_t body_bytes;
    const uint64_t *sums;
    uint64_t chunk_count;
    uint64_t at;            // next byte of the body for snapfile_read
    uint64_t checked_count; // chunks before this one were checked
};
// Checks head, list table, sums and tail, not the body. ERR_CORRUPT (also: cut off), ERR_VERSION.
int snapfile_open(struct snapfile *ret, struct str bytes, struct err_info *info);
// Checks one chunk of the body: 0 or ERR_CORRUPT. Any thread.
int snapfile_check(const struct snapfile *f, uint64_t chunk);
// Copies the next `size_bytes` of the body, each chunk checked when it is first touched. Fits
// set_source.read. ERR_CORRUPT when a chunk is damaged or the body ends before. `snapfile` is a
// struct snapfile.
int snapfile_read(void *snapfile, void *dst, size_t size_bytes);
// The whole body was read.
bool snapfile_at_end(const struct snapfile *f);
