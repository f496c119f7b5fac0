// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "engine/core/explain.h"
#include "engine/rule/calendar.h"

static const char *const source_words[ZONE_SOURCES] = {
    [ZONE_DEVICE] = "device",
    [ZONE_POSTAL_CODE] = "postal_code",
    [ZONE_STATE] = "state",
    [ZONE_CONTACT] = "contact",
};

void explain_write_masked(struct buf *out, uint64_t device)
{
    char digits[24];
    struct buf text;

    buf_wrap(&text, digits, sizeof digits);
    buf_u64(&text, device);
    // country and area code, and the last four: enough to recognise, too little to dial
    if (text.size_bytes >= 11)
        buf_printf(out, "\"+%.4s***%.4s\"", digits, digits + text.size_bytes - 4);
    else
        buf_printf(out, "\"+%.2s***%.2s\"", digits, digits + text.size_bytes - 2);
}

static void write_places(struct buf *out, const struct places *places, const struct places_bits *at)
{
    bool first = true;

    buf_lit(out, "\"countries\":[");
    for (unsigned i = 1; i < PLACES_COUNTRIES_MAX; i++) {
        if (!places_has(at->countries, i)) continue;
        buf_printf(out, "%s\"%s\"", first ? "" : ",", places_country_code(places, i));
        first = false;
    }
    buf_lit(out, "],\"regions\":[");
    first = true;
    for (unsigned i = 1; i < PLACES_REGIONS_MAX; i++) {
        if (!places_has(at->regions, i)) continue;
        buf_printf(out, "%s\"%s\"", first ? "" : ",", places_region_code(places, i));
        first = false;
    }
    buf_char(out, ']');
}

void explain_write_place(struct buf *out, const struct decide_case *c)
{
    buf_char(out, '{');
    write_places(out, c->judge.plan->places, &c->judge.facts->at);
    buf_char(out, '}');
}

void explain_write_zone(struct buf *out, const struct decide_case *c, unsigned zone)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    const struct zone_local *local = zone_clock_at(c->judge.clock, zone);
    unsigned second = (unsigned)(((c->at_s + local->offset_s) % 60 + 60) % 60);
    unsigned offset = (unsigned)(local->offset_s < 0 ? -local->offset_s : local->offset_s);

    buf_lit(out, "{\"zone\":");
    buf_json(out, str_of(zones_name(c->judge.plan->zones, zone)));
    buf_lit(out, ",\"local\":\"");
    calendar_write_day(out, local->day);
    buf_printf(out, "T%02u:%02u:%02u%c%02u:%02u\",\"weekday\":\"%s\"}", local->minute / 60u,
               local->minute % 60u, second, local->offset_s < 0 ? '-' : '+', offset / 3600,
               offset / 60 % 60, days[local->weekday % 7]);
}

// `also` may be NULL, and so may both.
static void write_zones(struct buf *out, const struct decide_case *c, const struct zone_set *zones,
                        const struct zone_set *also)
{
    const struct zone_set *set[] = {zones, also};
    bool first = true;

    buf_lit(out, "\"zones\":[");
    for (unsigned s = 0; s < COUNT_OF(set); s++) {
        for (unsigned i = 0; set[s] && i < set[s]->count; i++) {
            if (!first) buf_char(out, ',');
            explain_write_zone(out, c, set[s]->zone[i]);
            first = false;
        }
    }
    buf_char(out, ']');
}

// -- what a record says, source by source --------------------------------------------------------

static void write_field(struct buf *out, const struct record *record, enum record_field field,
                        const char *name, bool *first)
{
    struct str text = record_text(record, field);

    if (!text.size) return;
    buf_printf(out, "%s\"%s\":", *first ? "" : ",", name);
    buf_json(out, text);
    *first = false;
}

static void write_device(struct buf *out, const struct decide_case *c, const struct record *record)
{
    const struct facts *f = c->judge.facts;
    bool first = true;

    if (c->q->device) {
        buf_lit(out, "\"number\":");
        explain_write_masked(out, c->q->device);
        if (f->area_code) buf_printf(out, ",\"area_code\":\"%u\"", f->area_code);
        first = false;
    }
    write_field(out, record, FIELD_D_TZ_JAVA_NAME, "GSW_D_TZ_JAVA_NAME", &first);
    write_field(out, record, FIELD_D_STATE_CODE, "GSW_D_STATE_CODE", &first);
    write_field(out, record, FIELD_D_REGION_CODE, "GSW_D_REGION_CODE", &first);
    write_field(out, record, FIELD_D_COUNTRY_CODE, "GSW_D_COUNTRY_CODE", &first);
}

// The members of the record that this source reads.
static void write_from(struct buf *out, const struct decide_case *c, const struct record *record,
                       enum zone_source source)
{
    bool first = true;

    buf_lit(out, "\"from\":{");
    switch (source) {
    case ZONE_DEVICE:
        write_device(out, c, record);
        break;
    case ZONE_POSTAL_CODE:
        write_field(out, record, FIELD_POSTAL_CODE, "GSW_POSTAL_CODE", &first);
        write_field(out, record, FIELD_V1_POSTAL_CODE, "postal_code", &first);
        break;
    case ZONE_STATE:
        write_field(out, record, FIELD_STATE_CODE, "GSW_STATE_CODE", &first);
        write_field(out, record, FIELD_REGION_CODE, "GSW_REGION_CODE", &first);
        write_field(out, record, FIELD_V1_STATE, "state", &first);
        break;
    case ZONE_CONTACT:
        write_field(out, record, FIELD_TZ_NAME, "GSW_TZ_NAME", &first);
        write_field(out, record, FIELD_TZ_OFFSET, "GSW_TZ_OFFSET", &first);
        write_field(out, record, FIELD_V1_ZONE, "zone", &first);
        break;
    case ZONE_SOURCES:
        break;
    }
    buf_lit(out, "},");
}

static const struct place *place_of(const struct decide_case *c, const struct record *record,
                                    enum zone_source source)
{
    const struct places *places = c->judge.plan->places;
    struct str country = record_text(record, FIELD_COUNTRY_CODE), text;

    if (!country.size) country = record_text(record, FIELD_V1_COUNTRY);
    if (source == ZONE_DEVICE) return c->q->device ? places_of_device(places, c->q->device) : NULL;
    if (source == ZONE_POSTAL_CODE) {
        text = record_text(record, FIELD_POSTAL_CODE);
        if (!text.size) text = record_text(record, FIELD_V1_POSTAL_CODE);
        return text.size ? places_of_postal_code(places, country, text) : NULL;
    }
    if (source != ZONE_STATE) return NULL;
    text = record_text(record, FIELD_STATE_CODE);
    if (!text.size) text = record_text(record, FIELD_REGION_CODE);
    if (!text.size) text = record_text(record, FIELD_V1_STATE);
    return text.size ? places_of_region(places, country, text) : NULL;
}

static void write_source(struct buf *out, const struct decide_case *c, const struct record *record,
                         enum zone_source source)
{
    const struct rule_plan *plan = c->judge.plan;
    const struct zone_set *zones = c->judge.facts->zones[source];
    const struct place *place = place_of(c, record, source);

    buf_printf(out, "{\"source\":\"%s\",\"says\":%s,\"counts\":%s,", source_words[source],
               zones ? "true" : "false", plan->zone_from >> source & 1 ? "true" : "false");
    write_from(out, c, record, source);
    if (place) {
        write_places(out, plan->places, &place->at);
        buf_char(out, ',');
    }
    write_zones(out, c, zones, c->judge.facts->zones_also[source]);
    buf_char(out, '}');
}

void explain_write_evidence(struct buf *out, const struct decide_case *c,
                            const struct record *record)
{
    const struct facts *f = c->judge.facts;
    bool says = false;

    buf_char(out, '[');
    for (unsigned s = 0; s < ZONE_SOURCES; s++) {
        if (s) buf_char(out, ',');
        write_source(out, c, record, (enum zone_source)s);
        says |= f->zones[s] && (c->judge.plan->zone_from >> s & 1);
    }
    if (!says) { // nothing that counts says anything: these are looked at
        buf_printf(out, ",{\"source\":\"%s\",\"says\":true,\"counts\":true,",
                   c->judge.plan->zone_default ? "default_zone" : "country");
        write_zones(out, c, f->zones_else, NULL);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}
