// SPDX-License-Identifier: Apache-2.0
#include "engine/core/rule_source.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/log.h"
#include "engine/feed/feed.h"
#include "engine/feed/rules.h"

#define SHOWN_ERRORS 3 // of a file, in one sentence

// -- names of lists ----------------------------------------------------------------------------

struct list_names {
    const struct rule_lists *lists;
    const char *tenant;
};

static bool is_list(const struct list_names *n, const char *tenant, const char *name,
                    struct str wanted)
{
    return (strcmp(tenant, "*") == 0 || strcmp(tenant, n->tenant) == 0) &&
           str_eq(str_of(name), wanted);
}

static bool has_list(void *ctx, struct str name)
{
    const struct list_names *n = ctx;
    const struct rule_lists *l = n->lists;

    for (unsigned i = 0; l->catalog && i < l->catalog->count; i++)
        if (is_list(n, l->catalog->list[i].tenant, l->catalog->list[i].name, name)) return true;
    for (unsigned i = 0; i < l->spec_count; i++)
        if (is_list(n, l->specs[i].tenant, l->specs[i].name, name)) return true;
    return false;
}

static int parse(struct ruleset **ret, struct atlas *atlas, struct str text,
                 const struct rule_lists *lists, unsigned tenant, struct ruleset_errors *errors)
{
    struct list_names names = {lists, lists->tenants->tenant[tenant].name};

    return ruleset_parse(ret, text, atlas->places, atlas->packs, has_list, &names, errors);
}

// -- reading -----------------------------------------------------------------------------------

static int tell_errors(const char *what, const struct ruleset_errors *errors, struct err_info *info)
{
    char memory[400];
    struct buf text;

    buf_wrap(&text, memory, sizeof memory);
    for (unsigned i = 0; i < errors->shown && i < SHOWN_ERRORS; i++) {
        size_t before = text.size_bytes;

        buf_printf(&text, "%s%s: %s", i ? "; " : "",
                   errors->error[i].pointer[0] ? errors->error[i].pointer : "the document",
                   errors->error[i].text);
        if (text.failed) { // the sentence is full: what was said so far is enough
            text.size_bytes = before;
            break;
        }
    }
    return err_set(info, ERR_CONFIG, "%s: %u errors: %.*s", what, errors->count,
                   (int)text.size_bytes, memory);
}

static int parse_named(struct ruleset **ret, struct atlas *atlas, struct str text, const char *what,
                       const struct rule_lists *lists, unsigned tenant, struct err_info *info)
{
    struct ruleset_errors *errors = calloc(1, sizeof *errors);
    int err = errors ? parse(ret, atlas, text, lists, tenant, errors) : ERR_NOMEM;

    if (err && errors && errors->count)
        tell_errors(what, errors, info);
    else if (err)
        err_set(info, err, "%s: %s", what, err_text(err));
    free(errors);
    return err;
}

// What holds of one tenant: its file, or what was stored.
struct reading {
    struct rule_sources *next;
    const struct rule_source *before; // NULL at the start
    const struct rule_lists *lists;
    const char *data_dir;
    unsigned tenant;
};

static int take_stored(struct reading *r, bool *ret_taken, struct err_info *info)
{
    const char *name = r->lists->tenants->tenant[r->tenant].name;
    struct rule_source *s = &r->next->at[r->tenant];
    struct rules_saved saved = {0};
    char what[LIMIT_NAME_BYTES + 32];
    int err;

    *ret_taken = false;
    if (!r->data_dir) return 0;
    err = rules_load(&saved, r->data_dir, name, info);
    if (err == ERR_NOT_FOUND) return 0;
    if (err) return err;
    if (s->file[0] && saved.file_sum != s->file_sum) {
        log_warn("rules",
                 "%s has another content than when PUT /v1/rules replaced it, so the file "
                 "holds again (tenant %s)",
                 s->file, name);
        s->outdated = true;
    } else {
        snprintf(what, sizeof what, "the stored rules of %s", name);
        err = parse_named(&s->set, r->next->atlas, saved.document, what, r->lists, r->tenant, info);
        s->stored = true;
        *ret_taken = !err;
    }
    rules_done(&saved);
    return err;
}

// The same document, read against the new atlas.
static int read_again(struct reading *r, struct err_info *info)
{
    struct rule_source *s = &r->next->at[r->tenant];
    char what[LIMIT_NAME_BYTES + 32];

    s->stored = r->before->stored;
    if (!r->before->set) return 0;
    snprintf(what, sizeof what, "the rules of %s", r->lists->tenants->tenant[r->tenant].name);
    return parse_named(&s->set, r->next->atlas, r->before->set->text, what, r->lists, r->tenant,
                       info);
}

static int read_one(struct reading *r, struct err_info *info)
{
    struct rule_source *s = &r->next->at[r->tenant];
    struct buf text;
    bool taken = false;
    int err = 0;

    buf_init(&text, LIMIT_RULES_BYTES);
    if (s->file[0]) {
        err = file_read_all(s->file, &text, info);
        s->file_sum = err ? 0 : hash_sum(text.ptr, text.size_bytes);
    }
    if (err) goto out;
    if (r->before && (s->file[0] ? r->before->file_sum == s->file_sum : r->before->stored)) {
        err = read_again(r, info);
        goto out;
    }
    if (!r->before) err = take_stored(r, &taken, info);
    if (r->before) s->outdated = r->before->stored;
    if (!err && !taken && s->file[0])
        err = parse_named(&s->set, r->next->atlas, buf_view(&text), s->file, r->lists, r->tenant,
                          info);
    if (!err && s->set)
        log_info("rules", "tenant %s: version %.*s, %u rules, from %s",
                 r->lists->tenants->tenant[r->tenant].name, STR_ARG(s->set->version),
                 s->set->rule_count, taken ? "PUT /v1/rules" : s->file);
out:
    buf_done(&text);
    return err;
}

// FILE[,tenant=NAME]
static int read_option(struct rule_sources *s, const char *item, const struct tenants *tenants,
                       struct err_info *info)
{
    struct str rest, file = str_cut(str_of(item), ',', &rest);
    struct str value = {0}, key = rest.ptr ? str_cut(rest, '=', &value) : (struct str){0};
    int tenant = 0;

    if (key.ptr && !str_eq(key, STR("tenant")))
        return err_set(info, ERR_CONFIG, "rules '%s': only tenant=NAME may follow the file", item);
    if (key.ptr) tenant = tenant_find(tenants, value);
    if (tenant < 0)
        return err_set(info, ERR_CONFIG, "rules '%s': no tenant of that name; try: --tenant %.*s",
                       item, STR_ARG(value));
    if (s->at[tenant].file[0])
        return err_set(info, ERR_CONFIG,
                       "rules '%s': tenant %s has a file already; try: one file "
                       "a tenant",
                       item, tenants->tenant[tenant].name);
    if (file.size == 0 || !str_copy(s->at[tenant].file, sizeof s->at[tenant].file, file))
        return err_set(info, ERR_CONFIG, "rules '%s': that is no file name", item);
    return 0;
}

int rule_source_read(struct rule_sources **ret, const struct rule_sources *before,
                     struct atlas *atlas, const struct conf *conf, const struct rule_lists *lists,
                     struct err_info *info)
{
    struct rule_sources *s = calloc(1, sizeof *s);
    const char *data_dir = conf_text(conf, CONF_DATA);
    int err = 0;

    if (!s) return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    s->atlas = atlas_ref(atlas);
    s->count = lists->tenants->count;
    for (unsigned i = 0; i < conf->item_count[CONF_RULES] && !err; i++)
        err = read_option(s, conf->items[CONF_RULES][i], lists->tenants, info);
    for (unsigned i = 0; i < s->count && !err; i++) {
        struct reading r = {s, before ? &before->at[i] : NULL, lists, data_dir[0] ? data_dir : NULL,
                            i};

        err = read_one(&r, info);
    }
    if (err)
        rule_source_free(s);
    else
        *ret = s;
    return err;
}

int rule_source_again(struct rule_sources **ret, const struct rule_sources *before,
                      struct atlas *atlas, const struct rule_lists *lists, struct err_info *info)
{
    struct rule_sources *s = malloc(sizeof *s);
    int err = 0;

    if (!s) return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    *s = *before;
    s->atlas = atlas_ref(atlas);
    for (unsigned i = 0; i < s->count; i++) s->at[i].set = NULL;
    for (unsigned i = 0; i < s->count && !err; i++) {
        struct reading r = {s, &before->at[i], lists, NULL, i};

        err = read_again(&r, info);
    }
    if (err)
        rule_source_free(s);
    else
        *ret = s;
    return err;
}

// -- changing ----------------------------------------------------------------------------------

static struct rule_sources *copy(const struct rule_sources *before)
{
    struct rule_sources *s = malloc(sizeof *s);

    if (!s) return NULL;
    *s = *before;
    atlas_ref(s->atlas);
    for (unsigned i = 0; i < s->count; i++)
        if (s->at[i].set) ruleset_ref(s->at[i].set);
    return s;
}

int rule_source_put(struct rule_sources **ret, const struct rule_sources *before, unsigned tenant,
                    struct str text, const struct rule_lists *lists, struct ruleset_errors *errors)
{
    struct ruleset *set = NULL;
    int err = parse(&set, before->atlas, text, lists, tenant, errors);
    struct rule_sources *s;

    if (err) return err == ERR_BAD_VALUE ? ERR_BAD_RULES : err;
    s = copy(before);
    if (!s) {
        ruleset_unref(set);
        return ERR_NOMEM;
    }
    ruleset_unref(s->at[tenant].set);
    s->at[tenant].set = set;
    s->at[tenant].stored = true;
    *ret = s;
    return 0;
}

int rule_source_store(const struct rule_sources *s, unsigned tenant, const char *data_dir,
                      const struct tenants *tenants, struct err_info *info)
{
    const struct rule_source *at = &s->at[tenant];

    CHECK(at->set);
    return rules_save(data_dir, tenants->tenant[tenant].name, at->file_sum, at->set->text, info);
}

void rule_source_retire(struct rule_sources *s, const char *data_dir, const struct tenants *tenants)
{
    struct err_info info = {0};

    for (unsigned i = 0; i < s->count; i++) {
        if (!s->at[i].outdated) continue;
        s->at[i].outdated = false;
        if (rules_retire(data_dir, tenants->tenant[i].name, &info) < 0)
            log_warn("rules", "%s; when %s is changed back, it holds again", info.text,
                     s->at[i].file);
    }
}

void rule_source_free(struct rule_sources *s)
{
    if (!s) return;
    for (unsigned i = 0; i < s->count; i++)
        if (s->at[i].set) ruleset_unref(s->at[i].set);
    atlas_unref(s->atlas);
    free(s);
}
