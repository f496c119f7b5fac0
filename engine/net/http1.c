// SPDX-License-Identifier: Apache-2.0
#include "engine/net/http1.h"

#include <assert.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "engine/base/check.h"
#include "engine/base/limits.h"

#define EMPTY_LINES_MAX 4

static_assert(LIMIT_TARGET_BYTES < LIMIT_HEADER_BYTES, "a target has to fit a head");

// Characters of a token (RFC 9110, 5.6.2).
static const bool token[256] = {
    ['!'] = 1, ['#' ... '\''] = 1, ['*'] = 1,         ['+'] = 1, ['-'] = 1,
    ['.'] = 1, ['0' ... '9'] = 1,  ['A' ... 'Z'] = 1, ['^'] = 1, ['_'] = 1,
    ['`'] = 1, ['a' ... 'z'] = 1,  ['|'] = 1,         ['~'] = 1,
};

// What the header fields said before it is judged as a whole.
struct fields {
    unsigned count, hosts, lengths, codings;
    bool close, keep_alive, expect;
    bool bad_length, bad_coding, bad_expect;
};

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

// The next control byte (line ends are what is expected), or `end`.
static inline const char *find_control(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i low = _mm_set1_epi8(0x1f), del = _mm_set1_epi8(0x7f);

    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit =
            _mm_or_si128(_mm_cmpeq_epi8(_mm_max_epu8(v, low), low), _mm_cmpeq_epi8(v, del));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);

        if (mask) return p + __builtin_ctz(mask);
    }
#endif
    while (p < end && !is_control(*p)) p++;
    return p;
}

// The first byte that may not stand in a target: a space or control byte, DEL or beyond ASCII.
static inline const char *find_target_end(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(' '), del = _mm_set1_epi8(0x7f);

    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i good = _mm_andnot_si128(_mm_cmpeq_epi8(v, del), _mm_cmpgt_epi8(v, space));
        unsigned mask = (unsigned)_mm_movemask_epi8(good);

        if (mask != 0xffff) return p + __builtin_ctz(~mask);
    }
#endif
    while (p < end && (unsigned char)*p > ' ' && (unsigned char)*p < 0x7f) p++;
    return p;
}

// The CR of this line's CRLF: 1 found, 0 more bytes are needed, or ERR_BAD_REQUEST.
static inline int find_line_end(const char *p, const char *end, const char **ret)
{
    for (p = find_control(p, end); p < end && *p == '\t';) p = find_control(p + 1, end);
    if (p == end) return 0;
    if (*p != '\r') return ERR_BAD_REQUEST;
    if (p + 1 == end) return 0;
    if (p[1] != '\n') return ERR_BAD_REQUEST;
    *ret = p;
    return 1;
}

static inline uint64_t load8(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t load4(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

// Are these bytes this lower-case word of 4 to 24 letters and '-', in any case? Compared eight at a
// time, the last eight overlapping; `size` is a constant. There are no control bytes in a line,
// which is why one bit may be set in all.
static inline bool same_word(const char *p, const char *word, size_t size)
{
    const uint64_t lower = 0x2020202020202020u;
    uint64_t differ = 0;

    if (size < 8) {
        differ = (load4(p) | (uint32_t)lower) ^ load4(word);
        differ |= (load4(p + size - 4) | (uint32_t)lower) ^ load4(word + size - 4);
        return differ == 0;
    }
    for (size_t i = 0; i + 8 <= size; i += 8) differ |= (load8(p + i) | lower) ^ load8(word + i);
    differ |= (load8(p + size - 8) | lower) ^ load8(word + size - 8);
    return differ == 0;
}

// Is that the name of the field at `p`?
static inline bool name_is(const char *p, const char *e, const char *name, size_t size)
{
    return (size_t)(e - p) > size && p[size] == ':' && same_word(p, name, size);
}
#define NAME_IS(p, e, lit) name_is(p, e, lit, sizeof(lit) - 1)
#define VALUE_IS(v, lit)   ((v).size == sizeof(lit) - 1 && same_word((v).ptr, lit, sizeof(lit) - 1))

static inline struct str value_of(const char *p, const char *e)
{
    while (p < e && (*p == ' ' || *p == '\t')) p++;
    while (e > p && (e[-1] == ' ' || e[-1] == '\t')) e--;
    return str_make(p, (size_t)(e - p));
}

static void take_connection(struct fields *f, struct str value)
{
    if (LIKELY(VALUE_IS(value, "keep-alive"))) {
        f->keep_alive = true;
        return;
    }
    while (value.ptr) {
        struct str word = str_trim(str_cut(value, ',', &value));

        if (str_eq_nocase(word, STR("close"))) f->close = true;
        if (str_eq_nocase(word, STR("keep-alive"))) f->keep_alive = true;
    }
}

static void take_length(struct fields *f, struct http1_head *h, struct str value)
{
    uint64_t length = 0;

    if (!str_to_u64(value, &length)) f->bad_length = true;
    if (f->lengths && length != h->length_bytes) f->bad_length = true;
    f->lengths++;
    h->has_length = true;
    h->length_bytes = length;
}

static void take_coding(struct fields *f, struct str value)
{
    f->codings++;
    if (f->codings > 1 || !str_eq_nocase(value, STR("chunked"))) f->bad_coding = true;
}

static void take_expect(struct fields *f, struct str value)
{
    if (str_eq_nocase(value, STR("100-continue")))
        f->expect = true;
    else
        f->bad_expect = true;
}

// A field that the engine has no use for still has to have a name.
static int skip_field(const char *p, const char *e)
{
    const char *start = p;

    while (p < e && token[(unsigned char)*p]) p++;
    return p > start && p < e && *p == ':' ? 0 : ERR_BAD_REQUEST;
}

static inline int take_field(struct fields *f, struct http1_head *h, const char *p, const char *e)
{
    if (++f->count > LIMIT_HEADERS) return ERR_HEADER_TOO_LARGE;
    switch (*p | 0x20) {
    case 'h':
        if (!NAME_IS(p, e, "host")) break;
        f->hosts++;
        return 0;
    case 'u':
        if (NAME_IS(p, e, "user-agent")) return 0;
        break;
    case 'c':
        if (NAME_IS(p, e, "content-type")) return h->content_type = value_of(p + 13, e), 0;
        if (NAME_IS(p, e, "content-length")) return take_length(f, h, value_of(p + 15, e)), 0;
        if (NAME_IS(p, e, "connection")) return take_connection(f, value_of(p + 11, e)), 0;
        break;
    case 'a':
        if (NAME_IS(p, e, "accept")) return h->accept = value_of(p + 7, e), 0;
        if (NAME_IS(p, e, "authorization")) return h->authorization = value_of(p + 14, e), 0;
        break;
    case 't':
        if (NAME_IS(p, e, "transfer-encoding")) return take_coding(f, value_of(p + 18, e)), 0;
        break;
    case 'e':
        if (NAME_IS(p, e, "expect")) return take_expect(f, value_of(p + 7, e)), 0;
        break;
    }
    return skip_field(p, e);
}

static enum http_method method_of(struct str s, bool *ret_head)
{
    *ret_head = str_eq(s, STR("HEAD"));
    if (str_eq(s, STR("POST"))) return HTTP_POST;
    if (str_eq(s, STR("GET"))) return HTTP_GET;
    if (str_eq(s, STR("PUT"))) return HTTP_PUT;
    if (str_eq(s, STR("DELETE"))) return HTTP_DELETE;
    return HTTP_OTHER;
}

// Origin form, absolute form (the authority is dropped), or whatever else: no route has it.
static void split_target(struct http1_head *h, struct str target)
{
    struct str rest;

    if (target.size > 7 && str_eq_nocase(str_make(target.ptr, 7), STR("http://"))) {
        const char *end = target.ptr + target.size, *p = target.ptr + 7;

        while (p < end && *p != '/' && *p != '?') p++;
        target = str_make(p, (size_t)(end - p));
    }
    h->path = str_cut(target, '?', &rest);
    h->query = rest;
    if (h->path.size == 0) h->path = STR("/");
}

static int take_version(struct http1_head *h, const char *p, const char *e)
{
    if (e - p != 8 || memcmp(p, "HTTP/", 5) != 0 || !str_is_digit(p[5]) || p[6] != '.' ||
        !str_is_digit(p[7]))
        return ERR_BAD_REQUEST;
    if (p[5] != '1' || p[7] > '1') return ERR_HTTP_VERSION;
    h->minor = (uint8_t)(p[7] - '0');
    return 0;
}

// Why what lies before the next space is no target.
static int refuse_target(const char *start, const char *e)
{
    const char *space = memchr(start, ' ', (size_t)(e - start));

    return (space ? space : e) - start > LIMIT_TARGET_BYTES ? ERR_URI_TOO_LONG : ERR_BAD_REQUEST;
}

static int take_request_line(struct http1_head *h, const char *p, const char *e)
{
    const char *start = p;

    if (LIKELY(e - p > 5 && load4(p) == load4("POST") && p[4] == ' ')) {
        h->method = HTTP_POST;
        p += 4;
    } else {
        while (p < e && token[(unsigned char)*p]) p++;
        if (p == start || p == e || *p != ' ') return ERR_BAD_REQUEST;
        h->method = method_of(str_make(start, (size_t)(p - start)), &h->head_only);
    }
    start = ++p;
    p = find_target_end(p, e);
    if (p == start || p == e || *p != ' ' || p - start > LIMIT_TARGET_BYTES)
        return refuse_target(start, e);
    split_target(h, str_make(start, (size_t)(p - start)));
    return take_version(h, p + 1, e);
}

// What only the whole head can tell.
static int judge(const struct fields *f, struct http1_head *h)
{
    if (f->hosts > 1 || (f->hosts == 0 && h->minor == 1)) return ERR_BAD_REQUEST;
    if (f->bad_length) return ERR_BAD_REQUEST;
    if (f->codings) {
        if (f->lengths || h->minor == 0) return ERR_BAD_REQUEST;
        if (f->bad_coding) return ERR_CODING;
        h->chunked = true;
    }
    if (f->bad_expect && h->minor == 1) return ERR_EXPECTATION;
    h->expect = f->expect && h->minor == 1;
    h->keep_alive = !f->close && (h->minor == 1 || f->keep_alive);
    return 0;
}

// Past the empty lines that a client may send before a request. 0 or ERR_BAD_REQUEST.
static int skip_empty_lines(const char **p, const char *end)
{
    for (int lines = 0; *p < end && **p == '\r'; lines++) {
        if (lines == EMPTY_LINES_MAX) return ERR_BAD_REQUEST;
        if (*p + 1 == end) return 0;
        if ((*p)[1] != '\n') return ERR_BAD_REQUEST;
        *p += 2;
    }
    return *p == end || token[(unsigned char)**p] ? 0 : ERR_BAD_REQUEST;
}

ssize_t http1_parse_head(struct str in, struct http1_head *ret)
{
    bool clamped = in.size > LIMIT_HEADER_BYTES;
    const char *p = in.ptr, *end = in.ptr + (clamped ? LIMIT_HEADER_BYTES : in.size), *e;
    static const struct http1_head blank;
    struct fields f = {0};
    int err;

    if (p == end) return 0;
    *ret = blank; // copied: shorter than what compilers make of zeros
    err = skip_empty_lines(&p, end);
    if (err) return err;
    err = find_line_end(p, end, &e);
    if (err == 0) return clamped ? ERR_URI_TOO_LONG : 0;
    if (err > 0) err = take_request_line(ret, p, e);
    if (err < 0) return err;
    for (p = e + 2;; p = e + 2) {
        err = find_line_end(p, end, &e);
        if (err == 0) return clamped ? ERR_HEADER_TOO_LARGE : 0;
        if (err < 0) return err;
        if (e == p) break;
        err = take_field(&f, ret, p, e);
        if (err < 0) return err;
    }
    err = judge(&f, ret);
    if (err < 0) return err;
    return e + 2 - in.ptr;
}

void http1_body_init(struct http1_body *b, const struct http1_head *head)
{
    *b = (struct http1_body){.step = HTTP1_SIZE};
    if (head->chunked) return;
    b->left_bytes = head->length_bytes;
    b->step = head->length_bytes ? HTTP1_PLAIN : HTTP1_DONE;
}

static int hex_digit(char c)
{
    if (str_is_digit(c)) return c - '0';
    c = str_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The byte after the digits of a chunk's size.
static int end_size(struct http1_body *b, char c)
{
    if (c == '\r')
        b->step = HTTP1_SIZE_LF;
    else if (c == ';' || c == ' ' || c == '\t')
        b->step = HTTP1_EXTENSION;
    else
        return ERR_BAD_REQUEST;
    return 0;
}

static int step_size(struct http1_body *b, char c)
{
    int digit = hex_digit(c);

    if (digit < 0) return b->step == HTTP1_SIZE_MORE ? end_size(b, c) : ERR_BAD_REQUEST;
    if (b->step == HTTP1_SIZE) b->left_bytes = 0;
    if (b->left_bytes >> 56) return ERR_BAD_REQUEST;
    b->left_bytes = b->left_bytes << 4 | (unsigned)digit;
    // leading zeros could go on for ever
    if (++b->extra_bytes > LIMIT_HEADER_BYTES) return ERR_HEADER_TOO_LARGE;
    b->step = HTTP1_SIZE_MORE;
    return 0;
}

// A byte of an extension or a trailer: skipped, counted; CR leads to `next`.
static int step_skip(struct http1_body *b, char c, enum http1_step next)
{
    if (c == '\r') {
        b->step = next;
        return 0;
    }
    if (is_control(c) && c != '\t') return ERR_BAD_REQUEST;
    return ++b->extra_bytes > LIMIT_HEADER_BYTES ? ERR_HEADER_TOO_LARGE : 0;
}

static int step_lf(struct http1_body *b, char c, enum http1_step next)
{
    if (c != '\n') return ERR_BAD_REQUEST;
    b->step = next;
    return 0;
}

static int step(struct http1_body *b, char c)
{
    switch (b->step) {
    case HTTP1_SIZE:
    case HTTP1_SIZE_MORE:
        return step_size(b, c);
    case HTTP1_EXTENSION:
        return step_skip(b, c, HTTP1_SIZE_LF);
    case HTTP1_SIZE_LF:
        return step_lf(b, c, b->left_bytes ? HTTP1_DATA : HTTP1_TRAILER);
    case HTTP1_DATA_CR:
        if (c != '\r') return ERR_BAD_REQUEST;
        b->step = HTTP1_DATA_LF;
        return 0;
    case HTTP1_DATA_LF:
        // a size costs at most 16 digits, so that only extensions and trailers add up
        b->extra_bytes = b->extra_bytes > 16 ? b->extra_bytes - 16 : 0;
        return step_lf(b, c, HTTP1_SIZE);
    case HTTP1_TRAILER:
        if (c == '\r') return b->step = HTTP1_LAST_LF, 0;
        if (!token[(unsigned char)c]) return ERR_BAD_REQUEST;
        b->step = HTTP1_TRAILER_LINE;
        return 0;
    case HTTP1_TRAILER_LINE:
        return step_skip(b, c, HTTP1_TRAILER_LF);
    case HTTP1_TRAILER_LF:
        return step_lf(b, c, HTTP1_TRAILER);
    case HTTP1_LAST_LF:
        return step_lf(b, c, HTTP1_DONE);
    default:
        return ERR_BAD_REQUEST;
    }
}

ssize_t http1_body_next(struct http1_body *b, struct str in, struct str *ret_data)
{
    size_t at = 0;

    *ret_data = str_make(in.ptr, 0);
    while (at < in.size && b->step != HTTP1_DONE) {
        if (b->step == HTTP1_PLAIN || b->step == HTTP1_DATA) {
            size_t n = in.size - at < b->left_bytes ? in.size - at : (size_t)b->left_bytes;

            DEBUG_CHECK(n > 0);
            *ret_data = str_make(in.ptr + at, n);
            b->left_bytes -= n;
            if (!b->left_bytes) b->step = b->step == HTTP1_PLAIN ? HTTP1_DONE : HTTP1_DATA_CR;
            return (ssize_t)(at + n);
        }
        int err = step(b, in.ptr[at++]);
        if (err < 0) return err;
    }
    return (ssize_t)at;
}
