// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/facts.h"

#include "engine/base/check.h"
#include "engine/wire/number.h"

#define BIT(field) (UINT64_C(1) << FIELD_##field)
#define DEVICE_FIELDS                                                                              \
    (BIT(D_TZ_JAVA_NAME) | BIT(D_STATE_CODE) | BIT(D_REGION_CODE) | BIT(D_COUNTRY_CODE))
#define ADDRESS_FIELDS                                                                             \
    (BIT(COUNTRY_CODE) | BIT(V1_COUNTRY) | BIT(POSTAL_CODE) | BIT(V1_POSTAL_CODE) |                \
     BIT(STATE_CODE) | BIT(REGION_CODE) | BIT(V1_STATE))
#define ZONE_FIELDS (BIT(TZ_NAME) | BIT(TZ_OFFSET) | BIT(V1_ZONE))

// One record under way.
struct look {
    struct facts *f;
    const struct places *places;
    const struct record *record;
    uint64_t device;
    const struct place *number; // what the device says; NULL = nothing
    // The country where the record is when it names none, and its name: the number's, else the
    // tenant's.
    const struct place *home;
    struct str home_text;
    // The country that the record names, else home.
    const struct place *where;
    bool named; // the record names it
    struct str where_text;
};

static inline struct str text_of(const struct look *l, enum record_field field)
{
    return l->record->present >> field & 1 ? l->record->value[field].text : (struct str){NULL, 0};
}

static inline struct str first_of(const struct look *l, enum record_field a, enum record_field b)
{
    struct str text = text_of(l, a);

    return text.size ? text : text_of(l, b);
}

static inline bool meet(const uint64_t *a, const uint64_t *b, unsigned words)
{
    uint64_t both = 0;

    for (unsigned i = 0; i < words; i++) both |= a[i] & b[i];
    return both != 0;
}

static bool is_nowhere(const struct places_bits *at)
{
    return !meet(at->countries, at->countries, ATTEMPT_COUNTRY_WORDS);
}

// A country without a region of it stands for any of its regions: written out, so that a region
// which other evidence names does not hide the others.
static void open_regions(const struct places *places, struct places_bits *at)
{
    uint64_t all[ATTEMPT_REGION_WORDS];

    for (unsigned w = 0; w < ATTEMPT_COUNTRY_WORDS; w++) {
        for (uint64_t left = at->countries[w]; left; left &= left - 1) {
            places_regions_of(places, w * 64 + (unsigned)__builtin_ctzll(left), all);
            if (meet(all, at->regions, ATTEMPT_REGION_WORDS)) continue;
            for (unsigned i = 0; i < ATTEMPT_REGION_WORDS; i++) at->regions[i] |= all[i];
        }
    }
}

static void join(const struct look *l, const struct places_bits *bits)
{
    struct places_bits at = *bits, *to = &l->f->at;

    if (UNLIKELY(!(at.regions[0] | at.regions[1]))) open_regions(l->places, &at);
    for (unsigned i = 0; i < ATTEMPT_REGION_WORDS; i++) to->regions[i] |= at.regions[i];
    for (unsigned i = 0; i < ATTEMPT_COUNTRY_WORDS; i++) to->countries[i] |= at.countries[i];
}

// NULL: this piece of evidence says something that nobody knows.
static void add_zones(const struct look *l, enum zone_source source, const struct zone_set *zones)
{
    if (!zones) zones = l->where->zones;
    if (l->f->zones[source] && zones != l->f->zones[source])
        l->f->zones_also[source] = zones;
    else
        l->f->zones[source] = zones;
}

static void add_place(const struct look *l, enum zone_source source, const struct place *place)
{
    if (!place) place = l->where;
    join(l, &place->at);
    add_zones(l, source, place->zones);
}

// -- the number ---------------------------------------------------------------------------------

// They reach whoever pays for the call, wherever that is: evidence of nothing.
static bool is_toll_free(uint64_t national)
{
    unsigned area = (unsigned)(national / 10000000);

    return area / 100 == 8 && area % 10 == area / 10 % 10 && area != 811 && area != 899;
}

// Digits of the country code at the start of an E.164 number (ITU-T E.164, annex D).
static unsigned calling_digits(unsigned first_two)
{
    static const uint64_t two[2] = {
        // 20 27 30-34 36 39 40 41 43-49 51-58 60-63
        1ull << 20 | 1ull << 27 | 31ull << 30 | 1ull << 36 | 7ull << 39 | 127ull << 43 |
            255ull << 51 | 15ull << 60,
        // 64-66 81 82 84 86 90-95 98
        7ull | 3ull << 17 | 1ull << 20 | 1ull << 22 | 63ull << 26 | 1ull << 34};

    if (first_two / 10 == 1 || first_two / 10 == 7) return 1;
    return two[first_two / 64] >> (first_two % 64) & 1 ? 2 : 3;
}

static void split_number(struct facts *f, uint64_t device)
{
    uint64_t national = number_nanp(device), unit = 1;
    unsigned digits = 1, behind;

    if (LIKELY(national)) {
        f->national = national;
        f->national_digits = 10;
        f->area_code = (uint16_t)(national / 10000000);
        return;
    }
    if (device == 0) return;
    for (; device / unit >= 10; unit *= 10) digits++;
    if (digits < 4) return;
    behind = digits - calling_digits((unsigned)(device / (unit / 10)));
    for (unit = 1; behind > 0; behind--) unit *= 10, f->national_digits++;
    f->national = device % unit;
}

// -- countries ----------------------------------------------------------------------------------

static inline bool in_country_of(const struct place *a, const struct place *b)
{
    return meet(a->at.countries, b->at.countries, ATTEMPT_COUNTRY_WORDS);
}

static void set_home(struct look *l, unsigned country)
{
    l->home = places_at_country(l->places, country);
    l->home_text = str_of(places_country_code(l->places, country));
}

// A number in +1 that says nothing is the tenant's where the tenant is in +1, else anybody's there.
static void find_home(struct look *l, unsigned default_country)
{
    const struct place *nanp;

    if (LIKELY(l->number)) {
        const uint64_t *countries = l->number->at.countries;
        unsigned word = 0;

        if (places_has(countries, default_country)) {
            set_home(l, default_country);
        } else {
            while (!countries[word]) word++;
            set_home(l, word * 64 + (unsigned)__builtin_ctzll(countries[word]));
        }
        return;
    }
    nanp = places_of_country(l->places, STR("1"));
    set_home(l, default_country);
    if (l->home && (!number_nanp(l->device) || in_country_of(l->home, nanp))) return;
    l->home = nanp;
    l->home_text = STR("1");
}

static void find_country(struct look *l)
{
    struct str text = first_of(l, FIELD_COUNTRY_CODE, FIELD_V1_COUNTRY);

    l->where = text.size ? places_of_country(l->places, text) : NULL;
    l->named = l->where;
    l->where_text = text;
    if (l->named) return;
    l->where = l->home;
    l->where_text = l->home_text;
}

// A country that is only guessed does not hide a region that has this name elsewhere.
static const struct place *find_region(const struct look *l, struct str text)
{
    const struct place *found = places_of_region(l->places, l->where_text, text);

    if (found || l->named) return found;
    return places_of_region(l->places, (struct str){NULL, 0}, text);
}

// -- the device ---------------------------------------------------------------------------------

// What both say; all that either says, and false, where they contradict each other.
static bool narrow(const struct look *l, struct places_bits *at, const struct place *by)
{
    struct places_bits other = by->at;
    bool meets;

    open_regions(l->places, at);
    open_regions(l->places, &other);
    meets = meet(at->countries, other.countries, ATTEMPT_COUNTRY_WORDS) &&
            (!meet(at->regions, at->regions, ATTEMPT_REGION_WORDS) ||
             meet(at->regions, other.regions, ATTEMPT_REGION_WORDS));
    for (unsigned i = 0; i < ATTEMPT_REGION_WORDS; i++)
        at->regions[i] =
            meets ? at->regions[i] & other.regions[i] : at->regions[i] | other.regions[i];
    for (unsigned i = 0; i < ATTEMPT_COUNTRY_WORDS; i++)
        at->countries[i] =
            meets ? at->countries[i] & other.countries[i] : at->countries[i] | other.countries[i];
    return meets;
}

// The place that OCS names for the number; NULL = none that we know.
static const struct place *place_of_ocs(const struct look *l)
{
    struct str country = text_of(l, FIELD_D_COUNTRY_CODE);
    struct str code = first_of(l, FIELD_D_STATE_CODE, FIELD_D_REGION_CODE);
    const struct place *by = country.size ? places_of_country(l->places, country) : NULL;
    const struct place *region = NULL;

    if (code.size) region = places_of_region(l->places, by ? country : l->home_text, code);
    return region ? region : by;
}

// The zone that OCS has for a number is made of its area code too, one where there may be two, and
// is the tenant's default where that says nothing: it counts beside what we make of the number.
static void add_ocs_zone(const struct look *l)
{
    struct str name = text_of(l, FIELD_D_TZ_JAVA_NAME);
    const struct zone_set *zones = name.size ? places_of_zone(l->places, name) : NULL;
    const struct zone_set **first = &l->f->zones[ZONE_DEVICE];
    const struct zone_set **also = &l->f->zones_also[ZONE_DEVICE];

    if (!zones || is_toll_free(number_nanp(l->device))) return;
    if (!*first)
        *first = zones;
    else if (zones->count > 1 || !places_zones_both(l->places, *first, zones))
        *also = *also ? places_zones_either(l->places, *also, zones) : zones;
}

// A number that nobody knows may be anywhere in the country it is in.
static const struct place *anywhere(const struct look *l)
{
    if (!l->named) return l->home;
    if (number_nanp(l->device) && !in_country_of(l->where, places_of_country(l->places, STR("1"))))
        return l->home;
    return l->where;
}

static void look_at_device(const struct look *l)
{
    const struct place *place = l->number, *by;
    struct places_bits at = {0};
    const struct zone_set *zones = NULL, *both = NULL;
    bool meets;

    if (!place && l->device && !is_toll_free(number_nanp(l->device))) place = anywhere(l);
    if (LIKELY(!(l->record->present & DEVICE_FIELDS))) {
        if (place) add_place(l, ZONE_DEVICE, place);
        return;
    }
    if (place) {
        at = place->at;
        zones = place->zones;
    }
    by = place_of_ocs(l);
    meets = by && narrow(l, &at, by);
    if (!is_nowhere(&at)) join(l, &at);
    // what OCS made of the number, and what we made of it: what both say, else all that either says
    if (zones && meets && by->zones) both = places_zones_both(l->places, zones, by->zones);
    l->f->zones[ZONE_DEVICE] = both ? both : zones ? zones : by ? by->zones : NULL;
    if (zones && by && !both) l->f->zones_also[ZONE_DEVICE] = by->zones;
    add_ocs_zone(l);
}

// -- the address --------------------------------------------------------------------------------

// As struct rule_postal: upper case, without spaces and hyphens, left-aligned.
static uint64_t pack_postal(struct str code)
{
    unsigned shift = 64;
    uint64_t packed = 0;

    for (size_t i = 0; i < code.size && shift > 0; i++) {
        char c = str_lower(code.ptr[i]);

        if (c >= 'a' && c <= 'z')
            c = (char)(c & ~0x20);
        else if (!str_is_digit(c))
            continue;
        shift -= 8;
        packed |= (uint64_t)(unsigned char)c << shift;
    }
    return packed;
}

static void look_at_postal_code(const struct look *l)
{
    struct str text = first_of(l, FIELD_POSTAL_CODE, FIELD_V1_POSTAL_CODE);
    const struct place *place = NULL;

    if (!text.size) return;
    l->f->postal = pack_postal(text);
    // five digits are a ZIP code only where nothing points to another country
    if (l->named)
        place = places_of_postal_code(l->places, l->where_text, text);
    else if (in_country_of(l->home, places_of_country(l->places, STR("1"))))
        place = places_of_postal_code(l->places, (struct str){NULL, 0}, text);
    add_place(l, ZONE_POSTAL_CODE, place);
}

static void look_at_state(const struct look *l)
{
    struct str state = first_of(l, FIELD_STATE_CODE, FIELD_V1_STATE);
    struct str region = text_of(l, FIELD_REGION_CODE);
    const struct place *second;

    if (state.size) {
        add_place(l, ZONE_STATE, find_region(l, state));
        if (!region.size) return;
        // beside a state a region may be anything a company calls so
        second = find_region(l, region);
        if (second) add_place(l, ZONE_STATE, second);
    } else if (region.size) {
        add_place(l, ZONE_STATE, find_region(l, region));
    }
}

// -- the contact's zone -------------------------------------------------------------------------

static const struct zone_set *zone_of_offset(const struct look *l)
{
    const struct zones *zones = places_zones(l->places);
    uint16_t zone = ZONES_NONE;
    int64_t offset_s;

    if (l->record->present & BIT(TZ_OFFSET) &&
        json_to_i64(l->record->value[FIELD_TZ_OFFSET], &offset_s) && offset_s >= -86400 &&
        offset_s <= 86400)
        zone = zones_fixed(zones, (int32_t)offset_s);
    return zone == ZONES_NONE ? NULL : zones_only(zones, zone);
}

static void look_at_zone(const struct look *l)
{
    struct str name = first_of(l, FIELD_TZ_NAME, FIELD_V1_ZONE);
    const struct zone_set *zones = name.size ? places_of_zone(l->places, name) : NULL, *here;

    // an abbreviation of several parts of the world; but the US has its zones in the territories,
    // too, which its own set does not list
    if (zones && zones->count > 1 && l->where->zones &&
        !places_has(l->where->at.countries, places_country(l->places, STR("US")))) {
        here = places_zones_both(l->places, zones, l->where->zones);
        if (here) zones = here;
    }
    add_zones(l, ZONE_CONTACT, zones ? zones : zone_of_offset(l));
}

// -- all of it ----------------------------------------------------------------------------------

// False when only the tenant's country speaks.
static bool look_around(struct look *l, unsigned default_country)
{
    uint64_t present = l->record->present;
    bool found;

    l->number = places_of_device(l->places, l->device);
    find_home(l, default_country);
    find_country(l);
    l->f->zones_else = l->where->zones;
    split_number(l->f, l->device);
    look_at_device(l);
    if (present & ADDRESS_FIELDS) {
        look_at_postal_code(l);
        look_at_state(l);
    }
    if (present & ZONE_FIELDS) look_at_zone(l);
    found = l->named || !is_nowhere(&l->f->at);
    if (l->named && !meet(l->f->at.countries, l->where->at.countries, ATTEMPT_COUNTRY_WORDS)) {
        join(l, &l->where->at);
        if (!l->f->zones[ZONE_STATE]) l->f->zones[ZONE_STATE] = l->where->zones;
    }
    if (is_nowhere(&l->f->at)) join(l, &l->where->at);
    return found;
}

static enum line_type line_of(const struct look *l)
{
    static const struct {
        struct str word;
        enum line_type type;
    } words[] = {{STR("landline"), LINE_LANDLINE},
                 {STR("wireless"), LINE_WIRELESS},
                 {STR("mobile"), LINE_WIRELESS},
                 {STR("voip"), LINE_VOIP}};
    struct str text = str_trim(text_of(l, FIELD_V1_LINE_TYPE));
    enum line_type said = LINE_UNKNOWN;
    int64_t type;
    // 1, HomePhone, is what the column holds when nobody filled it in: it proves nothing
    bool mobile = l->record->present & BIT(PHONE_TYPE) &&
                  json_to_i64(l->record->value[FIELD_PHONE_TYPE], &type) && type == 4;

    if (!text.size) return mobile ? LINE_WIRELESS : LINE_UNKNOWN;
    for (unsigned i = 0; i < COUNT_OF(words); i++)
        if (str_eq_nocase(text, words[i].word)) said = words[i].type;
    // a record that contradicts itself says nothing
    return mobile && said != LINE_WIRELESS ? LINE_UNKNOWN : said;
}

static void test_fields(struct facts *f, const struct rule_plan *plan, const struct record *record)
{
    for (unsigned i = 0; i < plan->test_count; i++) {
        const struct expr_test *test = &plan->set->expr.test[plan->test[i].test];
        unsigned slot = plan->test[i].slot;
        struct json_value value = {.type = JSON_NONE};
        enum expr_value result;

        if (record->present >> slot & 1) value = record->value[slot];
        result = expr_test_field(&plan->set->expr, test, value);
        f->test_true[i / 64] |= (uint64_t)(result == EXPR_TRUE) << (i % 64);
        f->test_unknown[i / 64] |= (uint64_t)(result == EXPR_UNKNOWN) << (i % 64);
    }
}

void facts_from_record(struct facts *f, const struct rule_plan *plan, const struct record *record,
                       uint64_t device)
{
    struct look l = {.f = f, .places = plan->places, .record = record, .device = device};

    memset(f, 0, sizeof *f);
    look_around(&l, plan->default_country);
    if (record->present & (BIT(V1_LINE_TYPE) | BIT(PHONE_TYPE))) f->line_type = line_of(&l);
    if (plan->subject_slot >= 0)
        f->subject = attempt_word(record_text(record, (unsigned)plan->subject_slot));
    test_fields(f, plan, record);
}

static unsigned only_bit(const uint64_t *bits, unsigned words)
{
    unsigned found = 0, count = 0;

    for (unsigned w = 0; w < words; w++) {
        if (!bits[w]) continue;
        found = w * 64 + (unsigned)__builtin_ctzll(bits[w]);
        count += (unsigned)__builtin_popcountll(bits[w]);
    }
    return count == 1 ? found : 0;
}

void facts_place_attempt(struct attempt *a, const struct places *places, unsigned default_country,
                         const struct record *record, uint64_t device)
{
    struct facts f;
    struct look l = {.f = &f, .places = places, .record = record, .device = device};
    bool found;

    memset(&f, 0, sizeof f);
    found = look_around(&l, default_country);
    a->region = found ? (uint8_t)only_bit(f.at.regions, ATTEMPT_REGION_WORDS) : 0;
    a->country = found ? (uint8_t)only_bit(f.at.countries, ATTEMPT_COUNTRY_WORDS) : 0;
    a->area_code = f.area_code;
}

const struct zone_set *facts_zones(const struct facts *f, unsigned zone_from, unsigned *at)
{
    bool spoken = false;

    for (unsigned i = 0; i < 2 * ZONE_SOURCES; i++) {
        const struct zone_set *set = i % 2 ? f->zones_also[i / 2] : f->zones[i / 2];

        if (!(zone_from >> (i / 2) & 1) || !set) continue;
        spoken = true;
        if (i < *at) continue;
        *at = i + 1;
        return set;
    }
    if (spoken || *at > 2 * ZONE_SOURCES) return NULL;
    *at = 2 * ZONE_SOURCES + 1;
    return f->zones_else;
}
