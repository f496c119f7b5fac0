// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/judge.h"

#include "engine/base/check.h"
#include "engine/rule/judge_part.h"

// An external service's answer is asked for again so soon.
#define EXTERNAL_AGAIN_S 60

// Where and how the contact would be made, in the form that rules are held against. Bit 0, which is
// nobody's number, stands for "anywhere": all ones in a rule have it.
struct site {
    uint64_t regions[ATTEMPT_REGION_WORDS], countries[ATTEMPT_COUNTRY_WORDS];
    uint8_t channels;
};

static bool meets(const uint64_t *a, const uint64_t *b, unsigned words)
{
    uint64_t both = 0;

    for (unsigned i = 0; i < words; i++) both |= a[i] & b[i];
    return both != 0;
}

static void site_from_facts(struct site *site, const struct judge *j)
{
    const struct places_bits *at = &j->facts->at;

    for (unsigned i = 0; i < ATTEMPT_REGION_WORDS; i++) site->regions[i] = at->regions[i];
    for (unsigned i = 0; i < ATTEMPT_COUNTRY_WORDS; i++) site->countries[i] = at->countries[i];
    site->regions[0] |= 1;
    site->countries[0] |= 1;
    site->channels = j->channel == CHANNEL_ANY ? RULE_ANY : (uint8_t)(1u << j->channel);
}

static inline bool is_here(const struct site *site, const struct rule_op *op)
{
    return meets(site->regions, op->at.regions, ATTEMPT_REGION_WORDS) &&
           meets(site->countries, op->at.countries, ATTEMPT_COUNTRY_WORDS) &&
           (site->channels & op->channels);
}

static bool has_area_code(const struct facts *f, const struct rule_prefix *prefix)
{
    uint64_t first = f->national;

    if (f->national_digits < prefix->digits) return false;
    for (unsigned i = prefix->digits; i < f->national_digits; i++) first /= 10;
    return first == prefix->value;
}

// The bytes of a postal code that there are: the code may be shorter than what a rule names.
static uint64_t postal_mask(uint64_t postal)
{
    uint64_t high = 0x8080808080808080, low = 0x7f7f7f7f7f7f7f7f;

    return ((((postal & low) + low) | postal) & high) / 0x80 * 0xff;
}

static bool is_in_codes(const struct judge_case *c)
{
    const struct ruleset *set = c->j->plan->set;
    const struct rule_where *where = &c->rule->where;
    const struct facts *f = c->j->facts;
    uint64_t mask = postal_mask(f->postal);
    bool found = where->area_codes.count == 0 || f->national == 0;

    for (unsigned i = 0; i < where->area_codes.count && !found; i++)
        found = has_area_code(f, &set->prefix[where->area_codes.first + i]);
    if (!found) return false;
    found = where->postal_codes.count == 0 || f->postal == 0;
    for (unsigned i = 0; i < where->postal_codes.count && !found; i++) {
        const struct rule_postal *postal = &set->postal[where->postal_codes.first + i];

        found = ((f->postal ^ postal->text) & postal->mask & mask) == 0;
    }
    return found;
}

// Does a rule that is here, and for this channel, apply?
static bool applies(const struct judge_case *c)
{
    bool counts_unknown;

    if (c->op->plain) return true;
    if (!is_in_codes(c) || !judge_in_force(c)) return false;
    if (c->rule->unless == RULE_EXPR_NONE) return true;
    return judge_expr(c, c->rule->unless, c->op->unless_test_first, &counts_unknown) != EXPR_TRUE;
}

static void judge_line_type(const struct judge_case *c)
{
    enum line_type line = c->j->facts->line_type;

    if (line == LINE_UNKNOWN)
        judge_block(c, REASON_LINE_TYPE_UNKNOWN);
    else if (c->rule->line_types >> line & 1)
        judge_block(c, REASON_BANNED_LINE_TYPE);
}

static void judge_custom(const struct judge_case *c)
{
    bool counts_unknown;

    switch (judge_expr(c, c->rule->block_if, c->op->test_first, &counts_unknown)) {
    case EXPR_FALSE:
        break;
    case EXPR_TRUE:
        judge_block(c, REASON_EXPRESSION_TRUE);
        break;
    case EXPR_UNKNOWN:
        judge_block(c, counts_unknown ? REASON_ATTEMPTS_UNKNOWN : REASON_EXPRESSION_UNKNOWN);
        break;
    }
}

static void judge_external(const struct judge_case *c)
{
    const struct judge_world *world = c->j->world;
    int call_result = c->rule->call_result;

    judge_until(c, c->j->clock->now_s + EXTERNAL_AGAIN_S);
    switch (world->external(world->ctx, c->op->rule, &call_result)) {
    case JUDGE_EXTERNAL_ALLOWS:
        break;
    case JUDGE_EXTERNAL_REFUSES:
        judge_block(c, REASON_EXTERNAL_NO);
        c->finding->call_result = call_result;
        break;
    case JUDGE_EXTERNAL_SILENT:
        judge_block(c, REASON_EXTERNAL_SILENT);
        break;
    }
}

static void judge_emergency(const struct judge_case *c)
{
    int64_t now_s = c->j->clock->now_s;

    if (now_s >= c->rule->emergency.till_s) return;
    if (now_s < c->rule->emergency.from_s) {
        judge_until(c, c->rule->emergency.from_s);
        return;
    }
    judge_until(c, c->rule->emergency.till_s);
    judge_block(c, REASON_EMERGENCY_HERE);
}

static void judge_freshness(const struct judge_case *c)
{
    const struct judge_world *world = c->j->world;
    int64_t obtained_s = world->obtained_s(world->ctx, c->rule->of_list.list);
    int64_t stale_s = obtained_s + c->rule->of_list.max_age_s;

    if (obtained_s == 0 || stale_s <= c->j->clock->now_s)
        judge_block(c, REASON_LIST_STALE);
    else
        judge_until(c, stale_s);
}

static void judge_suppression(const struct judge_case *c)
{
    const struct judge_world *world = c->j->world;
    int64_t until_s = INT64_MAX;

    switch (world->listed(world->ctx, c->rule->of_list.list, &until_s)) {
    case JUDGE_NOT_LISTED:
        break;
    case JUDGE_LISTED:
        judge_block(c, REASON_RULE_LISTED);
        break;
    case JUDGE_LIST_MISSING:
        // nobody asked not to be called: no dialer may keep the rule's "Do Not Call" of this
        judge_block(c, REASON_LIST_LOADING);
        c->finding->call_result = verdict_type_call_result(VERDICT_FRESHNESS);
        break;
    }
    judge_until(c, until_s);
}

static void judge_type(const struct judge_case *c)
{
    switch (c->op->type) {
    case VERDICT_CONTACT_TIMES:
        judge_times(c);
        break;
    case VERDICT_CONTACT_DATES:
        judge_dates(c);
        break;
    case VERDICT_ATTEMPTS:
        judge_attempts(c);
        break;
    case VERDICT_LOCATION:
        judge_block(c, REASON_BANNED_PLACE);
        break;
    case VERDICT_LINE_TYPE:
        judge_line_type(c);
        break;
    case VERDICT_CUSTOM:
        judge_custom(c);
        break;
    case VERDICT_EXTERNAL:
        judge_external(c);
        break;
    case VERDICT_EMERGENCY:
        judge_emergency(c);
        break;
    case VERDICT_FRESHNESS:
        judge_freshness(c);
        break;
    case VERDICT_SUPPRESSION:
        judge_suppression(c);
        break;
    default:
        CHECK(!"a rule has one of the types above");
    }
}

// A rule that is here.
static void judge_one(const struct judge *j, unsigned op, struct judge_finding *finding,
                      struct judge_zones *zones)
{
    struct judge_case c = {.j = j, .op = &j->plan->op[op], .finding = finding, .zones = zones};

    c.rule = &j->plan->set->rule[c.op->rule];
    finding->applies = applies(&c);
    if (finding->applies) judge_type(&c);
}

#define NOTHING_FOUND                                                                              \
    (struct judge_finding)                                                                         \
    {                                                                                              \
        .until_s = INT64_MAX, .zone = ZONES_NONE                                                   \
    }

void judge_rule(const struct judge *j, unsigned op, struct judge_finding *ret)
{
    struct judge_zones zones = {.from = 0};
    struct site site;

    *ret = NOTHING_FOUND;
    site_from_facts(&site, j);
    if (is_here(&site, &j->plan->op[op])) judge_one(j, op, ret, &zones);
}

// The rules that name a region of the site, or all: bit n = op 64 * word + n.
static uint64_t candidates(const struct judge *j, const struct site *site, unsigned word)
{
    const struct rule_plan *plan = j->plan;
    uint64_t wanted = j->counting ? plan->counting_row[word] : UINT64_MAX, found = 0;

    if (!wanted) return 0;
    for (unsigned i = 0; i < ATTEMPT_REGION_WORDS; i++)
        for (uint64_t left = site->regions[i]; left; left &= left - 1) {
            unsigned row = i * 64 + (unsigned)__builtin_ctzll(left);

            found |= plan->region_row[row * plan->op_words + word];
        }
    return found & wanted;
}

int judge_first(const struct judge *j, struct judge_finding *ret_finding,
                void (*shadow)(void *ctx, unsigned op), void *ctx)
{
    const struct rule_plan *plan = j->plan;
    struct judge_zones zones = {.from = 0};
    struct judge_finding finding;
    struct site site;

    site_from_facts(&site, j);
    for (unsigned word = 0; word < plan->op_words; word++) {
        for (uint64_t left = candidates(j, &site, word); left; left &= left - 1) {
            unsigned i = word * 64 + (unsigned)__builtin_ctzll(left);
            const struct rule_op *op = &plan->op[i];

            if (!is_here(&site, op) || (op->shadow && !shadow)) continue;
            finding = NOTHING_FOUND;
            judge_one(j, i, &finding, &zones);
            if (!finding.blocks) continue;
            if (!op->shadow) {
                *ret_finding = finding;
                return (int)i;
            }
            shadow(ctx, i);
        }
    }
    return -1;
}
