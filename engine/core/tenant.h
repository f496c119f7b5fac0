// SPDX-License-Identifier: Apache-2.0
//
// tenant: who may be named by a question, fixed at start-up.
//
// The tenant "default" always exists; it has the lists that name no tenant. While it is the only
// one, names in bodies are ignored. Once tenants are named, a question that names another is
// blocked. Read only after tenant_table_init: any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/conf.h"
#include "engine/base/limits.h"
#include "engine/wire/number.h"

struct tenant {
    char name[LIMIT_NAME_BYTES + 1];
    char ccid[LIMIT_NAME_BYTES + 1]; // contact-centre id, "" = none
    struct number_home home;
};

struct tenants {
    unsigned count; // at least 1; [0] is "default"
    struct tenant tenant[LIMIT_TENANTS + 1];
};

// From `tenant` and `country`. ERR_CONFIG with a sentence.
int tenant_table_init(struct tenants *t, const struct conf *conf, struct err_info *info);
// Index by name or contact-centre id; -1 when there is none.
int tenant_find(const struct tenants *t, struct str name);
// The tenant a question names: by path first, then by body. An absent name is the default; so is
// any name in a body while no other tenant exists. -1: unknown.
int tenant_resolve(const struct tenants *t, struct str path_name, struct str body_name);
// [A-Za-z0-9][A-Za-z0-9._-]*, at most LIMIT_NAME_BYTES.
bool tenant_name_ok(struct str name);
