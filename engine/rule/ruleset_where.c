// SPDX-License-Identifier: Apache-2.0
#include "engine/base/check.h"
#include "engine/rule/ruleset_read.h"

#define COUNTRIES_MAX   PLACES_COUNTRIES_MAX
#define STATES_MAX      PLACES_REGIONS_MAX
#define CODES_MAX       4096 // prefixes of one kind in one rule
#define AREA_DIGITS_MAX 9

struct where {
    struct rule_where *into;
    bool counted; // the place of attempts
    struct places_bits at;
    bool has_country;
};

void ruleset_where_any(struct rule_where *where)
{
    *where = (struct rule_where){0};
    memset(&where->at, 0xff, sizeof where->at);
}

// Asked once a country and document: a long document may name all of them in each rule.
static const uint64_t *regions_of(struct ruleset_reader *r, unsigned country)
{
    if (!places_has(r->country_known, country))
        places_regions_of(r->places, country, r->country_regions[country]);
    r->country_known[country / 64] |= UINT64_C(1) << country % 64;
    return r->country_regions[country];
}

static void take_country(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct where *w = into;
    char scratch[RULESET_PEEK_BYTES];
    struct str code = ruleset_peek(v, scratch, sizeof scratch);
    unsigned country;
    const uint64_t *regions;

    if (!ruleset_is(r, v, JSON_STRING, "a country's two letters, like \"US\"")) return;
    country = code.size == 2 ? places_country(r->places, code) : 0;
    if (!country) {
        ruleset_fail(r, "unknown country \"%.*s\"; use ISO 3166 alpha-2, like \"US\"",
                     RULESET_CLIP(code));
        return;
    }
    w->at.countries[country / 64] |= UINT64_C(1) << country % 64;
    regions = regions_of(r, country);
    for (unsigned i = 0; i < ATTEMPT_REGION_WORDS; i++) w->at.regions[i] |= regions[i];
}

// States are looked up everywhere and then cut down to the countries that the rule names, because
// a code looked up in each of many countries would cost their product.
static void take_state(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct where *w = into;
    char scratch[RULESET_PEEK_BYTES];
    struct str code = ruleset_peek(v, scratch, sizeof scratch);
    uint64_t regions[ATTEMPT_REGION_WORDS], found = 0;

    if (!ruleset_is(r, v, JSON_STRING, "a state's code, like \"TX\"")) return;
    if (!places_regions(r->places, 0, code, regions)) {
        ruleset_fail(r, "unknown state \"%.*s\"; use its code, like \"TX\"", RULESET_CLIP(code));
        return;
    }
    for (unsigned i = 0; i < ATTEMPT_REGION_WORDS; i++) {
        if (w->has_country) regions[i] &= w->at.regions[i];
        found |= regions[i];
        w->into->at.regions[i] |= regions[i];
    }
    if (!found)
        ruleset_fail(r, "state \"%.*s\" lies in none of the countries of this \"where\"",
                     RULESET_CLIP(code));
}

static void take_area_code(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct where *w = into;
    struct rule_prefix *prefix;
    uint64_t n;
    bool good = v.type == JSON_STRING && str_to_u64(v.text, &n) && v.text.ptr[0] != '0' &&
                v.text.size <= AREA_DIGITS_MAX;

    if (good && w->counted) good = v.text.size == 3;
    if (!good) {
        ruleset_fail(r, w->counted ? "must be an area code of three digits, like \"867\""
                                   : "must be the first digits of a national number in quotes, "
                                     "without a leading 0, like \"867\"");
        return;
    }
    prefix = ruleset_push(r, &r->set->prefix, &r->set->prefix_count, sizeof *prefix, "area codes");
    if (!prefix) return;
    *prefix = (struct rule_prefix){(uint32_t)n, (uint8_t)v.text.size};
    w->into->area_codes.count++;
}

static void take_postal_code(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct where *w = into;
    char scratch[RULESET_PEEK_BYTES];
    struct str code = ruleset_peek(v, scratch, sizeof scratch);
    struct rule_postal *row, postal = {0};
    unsigned shift = 64;
    bool good = v.type == JSON_STRING;

    for (size_t i = 0; good && i < code.size; i++) {
        char c = code.ptr[i];

        if (c == ' ' || c == '-') continue;
        if (str_lower(c) >= 'a' && str_lower(c) <= 'z') c = (char)(str_lower(c) & ~0x20);
        good = shift > 0 && (str_is_digit(c) || (c >= 'A' && c <= 'Z'));
        if (!good) break;
        shift -= 8;
        postal.text |= (uint64_t)(unsigned char)c << shift;
        postal.mask |= UINT64_C(0xff) << shift;
    }
    if (!good || !postal.mask) {
        ruleset_fail(r, "must be the beginning of a postal code, 1 to 8 letters and digits, like "
                        "\"750\" or \"SW1A\"");
        return;
    }
    row = ruleset_push(r, &r->set->postal, &r->set->postal_count, sizeof *row, "postal codes");
    if (!row) return;
    *row = postal;
    w->into->postal_codes.count++;
}

static void take_countries(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct where *w = into;

    w->has_country = true;
    ruleset_each(r, v, 1, COUNTRIES_MAX, take_country, w);
    memcpy(w->into->at.countries, w->at.countries, sizeof w->at.countries);
}

static void take_states(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct where *w = into;

    memset(w->into->at.regions, 0, sizeof w->into->at.regions);
    ruleset_each(r, v, 1, STATES_MAX, take_state, w);
}

static void take_area_codes(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct where *w = into;

    w->into->area_codes.first = (uint16_t)r->set->prefix_count;
    ruleset_each(r, v, 1, w->counted ? RULE_COUNTED_CODES_MAX : CODES_MAX, take_area_code, w);
}

static void take_postal_codes(struct ruleset_reader *r, void *into, struct json_value v)
{
    struct where *w = into;

    if (w->counted) {
        ruleset_fail(r, "attempts are kept without their postal code; use \"country\", \"state\" "
                        "or \"area_code\"");
        return;
    }
    w->into->postal_codes.first = (uint16_t)r->set->postal_count;
    ruleset_each(r, v, 1, CODES_MAX, take_postal_code, w);
}

// In this order: states look at the countries.
static const struct ruleset_key keys[] = {
    {.name = {"country", 7}, .kind = RULESET_TAKE, .take = take_countries},
    {.name = {"state", 5}, .kind = RULESET_TAKE, .take = take_states},
    {.name = {"area_code", 9}, .kind = RULESET_TAKE, .take = take_area_codes},
    {.name = {"postal_code", 11}, .kind = RULESET_TAKE, .take = take_postal_codes},
    {.name = {0}},
};

static void take_where(struct ruleset_reader *r, struct rule_where *into, bool counted,
                       struct json_value v)
{
    struct ruleset_members m;
    struct where w = {.into = into, .counted = counted};
    unsigned errors = r->errors->count;

    ruleset_where_any(into);
    if (!ruleset_collect_value(r, v, keys, &m)) return;
    if (!m.present && r->errors->count == errors)
        ruleset_fail(r, "is empty; name a place, or leave the key out");
    ruleset_take(r, keys, &m, &w, VERDICT_NONE);
}

void ruleset_where(struct ruleset_reader *r, void *into, struct json_value v)
{
    take_where(r, into, false, v);
}

void ruleset_where_counted(struct ruleset_reader *r, void *into, struct json_value v)
{
    take_where(r, into, true, v);
}
