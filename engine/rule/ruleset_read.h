// SPDX-License-Identifier: Apache-2.0
//
// ruleset_read: how a document becomes a ruleset. Inside of the ruleset files.
//
// An object is read in two steps: its members are collected by a table of keys (unknown ones and
// duplicates are errors then), then each row takes its value. A row is all there is to a simple
// key; others name a function. Values have been found well-formed before any of this runs.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/rule/ruleset.h"
#include "engine/rule/ruleset_names.h"
#include "engine/wire/json.h"

#define RULESET_DEPTH     16 // of nested values
#define RULESET_PATH      10 // keys and places in a pointer
#define RULESET_KEYS_MAX  48 // rows of one table
#define RULESET_AGE_MAX_S (3660u * 86400)
#define RULESET_SOURCE    UINT8_MAX // rule_origin.pack of the document itself

enum ruleset_kind {
    RULESET_TEXT,   // struct str, `min` … `max` bytes
    RULESET_FLAG,   // bool
    RULESET_NUMBER, // unsigned integer, `min` … `max`
    RULESET_LENGTH, // "31d" as uint32_t seconds, `min` … `max`
    RULESET_WORD,   // one of `words`, one byte
    RULESET_WORDS,  // array of `words`, their bits joined in one byte
    RULESET_DAY,    // "2026-09-01" as int32_t
    RULESET_TAKE,   // `take` does it
    RULESET_SEEN,   // was looked at before the others
};

struct ruleset_word {
    struct str word; // absent ends the table
    uint8_t value;
};

struct ruleset_reader;

struct ruleset_key {
    struct str name; // absent ends the table
    enum ruleset_kind kind;
    bool required;
    uint16_t offset, size_bytes; // of what is written
    uint32_t min, max;
    uint16_t types; // bits of enum verdict_type whose rules take it; 0 = every
    const struct ruleset_word *words;
    void (*take)(struct ruleset_reader *r, void *into, struct json_value v);
};
#define RULESET_INTO(type, member)                                                                 \
    .offset = offsetof(type, member), .size_bytes = sizeof(((type *)0)->member)

// The members of one object, by row of its table.
struct ruleset_members {
    uint64_t present;
    struct json_value value[RULESET_KEYS_MAX];
};

// Where a rule was written.
struct ruleset_origin {
    uint8_t pack;    // index in "packs", or RULESET_SOURCE
    uint16_t index;  // in its array
    struct str list; // SUPPRESSION, FRESHNESS: the name of the list, looked up at the end
};
// A name that a plan uses, looked up at the end.
struct ruleset_use {
    struct str name;
    uint16_t plan, index; // place in "plans", and in that plan's array
};

// What an owner has beside the public part.
struct ruleset_chunk {
    struct ruleset_chunk *next;
    size_t used_bytes, room_bytes;
    char bytes[];
};
struct ruleset_own {
    struct ruleset pub;
    unsigned refs; // atomic
    struct ruleset_chunk *chunks;
    struct ruleset_names rule_names;
};

struct ruleset_reader {
    struct ruleset_own *own;
    struct ruleset *set; // &own->pub
    const struct places *places;
    const struct zones *zones;
    const struct packs *packs;
    bool (*has_list)(void *ctx, struct str name);
    void *has_list_ctx;
    struct ruleset_errors *errors;
    int err;                 // ERR_NOMEM
    const struct pack *pack; // whose text is read; NULL = the document's
    struct str pack_name;    // of it, in the ruleset's memory
    unsigned pack_index;     // in "packs"
    bool alone;              // the pack is all there is: pointers are its own
    struct {
        struct str key; // absent = `index`
        unsigned index;
    } path[RULESET_PATH];
    unsigned depth;
    // Where the path leaves the document for a pack's text or a calendar: pointers end there, the
    // rest goes into the sentence behind what it is in. 0 = it does not.
    unsigned leaves;
    const char *leaves_for;
    struct str leaves_name;

    struct ruleset_origin *rule_origin; // as many as set->rule
    unsigned rule_origin_count;
    struct ruleset_use *rule_use, *list_use; // as many as set->named_rule, set->named_list
    unsigned rule_use_count, list_use_count;
    struct ruleset_names list_names, plan_names;
    unsigned plan; // the one being read

    unsigned rule;        // the one being read
    uint64_t busy[7][24]; // minutes of the week that its windows cover
    struct ruleset_calendar {
        struct str name;
        unsigned first, count; // of set->date
    } calendar[64];            // those used so far
    unsigned calendar_count;
    uint64_t country_known[ATTEMPT_COUNTRY_WORDS]; // bits of those in country_regions
    uint64_t country_regions[PLACES_COUNTRIES_MAX][ATTEMPT_REGION_WORDS];
};

// -- ruleset_mem.c: places, errors, memory -----------------------------------------------------
void ruleset_key_push(struct ruleset_reader *r, struct str key);
void ruleset_index_push(struct ruleset_reader *r, unsigned index);
void ruleset_pop(struct ruleset_reader *r);
void ruleset_leave(struct ruleset_reader *r, const char *what, struct str name);
// An error at the place that is being read.
void ruleset_fail(struct ruleset_reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
// For "%.*s" of something from the document: not more than fits a sentence.
#define RULESET_CLIP(s) (int)((s).size < 48 ? (s).size : 48), (s).ptr ? (s).ptr : ""

void *ruleset_alloc(struct ruleset_reader *r, size_t size_bytes);
// The content of a string, unescaped, in the ruleset's memory.
struct str ruleset_keep(struct ruleset_reader *r, struct json_value v);
// One more zeroed row of *table (a pointer to rows), which moves; NULL when memory is out or it has
// 65,535, which is an error of the document (`what`: "windows").
void *ruleset_push(struct ruleset_reader *r, void *table, unsigned *count, size_t size_bytes,
                   const char *what);

// -- ruleset_field.c: keys and values -----------------------------------------------------------
bool ruleset_is(struct ruleset_reader *r, struct json_value v, enum json_type type,
                const char *wanted);
// False when the value at the cursor is no object (an error then). The cursor is behind it.
bool ruleset_collect(struct ruleset_reader *r, struct json *j, const struct ruleset_key *keys,
                     struct ruleset_members *m);
bool ruleset_collect_value(struct ruleset_reader *r, struct json_value v,
                           const struct ruleset_key *keys, struct ruleset_members *m);
// Takes what was collected into `into`. `type`: of the rule; VERDICT_NONE for other objects,
// VERDICT_TYPE_COUNT for a rule of no known type, which leaves the keys of types alone.
void ruleset_take(struct ruleset_reader *r, const struct ruleset_key *keys,
                  const struct ruleset_members *m, void *into, enum verdict_type type);
// Each element of an array of at least `min` and at most `max` elements, its place pushed.
void ruleset_each(struct ruleset_reader *r, struct json_value v, unsigned min, unsigned max,
                  void (*take)(struct ruleset_reader *r, void *into, struct json_value v),
                  void *into);
// The same for objects, their members collected.
void ruleset_each_object(struct ruleset_reader *r, struct json_value v, unsigned max,
                         const struct ruleset_key *keys,
                         void (*take)(struct ruleset_reader *r, unsigned index,
                                      const struct ruleset_members *m));
// The value of a word, -1 (and an error that lists them) when it is none.
int ruleset_word_value(struct ruleset_reader *r, const struct ruleset_word *words,
                       struct json_value v);
// A string's content for looking at; escapes are undone into `scratch`, which bounds it.
struct str ruleset_peek(struct json_value v, char *scratch, size_t size_bytes);
#define RULESET_PEEK_BYTES 256
// "31d" in seconds; `units` are those allowed.
bool ruleset_length(struct str text, const char *units, uint64_t *ret_s);

// -- the parts of the document ----------------------------------------------------------------
extern const struct ruleset_word ruleset_channels[], ruleset_purposes[], ruleset_dialings[],
    ruleset_sources[];
void ruleset_read(struct ruleset_reader *r); // the document in set->text
void ruleset_read_pack(struct ruleset_reader *r, const struct pack *pack, unsigned index);
void ruleset_lists(struct ruleset_reader *r, struct json_value v);
void ruleset_rules(struct ruleset_reader *r, struct json_value v);
bool ruleset_list_name(struct str name);
void ruleset_verified(struct ruleset_reader *r, void *into, struct json_value v);
void ruleset_where_any(struct rule_where *where);
void ruleset_where(struct ruleset_reader *r, void *into, struct json_value v);
void ruleset_where_counted(struct ruleset_reader *r, void *into, struct json_value v);
void ruleset_windows(struct ruleset_reader *r, void *into, struct json_value v);
void ruleset_dates(struct ruleset_reader *r, void *into, struct json_value v);
void ruleset_calendars(struct ruleset_reader *r, void *into, struct json_value v);
// Expressions name more fields or counts than they may.
bool ruleset_expr_full(const struct ruleset *set);
// Once everything is read: order, names, what hangs together.
void ruleset_join(struct ruleset_reader *r);
