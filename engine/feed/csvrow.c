// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/csvrow.h"

#include "engine/base/check.h"
#include "engine/base/limits.h"

struct cursor {
    const char *at, *end; // end: at most LIMIT_LINE_BYTES + 1 bytes from the row's begin
    char separator;
};

static bool is_blank(const struct cursor *c, char b)
{
    return (b == ' ' || b == '\t' || b == '\r') && b != c->separator;
}

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && is_blank(c, *c->at)) c->at++;
}

static void skip_to_separator(struct cursor *c)
{
    while (c->at < c->end && *c->at != c->separator && *c->at != '\n') c->at++;
}

static struct str plain_field(struct cursor *c)
{
    const char *begin = c->at, *end;

    skip_to_separator(c);
    end = c->at;
    while (end > begin && is_blank(c, end[-1])) end--;
    return str_make(begin, (size_t)(end - begin));
}

// Stands behind the opening quote. False when the closing one is not in sight; *ret_edge tells that
// a quote is the last byte in sight, so that only the next byte says whether it closes.
static bool quoted_field(struct cursor *c, struct csvrow *r, struct str *ret, bool *ret_edge)
{
    const char *begin = c->at;

    for (;; c->at += 2) {
        const char *quote = memchr(c->at, '"', (size_t)(c->end - c->at));

        if (!quote) return false;
        c->at = quote;
        *ret_edge = quote + 1 == c->end;
        if (*ret_edge || quote[1] != '"') break;
    }
    *ret = str_make(begin, (size_t)(c->at - begin));
    for (const char *p = begin; (p = memchr(p, '\n', (size_t)(c->at - p))); p++) r->lines++;
    c->at++;
    skip_blanks(c);
    if (c->at < c->end && *c->at != c->separator && *c->at != '\n') r->tail = true;
    skip_to_separator(c);
    return true;
}

enum csvrow_status csvrow_split(struct csvrow *r, const char *data, size_t size_bytes, bool last,
                                char separator)
{
    bool cut = size_bytes > LIMIT_LINE_BYTES; // then the view is the same wherever text was cut
    struct cursor c = {data, data + (cut ? LIMIT_LINE_BYTES + 1 : size_bytes), separator};

    r->count = r->lines = 0;
    r->tail = false;
    for (;;) {
        bool quoted, edge = false;
        struct str field = {NULL, 0};

        skip_blanks(&c);
        quoted = c.at < c.end && *c.at == '"';
        c.at += quoted;
        if (!quoted)
            field = plain_field(&c);
        else if (!quoted_field(&c, r, &field, &edge))
            return cut || last ? CSVROW_OPEN : CSVROW_MORE;
        if (edge && !cut && !last) return CSVROW_MORE;
        if (r->count < CSVROW_FIELDS) {
            r->field[r->count] = field;
            r->quoted[r->count] = quoted;
        }
        r->count++;
        if (c.at == c.end || *c.at == '\n') break;
        c.at++;
    }
    if (c.at == c.end && cut) return CSVROW_LONG;
    if (c.at == c.end && !last) return CSVROW_MORE;
    r->lines += c.at < c.end;
    r->size_bytes = (size_t)(c.at - data) + (c.at < c.end);
    return CSVROW_OK;
}

struct str csvrow_field(const struct csvrow *r, unsigned i, char *scratch)
{
    struct str s;
    size_t n = 0;

    if (i >= r->count || i >= CSVROW_FIELDS) return (struct str){NULL, 0};
    s = r->field[i];
    if (!r->quoted[i]) return s;
    CHECK(s.size <= LIMIT_LINE_BYTES);
    for (size_t k = 0; k < s.size; k++) {
        scratch[n++] = s.ptr[k];
        if (s.ptr[k] == '"') k++; // the second of a pair
    }
    return str_make(scratch, n);
}
