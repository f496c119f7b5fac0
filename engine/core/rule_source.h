// SPDX-License-Identifier: Apache-2.0
//
// rule_source: where each tenant's rule set comes from: a configured file, or what PUT /v1/rules
// stored. A stored document counts until the configured file holds something else than it did when
// the document was stored; then the file does.
//
// A `struct rule_sources` is one state of all tenants: made whole (rule_source_read), changed on a
// copy, then swapped in, so that a failure leaves everything as it was. Feed thread only, once
// there is one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/conf.h"
#include "engine/core/atlas.h"
#include "engine/core/tenant.h"
#include "engine/core/view.h"
#include "engine/rule/ruleset.h"

struct rule_source {
    struct ruleset *set; // NULL = this tenant has no rule set
    uint64_t file_sum;   // of the configured file when it was read last; 0 = none
    bool stored;         // `set` came by PUT /v1/rules
    bool outdated;       // the file took over from what was stored, which is still there
    char file[512];      // "" = none configured
};

struct rule_sources {
    struct atlas *atlas;
    unsigned count;
    struct rule_source at[LIMIT_TENANTS + 1];
};

// Whose lists a document may name without declaring them: those of the engine and of --list.
struct rule_lists {
    const struct tenants *tenants;
    const struct catalog *catalog;
    const struct list_spec *specs;
    unsigned spec_count;
};

// Reads everything: `rules` of the configuration, and DIR/rules when there is a data directory.
// `before` is what is in force (NULL at the start): a file whose content is the same changes
// nothing. Rule sets are parsed against `atlas`, of which it takes a reference. Failures are
// sentences: FILE, the number of errors, the first few with their pointers.
int rule_source_read(struct rule_sources **ret, const struct rule_sources *before,
                     struct atlas *atlas, const struct conf *conf, const struct rule_lists *lists,
                     struct err_info *info);
// The same documents, parsed against another atlas.
int rule_source_again(struct rule_sources **ret, const struct rule_sources *before,
                      struct atlas *atlas, const struct rule_lists *lists, struct err_info *info);
// A copy in which `tenant` has `text`. ERR_BAD_RULES with `errors`, ERR_NOMEM.
int rule_source_put(struct rule_sources **ret, const struct rule_sources *before, unsigned tenant,
                    struct str text, const struct rule_lists *lists, struct ruleset_errors *errors);
// Makes tenant's document of `s` durable.
int rule_source_store(const struct rule_sources *s, unsigned tenant, const char *data_dir,
                      const struct tenants *tenants, struct err_info *info);
// Once `s` is in force: what is outdated is put aside, so that a file that is changed back does not
// bring it back at the next start. A failure is logged.
void rule_source_retire(struct rule_sources *s, const char *data_dir,
                        const struct tenants *tenants);
void rule_source_free(struct rule_sources *s); // NULL is fine
