// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/pack.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/base/utf8.h"
#include "engine/rule/builtin.h"
#include "engine/wire/json.h"

#define DEPTH_MAX     16
#define CALENDARS_MAX 256
#define TEXT_MAX      LIMIT_RULES_BYTES

struct calendar {
    struct str name, text;
    unsigned pack;
};

struct packs {
    unsigned count, calendar_count;
    struct pack pack[PACKS_MAX];
    const char *file[PACKS_MAX]; // its file's name, for sentences
    char *owned[PACKS_MAX];      // text and file name of one that was read from the directory
    struct calendar calendar[CALENDARS_MAX];
};

static const struct {
    struct str key;
    enum json_type type;
    size_t offset; // of the str in struct pack
    bool kept;
} members[] = {
    {{"pack", 4}, JSON_STRING, offsetof(struct pack, name), true},
    {{"version", 7}, JSON_STRING, offsetof(struct pack, version), true},
    {{"title", 5}, JSON_STRING, offsetof(struct pack, title), true},
    {{"jurisdiction", 12}, JSON_STRING, offsetof(struct pack, jurisdiction), true},
    {{"lists", 5}, JSON_ARRAY, offsetof(struct pack, lists), true},
    {{"rules", 5}, JSON_ARRAY, offsetof(struct pack, rules), true},
    {{"calendars", 9}, JSON_OBJECT, 0, false},
    {{"vectors", 7}, JSON_ARRAY, 0, false},
    {{"note", 4}, JSON_STRING, 0, false},
};

static int take_member(struct pack *p, struct json_value key, struct json_value v, unsigned *seen,
                       struct err_info *info)
{
    static const char *const words[] = {"nothing", "null",     "true",     "a number",
                                        "text",    "an array", "an object"};
    size_t i = 0;

    while (i < COUNT_OF(members) && !str_eq(members[i].key, key.text)) i++;
    if (i == COUNT_OF(members))
        return err_set(info, ERR_BAD_VALUE, "unknown key \"%.*s\"", STR_ARG(key.text));
    if (*seen >> i & 1)
        return err_set(info, ERR_BAD_VALUE, "key \"%.*s\" comes twice", STR_ARG(key.text));
    if (v.type != members[i].type)
        return err_set(info, ERR_BAD_VALUE, "\"%.*s\" must be %s", STR_ARG(key.text),
                       words[members[i].type]);
    *seen |= 1u << i;
    if (members[i].kept) memcpy((char *)p + members[i].offset, &v.text, sizeof v.text);
    return 0;
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.size; i++) {
        char c = str_lower(s.ptr[i]);

        if (!str_is_digit(c) && (c < 'a' || c > 'z') && (i == 0 || (c != '-' && c != '_')))
            return false;
    }
    return s.size > 0 && s.size <= LIMIT_NAME_BYTES;
}

// The top level of a pack, with views of what rulesets read of it.
static int read_pack(struct pack *p, struct str text, struct str *ret_calendars,
                     struct err_info *info)
{
    struct json j = json_start(text, DEPTH_MAX);
    struct json_value key, v;
    unsigned seen = 0;
    int err = 0;

    *p = (struct pack){.text = text, .sum = hash_sum(text.ptr, text.size)};
    if (json_enter(&j) != JSON_OBJECT) return err_set(info, ERR_BAD_VALUE, "is no JSON object");
    while (err == 0 && json_member(&j, &key, &v)) {
        if (str_eq(key.text, STR("calendars"))) *ret_calendars = v.text;
        err = take_member(p, key, v, &seen, info);
    }
    if (err < 0) return err;
    if (!json_end(&j))
        return err_set(info, ERR_BAD_VALUE, "is no JSON near byte %zu", (size_t)(j.at - j.begin));
    if (utf8_good(text.ptr, text.size) < text.size)
        return err_set(info, ERR_BAD_VALUE, "is not UTF-8 at byte %zu",
                       utf8_good(text.ptr, text.size));
    if (!is_name(p->name))
        return err_set(info, ERR_BAD_VALUE,
                       "needs \"pack\", its name: letters, digits, '-' and '_', at most %d",
                       LIMIT_NAME_BYTES);
    if (!p->version.size) return err_set(info, ERR_BAD_VALUE, "needs \"version\"");
    return 0;
}

static void drop_calendars(struct packs *p, unsigned pack)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < p->calendar_count; i++)
        if (p->calendar[i].pack != pack) p->calendar[kept++] = p->calendar[i];
    p->calendar_count = kept;
}

static int add_calendars(struct packs *p, unsigned pack, struct str object, struct err_info *info)
{
    struct json j = json_start(object, DEPTH_MAX);
    struct json_value key, v;

    if (!object.ptr) return 0;
    json_enter(&j);
    while (json_member(&j, &key, &v)) {
        if (!is_name(key.text) || v.type != JSON_ARRAY)
            return err_set(info, ERR_BAD_VALUE,
                           "calendar \"%.*s\" must be a name (letters, "
                           "digits, '-', '_') and an array of dates",
                           STR_ARG(key.text));
        if (packs_calendar(p, key.text).ptr)
            return err_set(info, ERR_BAD_VALUE, "calendar \"%.*s\" is there already",
                           STR_ARG(key.text));
        if (p->calendar_count == CALENDARS_MAX)
            return err_set(info, ERR_BAD_VALUE, "all packs may have %d calendars, not more",
                           CALENDARS_MAX);
        p->calendar[p->calendar_count++] = (struct calendar){key.text, v.text, pack};
    }
    return 0;
}

// `owned`: what `text` and `file` lie in, or NULL; taken over only on success.
static int add_pack(struct packs *p, struct str text, const char *file, char *owned,
                    struct err_info *info)
{
    struct err_info why = {0};
    struct str calendars = {0};
    struct pack pack;
    unsigned at = 0;
    int err = read_pack(&pack, text, &calendars, &why);

    if (err < 0) goto out;
    while (at < p->count && !str_eq(p->pack[at].name, pack.name)) at++;
    if (at < p->count && p->owned[at]) {
        err = err_set(&why, ERR_BAD_VALUE, "pack \"%.*s\" stands in %s as well; keep one",
                      STR_ARG(pack.name), p->file[at]);
        goto out;
    }
    if (at == PACKS_MAX) {
        err = err_set(&why, ERR_BAD_VALUE, "is one pack more than there can be (%d)", PACKS_MAX);
        goto out;
    }
    drop_calendars(p, at);
    err = add_calendars(p, at, calendars, &why);
    if (err < 0) goto out;
    p->pack[at] = pack;
    p->file[at] = file;
    p->owned[at] = owned;
    if (at == p->count) p->count++;
out:
    if (err < 0) err_set(info, err, "pack file %s: %s", file, why.text);
    return err;
}

static int add_builtin(struct packs *p, struct err_info *info)
{
    int err = 0;

    for (const struct builtin_file *f = builtin_files; f->name && err == 0; f++) {
        struct str name = str_of(f->name);

        if (name.size > 5 && str_eq(str_make(name.ptr + name.size - 5, 5), STR(".json")))
            err = add_pack(p, str_make(f->text, f->size_bytes), f->name, NULL, info);
    }
    return err;
}

static int add_file(struct packs *p, const char *dir, const char *name, struct err_info *info)
{
    char path[4096];
    struct buf b;
    size_t text_size;
    int err;

    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return err_set(info, ERR_IO, "the path %s/%s is too long", dir, name);
    buf_init(&b, TEXT_MAX + sizeof path);
    err = file_read_all(path, &b, info);
    if (err < 0) goto out;
    text_size = b.size_bytes;
    buf_put(&b, path, strlen(path) + 1); // behind the text, so that one piece of memory is owned
    if (b.failed) {
        err = err_set(info, ERR_NOMEM, "no memory for the pack file %s", path);
        goto out;
    }
    err = add_pack(p, str_make(b.ptr, text_size), b.ptr + text_size, b.ptr, info);
    if (err == 0) b = (struct buf){0};
out:
    buf_done(&b);
    return err;
}

static int is_json(const struct dirent *entry)
{
    struct str name = str_of(entry->d_name);

    return name.size > 5 && name.ptr[0] != '.' &&
           str_eq(str_make(name.ptr + name.size - 5, 5), STR(".json"));
}

static int add_dir(struct packs *p, const char *dir, struct err_info *info)
{
    struct dirent **entry = NULL;
    int count = scandir(dir, &entry, is_json, alphasort), err = 0;

    if (count < 0)
        return err_set(info, ERR_IO, "the pack directory %s cannot be read (%s); option packs", dir,
                       strerror(errno));
    for (int i = 0; i < count; i++) {
        if (err == 0) err = add_file(p, dir, entry[i]->d_name, info);
        free(entry[i]);
    }
    free(entry);
    return err;
}

int packs_load(struct packs **ret, const char *dir, struct err_info *info)
{
    struct packs *p = calloc(1, sizeof *p);
    int err;

    if (!p) return err_set(info, ERR_NOMEM, "no memory for the rule packs");
    err = add_builtin(p, info);
    if (err == 0 && dir && *dir) err = add_dir(p, dir, info);
    if (err < 0)
        packs_free(p);
    else
        *ret = p;
    return err;
}

void packs_free(struct packs *p)
{
    if (!p) return;
    for (unsigned i = 0; i < p->count; i++) free(p->owned[i]);
    free(p);
}

unsigned packs_count(const struct packs *p)
{
    return p->count;
}

const struct pack *packs_at(const struct packs *p, unsigned i)
{
    return &p->pack[i];
}

const struct pack *packs_find(const struct packs *p, struct str name)
{
    for (unsigned i = 0; i < p->count; i++)
        if (str_eq(p->pack[i].name, name)) return &p->pack[i];
    return NULL;
}

struct str packs_calendar(const struct packs *p, struct str name)
{
    for (unsigned i = 0; i < p->calendar_count; i++)
        if (str_eq(p->calendar[i].name, name)) return p->calendar[i].text;
    return (struct str){NULL, 0};
}
