// SPDX-License-Identifier: Apache-2.0
#include "engine/rule/zones_tzif.h"

#include <stdlib.h>

#define HEADER_SIZE 44
#define TYPE_SIZE   6
// RFC 9636, 3.2: a zone is less than 25 hours west and 26 hours east of Greenwich.
#define WEST_MAX_S (25 * 3600 - 1)
#define EAST_MAX_S (26 * 3600 - 1)

struct header {
    char version;
    uint32_t ut_count, standard_count, leap_count, time_count, type_count, char_count;
};

static uint32_t load_u32(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;

    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static int64_t load_time(const char *at, size_t time_size)
{
    if (time_size == 4) return (int32_t)load_u32(at);
    return (int64_t)((uint64_t)load_u32(at) << 32 | load_u32(at + 4));
}

static struct str skip(struct str s, size_t size)
{
    return str_make(s.ptr + size, s.size - size);
}

static bool read_header(struct str data, struct header *h)
{
    if (data.size < HEADER_SIZE || memcmp(data.ptr, "TZif", 4) != 0) return false;
    h->version = data.ptr[4];
    h->ut_count = load_u32(data.ptr + 20);
    h->standard_count = load_u32(data.ptr + 24);
    h->leap_count = load_u32(data.ptr + 28);
    h->time_count = load_u32(data.ptr + 32);
    h->type_count = load_u32(data.ptr + 36);
    h->char_count = load_u32(data.ptr + 40);
    return h->version == 0 || h->version >= '2';
}

// Six counts of 32 bits, none multiplied by more than 12: no overflow in 64.
static uint64_t block_size(const struct header *h, size_t time_size)
{
    return (uint64_t)h->time_count * (time_size + 1) + (uint64_t)h->type_count * TYPE_SIZE +
           h->char_count + (uint64_t)h->leap_count * (time_size + 4) + h->standard_count +
           h->ut_count;
}

static int corrupt(struct err_info *info, const char *what)
{
    return err_set(info, ERR_CORRUPT, "no usable TZif file: %s", what);
}

// Offsets of the types, checked; the file's type_count is at most 256.
static int read_types(const char *at, uint32_t count, int32_t offset_s[256], struct err_info *info)
{
    for (uint32_t i = 0; i < count; i++) {
        offset_s[i] = (int32_t)load_u32(at + (size_t)i * TYPE_SIZE);
        if (offset_s[i] < -WEST_MAX_S || offset_s[i] > EAST_MAX_S)
            return corrupt(info, "an offset from UTC beyond 26 hours");
    }
    return 0;
}

// Changes of the abbreviation or the summer flag alone are left out.
static int read_changes(struct zones_tzif *t, const struct header *h, size_t time_size,
                        const char *at, struct err_info *info)
{
    const char *type_at = at + (size_t)h->time_count * time_size;
    int32_t offset_s[256];
    int64_t last_s = INT64_MIN;
    int err = read_types(type_at + h->time_count, h->type_count, offset_s, info);

    if (err) return err;
    t->offset_s[0] = offset_s[0];
    for (uint32_t i = 0; i < h->time_count; i++) {
        int64_t at_s = load_time(at + i * time_size, time_size);
        uint8_t type = (uint8_t)type_at[i];

        if (i > 0 && at_s <= last_s) return corrupt(info, "changes that are not in order");
        if (type >= h->type_count) return corrupt(info, "a change to a type that is not there");
        last_s = at_s;
        if (offset_s[type] == t->offset_s[t->count]) continue;
        t->at_s[t->count] = at_s;
        t->offset_s[++t->count] = offset_s[type];
    }
    t->last_s = last_s;
    return 0;
}

static int read_footer(struct zones_tzif *t, struct str rest, struct err_info *info)
{
    struct str line, after;

    if (rest.size == 0 || rest.ptr[0] != '\n') return corrupt(info, "its footer is missing");
    line = str_cut(skip(rest, 1), '\n', &after);
    if (!after.ptr) return corrupt(info, "its footer has no end");
    if (line.size == 0) return 0;
    if (!zones_footer_parse(line, &t->footer))
        return corrupt(info, "its footer is no POSIX TZ string");
    t->has_footer = true;
    return 0;
}

static int find_block(struct str *data, struct header *h, size_t *ret_time_size,
                      struct err_info *info)
{
    size_t time_size = 4;

    if (!read_header(*data, h)) return corrupt(info, "it does not begin as one");
    if (h->version >= '2') {
        uint64_t first = HEADER_SIZE + block_size(h, time_size);

        // what follows is the same again with times of 64 bits
        if (first > data->size) return corrupt(info, "it is cut short");
        *data = skip(*data, (size_t)first);
        time_size = 8;
        if (!read_header(*data, h) || h->version < '2')
            return corrupt(info, "its second part does not begin as one");
    }
    *data = skip(*data, HEADER_SIZE);
    if (block_size(h, time_size) > data->size) return corrupt(info, "it is cut short");
    if (h->leap_count > 0) return corrupt(info, "it counts leap seconds");
    if (h->type_count < 1 || h->type_count > 256 || h->time_count > ZONES_TZIF_COUNT_MAX)
        return corrupt(info, "counts that no zone has");
    *ret_time_size = time_size;
    return 0;
}

static int make_room(struct zones_tzif *t, size_t count)
{
    *t = (struct zones_tzif){.last_s = INT64_MIN};
    t->at_s = calloc(count + 1, sizeof *t->at_s);
    t->offset_s = calloc(count + 1, sizeof *t->offset_s);
    if (t->at_s && t->offset_s) return 0;
    zones_tzif_done(t);
    return ERR_NOMEM;
}

int zones_tzif_read(struct zones_tzif *t, struct str data, struct err_info *info)
{
    struct zones_tzif made;
    struct header h;
    size_t time_size = 4;
    int err = find_block(&data, &h, &time_size, info);

    if (err) return err;
    if (make_room(&made, h.time_count) < 0)
        return err_set(info, ERR_NOMEM, "no memory for a time zone");
    err = read_changes(&made, &h, time_size, data.ptr, info);
    if (!err && time_size == 8)
        err = read_footer(&made, skip(data, (size_t)block_size(&h, time_size)), info);
    if (err)
        zones_tzif_done(&made);
    else
        *t = made;
    return err;
}

int zones_tzif_fixed(struct zones_tzif *t, int32_t offset_s)
{
    int err = make_room(t, 0);

    if (!err) t->offset_s[0] = offset_s;
    return err;
}

void zones_tzif_done(struct zones_tzif *t)
{
    free(t->at_s);
    free(t->offset_s);
    t->at_s = NULL;
    t->offset_s = NULL;
}

struct zone_offset zones_tzif_at(const struct zones_tzif *t, int64_t at_s)
{
    struct zone_offset offset = {0, INT64_MIN, INT64_MAX};
    unsigned low = 0, high = t->count;

    if (t->has_footer && at_s >= t->last_s) {
        offset = zones_footer_at(&t->footer, at_s);
        if (offset.from_s < t->last_s) offset.from_s = t->last_s;
        return offset;
    }
    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (t->at_s[middle] <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    offset.offset_s = t->offset_s[low];
    if (low > 0) offset.from_s = t->at_s[low - 1];
    if (low < t->count)
        offset.until_s = t->at_s[low];
    else if (t->has_footer)
        offset.until_s = t->last_s;
    return offset;
}
