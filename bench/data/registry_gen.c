// SPDX-License-Identifier: Apache-2.0
//
// registry-gen: writes a seeded registry (or numbers that are surely not on it) to standard output.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/data/registry.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/str.h"

#define OUT_BYTES  ((size_t)1 << 20)
#define LINE_BYTES 12 // "212,5551234\n"
#define WORDS      ((REGISTRY_SUBSCRIBERS + 63) / 64)

static const char usage[] =
    "registry-gen --count N [--seed S] [--areas K | --codes C,C] [--plain]\n"
    "             [--absent --of-count M]\n"
    "  --count N      numbers to write\n"
    "  --seed S       which registry (1)\n"
    "  --areas K      area codes it covers (335)\n"
    "  --codes C,C    these area codes\n"
    "  --plain        ten digits a line instead of area,number\n"
    "  --absent       numbers that are not on the registry of --of-count numbers\n";

struct options {
    uint64_t count, seed, areas, of_count;
    const char *codes;
    bool plain, absent;
};

struct writer {
    char out[OUT_BYTES];
    size_t used;
    bool plain;
    struct err_info info;
    char digits[REGISTRY_SUBSCRIBERS][4];
};

static bool options_read(struct options *o, int argc, char **argv)
{
    static const struct option table[] = {
        {"count", 1, 0, 'c'}, {"seed", 1, 0, 's'},   {"areas", 1, 0, 'a'}, {"of-count", 1, 0, 'o'},
        {"plain", 0, 0, 'p'}, {"absent", 0, 0, 'x'}, {"codes", 1, 0, 'n'}, {0, 0, 0, 0},
    };
    *o = (struct options){.seed = 1, .areas = REGISTRY_AREAS_DEFAULT};
    bool counted = false, ok = true;
    for (int c; ok && (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        if (c == 'c')
            ok = counted = str_to_u64(str_of(optarg), &o->count);
        else if (c == 's')
            ok = str_to_u64(str_of(optarg), &o->seed);
        else if (c == 'a')
            ok = str_to_u64(str_of(optarg), &o->areas);
        else if (c == 'o')
            ok = str_to_u64(str_of(optarg), &o->of_count);
        else if (c == 'n')
            o->codes = optarg;
        else if (c == 'p')
            o->plain = true;
        else if (c == 'x')
            o->absent = true;
        else
            ok = false;
    }
    return ok && counted && optind == argc && o->areas <= REGISTRY_AREAS_MAX;
}

static void digits_fill(struct writer *w)
{
    for (unsigned i = 0; i < REGISTRY_SUBSCRIBERS; i++) {
        unsigned rest = i;
        for (unsigned at = 4; at-- > 0; rest /= 10) w->digits[i][at] = (char)('0' + rest % 10);
    }
}

static int writer_flush(struct writer *w)
{
    int err = file_write_all(STDOUT_FILENO, w->out, w->used, &w->info);
    w->used = 0;
    return err;
}

static int exchange_write(struct writer *w, const uint64_t *bits, unsigned code)
{
    char line[LINE_BYTES];
    size_t head = w->plain ? 6 : 7;
    memcpy(line, w->digits[code / 1000] + 1, 3);
    line[3] = ',';
    memcpy(line + head - 3, w->digits[code % 1000] + 1, 3);
    line[head + 4] = '\n';
    if (OUT_BYTES - w->used < (size_t)LINE_BYTES * REGISTRY_SUBSCRIBERS) {
        int err = writer_flush(w);
        if (err < 0) return err;
    }
    char *at = w->out + w->used;
    for (unsigned word = 0; word < WORDS; word++) {
        for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
            unsigned subscriber = word * 64 + (unsigned)__builtin_ctzll(left);
            memcpy(line + head, w->digits[subscriber], 4);
            memcpy(at, line, LINE_BYTES); // a plain line is shorter: the next one overwrites it
            at += head + 5;
        }
    }
    w->used = (size_t)(at - w->out);
    return 0;
}

static int registry_write(struct writer *w, const struct registry *r, const struct options *o)
{
    for (uint64_t exchange = 0; exchange < r->exchange_count; exchange++) {
        unsigned code = registry_exchange_code(r, exchange);
        unsigned first = o->absent ? registry_share(r, r->count, exchange) : 0;
        unsigned count = registry_share(r, o->count, exchange);
        uint64_t bits[WORDS] = {0};
        CHECK(first + count <= REGISTRY_SUBSCRIBERS);
        for (unsigned rank = first; rank < first + count; rank++) {
            unsigned subscriber = registry_subscriber(r, code, rank);
            bits[subscriber / 64] |= UINT64_C(1) << subscriber % 64;
        }
        int err = count > 0 ? exchange_write(w, bits, code) : 0;
        if (err < 0) return err;
    }
    return writer_flush(w);
}

static bool has_room(const struct registry *r, const struct options *o, uint64_t on_it)
{
    uint64_t room = r->exchange_count * (uint64_t)(REGISTRY_SUBSCRIBERS - 2);
    return o->count <= room && on_it <= room && (!o->absent || o->count + on_it <= room);
}

int main(int argc, char **argv)
{
    struct options o;
    if (!options_read(&o, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    struct registry r;
    uint64_t on_it = o.absent ? o.of_count : o.count;
    if (!(o.codes ? registry_init_codes(&r, o.seed, on_it, o.codes)
                  : registry_init(&r, o.seed, on_it, (unsigned)o.areas)) ||
        !has_room(&r, &o, on_it)) {
        fprintf(stderr, "registry-gen: that many numbers do not fit; try more --areas (up to %d)\n",
                REGISTRY_AREAS_MAX);
        return 2;
    }
    struct writer *w = calloc(1, sizeof *w);
    if (w == NULL) return 1;
    w->plain = o.plain;
    digits_fill(w);
    int err = registry_write(w, &r, &o);
    if (err < 0) fprintf(stderr, "registry-gen: %s\n", w->info.text);
    free(w);
    return err < 0 ? 1 : 0;
}
