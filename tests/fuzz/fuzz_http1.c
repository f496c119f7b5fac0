// SPDX-License-Identifier: Apache-2.0
//
// A request read as a whole and the same read in pieces have to agree: on its head, on its body,
// on where it ends, and on what is wrong with it. The first byte seeds the cutting.
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/net/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(struct str a, struct str b)
{
    return (a.ptr == NULL) == (b.ptr == NULL) && str_eq(a, b);
}

// Each prefix is a block of its own, so that a read past its end is seen.
static ssize_t parse_grown(struct str in, uint8_t seed, struct http1_head *ret)
{
    size_t n = 0, grow = 1 + seed % 31;

    for (;;) {
        char *copy = malloc(n + 1);
        ssize_t got;

        CHECK(copy);
        memcpy(copy, in.ptr, n);
        got = http1_parse_head(str_make(copy, n), ret);
        free(copy);
        if (got != 0 || n == in.size) return got;
        n = in.size - n < grow ? in.size : n + grow;
    }
}

static ssize_t decode(struct str in, size_t piece, const struct http1_head *head, char *out,
                      size_t *ret_size)
{
    struct http1_body body;
    struct str data;
    size_t at = 0;

    *ret_size = 0;
    http1_body_init(&body, head);
    while (at < in.size && !http1_body_done(&body)) {
        size_t n = in.size - at < piece ? in.size - at : piece;
        ssize_t used = http1_body_next(&body, str_make(in.ptr + at, n), &data);

        if (used < 0) return used;
        CHECK(used > 0 && (size_t)used <= n);
        CHECK(data.size <= n);
        memcpy(out + *ret_size, data.ptr, data.size);
        *ret_size += data.size;
        at += (size_t)used;
    }
    return http1_body_done(&body) ? (ssize_t)at : 0;
}

static void check_body(struct str in, uint8_t seed, const struct http1_head *head)
{
    char *whole = malloc(in.size + 1), *cut = malloc(in.size + 1);
    size_t whole_size, cut_size;
    ssize_t a, b;

    CHECK(whole && cut);
    a = decode(in, in.size, head, whole, &whole_size);
    b = decode(in, 1 + seed % 7, head, cut, &cut_size);
    CHECK(a == b && whole_size == cut_size);
    CHECK(memcmp(whole, cut, whole_size) == 0);
    free(whole);
    free(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http1_head head = {0}, grown = {0}, chunked = {.chunked = true};
    struct str in;
    ssize_t whole, got;

    if (size < 1) return 0;
    in = str_make((const char *)data + 1, size - 1);
    whole = http1_parse_head(in, &head);
    got = parse_grown(in, data[0], &grown);
    CHECK(whole == got);
    check_body(in, data[0], &chunked);
    if (whole <= 0) return 0;
    CHECK((size_t)whole <= in.size && head.path.size > 0);
    CHECK(head.method == grown.method && head.minor == grown.minor);
    CHECK(head.length_bytes == grown.length_bytes && head.keep_alive == grown.keep_alive);
    CHECK((head.path.ptr == NULL) == (grown.path.ptr == NULL) &&
          head.path.size == grown.path.size && head.query.size == grown.query.size);
    CHECK(same(head.content_type, (struct str){0}) == same(grown.content_type, (struct str){0}));
    check_body(str_make(in.ptr + whole, in.size - (size_t)whole), data[0], &head);
    return 0;
}
