// SPDX-License-Identifier: Apache-2.0
#include "engine/core/token.h"

#include <sys/stat.h>

#include "engine/base/buf.h"
#include "engine/base/file.h"
#include "engine/base/log.h"

#define FILE_MAX_BYTES ((size_t)1 << 20)
#define LEAST_BYTES    16 // shorter secrets can be guessed over a network

static int bad_line(const char *path, unsigned line, const char *why, struct err_info *info)
{
    return err_set(info, ERR_CONFIG, "token file %s line %u: %s; try: openssl rand -hex 24 > %s",
                   path, line, why, path);
}

static int parse_line(struct tokens *t, struct str line, const char *path, unsigned number,
                      const struct tenants *tenants, struct err_info *info)
{
    struct token *token = &t->token[t->count];
    struct str rest, value, text = str_cut(line, ' ', &rest);

    if (t->count == LIMIT_TOKENS) return bad_line(path, number, "too many tokens", info);
    if (text.size < LEAST_BYTES || text.size > TOKEN_BYTES)
        return bad_line(path, number, "a token has 16 to 256 characters", info);
    str_copy(token->text, sizeof token->text, text);
    token->tenant = -1;
    rest = str_trim(rest);
    if (rest.size > 0) {
        if (!str_eq(str_cut(rest, '=', &value), STR("tenant")) || !value.ptr)
            return bad_line(path, number, "only tenant=NAME may follow a token", info);
        token->tenant = tenant_find(tenants, value);
        if (token->tenant < 0) return bad_line(path, number, "unknown tenant", info);
    }
    t->count++;
    return 0;
}

static void warn_if_readable(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_mode & 077))
        log_warn("tokens", "%s can be read by other users; try: chmod 600 %s", path, path);
}

int token_load(struct tokens *t, const char *path, const struct tenants *tenants,
               struct err_info *info)
{
    struct str rest;
    struct buf text;
    unsigned number = 0;
    int err;

    t->count = 0;
    if (path[0] == '\0') return 0;
    buf_init(&text, FILE_MAX_BYTES);
    err = file_read_all(path, &text, info);
    rest = buf_view(&text);
    while (!err && rest.ptr) {
        struct str line = str_trim(str_cut(rest, '\n', &rest));

        number++;
        if (line.size == 0 || line.ptr[0] == '#') continue;
        err = parse_line(t, line, path, number, tenants, info);
    }
    buf_done(&text);
    if (!err && t->count == 0) err = bad_line(path, number, "holds no token", info);
    if (!err) warn_if_readable(path);
    return err;
}

bool token_matches(struct str authorization, struct str secret)
{
    struct str scheme = str_make(authorization.ptr, authorization.size < 7 ? 0 : 7), given;
    unsigned char differs = 0;

    if (!str_eq_nocase(scheme, STR("bearer "))) return false;
    given = str_trim(str_make(authorization.ptr + 7, authorization.size - 7));
    if (given.size != secret.size) return false;
    for (size_t i = 0; i < secret.size; i++)
        differs |= (unsigned char)(given.ptr[i] ^ secret.ptr[i]);
    return differs == 0;
}

const struct token *token_find(const struct tokens *t, struct str authorization)
{
    const struct token *found = NULL;

    for (unsigned i = 0; i < t->count; i++) // no early end: the time does not tell which
        if (token_matches(authorization, str_of(t->token[i].text))) found = &t->token[i];
    return found;
}
