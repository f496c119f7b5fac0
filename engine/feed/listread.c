// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/listread.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/base/log.h"
#include "engine/feed/progress.h"

// Bytes read, 0 at the end of the file, ERR_IO, ERR_CLOSED.
static ssize_t read_piece(struct listread *r, int fd, char *dst, size_t size_bytes)
{
    ssize_t n;

    if (r->stop && atomic_load_explicit(r->stop, memory_order_relaxed))
        return err_set(&r->load->info, ERR_CLOSED, "the engine is shutting down");
    do n = read(fd, dst, size_bytes);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(&r->load->info, ERR_IO, "cannot read %s: %s", r->load->path,
                       strerror(errno));
    return n;
}

int listread_sum(struct listread *r, int fd, uint64_t *ret_sum)
{
    XXH3_state_t *state = XXH3_createState();
    ssize_t n;

    if (!state) return err_set(&r->load->info, ERR_NOMEM, "no memory to read %s", r->load->path);
    XXH3_64bits_reset(state);
    while ((n = read_piece(r, fd, r->piece, LISTREAD_PIECE_BYTES)) > 0)
        XXH3_64bits_update(state, r->piece, (size_t)n);
    if (n == 0) *ret_sum = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    if (n == 0 && lseek(fd, 0, SEEK_SET) < 0)
        return err_set(&r->load->info, ERR_IO, "cannot read %s twice: %s", r->load->path,
                       strerror(errno));
    return n < 0 ? (int)n : 0;
}

// Whether a row is left out because its entry was lifted from this very content.
static bool is_lifted(const struct listread *r, struct set_key key)
{
    return r->load->lifts && set_find(r->set, r->load->lifted_id, key, NULL);
}

static int add_key(struct listread *r, struct set_key key, struct set_span span)
{
    struct load *load = r->load;
    bool lifted = is_lifted(r, key);
    int n;

    if (lifted && load->same_content) {
        load->rows.suppressed++;
        return 0;
    }
    n = set_build_add(load->build, key, span);
    if (n < 0) return n;
    load->rows.accepted += n == 1;
    load->rows.duplicates += n == 0;
    load->named_again += lifted && n == 1;
    return 0;
}

static int on_numbers(void *ctx, const uint64_t *nanp, unsigned count)
{
    struct listread *r = ctx;
    struct set_build *build = r->load->build;
    uint64_t fresh = 0;

    for (unsigned i = 0; i < count; i++) {
        int n;

        if (UNLIKELY(r->load->lifts)) {
            n = add_key(r, set_key_device(r->set, 10000000000 + nanp[i]), SET_ALWAYS);
            if (n) return n;
            continue;
        }
        n = set_build_add_nanp(build, nanp[i]);
        if (UNLIKELY(n < 0)) return n;
        fresh += (unsigned)n;
    }
    if (r->load->lifts) return 0;
    r->load->rows.accepted += fresh;
    r->load->rows.duplicates += count - fresh;
    return 0;
}

static int on_row(void *ctx, const struct listfile_row *row)
{
    struct listread *r = ctx;
    struct set_key key = r->load->kind == SET_DEVICE
                             ? set_key_device(r->set, row->device)
                             : set_key_text(r->set, r->load->kind, row->text.ptr, row->text.size);

    return add_key(r, key, row->span);
}

static int on_reject(void *ctx, const struct listfile_reject *reject)
{
    struct listread *r = ctx;

    rejects_add(&r->rejects, reject);
    return 0;
}

// Parses what stands in the piece; the reader is awake only here.
static int parse_piece(struct listread *r, const char *data, size_t size, bool last,
                       size_t *ret_used)
{
    int err;

    if (r->me) qsbr_wake(r->me);
    err = listfile_parse(&r->parser, data, size, last, ret_used);
    if (r->me) qsbr_sleep(r->me);
    if (err)
        return err_set(&r->load->info, err, "the entries of %s do not fit: %s", r->load->path,
                       err_text(err));
    return 0;
}

static int start(struct listread *r, size_t size_bytes, size_t *ret_used)
{
    struct err_info why;
    int err = listfile_start(&r->parser, r->piece, size_bytes, ret_used, &why);

    return err ? err_set(&r->load->info, err, "list file %s: %s", r->load->path, why.text) : 0;
}

static int parse_all(struct listread *r, int fd, XXH3_state_t *state, struct progress *progress)
{
    size_t held = 0, used = 0;
    uint64_t done = 0;
    bool started = false, last = false;

    while (!last) {
        ssize_t n = 1;
        size_t at = 0;
        int err = 0;

        while (held < LISTREAD_PIECE_BYTES && n > 0) {
            n = read_piece(r, fd, r->piece + held, LISTREAD_PIECE_BYTES - held);
            if (n < 0) return (int)n;
            XXH3_64bits_update(state, r->piece + held, (size_t)n);
            held += (size_t)n;
            done += (uint64_t)n;
        }
        last = n == 0;
        if (!started) err = start(r, held, &at);
        started = true;
        if (err) return err;
        err = parse_piece(r, r->piece + at, held - at, last, &used);
        if (err) return err;
        CHECK(!last || at + used == held);
        held -= at + used;
        memmove(r->piece, r->piece + at + used, held);
        progress_step(progress, done, r->parser.rows, r->parser.invalid);
    }
    return 0;
}

static void log_end(const struct listread *r)
{
    const struct list_rows *rows = &r->load->rows;
    double seconds = (double)r->load->load_ms / 1000;
    char rate[PROGRESS_RATE_SIZE];

    progress_rate(rate, rows->rows, seconds);
    log_info(r->load->subject,
             "%llu rows read: %llu accepted, %llu duplicates, %llu invalid, %llu suppressed, "
             "%llu skipped; %.2f s, %s",
             (unsigned long long)rows->rows, (unsigned long long)rows->accepted,
             (unsigned long long)rows->duplicates, (unsigned long long)rows->invalid,
             (unsigned long long)rows->suppressed, (unsigned long long)rows->skipped, seconds,
             rate);
    rejects_log(&r->rejects, r->load->subject, r->load->name);
}

int listread_rows(struct listread *r, int fd, uint64_t size_bytes, uint64_t *ret_sum)
{
    struct load *load = r->load;
    size_t expected = load->kind == SET_DEVICE ? size_bytes / 12 : size_bytes / 24;
    XXH3_state_t *state = XXH3_createState();
    struct progress progress;
    int err;

    load->build = set_build_new(r->set, load->base_id, expected);
    load->rows = (struct list_rows){0};
    load->named_again = 0;
    if (!state || !load->build) {
        XXH3_freeState(state);
        return err_set(&load->info, ERR_NOMEM, "no memory to read %s", load->path);
    }
    XXH3_64bits_reset(state);
    r->sink = (struct listfile_sink){r, on_numbers, on_row, on_reject};
    listfile_init(&r->parser, load->kind, &load->home, &r->sink);
    rejects_init(&r->rejects, load->report[0] ? load->report : NULL);
    progress_start(&progress, load->subject, r->terminal, size_bytes);
    err = parse_all(r, fd, state, &progress);
    load->load_ms = progress_end(&progress);
    if (!err) {
        *ret_sum = XXH3_64bits_digest(state);
        load->rows.rows = r->parser.rows;
        load->rows.invalid = r->parser.invalid;
        load->rows.skipped = r->parser.skipped;
        CHECK(load->rows.accepted + load->rows.duplicates + load->rows.invalid +
                  load->rows.suppressed + load->rows.skipped ==
              load->rows.rows);
        log_end(r);
    }
    XXH3_freeState(state);
    return err;
}
