// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/record.h"

#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/err.h"
#include "engine/base/limits.h"
#include "engine/wire/json_scan.h"

#define KEY_MAX_BYTES 256
#define TABLE_SIZE    256 // a power of two; at most a quarter is taken
#define FREE          UINT8_MAX

static_assert(FIELD_COUNT <= RECORD_SLOTS_MAX, "own fields have a slot each");
static_assert(RECORD_SLOTS_MAX <= 64, "one bit a slot, see record_parse");
static_assert(RECORD_SLOTS_MAX * 4 <= TABLE_SIZE, "a miss ends at a free place soon");

// `last` packs the last eight bytes, all of a shorter key.
struct known_key {
    uint64_t last;
    struct str text;
};

struct record_keys {
    unsigned count;
    uint8_t table[TABLE_SIZE]; // slot, or FREE
    struct known_key key[RECORD_SLOTS_MAX];
};

static const struct str fields[FIELD_COUNT] = {
#define FIELD(name, key) {key, sizeof(key) - 1},
#include "engine/wire/field.def"
#undef FIELD
};

static inline uint64_t load8(const char *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

static inline uint64_t load4(const char *p)
{
    uint32_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

static inline uint64_t last_of(struct str key)
{
    const char *p = key.ptr;

    if (LIKELY(key.size >= 8)) return load8(p + key.size - 8);
    if (key.size >= 4) return load4(p) | load4(p + key.size - 4) << 32;
    if (key.size == 0) return 0;
    return (unsigned char)p[0] | (unsigned)(unsigned char)p[key.size / 2] << 8 |
           (unsigned)(unsigned char)p[key.size - 1] << 16;
}

// Keys of OCS begin alike, so their size and last bytes tell them apart.
static inline unsigned place_of(uint64_t last, size_t size)
{
    return (unsigned)((last + size) * UINT64_C(0xd6e8feb86659fd93) >> 56);
}

static inline bool same_key(const struct known_key *known, uint64_t last, struct str key)
{
    if (known->last != last || known->text.size != key.size) return false;
    for (size_t at = 0; at + 8 < key.size; at += 8)
        if (load8(known->text.ptr + at) != load8(key.ptr + at)) return false;
    return true;
}

// The slot, or FREE; *ret_place is where the search ended.
static inline unsigned find(const struct record_keys *keys, struct str key, unsigned *ret_place)
{
    uint64_t last = last_of(key);
    unsigned place = place_of(last, key.size), slot;

    while ((slot = keys->table[place]) != FREE && !same_key(&keys->key[slot], last, key))
        place = (place + 1) % TABLE_SIZE;
    *ret_place = place;
    return slot;
}

struct record_keys *record_keys_new(unsigned field_count)
{
    struct record_keys *keys = calloc(1, sizeof *keys);

    CHECK(field_count <= FIELD_COUNT);
    if (!keys) return NULL;
    memset(keys->table, FREE, sizeof keys->table);
    for (unsigned i = 0; i < field_count; i++) {
        if (record_keys_add(keys, fields[i]) < 0) {
            record_keys_free(keys);
            return NULL;
        }
    }
    CHECK(keys->count == field_count); // no key twice in the table
    keys->count = FIELD_COUNT;         // the slots of names that are not known here stay absent
    return keys;
}

void record_keys_free(struct record_keys *keys)
{
    if (!keys) return;
    for (unsigned i = 0; i < keys->count; i++) free((char *)keys->key[i].text.ptr);
    free(keys);
}

int record_keys_add(struct record_keys *keys, struct str key)
{
    unsigned place, slot = find(keys, key, &place);
    char *copy;

    if (slot != FREE) return (int)slot;
    if (keys->count == RECORD_SLOTS_MAX) return ERR_FULL;
    copy = str_dup(key);
    if (!copy) return ERR_NOMEM;
    keys->key[keys->count] = (struct known_key){last_of(key), str_make(copy, key.size)};
    keys->table[place] = (uint8_t)keys->count;
    return (int)keys->count++;
}

static const struct str channels[CHANNEL_COUNT + 1] = {
    {"voice", 5}, {"sms", 3}, {"email", 5}, {"any", 3}};

bool channel_parse(struct str word, enum channel *ret)
{
    word = str_trim(word);
    for (int i = 0; i <= CHANNEL_ANY; i++) {
        if (!str_eq_nocase(word, channels[i])) continue;
        *ret = (enum channel)i;
        return true;
    }
    return false;
}

struct str channel_word(enum channel channel)
{
    CHECK((unsigned)channel <= CHANNEL_ANY);
    return channels[channel];
}

static unsigned slot_of_escaped(const struct record_keys *keys, struct json_value key)
{
    char plain[KEY_MAX_BYTES];
    unsigned place;

    if (key.text.size > sizeof plain) return FREE;
    return find(keys, json_unescape(key, plain), &place);
}

// False when the scratch has no room.
static bool unescape(struct record *r, struct json_value v, struct str *ret)
{
    if (v.text.size > sizeof r->scratch - r->scratch_used) return false;
    *ret = json_unescape(v, r->scratch + r->scratch_used);
    r->scratch_used += ret->size;
    return true;
}

static inline bool says_something(enum json_type type, struct str text)
{
    // what begins with a letter or digit needs no closer look
    return (text.size > 0 && type >= JSON_NUMBER && (unsigned char)text.ptr[0] > ' ') ||
           !json_is_absent((struct json_value){type, false, text});
}

// Reads the object whose brace is before `p`. Its end, or NULL with the reason.
static inline const char *read_members(struct record *r, const char *p, const char *begin,
                                       const char *end, const struct record_keys *keys,
                                       enum reason *ret_reason)
{
    unsigned members = 0, duplicates = 0, place, slot;
    enum json_error error = JSON_SYNTAX;
    uint64_t seen = 0, present = 0, bit;
    struct json_value key, value;
    struct str text, plain;

    r->scratch_used = 0;
    *ret_reason = REASON_NOT_JSON;
    if (json_scan_take(&p, end, '}')) goto out;
    do {
        p = json_scan_key(p, begin, end, &key);
        if (LIKELY(p)) p = json_scan_value(p, begin, end, LIMIT_RECORD_DEPTH, &value, &error);
        if (UNLIKELY(!p)) {
            if (error == JSON_DEPTH) *ret_reason = REASON_TOO_DEEP;
            return NULL;
        }
        if (UNLIKELY(++members > LIMIT_RECORD_KEYS)) {
            *ret_reason = REASON_TOO_MANY_KEYS;
            return NULL;
        }
        slot = UNLIKELY(key.escaped) ? slot_of_escaped(keys, key) : find(keys, key.text, &place);
        if (slot == FREE) continue;
        text = value.text;
        if (UNLIKELY(value.escaped) && !unescape(r, value, &plain)) {
            *ret_reason = REASON_TOO_LARGE;
            return NULL;
        }
        if (UNLIKELY(value.escaped)) text = plain;
        bit = UINT64_C(1) << slot;
        if (UNLIKELY(seen & bit)) duplicates++;
        seen |= bit;
        present = says_something(value.type, text) ? present | bit : present & ~bit;
        // one by one: what was just stored in parts is slow to load as a whole
        r->value[slot].type = value.type;
        r->value[slot].escaped = false;
        r->value[slot].text = text;
    } while (json_scan_take(&p, end, ','));
    if (!json_scan_take(&p, end, '}')) return NULL;
out:
    r->present = present;
    r->member_count = members;
    r->duplicate_count = duplicates;
    return p;
}

bool record_parse(struct record *r, struct str text, const struct record_keys *keys,
                  enum reason *ret_reason)
{
    struct json j = json_start(text, LIMIT_RECORD_DEPTH);
    enum reason reason = REASON_TOO_LARGE;

    r->text = text;
    if (text.size > LIMIT_RECORD_BYTES) goto refuse;
    reason = REASON_NOT_JSON;
    if (json_enter(&j) != JSON_OBJECT) goto refuse;
    j.at = read_members(r, j.at, j.begin, j.end, keys, &reason);
    if (!j.at) goto refuse;
    if (json_scan_space(j.at, j.end) == j.end) return true;
    reason = REASON_NOT_JSON;
refuse:
    *ret_reason = reason;
    return false;
}

// What no record could be read from is stepped over as a value.
static bool skip_element(struct record *r, struct json *cursor, enum reason *reason)
{
    struct json_value value;

    if (!json_value(cursor, &value)) return false;
    r->text = value.text;
    if (value.text.size > LIMIT_RECORD_BYTES) *reason = REASON_TOO_LARGE;
    return true;
}

bool record_next(struct record *r, struct json *cursor, const struct record_keys *keys,
                 enum reason *ret_reason)
{
    const char *start, *at = NULL;
    enum reason reason = REASON_NOT_JSON;

    if (!json_next(cursor, ']')) return false;
    start = json_scan_space(cursor->at, cursor->end);
    if (LIKELY(start < cursor->end && *start == '{'))
        at = read_members(r, start + 1, cursor->begin, cursor->end, keys, &reason);
    if (LIKELY(at && at - start <= LIMIT_RECORD_BYTES)) {
        r->text = str_make(start, (size_t)(at - start));
        cursor->at = at;
        *ret_reason = REASON_ALLOWED;
        return true;
    }
    if (!skip_element(r, cursor, &reason)) return false;
    *ret_reason = reason;
    return true;
}

static inline bool has(const struct record *r, unsigned slot)
{
    return r->present >> slot & 1;
}

static inline struct str text_of(const struct record *r, unsigned slot)
{
    return has(r, slot) ? r->value[slot].text : (struct str){NULL, 0};
}

struct str record_text(const struct record *r, unsigned slot)
{
    CHECK(slot < RECORD_SLOTS_MAX);
    return text_of(r, slot);
}

static struct str first_of(const struct record *r, enum record_field a, enum record_field b)
{
    return text_of(r, has(r, a) ? a : b);
}

struct str record_phone(const struct record *r)
{
    if (has(r, FIELD_PHONE)) return r->value[FIELD_PHONE].text;
    return first_of(r, FIELD_CONTACT_INFO, FIELD_V1_PHONE);
}

struct str record_client_id(const struct record *r)
{
    return first_of(r, FIELD_CUSTOMER_ID, FIELD_V1_CLIENT_ID);
}

struct str record_tenant(const struct record *r)
{
    static const enum record_field order[] = {FIELD_TENANT_NAME, FIELD_TENANT_CCID,
                                              FIELD_V1_TENANT};

    for (size_t i = 0; i < COUNT_OF(order); i++) {
        struct str name = {NULL, 0};

        if (has(r, order[i])) name = str_trim(r->value[order[i]].text);
        if (name.size && !str_eq(name, STR("undefined"))) return name;
    }
    return (struct str){NULL, 0};
}

struct str record_group(const struct record *r)
{
    return first_of(r, FIELD_CAMPAIGN_GROUP_NAME, FIELD_V1_CAMPAIGN_GROUP);
}

enum channel record_channel(const struct record *r, enum channel fallback)
{
    struct str word = first_of(r, FIELD_MEDIA_TYPE, FIELD_V1_CHANNEL);
    enum channel channel;

    if (!word.ptr) return fallback;
    return channel_parse(word, &channel) ? channel : CHANNEL_ANY;
}
