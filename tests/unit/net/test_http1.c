// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/limits.h"
#include "engine/net/http1.h"

#define H   "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n"

// `expect`: 0 = a whole head, else the error.
static const struct {
    const char *in;
    int expect;
} rows[] = {
    {GET H "\r\n", 0},
    {"GET / HTTP/1.0\r\n\r\n", 0},
    {"\r\n\r\n" GET H "\r\n", 0},
    {"\r\n\r\n\r\n\r\n\r\n" GET H "\r\n", ERR_BAD_REQUEST},
    {"\n" GET H "\r\n", ERR_BAD_REQUEST},
    {"GET / HTTP/1.1\n" H "\r\n", ERR_BAD_REQUEST},
    {GET "Host: a\n\r\n", ERR_BAD_REQUEST},
    {GET H "\n", ERR_BAD_REQUEST},
    {GET H "\rX", ERR_BAD_REQUEST},
    {"GET /\r\n\r\n", ERR_BAD_REQUEST},
    {"GET  / HTTP/1.1\r\n" H "\r\n", ERR_BAD_REQUEST},
    {"GET /  HTTP/1.1\r\n" H "\r\n", ERR_BAD_REQUEST},
    {"GET / HTTP/1.1 \r\n" H "\r\n", ERR_BAD_REQUEST},
    {" GET / HTTP/1.1\r\n" H "\r\n", ERR_BAD_REQUEST},
    {"G(T / HTTP/1.1\r\n" H "\r\n", ERR_BAD_REQUEST},
    {"GET / http/1.1\r\n" H "\r\n", ERR_BAD_REQUEST},
    {"GET / HTTP/1\r\n" H "\r\n", ERR_BAD_REQUEST},
    {"GET / HTTP/11\r\n" H "\r\n", ERR_BAD_REQUEST},
    {"GET / HTTP/2.0\r\n" H "\r\n", ERR_HTTP_VERSION},
    {"GET / HTTP/1.2\r\n" H "\r\n", ERR_HTTP_VERSION},
    {"GET / HTTP/0.9\r\n" H "\r\n", ERR_HTTP_VERSION},
    {"\x16\x03\x01\x02", ERR_BAD_REQUEST},
    {"PROPFIND /x HTTP/1.1\r\n" H "\r\n", 0},
    {"GET /a\x7f HTTP/1.1\r\n" H "\r\n", ERR_BAD_REQUEST},
    {"GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", ERR_BAD_REQUEST},
    {"GET /a\tb HTTP/1.1\r\n" H "\r\n", ERR_BAD_REQUEST},
    {GET "\r\n", ERR_BAD_REQUEST},
    {GET H H "\r\n", ERR_BAD_REQUEST},
    {"GET / HTTP/1.0\r\n" H H "\r\n", ERR_BAD_REQUEST},
    {GET "Host : a\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "X-A: 1\r\n 2\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "\tX: 1\r\n\r\n", ERR_BAD_REQUEST},
    {GET H ": v\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "X-A\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "X A: 1\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "X-A: a\x01\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "X-A: a\x7f\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "X-A: a\rb\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "X-A: a\tb \xe9\r\n\r\n", 0},
    {GET H "X-A:\r\n\r\n", 0},
    {GET H "Content-Length: 5\r\n\r\n", 0},
    {GET H "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", 0},
    {GET H "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "Content-Length: 5, 5\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "Content-Length: +5\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "Content-Length: -1\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "Content-Length: 0x5\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "Content-Length:\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "Content-Length: 18446744073709551616\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "Transfer-Encoding: chunked\r\n\r\n", 0},
    {GET H "Transfer-Encoding: Chunked\r\n\r\n", 0},
    {GET H "Transfer-Encoding: gzip, chunked\r\n\r\n", ERR_CODING},
    {GET H "Transfer-Encoding: identity\r\n\r\n", ERR_CODING},
    {GET H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_CODING},
    {GET H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "Content-Length: 5\r\nTransfer-Encoding: x\r\n\r\n", ERR_BAD_REQUEST},
    {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_BAD_REQUEST},
    {GET H "Expect: 100-Continue\r\n\r\n", 0},
    {GET H "Expect: 200-ok\r\n\r\n", ERR_EXPECTATION},
    {"GET / HTTP/1.0\r\nExpect: 200-ok\r\n\r\n", 0},
};

// Every prefix is incomplete, until one gives what the whole gives.
static void check_split(const char *in, size_t size, ssize_t whole)
{
    struct http1_head h;

    for (size_t n = 0; n <= size; n++) {
        char *copy = malloc(n ? n : 1); // exactly as long, so that a read past it is caught
        ssize_t got;

        memcpy(copy, in, n);
        got = http1_parse_head(str_make(copy, n), &h);
        free(copy);
        if (got == 0) continue;
        assert_int_equal(got, whole);
        return;
    }
    assert_int_equal(whole, 0);
}

static void test_table(void **state)
{
    struct http1_head h;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str in = str_of(rows[i].in);
        ssize_t got = http1_parse_head(in, &h);

        if (got != (rows[i].expect ? rows[i].expect : (ssize_t)in.size))
            fail_msg("row %zu: got %zd for %s", i, got, rows[i].in);
        check_split(in.ptr, in.size, got);
    }
}

static struct http1_head parse(const char *text)
{
    struct http1_head h = {0};

    assert_int_equal(http1_parse_head(str_of(text), &h), strlen(text));
    return h;
}

static void test_fields(void **state)
{
    struct http1_head h;

    (void)state;
    h = parse("POST /ocs/validate?a=b&c HTTP/1.1\r\nhOsT:x\r\nCONTENT-TYPE: \t text/plain \t\r\n"
              "AuThorization:Bearer x\r\nAccept: */*\r\nContent-LENGTH:  42 \r\n"
              "User-Agent: u\r\nAccepted: no\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(h.method, HTTP_POST);
    assert_true(str_eq(h.path, STR("/ocs/validate")));
    assert_true(str_eq(h.query, STR("a=b&c")));
    assert_true(str_eq(h.content_type, STR("text/plain")));
    assert_true(str_eq(h.authorization, STR("Bearer x")));
    assert_true(str_eq(h.accept, STR("*/*")));
    assert_true(h.has_length && h.length_bytes == 42 && h.expect && h.keep_alive && !h.chunked);
    h = parse("GET / HTTP/1.0\r\n\r\n");
    assert_true(!h.keep_alive && h.minor == 0 && !h.content_type.ptr && !h.query.ptr);
    assert_true(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
    assert_false(parse(GET H "Connection: x ,close\r\n\r\n").keep_alive);
    assert_false(parse(GET H "Connection: keep-alive\r\nConnection: close\r\n\r\n").keep_alive);
    assert_true(parse(GET H "Connection: upgrade\r\n\r\n").keep_alive);
}

static void test_targets(void **state)
{
    struct http1_head h;

    (void)state;
    h = parse("GET http://a.example:80/x/y?q HTTP/1.1\r\n" H "\r\n");
    assert_true(str_eq(h.path, STR("/x/y")) && str_eq(h.query, STR("q")));
    assert_true(str_eq(parse("GET HTTP://a HTTP/1.1\r\n" H "\r\n").path, STR("/")));
    h = parse("GET http://a?z HTTP/1.1\r\n" H "\r\n");
    assert_true(str_eq(h.path, STR("/")) && str_eq(h.query, STR("z")));
    h = parse("OPTIONS * HTTP/1.1\r\n" H "\r\n");
    assert_true(h.method == HTTP_OTHER && str_eq(h.path, STR("*")));
    assert_true(parse("HEAD / HTTP/1.1\r\n" H "\r\n").head_only);
}

static void test_limits(void **state)
{
    static char text[3 * LIMIT_HEADER_BYTES];
    struct http1_head h;
    struct buf b;

    (void)state;
    for (int over = 0; over < 2; over++) { // the target
        buf_wrap(&b, text, sizeof text);
        buf_lit(&b, "GET /");
        for (int i = 1; i < LIMIT_TARGET_BYTES + over; i++) buf_char(&b, 'a');
        buf_lit(&b, " HTTP/1.1\r\n" H "\r\n");
        assert_int_equal(http1_parse_head(buf_view(&b), &h),
                         over ? ERR_URI_TOO_LONG : (ssize_t)b.size_bytes);
    }
    memset(text, 'a', sizeof text); // no line at all
    assert_int_equal(http1_parse_head(str_make(text, LIMIT_HEADER_BYTES), &h), 0);
    assert_int_equal(http1_parse_head(str_make(text, LIMIT_HEADER_BYTES + 1), &h),
                     ERR_URI_TOO_LONG);
    for (int count = LIMIT_HEADERS - 1; count <= LIMIT_HEADERS; count++) {
        buf_wrap(&b, text, sizeof text);
        buf_lit(&b, GET H);
        for (int i = 0; i < count; i++) buf_lit(&b, "X: 1\r\n");
        buf_lit(&b, "\r\n");
        assert_int_equal(http1_parse_head(buf_view(&b), &h),
                         count < LIMIT_HEADERS ? (ssize_t)b.size_bytes : ERR_HEADER_TOO_LARGE);
    }
    for (int over = 0; over < 2; over++) { // the head as a whole
        buf_wrap(&b, text, sizeof text);
        buf_lit(&b, GET H "X: ");
        while (b.size_bytes < (size_t)LIMIT_HEADER_BYTES - 4 + (size_t)over) buf_char(&b, 'v');
        buf_lit(&b, "\r\n\r\n");
        assert_int_equal(http1_parse_head(buf_view(&b), &h),
                         over ? ERR_HEADER_TOO_LARGE : LIMIT_HEADER_BYTES);
    }
}

// Decodes `in` cut at `cut` (and at every byte when 0). Size of the data, or the error; *ret_used.
static ssize_t decode(struct str in, size_t cut, char *out, size_t *ret_used)
{
    struct http1_head head = {.chunked = true};
    struct http1_body b;
    struct str data;
    size_t at = 0, size = 0;

    http1_body_init(&b, &head);
    while (at < in.size && !http1_body_done(&b)) {
        size_t n = cut == 0 ? 1 : at < cut ? cut - at : in.size - at;
        ssize_t used = http1_body_next(&b, str_make(in.ptr + at, n), &data);

        if (used < 0) return used;
        memcpy(out + size, data.ptr, data.size);
        size += data.size;
        at += (size_t)used;
    }
    *ret_used = at;
    return http1_body_done(&b) ? (ssize_t)size : ERR_CLOSED;
}

static void test_chunks(void **state)
{
    static const struct {
        const char *in, *out;
        int err;
    } bodies[] = {
        {"0\r\n\r\n", "", 0},
        {"5\r\nhello\r\n0\r\n\r\n", "hello", 0},
        {"05;a=\"b\"\r\nhello\r\nA \r\n0123456789\r\n000\r\nX-T: 1\r\nY: 2\r\n\r\n",
         "hello0123456789", 0},
        {"5\r\nhello\r\n0\r\n", "", ERR_CLOSED},
        {"\r\n", "", ERR_BAD_REQUEST},
        {"5\nhello\r\n0\r\n\r\n", "", ERR_BAD_REQUEST},
        {"5\r\nhello0\r\n\r\n", "", ERR_BAD_REQUEST},
        {"5\r\nhelloX\r\n0\r\n\r\n", "", ERR_BAD_REQUEST},
        {"g\r\n", "", ERR_BAD_REQUEST},
        {"-1\r\n", "", ERR_BAD_REQUEST},
        {"5;a\x01\r\n", "", ERR_BAD_REQUEST},
        {"fffffffffffffffff\r\n", "", ERR_BAD_REQUEST},
        {"0\r\n X: 1\r\n\r\n", "", ERR_BAD_REQUEST},
        {"0\r\nX: 1\n\r\n", "", ERR_BAD_REQUEST},
    };
    char out[64];
    size_t used = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct str in = str_of(bodies[i].in);

        for (size_t cut = 0; cut <= in.size; cut++) {
            ssize_t got = decode(in, cut, out, &used);
            assert_int_equal(got, bodies[i].err ? bodies[i].err : (ssize_t)strlen(bodies[i].out));
            if (got > 0) assert_memory_equal(out, bodies[i].out, (size_t)got);
            if (got >= 0) assert_int_equal(used, in.size);
        }
    }
}

static void test_chunk_limits(void **state)
{
    static char text[3 * LIMIT_HEADER_BYTES], out[64];
    size_t used;

    (void)state;
    memset(text, '0', sizeof text);
    assert_int_equal(decode(str_make(text, sizeof text), sizeof text, out, &used),
                     ERR_HEADER_TOO_LARGE);
    memset(text + 1, ' ', sizeof text - 1);
    assert_int_equal(decode(str_make(text, sizeof text), sizeof text, out, &used),
                     ERR_HEADER_TOO_LARGE);
    memset(text, 't', sizeof text);
    memcpy(text, "0\r\n", 3);
    assert_int_equal(decode(str_make(text, sizeof text), sizeof text, out, &used),
                     ERR_HEADER_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),   cmocka_unit_test(test_fields),
        cmocka_unit_test(test_targets), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_chunks),  cmocka_unit_test(test_chunk_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
