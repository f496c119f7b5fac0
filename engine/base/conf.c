// SPDX-License-Identifier: Apache-2.0
#include "engine/base/conf.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/base/file.h"

#define FILE_MAX_BYTES ((size_t)4 << 20)

const struct conf_row conf_rows[CONF_COUNT] = {
#define OPTION(name, key, type, fallback, arg, min, max, reload, help)                             \
    {key, CONF_TYPE_##type, fallback, arg, min, max, reload, help},
#include "engine/base/conf.def"
#undef OPTION
};

// Where a value was found, for messages and precedence.
struct place {
    const char *what; // "command line", "environment", file name
    unsigned line;    // of a file, 0 otherwise
};

// "idle-timeout-ms" and "idle_timeout_ms" name the same option.
static int option_of(struct str name)
{
    for (int o = 0; o < CONF_COUNT; o++) {
        struct str key = str_of(conf_rows[o].key);
        size_t i = 0;

        if (key.size != name.size) continue;
        while (i < key.size &&
               (key.ptr[i] == name.ptr[i] || (key.ptr[i] == '_' && name.ptr[i] == '-')))
            i++;
        if (i == key.size) return o;
    }
    return -1;
}

static int bad_value(int o, struct place place, const char *want, struct err_info *info)
{
    char line[32] = "";

    if (place.line) snprintf(line, sizeof line, " line %u", place.line);
    return err_set(info, ERR_CONFIG, "%s (%s%s): %s; try: dialgate-engine --help", conf_rows[o].key,
                   place.what, line, want);
}

static int check_uint(int o, struct str value, struct place place, struct err_info *info)
{
    const struct conf_row *row = &conf_rows[o];
    char want[96];
    uint64_t n;

    if (str_to_u64(value, &n) && n >= row->min && n <= row->max) return 0;
    snprintf(want, sizeof want, "must be a whole number from %llu to %llu",
             (unsigned long long)row->min, (unsigned long long)row->max);
    return bad_value(o, place, want, info);
}

static int add_item(struct conf *c, int o, struct str value, struct place place,
                    struct err_info *info)
{
    char **items;

    if (c->item_count[o] == CONF_LIST_MAX) return bad_value(o, place, "came too often", info);
    items = realloc(c->items[o], (c->item_count[o] + 1) * sizeof *items);
    if (!items) return err_set(info, ERR_NOMEM, "out of memory while reading options");
    c->items[o] = items;
    items[c->item_count[o]] = str_dup(value);
    if (!items[c->item_count[o]]) return err_set(info, ERR_NOMEM, "out of memory");
    c->item_count[o]++;
    return 0;
}

static int set_value(struct conf *c, int o, struct str value, struct place place,
                     struct err_info *info)
{
    int err = 0;

    if (memchr(value.ptr ? value.ptr : "", '\0', value.size))
        return bad_value(o, place, "holds a NUL byte", info);
    switch (conf_rows[o].type) {
    case CONF_TYPE_LIST:
        return add_item(c, o, value, place, info);
    case CONF_TYPE_UINT:
        err = check_uint(o, value, place, info);
        break;
    case CONF_TYPE_FLAG:
        if (!str_eq(value, STR("true")) && !str_eq(value, STR("false")))
            err = bad_value(o, place, "must be true or false", info);
        break;
    case CONF_TYPE_TEXT:
        break;
    }
    if (err) return err;
    free(c->text[o]);
    c->text[o] = str_dup(value);
    return c->text[o] ? 0 : err_set(info, ERR_NOMEM, "out of memory");
}

// The options that only ask the program about itself.
static bool take_question(struct conf *c, struct str name)
{
    if (str_eq(name, STR("--help")) || str_eq(name, STR("-h")))
        c->help = true;
    else if (str_eq(name, STR("--version")))
        c->version = true;
    else if (str_eq(name, STR("--sample-config")))
        c->sample = true;
    else
        return false;
    return true;
}

static int load_args(struct conf *c, struct err_info *info)
{
    struct place place = {"command line", 0};

    for (int i = 1; i < c->argc; i++) {
        struct str name = str_of(c->argv[i]), value;
        int o, err;

        if (take_question(c, name)) continue;
        if (!str_starts(name, STR("--")))
            return err_set(info, ERR_CONFIG,
                           "unexpected argument '%s'; try: dialgate-engine --help", c->argv[i]);
        name = str_cut(str_make(name.ptr + 2, name.size - 2), '=', &value);
        o = option_of(name);
        if (o < 0)
            return err_set(info, ERR_CONFIG, "unknown option --%.*s; try: dialgate-engine --help",
                           STR_ARG(name));
        if (!value.ptr && conf_rows[o].type == CONF_TYPE_FLAG) value = STR("true");
        if (!value.ptr) {
            if (i + 1 == c->argc) return bad_value(o, place, "needs a value", info);
            value = str_of(c->argv[++i]);
        }
        err = set_value(c, o, value, place, info);
        if (err) return err;
    }
    return 0;
}

// What a stronger place has given is not looked up in a weaker one.
static int load_env(struct conf *c, struct err_info *info)
{
    struct place place = {"environment", 0};

    for (int o = 0; o < CONF_COUNT; o++) {
        char name[64] = "DIALGATE_";
        const char *found;
        struct str rest, item;
        size_t n = strlen(name);

        for (const char *k = conf_rows[o].key; *k; k++)
            name[n++] = (char)(*k == '_' ? '_' : *k & ~0x20);
        name[n] = '\0';
        found = getenv(name);
        if (!found || !found[0] || conf_given(c, (enum conf_option)o)) continue;
        rest = str_of(found);
        do {
            int err;

            item = conf_rows[o].type == CONF_TYPE_LIST ? str_cut(rest, ';', &rest) : rest;
            err = item.size ? set_value(c, o, item, place, info) : 0;
            if (err) return err;
        } while (conf_rows[o].type == CONF_TYPE_LIST && rest.ptr);
    }
    return 0;
}

static int load_line(struct conf *c, const bool *given, struct str line, struct place place,
                     struct err_info *info)
{
    struct str key, value;
    int o;

    line = str_trim(line);
    if (line.size == 0 || line.ptr[0] == '#') return 0;
    key = str_trim(str_cut(line, '=', &value));
    if (!value.ptr)
        return err_set(info, ERR_CONFIG, "%s line %u: no '='; try: key = value", place.what,
                       place.line);
    o = option_of(key);
    if (o < 0 || o == CONF_CONFIG)
        return err_set(info, ERR_CONFIG,
                       "%s line %u: unknown key '%.*s'; try: dialgate-engine --help", place.what,
                       place.line, STR_ARG(key));
    value = str_trim(value);
    if (given[o] || (conf_rows[o].type == CONF_TYPE_LIST && value.size == 0)) return 0;
    return set_value(c, o, value, place, info);
}

static int load_file(struct conf *c, struct err_info *info)
{
    struct place place = {conf_text(c, CONF_CONFIG), 0};
    bool given[CONF_COUNT];
    struct str rest;
    struct buf text;
    int err;

    if (place.what[0] == '\0') return 0;
    for (int o = 0; o < CONF_COUNT; o++) given[o] = conf_given(c, (enum conf_option)o);
    buf_init(&text, FILE_MAX_BYTES);
    err = file_read_all(place.what, &text, info);
    rest = buf_view(&text);
    while (!err && rest.ptr) {
        struct str line = str_cut(rest, '\n', &rest);

        place.line++;
        err = load_line(c, given, line, place, info);
    }
    buf_done(&text);
    return err;
}

int conf_load(struct conf *c, int argc, char **argv, struct err_info *info)
{
    int err;

    *c = (struct conf){.argc = argc, .argv = argv};
    err = load_args(c, info);
    if (!err) err = load_env(c, info);
    if (!err) err = load_file(c, info);
    return err;
}

void conf_done(struct conf *c)
{
    for (int o = 0; o < CONF_COUNT; o++) {
        free(c->text[o]);
        for (unsigned i = 0; i < c->item_count[o]; i++) free(c->items[o][i]);
        free(c->items[o]);
    }
    *c = (struct conf){0};
}

const char *conf_text(const struct conf *c, enum conf_option o)
{
    return c->text[o] ? c->text[o] : conf_rows[o].fallback;
}

uint64_t conf_uint(const struct conf *c, enum conf_option o)
{
    uint64_t n = 0;

    CHECK(conf_rows[o].type == CONF_TYPE_UINT);
    CHECK(str_to_u64(str_of(conf_text(c, o)), &n));
    return n;
}

bool conf_flag(const struct conf *c, enum conf_option o)
{
    return strcmp(conf_text(c, o), "true") == 0;
}

bool conf_given(const struct conf *c, enum conf_option o)
{
    return c->text[o] || c->item_count[o] > 0;
}

static void put_option(FILE *to, const struct conf_row *row)
{
    fputs("  --", to);
    for (const char *k = row->key; *k; k++) fputc(*k == '_' ? '-' : *k, to);
    if (row->arg[0]) fprintf(to, " %s", row->arg);
    fprintf(to, "\n      %s", row->help);
    if (row->fallback[0]) fprintf(to, " (default %s)", row->fallback);
    fputs("\n", to);
}

void conf_write_help(FILE *to)
{
    fputs("dialgate-engine: may this contact be attempted now?\n\n"
          "Usage: dialgate-engine [option …]\n\n",
          to);
    for (int o = 0; o < CONF_COUNT; o++) put_option(to, &conf_rows[o]);
    fputs("  --sample-config\n      print a config file with every key and stop\n"
          "  --help, --version\n\n"
          "Every option is also a key of the config file (idle_timeout_ms = 60000) and an\n"
          "environment variable (DIALGATE_IDLE_TIMEOUT_MS). The command line wins over the\n"
          "environment, the environment over the file. SIGHUP re-reads the file and the lists.\n\n"
          "Try: dialgate-engine --list national=registry.txt --data var/engine\n",
          to);
}

void conf_write_sample(FILE *to)
{
    fputs("# dialgate-engine config. Every key is here, commented out, with its default.\n", to);
    for (int o = 0; o < CONF_COUNT; o++) {
        const struct conf_row *row = &conf_rows[o];

        if (o == CONF_CONFIG) continue;
        fprintf(to, "\n# %s%s\n", row->help, row->reload ? " [SIGHUP]" : "");
        if (row->arg[0] && row->type != CONF_TYPE_UINT) fprintf(to, "# %s\n", row->arg);
        fprintf(to, "#%s = %s\n", row->key, row->type == CONF_TYPE_FLAG ? "false" : row->fallback);
    }
}
