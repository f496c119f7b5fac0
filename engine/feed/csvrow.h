// SPDX-License-Identifier: Apache-2.0
//
// csvrow: one row of separated values (RFC 4180, any one-byte separator) -> fields. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/str.h"

#define CSVROW_FIELDS 64 // columns looked at; more are only counted

enum csvrow_status {
    CSVROW_OK,
    CSVROW_MORE, // the row is not complete in the bytes shown
    CSVROW_OPEN, // a quote is not closed within LIMIT_LINE_BYTES, or at all
    CSVROW_LONG, // no end within LIMIT_LINE_BYTES
};

struct csvrow {
    struct str field[CSVROW_FIELDS]; // views; without surrounding blanks and quotes
    bool quoted[CSVROW_FIELDS];      // "" inside stands for " (csvrow_undo)
    unsigned count;                  // fields in the row
    unsigned lines;                  // line ends it holds, its own one included
    size_t size_bytes;               // with its line end
    bool tail;                       // text between a closing quote and the next separator
};

// `last`: nothing follows the bytes shown, so a row may end without a line end.
enum csvrow_status csvrow_split(struct csvrow *r, const char *data, size_t size_bytes, bool last,
                                char separator);
// Field `i` as it was meant; written to `scratch` (room for LIMIT_LINE_BYTES) only when quoted.
// Absent when the row has fewer fields.
struct str csvrow_field(const struct csvrow *r, unsigned i, char *scratch);
