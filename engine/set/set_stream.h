// SPDX-License-Identifier: Apache-2.0
//
// set_stream: the layout that set_dump writes and set_load reads. Integers are little-endian.
//
//   head    struct set_stream_head
//   pages   for each exchange that has a block, ascending: struct set_stream_page, then the words
//           of its planes (PAGES_WORDS rows, a word of each plane in a row);
//           then a page whose exchange is SET_STREAM_END
//   keys    chunks: struct set_stream_chunk, u64 hash[count], u16 tag[count] (id << 1 | dated),
//           u64 span[dated] (from << 32 | till), in the order of the hashes as far as chains allow;
//           then a chunk whose count is 0
//   tail    u64 SET_STREAM_MAGIC
// The filter is made again from the hashes, so that it forgets what was removed. A key that was
// removed and added again during the dump may be there twice.
#pragma once

#include <assert.h>
#include <stdint.h>

#include "engine/set/pages.h"

#define SET_STREAM_MAGIC   0x31544553474c4144 // "DALGSET1"
#define SET_STREAM_VERSION 1
#define SET_STREAM_END     UINT32_MAX
#define SET_STREAM_CHUNK   4096

struct set_stream_head {
    uint64_t magic;
    uint64_t version;
    uint64_t seed_sum; // names the seed without telling it
    uint64_t keys;     // about how many follow, and
    uint64_t keys_not; // its complement
    uint16_t plane_id[PAGES_PLANES];
};
struct set_stream_page {
    uint32_t exchange, planes;
};
struct set_stream_chunk {
    uint32_t count, dated;
};
static_assert(sizeof(struct set_stream_head) == 72, "stored as it stands");

#define SET_STREAM_SEED_TEXT "which seed"
