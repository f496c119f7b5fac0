// SPDX-License-Identifier: Apache-2.0
//
// listfile: the text of a list file -> rows. Pure over memory: no files, no sets, no clock.
//
// Two forms, told apart by the first line that is not blank:
//   lines  one number, address or id a line; for devices also the FTC's flat form `area,number`
//   CSV    a header that names phone, client_id or email, and optionally from and till; separator
//          , ; tab or | as in the header; quotes as in RFC 4180, line breaks inside them too
// A row is a line (or a quoted CSV row of several); the header is none. Every row is given to the
// sink as an entry or as a reject, or counted as skipped (blank), so that
//   rows = skipped + invalid + entries given
// and the result does not depend on where the text was cut into pieces. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/limits.h"
#include "engine/base/str.h"
#include "engine/set/set.h"
#include "engine/wire/number.h"

enum reject {
#define REJECT(name, code, text) REJECT_##name,
#include "engine/feed/reject.def"
#undef REJECT
#define NUMBER_ERROR(name, code, text) REJECT_NUMBER_##name,
#include "engine/wire/number.def"
#undef NUMBER_ERROR
    REJECT_COUNT
};
// "bad_from", and "has a 'from' that is no …"
const char *listfile_reject_code(enum reject reject);
const char *listfile_reject_text(enum reject reject);

struct listfile_row {
    uint64_t line;   // where it begins, from 1
    uint64_t device; // SET_DEVICE: E.164; otherwise 0
    struct str text; // the normalised address or id; valid during the call
    struct set_span span;
};
struct listfile_reject {
    uint64_t line;
    const char *column; // "phone", "from" …; "" = the whole line
    enum reject reason;
    struct str value; // raw; valid during the call
};

// Where rows go; rejects come in order, entries need not. Anything but 0 ends the parse with that
// error.
struct listfile_sink {
    void *ctx;
    // Undated NANP devices as ten digits, many at a time (the fast path).
    int (*on_numbers)(void *ctx, const uint64_t *nanp, unsigned count);
    int (*on_row)(void *ctx, const struct listfile_row *row);
    int (*on_reject)(void *ctx, const struct listfile_reject *reject);
};

#define LISTFILE_BATCH 256

struct listfile {
    const struct listfile_sink *sink;
    const struct number_home *home;
    enum set_kind kind;
    bool csv;
    char separator;
    int key_column, from_column, till_column; // -1 = none
    bool skipping;                            // inside a line that is too long
    uint64_t line;                            // lines ended so far
    uint64_t rows, skipped, invalid;
    unsigned batch_count;
    uint64_t batch[LISTFILE_BATCH];
    char scratch[3][LIMIT_LINE_BYTES + 1]; // fields whose quotes were undone
};

// `home` and `sink` are borrowed.
void listfile_init(struct listfile *p, enum set_kind kind, const struct number_home *home,
                   const struct listfile_sink *sink);
// Looks at the beginning of the file (all of it, or at least 64 KiB) and finds its form.
// *ret_used: bytes that hold the BOM, blank lines and the header. ERR_CONFIG with a sentence when a
// header names no column of this kind, or the text is UTF-16.
int listfile_start(struct listfile *p, const char *head, size_t size_bytes, size_t *ret_used,
                   struct err_info *info);
// Reads rows. *ret_used: bytes that are done with; the caller shows the rest again with more text
// behind it. At least LISTFILE_VIEW_BYTES must be shown unless `last` (nothing follows).
// 0 or what the sink returned.
#define LISTFILE_VIEW_BYTES ((size_t)2 * LIMIT_LINE_BYTES)
int listfile_parse(struct listfile *p, const char *data, size_t size_bytes, bool last,
                   size_t *ret_used);
