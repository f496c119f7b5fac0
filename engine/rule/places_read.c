// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/rule/places_part.h"

#define COLUMNS_MAX 6

// A row of a table under way. Every refusal names table and line.
struct reader {
    struct places *p;
    struct err_info *info;
    const char *table;
    unsigned line;
    struct str column[COLUMNS_MAX];
};

static int refuse(const struct reader *r, const char *what, struct str which)
{
    return err_set(r->info, ERR_CORRUPT, "places: %s line %u: %s \"%.*s\"", r->table, r->line, what,
                   STR_ARG(which));
}

static int full(const struct reader *r)
{
    return err_set(r->info, ERR_CORRUPT, "places: %s line %u is too much for the limits of %s",
                   r->table, r->line, "engine/rule/places_part.h");
}

static bool is_none(struct str s)
{
    return s.size == 0 || str_eq(s, STR("-"));
}

// Calls for each member of "a,b,c"; nothing for "-".
static bool next_member(struct str *list, struct str *ret)
{
    if (is_none(*list)) return false;
    *ret = str_cut(*list, ',', list);
    return true;
}

static int read_number(const struct reader *r, struct str s, unsigned least, unsigned most,
                       unsigned *ret)
{
    uint64_t value;

    if (!str_to_u64(s, &value) || value < least || value > most)
        return refuse(r, "a number out of range:", s);
    *ret = (unsigned)value;
    return 0;
}

static int read_zones(const struct reader *r, struct str list, const struct zone_set **ret)
{
    uint16_t zone[PLACES_SET_MAX];
    unsigned count = 0;
    struct str name;

    while (next_member(&list, &name)) {
        if (count == PLACES_SET_MAX) return full(r);
        zone[count] = zones_find(r->p->zones, name);
        if (zone[count++] != ZONES_NONE) continue;
        return err_set(r->info, ERR_CORRUPT,
                       "places: %s line %u: tzdata %s has no zone \"%.*s\"; try: apt-get install "
                       "tzdata",
                       r->table, r->line, zones_version(r->p->zones), STR_ARG(name));
    }
    *ret = count ? places_pool_set(r->p, zone, count) : NULL;
    return count && !*ret ? full(r) : 0;
}

static int add_country(const struct reader *r, struct str iso, struct places_bits *at)
{
    unsigned country = places_country(r->p, iso);

    if (country == 0) return refuse(r, "no such country:", iso);
    at->countries[country / 64] |= 1ull << (country % 64);
    return 0;
}

// "US-TX", with its country.
static int add_region(const struct reader *r, struct str code, struct places_bits *at)
{
    for (unsigned i = 1; i < PLACES_REGIONS_MAX; i++) {
        const struct place *region = r->p->region[i];

        if (!region || !str_eq(str_of(r->p->region_code[i]), code)) continue;
        at->regions[i / 64] |= 1ull << (i % 64);
        for (unsigned w = 0; w < ATTEMPT_COUNTRY_WORDS; w++)
            at->countries[w] |= region->at.countries[w];
        return 0;
    }
    return refuse(r, "no such region:", code);
}

static int read_place(const struct reader *r, struct str countries, struct str regions,
                      struct str zones, const struct place **ret)
{
    struct place place = {0};
    struct str member;
    int err = 0;

    while (err == 0 && next_member(&countries, &member)) err = add_country(r, member, &place.at);
    while (err == 0 && next_member(&regions, &member)) err = add_region(r, member, &place.at);
    if (err == 0) err = read_zones(r, zones, &place.zones);
    if (err < 0) return err;
    *ret = places_pool_place(r->p, &place);
    return *ret ? 0 : full(r);
}

// Adds to what a name means: all that bear it are possible.
static int add_name(const struct reader *r, unsigned space, struct str name,
                    const struct place *place)
{
    const struct place *both = places_pool_join(r->p, places_pool_find(r->p, space, name), place);

    return both && places_pool_name(r->p, space, name, both) ? 0 : full(r);
}

// -- the tables ---------------------------------------------------------------------------------

// "a;b", or "-".
static int name_country(const struct reader *r, struct str names, const struct place *place)
{
    int err = 0;

    while (err == 0 && !is_none(names))
        err = add_name(r, PLACES_NAME_COUNTRY, str_cut(names, ';', &names), place);
    return err;
}

// number, alpha-2, alpha-3, calling code, name, other names
static int read_country(struct reader *r)
{
    struct str iso = r->column[1], calling = r->column[3];
    struct places *p = r->p;
    struct place place = {0};
    unsigned number = 0;
    int err = read_number(r, r->column[0], 1, PLACES_COUNTRIES_MAX - 1, &number);

    if (err < 0) return err;
    if (iso.size != 2 || p->country[number]) return refuse(r, "twice, or no code:", iso);
    for (unsigned i = 0; i < 2; i++)
        if (iso.ptr[i] < 'A' || iso.ptr[i] > 'Z') return refuse(r, "no code:", iso);
    str_copy(p->country_code[number], sizeof p->country_code[number], iso);
    p->iso[(iso.ptr[0] - 'A') * 26 + (iso.ptr[1] - 'A')] = (uint8_t)number;
    err = add_country(r, iso, &place.at);
    if (err < 0) return err;
    const struct zone_set *all = zones_of_country(p->zones, iso);

    if (all && !(place.zones = places_pool_set(p, all->zone, all->count))) return full(r);
    if (!(p->country[number] = places_pool_place(p, &place))) return full(r);
    err = add_name(r, PLACES_NAME_COUNTRY, r->column[2], p->country[number]);
    if (err == 0) err = add_name(r, PLACES_NAME_COUNTRY, r->column[4], p->country[number]);
    if (err == 0) err = name_country(r, r->column[5], p->country[number]);
    // whoever writes 1 for a country does not mean an island of the Caribbean
    if (err == 0 && !is_none(calling) &&
        (!str_eq(calling, STR("1")) || str_eq(iso, STR("US")) || str_eq(iso, STR("CA"))))
        err = add_name(r, PLACES_NAME_COUNTRY, calling, p->country[number]);
    return err;
}

static int name_region(const struct reader *r, unsigned country, const struct place *place)
{
    struct str code = r->column[1];
    struct str names[] = {{code.ptr + 3, code.size - 3}, code, r->column[2]};
    int err = 0;

    for (unsigned i = 0; err == 0 && i < COUNT_OF(names); i++)
        err = add_name(r, PLACES_NAME_REGION + country, names[i], place);
    return err;
}

// number, code, name, zones, country that it is as well
static int read_region(struct reader *r)
{
    struct str code = r->column[1], own = r->column[4];
    struct places *p = r->p;
    struct place place = {0};
    unsigned number = 0, country;
    int err = read_number(r, r->column[0], 1, PLACES_REGIONS_MAX - 1, &number);

    if (err < 0) return err;
    country = code.size > 3 ? places_country(p, (struct str){code.ptr, 2}) : 0;
    if (country == 0 || p->region[number] || !str_copy(p->region_code[number], 8, code))
        return refuse(r, "twice, or no code:", code);
    place.at.regions[number / 64] = 1ull << (number % 64);
    place.at.countries[country / 64] = 1ull << (country % 64);
    if (!is_none(own)) err = add_country(r, own, &place.at);
    if (err == 0) err = read_zones(r, r->column[3], &place.zones);
    if (err < 0) return err;
    if (!(p->region[number] = places_pool_place(p, &place))) return full(r);
    for (unsigned i = 1; i < PLACES_COUNTRIES_MAX; i++)
        if (places_has(place.at.countries, i))
            p->country_regions[i][number / 64] |= 1ull << (number % 64);
    err = name_region(r, country, p->region[number]);
    if (err == 0) err = name_region(r, 0, p->region[number]);
    if (err == 0 && !is_none(own)) {
        p->country[places_country(p, own)] = p->region[number];
        err = name_region(r, places_country(p, own), p->region[number]);
    }
    return err;
}

// area code, country, regions, zones, since, source
static int read_area(struct reader *r)
{
    unsigned area = 0;
    int err = read_number(r, r->column[0], 200, 999, &area);

    if (err < 0) return err;
    if (r->p->area[PLACES_AREA(area)]) return refuse(r, "twice:", r->column[0]);
    return read_place(r, r->column[1], r->column[2], r->column[3], &r->p->area[PLACES_AREA(area)]);
}

static int narrow(const struct reader *r, unsigned area, struct str which,
                  const struct place *place)
{
    struct str rest, first = str_cut(which, '-', &rest);
    unsigned from = 0, until = 0;
    int err = read_number(r, first, 200, 999, &from);

    if (err == 0 && rest.ptr) err = read_number(r, rest, from, 999, &until);
    if (err < 0) return err;
    if (!rest.ptr) until = from;
    for (unsigned i = from; i <= until; i++)
        r->p->exchange[PLACES_AREA(area)][PLACES_AREA(i)] = place;
    return 0;
}

// area code, exchanges, zones
static int read_exchange(struct reader *r)
{
    struct str list = r->column[1], which;
    const struct place **all, *found;
    struct place place;
    unsigned area = 0;
    int err = read_number(r, r->column[0], 200, 999, &area);

    if (err < 0) return err;
    if (!r->p->area[PLACES_AREA(area)]) return refuse(r, "not in nanp.tsv:", r->column[0]);
    all = r->p->exchange[PLACES_AREA(area)];
    if (!all) all = r->p->exchange[PLACES_AREA(area)] = calloc(800, sizeof *all);
    if (!all) return err_set(r->info, ERR_NOMEM, "places: out of memory");
    place = *r->p->area[PLACES_AREA(area)];
    err = read_zones(r, r->column[2], &place.zones);
    if (err < 0) return err;
    found = places_pool_place(r->p, &place);
    if (!found || !place.zones) return full(r);
    while (err == 0 && next_member(&list, &which)) err = narrow(r, area, which, found);
    return err;
}

// beginning of a number, countries, zones
static int read_prefix(struct reader *r)
{
    struct places *p = r->p;
    unsigned node = 0;

    for (size_t i = 0; i < r->column[0].size; i++) {
        unsigned digit = (unsigned)(r->column[0].ptr[i] - '0');

        if (digit > 9) return refuse(r, "no number:", r->column[0]);
        if (!p->node[node].next[digit]) {
            if (p->node_count == PLACES_NODES_MAX) return full(r);
            p->node[node].next[digit] = (uint16_t)p->node_count++;
        }
        node = p->node[node].next[digit];
    }
    if (node == 0 || p->node[node].place) return refuse(r, "twice, or nothing:", r->column[0]);
    return read_place(r, r->column[1], STR("-"), r->column[2], &p->node[node].place);
}

static int add_zip(const struct reader *r, unsigned first, unsigned last, const struct place *place)
{
    struct places *p = r->p;

    if (p->zip_count == PLACES_ZIPS_MAX) return full(r);
    if (p->zip_count && p->zip[p->zip_count - 1].last >= first)
        return refuse(r, "not in order:", r->column[0]);
    p->zip[p->zip_count++] = (struct places_zip){first, last, place};
    for (unsigned i = first / 100; i <= last / 100; i++) {
        p->zip_prefix[i] = places_pool_join(p, p->zip_prefix[i], place);
        if (!p->zip_prefix[i]) return full(r);
    }
    return 0;
}

// first, last, region or country, zones
static int read_zip(struct reader *r)
{
    struct str where = r->column[2];
    bool is_country = where.size == 2;
    const struct place *place;
    unsigned first = 0, last = 0;
    int err = read_number(r, r->column[0], 0, 99999, &first);

    if (err == 0) err = read_number(r, r->column[1], first, 99999, &last);
    if (err == 0)
        err = read_place(r, is_country ? where : STR("-"), is_country ? STR("-") : where,
                         r->column[3], &place);
    return err < 0 ? err : add_zip(r, first, last, place);
}

// beginning of a postal code, regions, zones
static int read_canada(struct reader *r)
{
    struct str code = r->column[0];
    struct places *p = r->p;
    bool area =
        code.size == 3 && str_is_digit(code.ptr[1]) && code.ptr[2] >= 'A' && code.ptr[2] <= 'Z';
    unsigned letter;

    if ((code.size != 1 && !area) || code.ptr[0] < 'A' || code.ptr[0] > 'Z')
        return refuse(r, "no postal code:", code);
    letter = (unsigned)(code.ptr[0] - 'A');
    return read_place(r, STR("-"), r->column[1], r->column[2],
                      area ? &p->fsa[letter][code.ptr[1] - '0'][code.ptr[2] - 'A']
                           : &p->canada[letter]);
}

// name, zones it may mean
static int read_zone_name(struct reader *r)
{
    const struct zone_set *set;
    int err = read_zones(r, r->column[1], &set);

    if (err < 0) return err;
    if (!set) return refuse(r, "no zone:", r->column[0]);
    return places_pool_name(r->p, PLACES_NAME_ZONE, r->column[0], set) ? 0 : full(r);
}

// In this order: later ones name what earlier ones made.
static const struct {
    const char *name;
    unsigned columns;
    int (*row)(struct reader *r);
} tables[] = {
    {"countries.tsv", 6, read_country}, {"regions.tsv", 5, read_region},
    {"nanp.tsv", 6, read_area},         {"nanp-exchanges.tsv", 3, read_exchange},
    {"prefixes.tsv", 3, read_prefix},   {"postal-us.tsv", 4, read_zip},
    {"postal-ca.tsv", 3, read_canada},  {"zone-names.tsv", 2, read_zone_name},
};

static int read_row(struct reader *r, struct str line, unsigned columns,
                    int (*row)(struct reader *r))
{
    unsigned count = 0;

    while (line.ptr && count < COLUMNS_MAX) r->column[count++] = str_cut(line, '\t', &line);
    if (count != columns || line.ptr) return refuse(r, "wrong number of columns:", r->column[0]);
    return row(r);
}

static int read_table(struct places *p, unsigned table, const struct builtin_file *files,
                      struct err_info *info)
{
    struct reader r = {.p = p, .info = info, .table = tables[table].name};
    struct str text, line;
    int err = 0;

    while (files->name && strcmp(files->name, r.table) != 0) files++;
    if (!files->name) return err_set(info, ERR_CORRUPT, "places: there is no table %s", r.table);
    text = (struct str){files->text, files->size_bytes};
    while (err == 0 && text.ptr) {
        line = str_cut(text, '\n', &text);
        r.line++;
        if (line.size && line.ptr[0] != '#')
            err = read_row(&r, line, tables[table].columns, tables[table].row);
    }
    return err;
}

int places_read(struct places **ret, const struct zones *zones, const struct builtin_file *files,
                struct err_info *info)
{
    struct places *p = calloc(1, sizeof *p);
    int err = 0;

    if (!p) return err_set(info, ERR_NOMEM, "places: out of memory");
    p->zones = zones;
    p->node_count = 1;
    places_pool_same(p);
    for (unsigned i = 0; err == 0 && i < COUNT_OF(tables); i++) err = read_table(p, i, files, info);
    if (err == 0 && !places_pool_more(p))
        err = err_set(info, ERR_CORRUPT, "places: too many zones for engine/rule/places_part.h");
    if (err < 0) {
        places_free(p);
        return err;
    }
    *ret = p;
    return 0;
}
