// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/ruleset.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/rule/ruleset_read.h"

#define RESERVE_DEFAULT_S 10
#define PACK_SUBJECT      "subject" // the field of a pack's vectors that names what a call is about

void ruleset_errors_add(struct ruleset_errors *errors, const char *pointer, const char *fmt, ...)
{
    struct ruleset_error *error;
    va_list args;

    errors->count++;
    if (errors->shown == RULESET_ERRORS_MAX) return;
    error = &errors->error[errors->shown++];
    str_copy(error->pointer, sizeof error->pointer, str_of(pointer));
    va_start(args, fmt);
    vsnprintf(error->text, sizeof error->text, fmt, args);
    va_end(args);
}

static struct ruleset_own *own_new(void)
{
    struct ruleset_own *own = calloc(1, sizeof *own);

    if (!own) return NULL;
    own->refs = 1;
    own->pub.default_zone = ZONES_NONE;
    own->pub.zone_from = (1 << ZONE_SOURCES) - 1;
    own->pub.purposes = own->pub.dialing = RULE_ANY;
    own->pub.subject_field = STR("");
    own->pub.disposition_field = STR("DispositionCode");
    own->pub.reserve_s = RESERVE_DEFAULT_S;
    return own;
}

static void own_free(struct ruleset_own *own)
{
    struct ruleset *set = &own->pub;
    struct ruleset_chunk *c, *next;

    free(set->list);
    free(set->rule);
    free(set->plan);
    free(set->window);
    free(set->date);
    free(set->prefix);
    free(set->postal);
    free(set->word);
    free(set->word_text);
    free(set->list_name);
    free(set->named_list);
    free(set->named_rule);
    expr_pool_done(&set->expr);
    ruleset_names_done(&own->rule_names);
    for (c = own->chunks; c; c = next) {
        next = c->next;
        free(c);
    }
    free(own);
}

struct ruleset *ruleset_ref(struct ruleset *r)
{
    __atomic_add_fetch(&((struct ruleset_own *)r)->refs, 1, __ATOMIC_RELAXED);
    return r;
}

void ruleset_unref(struct ruleset *r)
{
    struct ruleset_own *own = (struct ruleset_own *)r;

    if (own && __atomic_sub_fetch(&own->refs, 1, __ATOMIC_ACQ_REL) == 0) own_free(own);
}

int ruleset_find(const struct ruleset *r, struct str name)
{
    return ruleset_names_find(&((const struct ruleset_own *)r)->rule_names, name);
}

static void reader_done(struct ruleset_reader *r)
{
    free(r->rule_origin);
    free(r->rule_use);
    free(r->list_use);
    ruleset_names_done(&r->list_names);
    ruleset_names_done(&r->plan_names);
}

static int read_text(struct ruleset_reader *r, struct str text)
{
    char *copy;

    if (text.size > RULESET_TEXT_MAX) {
        ruleset_errors_add(r->errors, "", "has %zu bytes, at most %zu are allowed", text.size,
                           RULESET_TEXT_MAX);
        return ERR_BAD_VALUE;
    }
    copy = ruleset_alloc(r, text.size + 1);
    if (!copy) return ERR_NOMEM;
    if (text.size) memcpy(copy, text.ptr, text.size);
    copy[text.size] = 0;
    r->set->text = str_make(copy, text.size);
    r->set->sum = hash_sum(copy, text.size);
    ruleset_read(r);
    return 0;
}

// Ends with the ruleset in *ret, or with nothing left of it.
static int finish(struct ruleset_reader *r, int err, unsigned errors_before, struct ruleset **ret)
{
    if (!err && !r->err) ruleset_join(r);
    if (!err) err = r->err;
    if (!err && r->errors->count > errors_before) err = ERR_BAD_VALUE;
    reader_done(r);
    if (err)
        own_free(r->own);
    else
        *ret = r->set;
    return err;
}

int ruleset_parse(struct ruleset **ret, struct str text, const struct places *places,
                  const struct packs *packs, bool (*has_list)(void *ctx, struct str name),
                  void *ctx, struct ruleset_errors *errors)
{
    struct ruleset_reader r = {.places = places,
                               .zones = places_zones(places),
                               .packs = packs,
                               .has_list = has_list,
                               .has_list_ctx = ctx,
                               .errors = errors};
    unsigned before = errors->count;

    r.own = own_new();
    if (!r.own) return ERR_NOMEM;
    r.set = &r.own->pub;
    return finish(&r, read_text(&r, text), before, ret);
}

int ruleset_of_pack(struct ruleset **ret, const struct pack *pack, const struct places *places,
                    const struct packs *packs, struct ruleset_errors *errors)
{
    struct ruleset_reader r = {.places = places,
                               .zones = places_zones(places),
                               .packs = packs,
                               .errors = errors,
                               .alone = true};
    unsigned before = errors->count;

    r.own = own_new();
    if (!r.own) return ERR_NOMEM;
    r.set = &r.own->pub;
    r.set->sum = pack->sum;
    r.set->enforce_unverified = true;
    // "US states": the country is the first word
    r.set->default_country =
        (uint16_t)places_country(places, str_cut(pack->jurisdiction, ' ', &(struct str){0}));
    r.set->subject_field = STR(PACK_SUBJECT);
    ruleset_read_pack(&r, pack, 0);
    return finish(&r, 0, before, ret);
}
