// SPDX-License-Identifier: Apache-2.0
//
// ruleset: one tenant's rule-set document, read and checked as a whole, with the rules of the packs
// it names. Immutable once made; shared by reference count. Docs: docs/rules.md.
//
// Checking finds every error, each with its JSON pointer (RFC 6901); a document with one error is
// refused whole. Never evaluates anything.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/rule/pack.h"
#include "engine/rule/rule.h"

#define RULESET_TEXT_MAX   ((size_t)4 << 20) // bytes of a document
#define RULESET_RULES_MAX  1024              // with those of packs
#define RULESET_LISTS_MAX  320               // LIMIT_LISTS
#define RULESET_PLANS_MAX  4096              // campaign groups
#define RULESET_ERRORS_MAX 100               // told of one document; the rest is only counted
#define RULESET_FIELDS_MAX 24                // fields that expressions of one tenant name
#define RULESET_COUNTS_MAX 256               // different counts of attempts in its expressions

// A list as the document (or a pack) declares it.
struct ruleset_list {
    struct str name, pack, cite, url, note, verified;
    char kind;        // 'd' device, 'c' client, 'e' email, 0 = not said
    uint8_t channels; // bits; RULE_ANY
    bool required;
    uint32_t max_age_s; // 0 = any age
};

struct ruleset_plan {
    struct str campaign_group;
    struct rule_slice lists;              // of `named_list`: numbers of `list_name`
    struct rule_slice rules;              // of `named_rule`: numbers of `rule`
    uint8_t zone_from, purposes, dialing; // 0 = the tenant's
};

struct ruleset {
    struct str text; // the document as it was given
    uint64_t sum;    // hash_sum of it
    struct str version, tenant_name;
    uint16_t default_country; // 0 = not given: the engine's
    uint16_t default_zone;    // ZONES_NONE = not given
    bool unknown_is_default;  // "zone_unknown": "default"
    bool enforce_unverified;
    uint8_t zone_from, purposes, dialing;        // purposes, dialing RULE_ANY = not said
    struct str subject_field, disposition_field; // "" = none; names without '$'
    uint32_t reserve_s;                          // how long an "allow" keeps its attempt free
    uint32_t window_max_s; // the longest attempts window in use, calendar days with their slack

    unsigned list_count, rule_count, plan_count;
    struct ruleset_list *list;
    struct rule *rule;         // by priority, then name: the order in which they name a block
    struct ruleset_plan *plan; // by campaign_group
    // The flat tables that slices point into.
    struct rule_window *window;
    struct calendar_spec *date;
    struct rule_prefix *prefix;
    struct rule_postal *postal;
    uint32_t *word;        // attempt_word of dispositions
    struct str *word_text; // and as written
    struct str *list_name; // those of `list` first, in its order
    uint16_t *named_list, *named_rule;
    unsigned window_count, date_count, prefix_count, postal_count, word_count, list_name_count,
        named_list_count, named_rule_count;
    struct expr_pool expr;
};

struct ruleset_error {
    char pointer[128]; // "/rules/3/windows/0/till"
    char text[224];    // a sentence: what is wrong and what would be right
};
// Owner: the caller; zero it first.
struct ruleset_errors {
    unsigned count, shown; // shown <= RULESET_ERRORS_MAX
    struct ruleset_error error[RULESET_ERRORS_MAX];
};
void ruleset_errors_add(struct ruleset_errors *errors, const char *pointer, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// Reads and checks a document. `has_list(ctx, name)` says whether the engine has a list of that
// name that the document need not declare (NULL: it has none). `text` is copied. 0, ERR_BAD_VALUE
// with `errors` (at least one), ERR_NOMEM. The result has one reference, the caller's.
int ruleset_parse(struct ruleset **ret, struct str text, const struct places *places,
                  const struct packs *packs, bool (*has_list)(void *ctx, struct str name),
                  void *ctx, struct ruleset_errors *errors);
// A pack alone, as a tenant would have it that enforces all of it (for checks and vectors).
int ruleset_of_pack(struct ruleset **ret, const struct pack *pack, const struct places *places,
                    const struct packs *packs, struct ruleset_errors *errors);
struct ruleset *ruleset_ref(struct ruleset *r);
void ruleset_unref(struct ruleset *r); // NULL is fine

// Index of the rule of that name, -1 when there is none.
int ruleset_find(const struct ruleset *r, struct str name);
// {"name":…,"type":…,"mode":…,"pack":…,"cite":…,"url":…,"verified":…,…}: a rule as people read it.
void ruleset_write_rule(struct buf *out, const struct ruleset *r, unsigned rule);
