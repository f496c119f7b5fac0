// SPDX-License-Identifier: Apache-2.0
//
// token: bearer tokens (RFC 6750) from the token file, one a line: TOKEN [tenant=NAME].
// '#' begins a comment line. A token without tenant reaches all tenants. Read only once loaded.
#pragma once

#include <stdbool.h>

#include "engine/base/limits.h"
#include "engine/core/tenant.h"

#define TOKEN_BYTES 256

struct token {
    char text[TOKEN_BYTES + 1];
    int tenant; // -1 = all
};

struct tokens {
    bool required; // /v1 is closed without one
    unsigned count;
    struct token token[LIMIT_TOKENS];
};

// Replaces `t`. An empty path gives no tokens. ERR_CONFIG with a sentence (no token in it).
int token_load(struct tokens *t, const char *path, const struct tenants *tenants,
               struct err_info *info);
// The token that an Authorization header carries, compared in constant time; NULL when none fits.
const struct token *token_find(const struct tokens *t, struct str authorization);
// True when the header carries exactly `secret`. Constant time in the content.
bool token_matches(struct str authorization, struct str secret);
