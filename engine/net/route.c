// SPDX-License-Identifier: Apache-2.0
#include "engine/net/route.h"

#include "engine/base/check.h"

static const char *const method_names[] = {"GET", "POST", "PUT", "DELETE", ""};

static bool is_literal(const char *pattern, struct str path)
{
    return strncmp(pattern, path.ptr, path.size) == 0 && pattern[path.size] == '\0';
}

// Fills `param` as far as it comes; a parameter is one segment that is not empty.
static bool matches(const char *pattern, struct str path, struct str param[HTTP_PARAMS_MAX])
{
    const char *p = path.ptr, *end = path.ptr + path.size;
    unsigned count = 0;

    while (*pattern) {
        if (*pattern != '{') {
            if (p == end || *p != *pattern) return false;
            p++, pattern++;
            continue;
        }
        const char *start = p;
        while (p < end && *p != '/') p++;
        if (p == start) return false;
        CHECK(count < HTTP_PARAMS_MAX);
        param[count++] = str_make(start, (size_t)(p - start));
        while (*pattern != '}') {
            CHECK(*pattern != '\0');
            pattern++;
        }
        pattern++;
    }
    return p == end;
}

static const struct route *refuse(const struct route *table, unsigned count, struct str path,
                                  int *ret_err, struct buf *allow)
{
    struct str param[HTTP_PARAMS_MAX];
    unsigned found = 0;

    for (unsigned i = 0; i < count; i++) {
        if (!matches(table[i].pattern, path, param)) continue;
        if (found++) buf_lit(allow, ", ");
        buf_str(allow, str_of(method_names[table[i].method]));
    }
    *ret_err = found ? ERR_METHOD : ERR_NOT_FOUND;
    return NULL;
}

const struct route *route_find(const struct route *table, unsigned count, enum http_method method,
                               struct str path, struct str param[HTTP_PARAMS_MAX], int *ret_err,
                               struct buf *allow)
{
    struct str found[HTTP_PARAMS_MAX] = {0};

    CHECK(method <= HTTP_OTHER);
    for (unsigned i = 0; i < count; i++)
        if (table[i].method == method && is_literal(table[i].pattern, path)) return &table[i];
    for (unsigned i = 0; i < count; i++) {
        if (table[i].method != method || !matches(table[i].pattern, path, found)) continue;
        memcpy(param, found, sizeof found);
        return &table[i];
    }
    return refuse(table, count, path, ret_err, allow);
}
