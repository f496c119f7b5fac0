// SPDX-License-Identifier: Apache-2.0

#include "engine/feed/feed.h"
#include "engine/wire/number.h"

// [A-Za-z0-9][A-Za-z0-9._-]*, at most LIMIT_NAME_BYTES.
static bool is_name(struct str s)
{
    if (s.size == 0 || s.size > LIMIT_NAME_BYTES) return false;
    for (size_t i = 0; i < s.size; i++) {
        char c = s.ptr[i];
        bool plain = str_is_digit(c) || (str_lower(c) >= 'a' && str_lower(c) <= 'z');

        if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-'))) return false;
    }
    return true;
}

static int refused(struct err_info *info, struct str text, const char *what, struct str word)
{
    return err_set(info, ERR_CONFIG,
                   "list '%.*s': %s '%.*s'; try: "
                   "NAME=FILE[,kind=device|client|email][,channel=voice|sms|email|any]"
                   "[,required][,optional][,tenant=NAME|*][,country=CC]",
                   STR_ARG(text), what, STR_ARG(word));
}

static bool kind_parse(struct str word, enum set_kind *ret)
{
    static const struct {
        const char *word;
        enum set_kind kind;
    } kinds[] = {{"device", SET_DEVICE}, {"client", SET_CLIENT}, {"email", SET_EMAIL}};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!str_eq_nocase(word, str_of(kinds[i].word))) continue;
        *ret = kinds[i].kind;
        return true;
    }
    return false;
}

static int option_parse(struct list_spec *spec, struct str option, struct str text,
                        struct err_info *info)
{
    struct str value, key = str_cut(option, '=', &value);

    key = str_trim(key);
    value = value.ptr ? str_trim(value) : value;
    if (!value.ptr && str_eq(key, STR("required"))) {
        spec->required = true;
    } else if (!value.ptr && str_eq(key, STR("optional"))) {
        spec->required = false;
    } else if (str_eq(key, STR("kind"))) {
        if (!kind_parse(value, &spec->kind)) return refused(info, text, "no such kind", value);
    } else if (str_eq(key, STR("channel"))) {
        if (!channel_parse(value, &spec->channel))
            return refused(info, text, "no such channel", value);
    } else if (str_eq(key, STR("tenant"))) {
        if (!str_eq(value, STR("*")) && !is_name(value))
            return refused(info, text, "no name of a tenant", value);
        str_copy(spec->tenant, sizeof spec->tenant, value);
    } else if (str_eq(key, STR("country"))) {
        struct number_home home;

        if (number_home_init(&home, value, NULL) != 0)
            return refused(info, text, "no such country", value);
        memcpy(spec->region, home.region, sizeof spec->region);
    } else {
        return refused(info, text, "no such option", option);
    }
    return 0;
}

int list_spec_parse(struct list_spec *spec, struct str text, const char *default_tenant,
                    const char *default_region, struct err_info *info)
{
    struct list_spec made = {.kind = SET_DEVICE, .channel = CHANNEL_ANY, .required = true};
    struct str rest, options, name = str_trim(str_cut(text, '=', &rest)), file;

    str_copy(made.tenant, sizeof made.tenant, str_of(default_tenant));
    str_copy(made.region, sizeof made.region, str_of(default_region));
    if (!rest.ptr) return refused(info, text, "there is no '=' after", name);
    if (!is_name(name)) return refused(info, text, "no name of a list", name);
    str_copy(made.name, sizeof made.name, name);
    file = str_trim(str_cut(rest, ',', &options));
    if (!str_copy(made.file, sizeof made.file, file))
        return refused(info, text, "the path is longer than 511 bytes:", file);
    while (options.ptr) {
        struct str option = str_cut(options, ',', &rest);
        int err = option_parse(&made, str_trim(option), text, info);

        if (err) return err;
        options = rest;
    }
    *spec = made;
    return 0;
}
