// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/zones.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/rule/zones_tzif.h"

#define TABLE_SIZE_MAX ((size_t)4 << 20) // tzdata.zi has 112 KiB
#define NAME_SIZE      48                // the longest of tzdata has 32
#define FIXED_FIRST_S  (-12 * 3600)
#define FIXED_LAST_S   (14 * 3600)
#define FIXED_STEP_S   (15 * 60)
#define FIXED_COUNT    ((FIXED_LAST_S - FIXED_FIRST_S) / FIXED_STEP_S + 1)
#define NAMED_MAX      (ZONES_MAX - FIXED_COUNT)
#define SLOTS          (ZONES_MAX * 4) // a power of two
#define LETTERS        26
#define REMEDY         "try: apt-get install tzdata"

// What stat says of a file; all zero when it is not there.
struct stamp {
    int64_t changed_s, changed_ns;
    uint64_t size_bytes, inode;
};

struct zone {
    char name[NAME_SIZE];
    struct zones_tzif tzif;
    uint16_t only[2]; // a zone_set of one
};

struct zones {
    uint64_t serial;
    unsigned count;
    uint16_t fixed_first;
    char version[16];
    char dir[PATH_MAX];
    struct stamp zone_tab, tzdata_zi;
    struct zone_set *country[LETTERS * LETTERS];
    uint16_t slot[SLOTS]; // zone + 1, 0 = empty
    struct zone zone[ZONES_MAX];
};

static struct stamp stamp_of(const char *dir, const char *file)
{
    struct stamp stamp = {0};
    char path[PATH_MAX];
    struct stat st;

    if (snprintf(path, sizeof path, "%s/%s", dir, file) >= (int)sizeof path) return stamp;
    if (stat(path, &st) < 0) return stamp;
    stamp.changed_s = st.st_mtim.tv_sec;
    stamp.changed_ns = st.st_mtim.tv_nsec;
    stamp.size_bytes = (uint64_t)st.st_size;
    stamp.inode = (uint64_t)st.st_ino;
    return stamp;
}

// -- names -------------------------------------------------------------------------------------

// The slot of that name, or the empty one where it belongs. FNV-1a: it takes letters as they come,
// lowered.
static unsigned slot_of(const struct zones *z, struct str name)
{
    uint32_t hash = 2166136261u;
    unsigned slot;

    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (unsigned char)str_lower(name.ptr[i])) * 16777619u;
    slot = hash % SLOTS;
    while (z->slot[slot] && !str_eq_nocase(str_of(z->zone[z->slot[slot] - 1].name), name))
        slot = (slot + 1) % SLOTS;
    return slot;
}

uint16_t zones_find(const struct zones *z, struct str name)
{
    unsigned slot;

    if (name.size == 0 || name.size >= NAME_SIZE) return ZONES_NONE;
    slot = slot_of(z, name);
    return z->slot[slot] ? (uint16_t)(z->slot[slot] - 1) : ZONES_NONE;
}

// Names become paths: letters, digits and "_+-", in parts between single slashes.
static bool is_name(struct str name)
{
    bool part = false;

    if (name.size == 0 || name.size >= NAME_SIZE) return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.ptr[i], lower = str_lower(c);

        if (c == '/' && !part) return false;
        if (c != '/' && c != '_' && c != '+' && c != '-' && !str_is_digit(c) &&
            (lower < 'a' || lower > 'z'))
            return false;
        part = c != '/';
    }
    return part;
}

// Takes over `tzif`. There is room, and the name is new.
static uint16_t add_zone(struct zones *z, struct str name, struct zones_tzif tzif)
{
    uint16_t at = (uint16_t)z->count++;
    struct zone *zone = &z->zone[at];

    str_copy(zone->name, sizeof zone->name, name);
    zone->tzif = tzif;
    zone->only[0] = 1;
    zone->only[1] = at;
    z->slot[slot_of(z, name)] = (uint16_t)(at + 1);
    return at;
}

static int read_tzif(const struct zones *z, struct str file, struct zones_tzif *ret,
                     struct err_info *info)
{
    char path[PATH_MAX];
    struct buf data;
    int err;

    if (snprintf(path, sizeof path, "%s/%.*s", z->dir, STR_ARG(file)) >= (int)sizeof path)
        return err_set(info, ERR_IO, "the path of a time zone is too long");
    buf_init(&data, ZONES_TZIF_SIZE_MAX);
    err = file_read_all(path, &data, info);
    if (!err) err = zones_tzif_read(ret, buf_view(&data), info);
    buf_done(&data);
    return err;
}

// -- zone.tab ----------------------------------------------------------------------------------

static int country_index(struct str country)
{
    if (country.size != 2) return -1;
    for (unsigned i = 0; i < 2; i++)
        if (country.ptr[i] < 'A' || country.ptr[i] > 'Z') return -1;
    return (country.ptr[0] - 'A') * LETTERS + country.ptr[1] - 'A';
}

// Sorted, as zones are numbered in the order in which they are added; but a table may name a zone
// for two countries.
static int add_to_country(struct zones *z, int country, uint16_t zone)
{
    struct zone_set *old = z->country[country];
    unsigned count = old ? old->count : 0, at = count;
    struct zone_set *set;

    for (unsigned i = 0; i < count; i++)
        if (old->zone[i] == zone) return 0;
    set = realloc(old, sizeof *set + (count + 1) * sizeof set->zone[0]);
    if (!set) return ERR_NOMEM;
    for (; at > 0 && set->zone[at - 1] > zone; at--) set->zone[at] = set->zone[at - 1];
    set->zone[at] = zone;
    set->count = (uint16_t)(count + 1);
    z->country[country] = set;
    return 0;
}

static int add_line(struct zones *z, struct str line, struct err_info *info)
{
    struct str rest, name;
    int country = country_index(str_cut(line, '\t', &rest));
    struct err_info cause = {0};
    struct zones_tzif tzif;
    uint16_t zone;
    int err;

    str_cut(rest, '\t', &rest); // coordinates
    name = str_trim(str_cut(rest, '\t', &rest));
    if (country < 0 || !is_name(name))
        return err_set(info, ERR_CORRUPT, "%s/zone.tab has a line that is none of it; " REMEDY,
                       z->dir);
    zone = zones_find(z, name);
    if (zone == ZONES_NONE) {
        if (z->count >= NAMED_MAX)
            return err_set(info, ERR_CORRUPT, "%s/zone.tab has more than %d zones", z->dir,
                           (int)NAMED_MAX);
        err = read_tzif(z, name, &tzif, &cause);
        if (err)
            return err_set(info, err, "time zone %.*s of %s/zone.tab: %s; " REMEDY, STR_ARG(name),
                           z->dir, cause.text);
        zone = add_zone(z, name, tzif);
    }
    err = add_to_country(z, country, zone);
    return err ? err_set(info, err, "no memory for time zones") : 0;
}

static int read_zone_tab(struct zones *z, struct err_info *info)
{
    char path[PATH_MAX + 16];
    struct err_info cause = {0};
    struct buf text;
    int err;

    snprintf(path, sizeof path, "%s/zone.tab", z->dir);
    buf_init(&text, TABLE_SIZE_MAX);
    err = file_read_all(path, &text, &cause);
    if (err) err_set(info, err, "no time zones: %s; " REMEDY, cause.text);
    for (struct str rest = buf_view(&text); !err && rest.size > 0;) {
        struct str line = str_cut(rest, '\n', &rest);

        if (line.size > 0 && line.ptr[0] != '#') err = add_line(z, line, info);
    }
    if (!err && z->count == 0)
        err = err_set(info, ERR_CORRUPT, "%s names no time zone; " REMEDY, path);
    buf_done(&text);
    return err;
}

// -- tzdata.zi ---------------------------------------------------------------------------------

// A link whose own file is not installed (Debian's tzdata-legacy) has its target's.
static void add_more(struct zones *z, struct str name, struct str target)
{
    struct zones_tzif tzif;

    if (z->count >= NAMED_MAX || !is_name(name) || zones_find(z, name) != ZONES_NONE) return;
    if (read_tzif(z, name, &tzif, NULL) == 0 ||
        (is_name(target) && read_tzif(z, target, &tzif, NULL) == 0))
        add_zone(z, name, tzif);
}

// "# version 2026f", "Z Africa/Algiers …", "L Africa/Abidjan Africa/Accra"
static void read_zi_line(struct zones *z, struct str line)
{
    struct str rest, first = str_cut(line, ' ', &rest), second = str_cut(rest, ' ', &rest);

    if (str_eq(first, STR("#")) && str_eq(second, STR("version")))
        str_copy(z->version, sizeof z->version, str_trim(rest));
    else if (str_eq(first, STR("Z")))
        add_more(z, second, (struct str){0});
    else if (str_eq(first, STR("L")))
        add_more(z, str_trim(rest), second);
}

static void read_tzdata_zi(struct zones *z)
{
    char path[PATH_MAX + 16];
    struct buf text;

    snprintf(path, sizeof path, "%s/tzdata.zi", z->dir);
    buf_init(&text, TABLE_SIZE_MAX);
    if (file_read_all(path, &text, NULL) == 0)
        for (struct str rest = buf_view(&text); rest.size > 0;)
            read_zi_line(z, str_cut(rest, '\n', &rest));
    buf_done(&text);
}

static int add_fixed(struct zones *z)
{
    z->fixed_first = (uint16_t)z->count;
    for (int32_t offset_s = FIXED_FIRST_S; offset_s <= FIXED_LAST_S; offset_s += FIXED_STEP_S) {
        int32_t minutes = abs(offset_s) / 60;
        struct zones_tzif tzif;
        char name[NAME_SIZE];

        if (zones_tzif_fixed(&tzif, offset_s) < 0) return ERR_NOMEM;
        snprintf(name, sizeof name, "UTC%c%02d:%02d", offset_s < 0 ? '-' : '+', minutes / 60,
                 minutes % 60);
        add_zone(z, str_of(name), tzif);
    }
    return 0;
}

int zones_load(struct zones **ret, const char *dir, struct err_info *info)
{
    static _Atomic uint64_t loads;
    struct zones *z = calloc(1, sizeof *z);
    int err;

    if (!z) return err_set(info, ERR_NOMEM, "no memory for time zones");
    z->serial = atomic_fetch_add_explicit(&loads, 1, memory_order_relaxed) + 1;
    if (!str_copy(z->dir, sizeof z->dir, str_of(dir))) {
        err = err_set(info, ERR_IO, "the path of the time zones is too long");
        goto out;
    }
    str_copy(z->version, sizeof z->version, STR("unknown"));
    // before the reading: a change meanwhile is seen as one later
    z->zone_tab = stamp_of(dir, "zone.tab");
    z->tzdata_zi = stamp_of(dir, "tzdata.zi");
    err = read_zone_tab(z, info);
    if (err) goto out;
    read_tzdata_zi(z);
    err = add_fixed(z);
    if (err) err_set(info, err, "no memory for time zones");
out:
    if (err)
        zones_free(z);
    else
        *ret = z;
    return err;
}

void zones_free(struct zones *z)
{
    if (!z) return;
    for (unsigned i = 0; i < z->count; i++) zones_tzif_done(&z->zone[i].tzif);
    for (size_t i = 0; i < COUNT_OF(z->country); i++) free(z->country[i]);
    free(z);
}

static bool is_changed(struct stamp old, const char *dir, const char *file)
{
    struct stamp now = stamp_of(dir, file);

    return now.inode != 0 && (now.inode != old.inode || now.size_bytes != old.size_bytes ||
                              now.changed_s != old.changed_s || now.changed_ns != old.changed_ns);
}

bool zones_changed(const struct zones *z)
{
    return is_changed(z->zone_tab, z->dir, "zone.tab") ||
           is_changed(z->tzdata_zi, z->dir, "tzdata.zi");
}

const char *zones_version(const struct zones *z)
{
    return z->version;
}

uint64_t zones_serial(const struct zones *z)
{
    return z->serial;
}

unsigned zones_count(const struct zones *z)
{
    return z->count;
}

const char *zones_name(const struct zones *z, unsigned zone)
{
    return zone < z->count ? z->zone[zone].name : "";
}

uint16_t zones_fixed(const struct zones *z, int32_t offset_s)
{
    if (offset_s < FIXED_FIRST_S || offset_s > FIXED_LAST_S || offset_s % FIXED_STEP_S != 0)
        return ZONES_NONE;
    return (uint16_t)(z->fixed_first + (offset_s - FIXED_FIRST_S) / FIXED_STEP_S);
}

const struct zone_set *zones_of_country(const struct zones *z, struct str country)
{
    int index = country_index(country);

    return index < 0 ? NULL : z->country[index];
}

const struct zone_set *zones_only(const struct zones *z, uint16_t zone)
{
    CHECK(zone < z->count);
    return (const struct zone_set *)z->zone[zone].only;
}

struct zone_offset zones_offset(const struct zones *z, unsigned zone, int64_t at_s)
{
    CHECK(zone < z->count);
    return zones_tzif_at(&z->zone[zone].tzif, at_s);
}
