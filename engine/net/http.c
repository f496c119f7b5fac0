// SPDX-License-Identifier: Apache-2.0
#include "engine/net/http.h"

#include "engine/base/check.h"

static int hex_digit(char c)
{
    if (str_is_digit(c)) return c - '0';
    c = str_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_unescape(struct str s, char *dst, struct str *ret)
{
    size_t size = 0;

    for (size_t i = 0; i < s.size; i++) {
        if (s.ptr[i] != '%') {
            dst[size++] = s.ptr[i];
            continue;
        }
        if (s.size - i < 3) return false;
        int high = hex_digit(s.ptr[i + 1]), low = hex_digit(s.ptr[i + 2]);
        if (high < 0 || low < 0 || (high | low) == 0) return false;
        dst[size++] = (char)(high << 4 | low);
        i += 2;
    }
    *ret = str_make(dst, size);
    return true;
}

struct str http_query(struct str query, struct str name)
{
    while (query.ptr) {
        struct str value, pair = str_cut(query, '&', &query);
        struct str key = str_cut(pair, '=', &value);

        if (str_eq(key, name)) return value.ptr ? value : str_make(key.ptr + key.size, 0);
    }
    return (struct str){0};
}

bool http_canned_init(struct http_canned *c, unsigned status, struct str content_type,
                      struct str body)
{
    static const char *const connection[4] = {
        "", "Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: close\r\n"};
    struct buf b;

    memset(c, 0, sizeof *c);
    c->status = (uint16_t)status;
    for (int i = 0; i < 4; i++) {
        buf_wrap(&b, c->bytes[i], sizeof c->bytes[i]);
        buf_printf(&b, "HTTP/1.1 %u %s\r\n", status, http_reason(status));
        if (content_type.size) buf_printf(&b, "Content-Type: %.*s\r\n", STR_ARG(content_type));
        buf_printf(&b, "Content-Length: %zu\r\n%s\r\n", body.size, connection[i]);
        buf_str(&b, body);
        if (b.failed) return false;
        c->size[i] = (uint16_t)b.size_bytes;
    }
    return true;
}

const char *http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status) return reasons[i].text;
    return "Other";
}

void http_problem(struct buf *out, int err, struct str detail)
{
    unsigned status = (unsigned)err_http_status(err);

    buf_lit(out, "{\"type\":\"about:blank\",\"title\":");
    buf_json(out, str_of(http_reason(status)));
    buf_lit(out, ",\"status\":");
    buf_u64(out, status);
    buf_lit(out, ",\"code\":");
    buf_json(out, str_of(err_code(err)));
    buf_lit(out, ",\"detail\":");
    buf_json(out, detail.size ? detail : str_of(err_text(err)));
    buf_char(out, '}');
}
