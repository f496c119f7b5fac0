// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/record.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/err.h"
#include "engine/base/limits.h"

#define KEY_MAX_BYTES 256
#define TABLE_SIZE    256 // a power of two; at most a quarter is taken
#define FREE          UINT8_MAX

static_assert(FIELD_COUNT <= RECORD_SLOTS_MAX, "own fields have a slot each");
static_assert(RECORD_SLOTS_MAX <= 64, "one bit a slot, see record_parse");
static_assert(RECORD_SLOTS_MAX * 4 <= TABLE_SIZE, "a miss ends at a free place soon");

struct record_keys {
    unsigned count;
    uint8_t table[TABLE_SIZE]; // slot, or FREE
    struct str key[RECORD_SLOTS_MAX];
};

static const struct str fields[FIELD_COUNT] = {
#define FIELD(name, key) {key, sizeof(key) - 1},
#include "engine/wire/field.def"
#undef FIELD
};

// Keys of OCS begin alike, so their size and last bytes tell them apart.
static inline unsigned place_of(struct str key)
{
    uint64_t x = 0;

    if (key.size >= 8)
        memcpy(&x, key.ptr + key.size - 8, 8);
    else
        memcpy(&x, key.ptr, key.size);
    return (unsigned)((x ^ key.size * UINT64_C(0x9e3779b97f4a7c15)) *
                          UINT64_C(0xd6e8feb86659fd93) >>
                      56);
}

// The slot, or FREE; *ret_place is where the search ended.
static inline unsigned find(const struct record_keys *keys, struct str key, unsigned *ret_place)
{
    unsigned place = place_of(key), slot;

    while ((slot = keys->table[place]) != FREE && !str_eq(keys->key[slot], key))
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
    for (unsigned i = 0; i < keys->count; i++) free((char *)keys->key[i].ptr);
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
    keys->key[keys->count] = str_make(copy, key.size);
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
static bool keep(struct record *r, unsigned slot, struct json_value v)
{
    if (UNLIKELY(v.escaped)) {
        if (v.text.size > sizeof r->scratch - r->scratch_used) return false;
        v.text = json_unescape(v, r->scratch + r->scratch_used);
        v.escaped = false;
        r->scratch_used += v.text.size;
    }
    r->value[slot] = json_is_absent(v) ? (struct json_value){0} : v;
    return true;
}

static bool refuse(enum reason reason, enum reason *ret_reason)
{
    *ret_reason = reason;
    return false;
}

bool record_parse(struct record *r, struct str text, const struct record_keys *keys,
                  enum reason *ret_reason)
{
    struct json j = json_start(text, LIMIT_RECORD_DEPTH);
    struct json_value key, value;
    uint64_t seen = 0;

    r->text = text;
    r->member_count = 0;
    r->duplicate_count = 0;
    r->scratch_used = 0;
    memset(r->value, 0, keys->count * sizeof r->value[0]);
    if (text.size > LIMIT_RECORD_BYTES) return refuse(REASON_TOO_LARGE, ret_reason);
    if (json_enter(&j) != JSON_OBJECT) return refuse(REASON_NOT_JSON, ret_reason);
    while (json_member(&j, &key, &value)) {
        unsigned place, slot;

        if (++r->member_count > LIMIT_RECORD_KEYS) return refuse(REASON_TOO_MANY_KEYS, ret_reason);
        slot = key.escaped ? slot_of_escaped(keys, key) : find(keys, key.text, &place);
        if (slot == FREE) continue;
        r->duplicate_count += seen >> slot & 1;
        seen |= UINT64_C(1) << slot;
        if (!keep(r, slot, value)) return refuse(REASON_TOO_LARGE, ret_reason);
    }
    if (j.error == JSON_DEPTH) return refuse(REASON_TOO_DEEP, ret_reason);
    return json_end(&j) || refuse(REASON_NOT_JSON, ret_reason);
}

struct str record_text(const struct record *r, unsigned slot)
{
    CHECK(slot < RECORD_SLOTS_MAX);
    return r->value[slot].text;
}

static struct str first_of(const struct record *r, enum record_field a, enum record_field b)
{
    return r->value[a].type != JSON_NONE ? r->value[a].text : r->value[b].text;
}

struct str record_phone(const struct record *r)
{
    if (r->value[FIELD_PHONE].type != JSON_NONE) return r->value[FIELD_PHONE].text;
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
        struct str name = str_trim(r->value[order[i]].text);

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
