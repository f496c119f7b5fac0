// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/base/rand.h"
#include "engine/feed/listfile.h"
#include "engine/feed/numline.h"

#define SEED 20261122

static const struct number_home us = {"US", true};

// What a file gave, as text: "+12125551234 0-4294967295 @1\n" or "!bad_from from @2\n".
struct got {
    char text[8192];
    size_t size;
    bool quiet; // count only
    uint64_t entries, rejects, sum;
    uint64_t last_line;
};

static void say(struct got *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct got *g, const char *fmt, ...)
{
    va_list args;

    if (g->quiet) return;
    va_start(args, fmt);
    g->size += (size_t)vsnprintf(g->text + g->size, sizeof g->text - g->size, fmt, args);
    va_end(args);
    assert_true(g->size < sizeof g->text);
}

static int on_numbers(void *ctx, const uint64_t *nanp, unsigned count)
{
    struct got *g = ctx;

    for (unsigned i = 0; i < count; i++) {
        say(g, "+1%llu\n", (unsigned long long)nanp[i]);
        g->sum += hash_keyed_u64(1, 10000000000 + nanp[i]);
    }
    g->entries += count;
    return 0;
}

static int on_row(void *ctx, const struct listfile_row *row)
{
    struct got *g = ctx;

    if (row->device)
        say(g, "+%llu", (unsigned long long)row->device);
    else
        say(g, "'%.*s'", STR_ARG(row->text));
    if (row->span.from_s != 0 || row->span.till_s != SET_FOREVER)
        say(g, " %u-%u", row->span.from_s, row->span.till_s);
    say(g, "\n");
    g->sum +=
        row->device ? hash_keyed_u64(1, row->device) : hash_keyed(1, row->text.ptr, row->text.size);
    g->entries++;
    return 0;
}

static int on_reject(void *ctx, const struct listfile_reject *r)
{
    struct got *g = ctx;

    assert_true(r->reason > REJECT_NONE && r->reason < REJECT_COUNT);
    assert_true(r->line > g->last_line); // in order, each line once
    g->last_line = r->line;
    say(g, "!%s%s%s @%llu\n", listfile_reject_code(r->reason), r->column[0] ? " " : "", r->column,
        (unsigned long long)r->line);
    g->rejects++;
    g->sum += hash_keyed_u64(r->reason, r->line);
    return 0;
}

// Parses `text` in pieces of `piece` bytes (0 = whole), as the loader does.
static int parse(struct got *g, struct listfile *p, enum set_kind kind, struct str text,
                 size_t piece, struct err_info *info)
{
    struct listfile_sink sink = {g, on_numbers, on_row, on_reject};
    size_t at = 0, shown, used;
    int err;

    listfile_init(p, kind, &us, &sink);
    shown = text.size < 65536 ? text.size : 65536;
    err = listfile_start(p, text.ptr, shown, &at, info);
    if (err) return err;
    do {
        shown = text.size - at;
        if (piece && shown > piece) shown = piece;
        err = listfile_parse(p, text.ptr + at, shown, at + shown == text.size, &used);
        assert_int_equal(err, 0);
        assert_true(used <= shown && (used > 0 || at + shown == text.size));
        at += used;
    } while (at < text.size);
    assert_int_equal(p->rows, p->skipped + p->invalid + g->entries);
    assert_int_equal(p->invalid, g->rejects);
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Numbers come in batches, so rows are compared without their order.
static void sort_lines(char *dst, size_t size, const char *text)
{
    char *line[64], *copy = strdup(text), *at = copy;
    unsigned count = 0;
    size_t n = 0;

    for (; *at; at = strchr(at, '\0') + 1) {
        line[count++] = at;
        *strchr(at, '\n') = '\0';
    }
    qsort(line, count, sizeof *line, by_text);
    dst[0] = '\0';
    for (unsigned i = 0; i < count; i++) n += (size_t)snprintf(dst + n, size - n, "%s\n", line[i]);
    free(copy);
}

static void check(enum set_kind kind, struct str text, const char *want, uint64_t rows)
{
    struct listfile *p = malloc(sizeof *p);
    struct got *g = calloc(1, sizeof *g);
    char got[4096], wanted[4096];
    struct err_info info = {0};

    if (parse(g, p, kind, text, 0, &info)) fail_msg("%s", info.text);
    sort_lines(got, sizeof got, g->text);
    sort_lines(wanted, sizeof wanted, want);
    assert_string_equal(got, wanted);
    assert_int_equal(p->rows, rows);
    free(g);
    free(p);
}

static void test_lines_of_devices(void **state)
{
    (void)state;
    check(SET_DEVICE, STR("212,5551234\n213,5551235\r\n2145551236\n2155551237\r\n216,5551238"),
          "+12125551234\n+12135551235\n+12145551236\n+12155551237\n+12165551238\n", 5);
    check(SET_DEVICE, STR("\xef\xbb\xbf\"212\",\"5551234\"\n 212 , 5551235 \n+44 20 7946 0958\n"),
          "+12125551234\n+12125551235\n+442079460958\n", 3);
    check(SET_DEVICE, STR("\n \n(212) 555-1234\n\r\n1-212-555-1235\n"),
          "+12125551234\n+12125551235\n", 5);
    check(SET_DEVICE, STR("112,5551234\n212,1551234\n212,555123\nhello\n212,5551239\n"),
          "!bad_area_code phone @1\n!bad_exchange phone @2\n!bad_character phone @3\n"
          "!bad_character phone @4\n+12125551239\n",
          5);
    check(SET_DEVICE, STR("1125551234\n2121551234\n"),
          "!bad_area_code phone @1\n!bad_exchange phone @2\n", 2);
    check(SET_DEVICE, STR(""), "", 0);
    check(SET_DEVICE, STR("\n"), "", 1);
    check(SET_DEVICE, STR("212,5551234\n\0\0\0\n212,5551235\n"),
          "+12125551234\n!bad_character phone @2\n+12125551235\n", 3);
}

static void test_lines_of_text(void **state)
{
    (void)state;
    check(SET_CLIENT, STR("007\n  A, B \n\"quoted\"\n\x01\n"),
          "'007'\n'A, B'\n'quoted'\n!bad_client_id client_id @4\n", 4);
    check(SET_EMAIL, STR("Ann@Example.ORG\nnobody\n"), "'ann@example.org'\n!bad_email email @2\n",
          2);
}

static void test_csv(void **state)
{
    (void)state;
    check(SET_DEVICE, STR("name,Phone\nAnn,212-555-1234\nBob\n\n\"C, \"\"D\"\"\",\"2125551235\"\n"),
          "+12125551234\n!no_column phone @3\n+12125551235\n", 4);
    check(SET_DEVICE, STR("NUMBER;from;till\n2125551234;2026-01-01;2026-01-02T00:00:00Z\n"),
          "+12125551234 1767225600-1767312000\n", 1);
    check(SET_DEVICE, STR("device\ttill\n2125551234\t1767225600\n2125551235\t\n"),
          "+12125551234 0-1767225600\n+12125551235\n", 2);
    check(SET_EMAIL, STR("phone|E-Mail\n1|a@b.org\n"), "'a@b.org'\n", 1);
    check(SET_CLIENT, STR("customer_id,phone\n17,2125551234\n\"1\n8\",2125551234\n19,\n"),
          "'17'\n!bad_client_id client_id @3\n'19'\n", 3);
    check(SET_CLIENT, STR("Client ID\n\"a\"\"b\"\n\"\"\n"), "'a\"b'\n!bad_client_id client_id @3\n",
          2);
    check(SET_CLIENT, STR("\n\nclient_id\nx"), "'x'\n", 3); // blank lines before the header
}

static void test_csv_spans(void **state)
{
    (void)state;
    check(SET_CLIENT,
          STR("client_id,from,till\na,yesterday,\nb,,20261122\nc,2026-01-02,2026-01-02\n"
              "d,2026-01-01T00:00:00.5Z,2026-01-01T00:00:00.5Z\ne,,2500-01-01\nf,1960-01-01,\n"
              "g,2026-02-30,\nh,2026-01-01T02:00:00+02:00,\n"
              "i,,9999-12-31T23:59:59Z\nj,2500-02-01,\nk,,9999-99-99\n"),
          "!bad_from from @2\n!bad_till till @3\n!empty_span till @4\n'd' 1767225600-1767225601\n"
          "'e'\n'f'\n!bad_from from @8\n'h' 1767225600-4294967295\n"
          "'i'\n!empty_span till @11\n!bad_till till @12\n",
          11);
}

static void test_csv_quotes(void **state)
{
    (void)state;
    // an open quote costs its own line only
    check(SET_CLIENT, STR("client_id,note\n\"a,\nb,\nc,\"x\ny\"\nd,\"z\"z\ne,\n"),
          "!quote_tail @2\n'b'\n'c'\n!quote_tail @6\n'e'\n", 5);
    check(SET_CLIENT, STR("client_id\na\n\"b\nc\n"), "'a'\n!quote_open @3\n'c'\n", 3);
}

static void test_long_lines(void **state)
{
    size_t size = 3 * LIMIT_LINE_BYTES;
    char *text = malloc(size + 64);
    int n;

    (void)state;
    memset(text, '5', size);
    memcpy(text, "2125551230\n", 11);
    n = snprintf(text + size, 64, "\n2125551231\n");
    check(SET_DEVICE, str_make(text, size + (size_t)n),
          "+12125551230\n!line_too_long @2\n+12125551231\n", 3);
    memcpy(text, "client_id\n\"", 11);
    n = snprintf(text + size, 64, "\nx\n");
    check(SET_CLIENT, str_make(text, size + (size_t)n), "!line_too_long @2\n'x'\n", 2);
    free(text);
}

static void test_refused_files(void **state)
{
    struct listfile *p = malloc(sizeof *p);
    struct got *g = calloc(1, sizeof *g);
    struct err_info info = {0};

    (void)state;
    assert_int_equal(parse(g, p, SET_DEVICE, STR("email,from\na@b.org,\n"), 0, &info), ERR_CONFIG);
    assert_non_null(strstr(info.text, "phone"));
    assert_int_equal(parse(g, p, SET_CLIENT,
                           STR("\xff\xfe"
                               "1\0"),
                           0, &info),
                     ERR_CONFIG);
    assert_non_null(strstr(info.text, "iconv"));
    free(g);
    free(p);
}

// The fast path reads exactly what the slow one does.
static void test_numline(void **state)
{
    uint64_t batch[4], slow;
    struct rand r;
    unsigned count, hits = 0;
    enum reject reason;

    (void)state;
    rand_seed(&r, SEED);
    for (int i = 0; i < 200000; i++) {
        char text[32], chars[] = "0123456789,\r\n x";
        const char *end;
        size_t at;

        snprintf(text, sizeof text, "%03llu,%07llu%s", (unsigned long long)rand_below(&r, 1000),
                 (unsigned long long)rand_below(&r, 10000000), i & 1 ? "\r\n....." : "\n......");
        at = rand_below(&r, 13);
        if (i & 2) text[at] = chars[rand_below(&r, sizeof chars - 1)];
        count = 0;
        end = numline_run(text, text + 17, true, batch, &count, 4);
        if (count == 0) {
            assert_ptr_equal(end, text);
            continue;
        }
        assert_int_equal(count, 1);
        hits++;
        assert_int_equal(end[-1], '\n');
        if (text[3] == ',') {
            assert_true(
                numline_flat(str_trim(str_make(text, (size_t)(end - text))), &slow, &reason));
            assert_int_equal(reason, REJECT_NONE);
        } else {
            assert_true(number_parse(str_trim(str_make(text, (size_t)(end - text))), &us, &slow) ==
                        NUMBER_OK);
            slow -= 10000000000;
        }
        assert_int_equal(batch[0], slow);
    }
    assert_in_range(hits, 60000, 140000); // 64 % begin with two good digits
}

// Random text of the characters that matter: counts add up, and the cut does not matter.
static void test_garbage(void **state)
{
    static const char alphabet[] = "0123456789,;\"\r\n @.a|\t\0\xff";
    static const char *const heads[] = {"", "phone\n", "client_id,from,till\n", "\"email\";till\n",
                                        "\xef\xbb\xbf"
                                        "client_id|x\n"};
    struct listfile *p = malloc(sizeof *p);
    struct got *g = malloc(sizeof *g);
    char *text = malloc(65536);
    struct rand r;

    (void)state;
    printf("seed %d\n", SEED);
    rand_seed(&r, SEED);
    for (int i = 0; i < 300; i++) {
        const char *head = heads[rand_below(&r, COUNT_OF(heads))];
        size_t size = strlen(head), want = size + rand_below(&r, 40000);
        enum set_kind kind = (enum set_kind)(1 + rand_below(&r, 3));
        unsigned letters = (unsigned)(1 + rand_below(&r, sizeof alphabet - 1));
        struct got whole = {.quiet = true};
        int err;

        memcpy(text, head, size);
        while (size < want) {
            unsigned run = rand_below(&r, 50) == 0 ? (unsigned)rand_below(&r, 9000) : 1;
            char c = alphabet[rand_below(&r, letters)];

            for (unsigned k = 0; k < run && size < want; k++) text[size++] = c;
            if (size + 13 < want && rand_below(&r, 20) == 0)
                size += (size_t)snprintf(text + size, 14, "212,%07u\n",
                                         (unsigned)(2000000 + rand_below(&r, 100)));
        }
        err = parse(&whole, p, kind, str_make(text, size), 0, NULL);
        for (int k = 0; k < 3 && !err; k++) {
            uint64_t rows = p->rows, lines = p->line;
            size_t piece = LISTFILE_VIEW_BYTES + rand_below(&r, k ? 9000 : 3);

            *g = (struct got){.quiet = true};
            assert_int_equal(parse(g, p, kind, str_make(text, size), piece, NULL), 0);
            assert_int_equal(p->rows, rows);
            assert_int_equal(p->line, lines);
            assert_int_equal(g->entries, whole.entries);
            assert_int_equal(g->rejects, whole.rejects);
            assert_int_equal(g->sum, whole.sum);
        }
    }
    free(text);
    free(g);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_devices),
        cmocka_unit_test(test_lines_of_text),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_spans),
        cmocka_unit_test(test_csv_quotes),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_numline),
        cmocka_unit_test(test_garbage),
    };

    if (number_start()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
