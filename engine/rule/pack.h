// SPDX-License-Identifier: Apache-2.0
//
// pack: rules of one jurisdiction as dated, cited data (engine/packs/*.json). Those of the source
// tree are built into the program; a directory (option `packs`) can replace or add some.
// How a lawyer changes one: engine/packs/README.md.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

#define PACKS_MAX 64

struct pack {
    struct str name, text; // text: the JSON document, good as long as the `struct packs`
    uint64_t sum;          // hash_sum of the text
    struct str version, title, jurisdiction; // as written, escapes and all
    struct str lists, rules; // the raw JSON arrays, so that vectors are not read with each document
};
struct packs; // immutable once loaded

// The built-in ones; then *.json of `dir` (NULL = none), which replace a pack of the same name.
// ERR_IO, ERR_BAD_VALUE with a sentence (not JSON, no "pack" name). Rules are checked by ruleset.
int packs_load(struct packs **ret, const char *dir, struct err_info *info);
void packs_free(struct packs *p);
unsigned packs_count(const struct packs *p);
const struct pack *packs_at(const struct packs *p, unsigned i);
const struct pack *packs_find(const struct packs *p, struct str name); // NULL = none
// "calendars": named holiday sets of all packs, as raw JSON arrays; absent when there is none.
struct str packs_calendar(const struct packs *p, struct str name);
