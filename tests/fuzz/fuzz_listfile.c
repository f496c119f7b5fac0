// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a list file of each kind: every row lands in exactly one place, and where the text
// was cut into pieces changes nothing. The first two bytes choose the pieces.
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/feed/listfile.h"
#include "tests/fuzz/fuzz.h"

struct got {
    uint64_t entries, rejects, line, sum;
};

static int on_numbers(void *ctx, const uint64_t *nanp, unsigned count)
{
    struct got *g = ctx;

    CHECK(count > 0 && count <= LISTFILE_BATCH);
    for (unsigned i = 0; i < count; i++) {
        CHECK(nanp[i] >= 2002000000 && nanp[i] <= 9999999999);
        g->sum += hash_keyed_u64(1, 10000000000 + nanp[i]);
    }
    g->entries += count;
    return 0;
}

static int on_row(void *ctx, const struct listfile_row *row)
{
    struct got *g = ctx;

    CHECK(row->span.from_s < row->span.till_s);
    CHECK(row->device || row->text.size > 0);
    g->entries++;
    g->sum +=
        row->device ? hash_keyed_u64(1, row->device) : hash_keyed(1, row->text.ptr, row->text.size);
    return 0;
}

static int on_reject(void *ctx, const struct listfile_reject *reject)
{
    struct got *g = ctx;

    CHECK(reject->reason > REJECT_NONE && reject->reason < REJECT_COUNT);
    CHECK(reject->line > g->line);
    g->line = reject->line;
    g->rejects++;
    g->sum += hash_keyed_u64(reject->reason, reject->line);
    return 0;
}

static bool parse(struct listfile *p, struct got *g, enum set_kind kind, struct str text,
                  size_t piece)
{
    static const struct number_home home = {"US", true};
    struct listfile_sink sink = {g, on_numbers, on_row, on_reject};
    size_t at = 0, used;

    *g = (struct got){0};
    listfile_init(p, kind, &home, &sink);
    if (listfile_start(p, text.ptr, text.size < 65536 ? text.size : 65536, &at, NULL)) return false;
    do {
        size_t shown = text.size - at < piece ? text.size - at : piece;
        bool last = at + shown == text.size;

        CHECK(listfile_parse(p, text.ptr + at, shown, last, &used) == 0);
        CHECK(used <= shown && (used > 0 || last));
        CHECK(!last || used == shown);
        at += used;
    } while (at < text.size);
    CHECK(p->rows == p->skipped + p->invalid + g->entries && p->invalid == g->rejects);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct listfile p;
    static bool started;
    struct str text;
    size_t piece;

    if (!started) CHECK(number_start() == 0);
    started = true;
    if (size < 2) return 0;
    piece = LISTFILE_VIEW_BYTES + data[0] + 256u * (data[1] & 15);
    text = str_make((const char *)data + 2, size - 2);
    for (int kind = SET_DEVICE; kind <= SET_EMAIL; kind++) {
        struct got whole, cut;

        if (!parse(&p, &whole, (enum set_kind)kind, text, SIZE_MAX)) continue;
        CHECK(parse(&p, &cut, (enum set_kind)kind, text, piece));
        CHECK(whole.entries == cut.entries && whole.rejects == cut.rejects);
        CHECK(whole.sum == cut.sum);
    }
    return 0;
}
