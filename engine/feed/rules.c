// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/wire/json.h"

#define WRAPPER_BYTES 256 // what stands round the document
#define DEPTH_MAX     64

// A tenant's name is letters, digits, . _ - (tenant.h), so it stands in a file name as it is.
static int path_of(char *dst, size_t size_bytes, const char *data_dir, const char *tenant,
                   struct err_info *info)
{
    if (snprintf(dst, size_bytes, "%s/rules/%s.json", data_dir, tenant) < (int)size_bytes) return 0;
    return err_set(info, ERR_STORAGE, "the data directory's path is too long");
}

// What reading it back gives: without a byte order mark and what stands round the object.
static struct str bare(struct str document)
{
    if (str_starts(document, STR("\xef\xbb\xbf")))
        document = str_make(document.ptr + 3, document.size - 3);
    return str_trim(document);
}

int rules_save(const char *data_dir, const char *tenant, uint64_t file_sum, struct str document,
               struct err_info *info)
{
    char path[PATH_MAX], when[CLOCK_TEXT_SIZE];
    struct buf text;
    int err;

    document = bare(document);
    if (snprintf(path, sizeof path, "%s/rules", data_dir) >= (int)sizeof path ||
        file_make_dir(path, info) < 0)
        return ERR_STORAGE;
    err = path_of(path, sizeof path, data_dir, tenant, info);
    if (err) return err;
    buf_init(&text, document.size + WRAPPER_BYTES);
    buf_printf(&text,
               "{\"file_sum\":\"%016" PRIx64 "\",\"saved_at\":\"%.*s\",\"sum\":\"%016" PRIx64
               "\",\n\"rules\":",
               file_sum, STR_ARG(clock_format(when, clock_wall_s())),
               hash_keyed(file_sum, document.ptr, document.size));
    buf_str(&text, document);
    buf_lit(&text, "}\n");
    if (text.failed)
        err = err_set(info, ERR_STORAGE, "no memory to write %s", path);
    else if (file_replace(path, text.ptr, text.size_bytes, info) < 0)
        err = ERR_STORAGE;
    buf_done(&text);
    return err;
}

static bool parse_hex(struct str text, uint64_t *ret)
{
    uint64_t value = 0;

    if (text.size != 16) return false;
    for (size_t i = 0; i < text.size; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = text.ptr[i] ? strchr(digits, text.ptr[i]) : NULL;

        if (!digit) return false;
        value = value << 4 | (uint64_t)(digit - digits);
    }
    *ret = value;
    return true;
}

static bool unwrap(struct rules_saved *saved)
{
    struct json j = json_start(buf_view(&saved->memory), DEPTH_MAX);
    struct json_value key, value;
    bool has_file_sum = false, has_sum = false;
    uint64_t sum = 0;

    if (json_enter(&j) != JSON_OBJECT) return false;
    while (json_member(&j, &key, &value)) {
        if (str_eq(key.text, STR("file_sum")))
            has_file_sum = parse_hex(value.text, &saved->file_sum);
        else if (str_eq(key.text, STR("sum")))
            has_sum = parse_hex(value.text, &sum);
        else if (str_eq(key.text, STR("rules")) && value.type == JSON_OBJECT)
            saved->document = value.text;
    }
    return !j.failed && json_end(&j) && has_file_sum && has_sum && saved->document.ptr &&
           hash_keyed(saved->file_sum, saved->document.ptr, saved->document.size) == sum;
}

int rules_load(struct rules_saved *ret, const char *data_dir, const char *tenant,
               struct err_info *info)
{
    struct rules_saved saved = {0};
    char path[PATH_MAX];
    int err = path_of(path, sizeof path, data_dir, tenant, info);

    if (err) return err;
    // one that cannot be looked for may be there
    if (access(path, F_OK) < 0 && errno == ENOENT) return ERR_NOT_FOUND;
    buf_init(&saved.memory, LIMIT_RULES_BYTES + WRAPPER_BYTES);
    err = file_read_all(path, &saved.memory, info);
    if (!err && !unwrap(&saved))
        err = err_set(info, ERR_CORRUPT,
                      "%s is damaged; try: restore it from a backup, or delete it, then the rules "
                      "are those of --rules",
                      path);
    if (err)
        rules_done(&saved);
    else
        *ret = saved;
    return err;
}

int rules_retire(const char *data_dir, const char *tenant, struct err_info *info)
{
    char path[PATH_MAX], old[PATH_MAX + 4];
    int err = path_of(path, sizeof path, data_dir, tenant, info);

    if (err) return err;
    snprintf(old, sizeof old, "%s.old", path);
    if (rename(path, old) == 0 || errno == ENOENT) return 0;
    return err_set(info, ERR_STORAGE, "%s cannot be renamed: %s", path, strerror(errno));
}

void rules_done(struct rules_saved *saved)
{
    buf_done(&saved->memory);
    saved->document = (struct str){0};
}
