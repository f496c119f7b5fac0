// SPDX-License-Identifier: Apache-2.0
//
// err: one negative enum and one table of texts (err.def) for the whole engine.
//
// Functions return 0 (or a count) or a negative ERR_*. Where a person will read the failure a
// function also takes `struct err_info *`, and fills it with a sentence that says the likely
// cause and what to type. A NULL err_info is allowed everywhere and costs the sentence only.
#pragma once

enum err {
    ERR_OK = 0,
    ERR_BASE_ = -1000,
#define ERR(name, code, status, text) ERR_##name,
#include "engine/base/err.def"
#undef ERR
    ERR_END_
};

#define MUST_CHECK __attribute__((warn_unused_result))

// The failure of one operation. Owner: the caller, usually on its stack. Any thread.
struct err_info {
    int err;        // 0 or ERR_*
    char text[512]; // a full sentence, never a phone number or address
};

// Fills `info` (may be NULL) and returns `err`, so that `return err_set(info, ERR_X, "…")` reads
// well.
int err_set(struct err_info *info, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// The table. Unknown values give "unknown error", "unknown", 500.
const char *err_text(int err);
const char *err_code(int err);
int err_http_status(int err);
