// SPDX-License-Identifier: Apache-2.0
#include "engine/base/err.h"

#include <stdarg.h>
#include <stdio.h>

struct err_row {
    const char *code;
    int http_status;
    const char *text;
};

static const struct err_row rows[] = {
#define ERR(name, code, status, text) {code, status, text},
#include "engine/base/err.def"
#undef ERR
};

static const struct err_row *row_of(int err)
{
    static const struct err_row unknown = {"unknown", 500, "unknown error"};
    static const struct err_row fine = {"ok", 200, "no error"};

    if (err == ERR_OK) return &fine;
    if (err <= ERR_BASE_ || err >= ERR_END_) return &unknown;
    return &rows[err - ERR_BASE_ - 1];
}

int err_set(struct err_info *info, int err, const char *fmt, ...)
{
    if (info) {
        va_list args;

        info->err = err;
        va_start(args, fmt);
        vsnprintf(info->text, sizeof info->text, fmt, args);
        va_end(args);
    }
    return err;
}

const char *err_text(int err)
{
    return row_of(err)->text;
}

const char *err_code(int err)
{
    return row_of(err)->code;
}

int err_http_status(int err)
{
    return row_of(err)->http_status;
}
