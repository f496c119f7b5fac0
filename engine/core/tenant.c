// SPDX-License-Identifier: Apache-2.0
#include "engine/core/tenant.h"

#include "engine/base/check.h"

#define DEFAULT_NAME "default"

bool tenant_name_ok(struct str name)
{
    if (name.size == 0 || name.size > LIMIT_NAME_BYTES) return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.ptr[i];
        bool word = str_is_digit(c) || (str_lower(c) >= 'a' && str_lower(c) <= 'z');

        if (!word && (i == 0 || (c != '.' && c != '_' && c != '-'))) return false;
    }
    return true;
}

static int bad_tenant(const char *item, const char *why, struct err_info *info)
{
    return err_set(info, ERR_CONFIG, "tenant '%s': %s; try: --tenant acme,ccid=1234,country=US",
                   item, why);
}

// NAME[,ccid=ID][,country=CC]
static int parse(struct tenant *tenant, const char *item, const char *country,
                 struct err_info *info)
{
    struct str rest, name = str_cut(str_of(item), ',', &rest);
    struct str region = str_of(country);

    *tenant = (struct tenant){0};
    if (!tenant_name_ok(name))
        return bad_tenant(item, "the name must be letters, digits, . _ -", info);
    str_copy(tenant->name, sizeof tenant->name, name);
    while (rest.ptr) {
        struct str value, key = str_cut(str_cut(rest, ',', &rest), '=', &value);

        if (str_eq(key, STR("ccid")) && value.size > 0) {
            if (!str_copy(tenant->ccid, sizeof tenant->ccid, value))
                return bad_tenant(item, "the ccid is too long", info);
        } else if (str_eq(key, STR("country")) && value.size == 2) {
            region = value;
        } else {
            return bad_tenant(item, "only ccid=ID and country=CC may follow the name", info);
        }
    }
    return number_home_init(&tenant->home, region, info);
}

int tenant_table_init(struct tenants *t, const struct conf *conf, struct err_info *info)
{
    const char *country = conf_text(conf, CONF_COUNTRY);
    int err = parse(&t->tenant[0], DEFAULT_NAME, country, info);

    t->count = 1;
    if (conf->item_count[CONF_TENANT] > LIMIT_TENANTS)
        return err_set(info, ERR_CONFIG, "more than %d tenants; try: a second engine",
                       LIMIT_TENANTS);
    for (unsigned i = 0; !err && i < conf->item_count[CONF_TENANT]; i++) {
        const char *item = conf->items[CONF_TENANT][i];
        struct tenant *next = &t->tenant[t->count];

        err = parse(next, item, country, info);
        if (err) break;
        if (str_eq(str_of(next->name), STR(DEFAULT_NAME)) && t->count == 1 &&
            !t->tenant[0].ccid[0]) {
            t->tenant[0] = *next; // the default tenant's own settings
            continue;
        }
        if (tenant_find(t, str_of(next->name)) >= 0 ||
            (next->ccid[0] && tenant_find(t, str_of(next->ccid)) >= 0))
            return bad_tenant(item, "that name or ccid is taken", info);
        t->count++;
    }
    return err;
}

int tenant_find(const struct tenants *t, struct str name)
{
    for (unsigned i = 0; i < t->count; i++) {
        const struct tenant *tenant = &t->tenant[i];

        if (str_eq(name, str_of(tenant->name))) return (int)i;
        if (tenant->ccid[0] && str_eq(name, str_of(tenant->ccid))) return (int)i;
    }
    return -1;
}

int tenant_resolve(const struct tenants *t, struct str path_name, struct str body_name)
{
    DEBUG_CHECK(t->count > 0);
    // a path that names nobody we know is wrong whoever is configured
    if (path_name.size > 0) return tenant_find(t, path_name);
    if (t->count == 1 || body_name.size == 0) return 0;
    return tenant_find(t, body_name);
}
