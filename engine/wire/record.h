// SPDX-License-Identifier: Apache-2.0
//
// record: one question's JSON object, read without allocation.
//
// Members are found through a `struct record_keys` table: the engine's own (field.def) and any that
// rules want (record_keys_add). Other members are skipped and counted, never an error; the raw text
// stays reachable in `text`. A key that comes twice: the last wins, `duplicate_count` grows.
// Values are views into the text; a value with escapes is undone into `scratch`.
// null, "" and white space mean absent. One thread per record; record_keys is read only once made.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"
#include "engine/wire/json.h"
#include "engine/wire/verdict.h"

enum record_field {
#define FIELD(name, key) FIELD_##name,
#include "engine/wire/field.def"
#undef FIELD
    FIELD_COUNT
};

#define RECORD_SLOTS_MAX     64 // own fields plus what rules want
#define RECORD_SCRATCH_BYTES 2048

struct record_keys; // opaque: key text -> slot
// Knows the first `field_count` names of field.def: FIELD_V1_PHONE for OCS records (where a user
// field called "at" means nothing), FIELD_COUNT for /v1. Slots keep their numbers; those of names
// that are not known stay absent. NULL when memory is out.
struct record_keys *record_keys_new(unsigned field_count);
void record_keys_free(struct record_keys *keys);
// The slot of `key`, added when new. ERR_FULL past RECORD_SLOTS_MAX. Not once readers have `keys`.
int record_keys_add(struct record_keys *keys, struct str key);

enum channel {
    CHANNEL_VOICE,
    CHANNEL_SMS,
    CHANNEL_EMAIL,
    CHANNEL_COUNT,
    CHANNEL_ANY = CHANNEL_COUNT
};
// "voice", "sms", "email" in any case; CHANNEL_ANY for "any"; false otherwise.
bool channel_parse(struct str word, enum channel *ret);
struct str channel_word(enum channel channel);

struct record {
    struct str text;  // the whole object
    uint64_t present; // bit i: value[i] says something
    // Strings already unescaped. Means nothing where absent.
    struct json_value value[RECORD_SLOTS_MAX];
    unsigned member_count, duplicate_count;
    size_t scratch_used;
    char scratch[RECORD_SCRATCH_BYTES]; // unescaped strings of this record
};

// Reads one object. True, or false with the reason (NOT_JSON, TOO_DEEP, TOO_MANY_KEYS, TOO_LARGE
// when values with escapes do not fit the scratch as they stand). `text` must outlive the record.
bool record_parse(struct record *r, struct str text, const struct record_keys *keys,
                  enum reason *ret_reason);
// Reads the next element of the array that `cursor` has entered, where it stands. True with
// REASON_ALLOWED, or with why this element is no record (the cursor is behind it then, too); false
// at the end, and with cursor->failed when the text is no JSON.
bool record_next(struct record *r, struct json *cursor, const struct record_keys *keys,
                 enum reason *ret_reason);
// The text of a slot whatever its type (a number's digits, a string's content); absent otherwise.
struct str record_text(const struct record *r, unsigned slot);

// The meanings over the aliases (GSW name first, then the v1 name):
struct str record_phone(const struct record *r);     // GSW_PHONE, contact_info, phone
struct str record_client_id(const struct record *r); // GSW_CUSTOMER_ID, client_id
struct str record_tenant(
    const struct record *r); // GSW_TENANT_NAME, GSW_TENANT_CCID, tenant; "undefined" is absent
struct str record_group(const struct record *r); // GSW_CAMPAIGN_GROUP_NAME, campaign_group
// The record's own channel; `fallback` when it names none; CHANNEL_ANY (every list applies) for a
// media type that is none of ours, so that an unknown medium is never allowed too much.
enum channel record_channel(const struct record *r, enum channel fallback);
