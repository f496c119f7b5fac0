// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/places_part.h"

#include <limits.h>

#include "engine/base/check.h"

// Zones are told apart by what they do in these years. Law changes reach us with tzdata, so a
// difference that begins later is seen when it is known.
#define SAME_FROM_S  INT64_C(1577836800) // 2020-01-01
#define SAME_UNTIL_S INT64_C(2208988800) // 2040-01-01

static uint64_t clock_sum(const struct zones *z, unsigned zone)
{
    uint64_t sum = 0;

    for (int64_t at = SAME_FROM_S; at < SAME_UNTIL_S;) {
        struct zone_offset o = zones_offset(z, zone, at);

        sum = hash_keyed_u64(sum, (uint64_t)at);
        sum = hash_keyed_u64(sum, (uint64_t)(int64_t)o.offset_s);
        at = o.until_s;
    }
    return sum;
}

void places_pool_same(struct places *p)
{
    uint64_t sum[ZONES_MAX];
    unsigned count = zones_count(p->zones);

    for (unsigned i = 0; i < count; i++) {
        unsigned k = 0;

        sum[i] = clock_sum(p->zones, i);
        while (sum[k] != sum[i]) k++;
        p->same[i] = (uint16_t)k;
    }
}

static void sort(uint16_t *zone, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        uint16_t moved = zone[i];
        unsigned k = i;

        for (; k > 0 && zone[k - 1] > moved; k--) zone[k] = zone[k - 1];
        zone[k] = moved;
    }
}

// zone.tab names a country's largest zone first, but begins Australia with its islands.
static bool is_better_known(const struct places *p, uint16_t zone, uint16_t than)
{
    static const char *const known[] = {"Australia/Sydney", "Australia/Melbourne"};

    for (unsigned i = 0; i < COUNT_OF(known); i++) {
        if (strcmp(zones_name(p->zones, than), known[i]) == 0) return false;
        if (strcmp(zones_name(p->zones, zone), known[i]) == 0) return true;
    }
    return zone < than;
}

// Sorted, each clock once, in place, by the name that people know it by; how many are left.
static unsigned clocks_of(const struct places *p, uint16_t *zone, unsigned count)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned k = 0;

        while (k < kept && p->same[zone[k]] != p->same[zone[i]]) k++;
        if (k == kept)
            zone[kept++] = zone[i];
        else if (is_better_known(p, zone[i], zone[k]))
            zone[k] = zone[i];
    }
    sort(zone, kept);
    return kept;
}

const struct zone_set *places_pool_set(struct places *p, const uint16_t *zones, unsigned count)
{
    uint16_t zone[PLACES_SET_MAX];
    struct zone_set *set;

    if (count == 0 || count > PLACES_SET_MAX) return NULL;
    memcpy(zone, zones, count * sizeof *zone);
    count = clocks_of(p, zone, count);
    for (unsigned i = 0; i < p->set_count; i++) {
        set = p->set[i];
        if (set->count == count && memcmp(set->zone, zone, count * sizeof *zone) == 0) return set;
    }
    if (p->set_count == PLACES_SETS_MAX || p->word_count + count + 1 > PLACES_WORDS_MAX)
        return NULL;
    set = (struct zone_set *)(p->words + p->word_count);
    set->count = (uint16_t)count;
    memcpy(set->zone, zone, count * sizeof *zone);
    p->word_count += count + 1;
    p->set[p->set_count++] = set;
    return set;
}

// Where two zones keep the same time the set that comes first has the names: the US has its own.
static bool add_pairs(struct places *p, const struct zone_set *of)
{
    for (unsigned i = 0; of && i < of->count; i++) {
        for (unsigned k = 0; k < i; k++) {
            uint16_t pair[] = {of->zone[i], of->zone[k]};
            unsigned a = p->home[p->same[pair[0]]], b = p->home[p->same[pair[1]]];
            const struct zone_set *set = places_pool_set(p, pair, 2);

            if (!set) return false;
            if (!p->pair[a][b]) p->pair[a][b] = p->pair[b][a] = set;
        }
    }
    return true;
}

// Any two clocks of the US and Canada, and all clocks of the world.
bool places_pool_more(struct places *p)
{
    static const char *const homes[] = {"US", "CA", "1"};
    const struct place *all = places_of_country(p, STR("1"));
    uint16_t zone[PLACES_SET_MAX];
    unsigned count = 0;

    if (all && all->zones) {
        if (all->zones->count >= PLACES_HOME_MAX) return false;
        for (unsigned i = 0; i < all->zones->count; i++)
            p->home[p->same[all->zones->zone[i]]] = (uint8_t)(i + 1);
    }
    for (unsigned i = 0; i < COUNT_OF(homes); i++) {
        const struct place *home = places_of_country(p, str_of(homes[i]));

        if (home && !add_pairs(p, home->zones)) return false;
    }
    for (unsigned i = 0; i < zones_count(p->zones) && count < PLACES_SET_MAX; i++)
        if (p->same[i] == i) zone[count++] = (uint16_t)i;
    return count < PLACES_SET_MAX && places_pool_set(p, zone, count);
}

// -- set algebra --------------------------------------------------------------------------------

static bool has_clock(const struct places *p, const struct zone_set *set, uint16_t zone)
{
    for (unsigned i = 0; i < set->count; i++)
        if (p->same[set->zone[i]] == p->same[zone]) return true;
    return false;
}

static bool has_all(const struct places *p, const struct zone_set *set, const struct zone_set *of)
{
    for (unsigned i = 0; i < of->count; i++)
        if (!has_clock(p, set, of->zone[i])) return false;
    return true;
}

static bool has_names(const struct zone_set *set, const struct zone_set *of)
{
    for (unsigned i = 0; i < of->count; i++) {
        unsigned k = 0;

        while (k < set->count && set->zone[k] != of->zone[i]) k++;
        if (k == set->count) return false;
    }
    return true;
}

const struct zone_set *places_zones_either(const struct places *p, const struct zone_set *a,
                                           const struct zone_set *b)
{
    const struct zone_set *best = NULL;
    unsigned least = UINT_MAX;

    if (has_all(p, a, b)) return a;
    if (has_all(p, b, a)) return b;
    if (a->count == 1 && b->count == 1) {
        unsigned i = p->home[p->same[a->zone[0]]], k = p->home[p->same[b->zone[0]]];

        if (p->pair[i][k]) return p->pair[i][k];
    }
    for (unsigned i = 0; i < p->set_count; i++) {
        const struct zone_set *set = p->set[i];
        // of two that keep the same time the one that has the zones by their names
        unsigned cost = set->count * 2u + !(has_names(set, a) && has_names(set, b));

        if (cost >= least || !has_all(p, set, a) || !has_all(p, set, b)) continue;
        least = cost;
        best = set;
    }
    CHECK(best); // the last one has every clock, see places_pool_more
    return best;
}

const struct zone_set *places_zones_both(const struct places *p, const struct zone_set *a,
                                         const struct zone_set *b)
{
    const struct zone_set *common = NULL, *smaller = a->count <= b->count ? a : b;

    if (a == b || has_all(p, b, a)) return a;
    if (has_all(p, a, b)) return b;
    for (unsigned i = 0; i < a->count; i++) {
        const struct zone_set *one;

        if (!has_clock(p, b, a->zone[i])) continue;
        one = zones_only(p->zones, a->zone[i]);
        common = common ? places_zones_either(p, common, one) : one;
    }
    // where no set is made for them another one holds them, and maybe more than the smaller one
    return common && common->count > smaller->count ? smaller : common;
}

static bool same_place(const struct place *a, const struct place *b)
{
    return a->zones == b->zones && memcmp(&a->at, &b->at, sizeof a->at) == 0;
}

const struct place *places_pool_place(struct places *p, const struct place *place)
{
    for (unsigned i = p->place_count; i-- > 0;)
        if (same_place(&p->place[i], place)) return &p->place[i];
    if (p->place_count == PLACES_POOL_MAX) return NULL;
    p->place[p->place_count] = *place;
    return &p->place[p->place_count++];
}

static void add_bits(struct places_bits *to, const struct places_bits *from)
{
    for (unsigned i = 0; i < ATTEMPT_REGION_WORDS; i++) to->regions[i] |= from->regions[i];
    for (unsigned i = 0; i < ATTEMPT_COUNTRY_WORDS; i++) to->countries[i] |= from->countries[i];
}

const struct place *places_pool_join(struct places *p, const struct place *a, const struct place *b)
{
    uint16_t zone[PLACES_SET_MAX];
    struct place both = *b;

    if (!a || same_place(a, b)) return b;
    add_bits(&both.at, &a->at);
    if (a->zones && b->zones) {
        unsigned n = a->zones->count, m = b->zones->count;

        if (n + m > PLACES_SET_MAX) return NULL;
        memcpy(zone, a->zones->zone, n * sizeof *zone);
        memcpy(zone + n, b->zones->zone, m * sizeof *zone);
        both.zones = places_pool_set(p, zone, n + m);
        if (!both.zones) return NULL;
    } else {
        both.zones = NULL; // one of them may be anywhere
    }
    return places_pool_place(p, &both);
}

// -- names --------------------------------------------------------------------------------------

static size_t fold(char *folded, struct str name)
{
    name = str_trim(name);
    if (name.size == 0 || name.size > PLACES_NAME_MAX) return 0;
    for (size_t i = 0; i < name.size; i++) folded[i] = str_lower(name.ptr[i]);
    return name.size;
}

// The name's slot, or the free one where it would be.
static unsigned slot_of(const struct places *p, unsigned space, const char *folded, size_t size)
{
    unsigned slot = (unsigned)hash_keyed(space, folded, size) % PLACES_NAMES_MAX;

    for (;; slot = (slot + 1) % PLACES_NAMES_MAX) {
        const struct places_name *n = &p->name[slot];

        if (!n->text) return slot;
        if (n->size == size && n->space == space && memcmp(n->text, folded, size) == 0) return slot;
    }
}

bool places_pool_name(struct places *p, unsigned space, struct str name, const void *value)
{
    char folded[PLACES_NAME_MAX];
    size_t size = fold(folded, name);
    struct places_name *n;

    if (size == 0 || p->text_size + size > PLACES_TEXT_MAX) return false;
    n = &p->name[slot_of(p, space, folded, size)];
    if (n->text) {
        n->value = value;
        return true;
    }
    if (p->name_count == PLACES_NAMES_MAX / 2) return false;
    *n = (struct places_name){memcpy(p->text + p->text_size, folded, size), (uint16_t)size,
                              (uint16_t)space, value};
    p->text_size += (unsigned)size;
    p->name_count++;
    return true;
}

const void *places_pool_find(const struct places *p, unsigned space, struct str name)
{
    char folded[PLACES_NAME_MAX];
    size_t size = fold(folded, name);

    return size ? p->name[slot_of(p, space, folded, size)].value : NULL;
}
