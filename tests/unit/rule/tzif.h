// SPDX-License-Identifier: Apache-2.0
//
// tzif: writes small TZif files (RFC 9636) and directories of time zones for tests.
#pragma once

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/base/file.h"

struct tzif_change {
    int64_t at_s;
    uint8_t type;
};

struct tzif {
    char version; // 0, '2' … '4'
    unsigned change_count, type_count;
    struct tzif_change change[8];
    int32_t type_offset_s[4];
    const char *footer; // without its line ends
};

static inline void tzif_number(struct buf *out, int64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;) buf_char(out, (char)(uint64_t)(value >> (8 * i)));
}

static inline void tzif_header(struct buf *out, char version, const struct tzif *t)
{
    static const char unused[15];

    buf_lit(out, "TZif");
    buf_char(out, version);
    buf_put(out, unused, sizeof unused);
    for (unsigned i = 0; i < 3; i++) tzif_number(out, 0, 4);
    tzif_number(out, t ? t->change_count : 0, 4);
    tzif_number(out, t ? t->type_count : 1, 4);
    tzif_number(out, 4, 4);
}

// Without `t`: the empty first part of a file of version 2 and above.
static inline void tzif_block(struct buf *out, char version, const struct tzif *t,
                              unsigned time_bytes)
{
    static const char empty[6];

    tzif_header(out, version, t);
    if (!t) buf_put(out, empty, sizeof empty);
    for (unsigned i = 0; t && i < t->change_count; i++)
        tzif_number(out, t->change[i].at_s, time_bytes);
    for (unsigned i = 0; t && i < t->change_count; i++) buf_char(out, (char)t->change[i].type);
    for (unsigned i = 0; t && i < t->type_count; i++) {
        tzif_number(out, t->type_offset_s[i], 4);
        buf_put(out, empty, 2);
    }
    buf_put(out, "LMT", 4);
}

static inline void tzif_write(struct buf *out, const struct tzif *t)
{
    if (!t->version) {
        tzif_block(out, 0, t, 4);
        return;
    }
    tzif_block(out, t->version, NULL, 4);
    tzif_block(out, t->version, t, 8);
    buf_printf(out, "\n%s\n", t->footer ? t->footer : "");
}

// `name` may have one directory in it.
static inline void tzif_put_file(const char *dir, const char *name, const struct tzif *t)
{
    char path[256], folder[256];
    struct buf out;
    const char *slash = strchr(name, '/');

    if (slash) {
        snprintf(folder, sizeof folder, "%s/%.*s", dir, (int)(slash - name), name);
        CHECK(file_make_dir(folder, NULL) == 0);
    }
    snprintf(path, sizeof path, "%s/%s", dir, name);
    buf_init(&out, 4096);
    tzif_write(&out, t);
    CHECK(!out.failed && file_replace(path, out.ptr, out.size_bytes, NULL) == 0);
    buf_done(&out);
}

static inline void tzif_put_text(const char *dir, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    CHECK(file_replace(path, text, strlen(text), NULL) == 0);
}
