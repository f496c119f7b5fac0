// SPDX-License-Identifier: Apache-2.0
//
// listread: one list file -> one set_build. What loader_read does with an open file.
#pragma once

#include <stdatomic.h>

#include "engine/feed/listfile.h"
#include "engine/feed/loader.h"
#include "engine/feed/rejects.h"

#define LISTREAD_PIECE_BYTES ((size_t)4 << 20)

// Reading of one file. Owner: loader_read, on the heap. One thread.
struct listread {
    struct load *load;
    struct set *set;
    struct qsbr_reader *me;
    const atomic_bool *stop; // NULL = never
    bool terminal;
    struct listfile parser;
    struct rejects rejects;
    struct listfile_sink sink;
    char *piece; // LISTREAD_PIECE_BYTES
};

// The sum of the whole file. Leaves the offset at 0.
int listread_sum(struct listread *r, int fd, uint64_t *ret_sum);
// Parses from offset 0 into load->build and counts; *ret_sum is of what was read.
int listread_rows(struct listread *r, int fd, uint64_t size_bytes, uint64_t *ret_sum);
