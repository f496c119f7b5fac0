// SPDX-License-Identifier: Apache-2.0
#include "bench/load/options.h"

#include <stdlib.h>
#include <string.h>

#include "bench/data/registry.h"
#include "bench/load/driver.h"
#include "engine/base/check.h"
#include "engine/base/str.h"

enum kind { TEXT, UINT, REAL, FLAG };

#define AT(field) offsetof(struct options, field)
static const struct row {
    const char *name;
    enum kind kind;
    size_t at;
    const char *help;
} rows[] = {
    {"host", TEXT, AT(host), "numeric IPv4 address (127.0.0.1)"},
    {"port", UINT, AT(port), "port"},
    {"protocol", TEXT, AT(protocol), "ocs, get, batch, ndjson, sismember, smismember"},
    {"path", TEXT, AT(path), "HTTP path (the protocol's own)"},
    {"connections", UINT, AT(connections), "connections (64)"},
    {"pipeline", UINT, AT(pipeline), "requests in flight on each connection, closed loop (1)"},
    {"batch", UINT, AT(batch), "numbers in one request (1)"},
    {"body", TEXT, AT(body), "small or full: the record of ocs (small)"},
    {"seconds", REAL, AT(seconds), "measured time (5)"},
    {"warmup", REAL, AT(warmup), "time before it (0.5)"},
    {"rate", UINT, AT(rate), "open loop at so many requests a second; absent: closed loop"},
    {"hit-percent", UINT, AT(hit_percent), "share of numbers that are on the registry (10)"},
    {"keys", UINT, AT(keys), "numbers drawn before the run (4194304)"},
    {"key-seed", UINT, AT(key_seed), "seed they are drawn by (1)"},
    {"count", UINT, AT(count), "numbers on the registry (10000000)"},
    {"seed", UINT, AT(seed), "its seed (1)"},
    {"areas", UINT, AT(areas), "its area codes (335)"},
    {"codes", TEXT, AT(codes), "its area codes by name, like 212,312, instead"},
    {"pid", UINT, AT(pid), "server process, for its CPU time"},
    {"scenario", TEXT, AT(scenario), "label in the result"},
    {"tool", TEXT, AT(tool), "label in the result"},
    {"verify", FLAG, AT(verify),
     "look at every verdict (else: at all single answers, 1/16 batches)"},
    {"spin", FLAG, AT(spin), "wait for answers without sleeping"},
    {"check-file", TEXT, AT(check_file), "ask every number of a list file in batches instead"},
    {"expect", TEXT, AT(expect), "blocked or allowed: what check-file must find"},
    {"limit", UINT, AT(limit), "stop check-file or fill after so many numbers"},
    {"fill", TEXT, AT(fill_file), "SADD every number of a list file to a Redis set instead"},
    {"capture", TEXT, AT(capture_file),
     "write the answer to one unlisted number to a file instead"},
};

void options_usage(FILE *to)
{
    fputs("load --port N --protocol NAME [option]...\n", to);
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        fprintf(to, "  --%-12s %s\n", rows[i].name, rows[i].help);
    }
}

static const struct row *row_find(const char *arg)
{
    for (unsigned i = 0; strncmp(arg, "--", 2) == 0 && i < COUNT_OF(rows); i++) {
        if (strcmp(arg + 2, rows[i].name) == 0) return &rows[i];
    }
    return NULL;
}

static bool value_set(struct options *o, const struct row *row, const char *text)
{
    char *field = (char *)o + row->at, *end = NULL;
    switch (row->kind) {
    case TEXT:
        *(const char **)field = text;
        return true;
    case UINT:
        return str_to_u64(str_of(text), (uint64_t *)field);
    case REAL:
        *(double *)field = strtod(text, &end);
        return end != text && *end == '\0' && *(double *)field >= 0;
    case FLAG:
        break;
    }
    *(bool *)field = true;
    return true;
}

static bool complain(const char *what)
{
    fprintf(stderr, "load: %s; try: load --help\n", what);
    return false;
}

static bool options_check(const struct options *o)
{
    if (o->port == 0 || o->port > 65535) return complain("--port is missing");
    if (driver_find(o->protocol) == NULL) return complain("--protocol is none of those known");
    if (o->batch < 1 || o->batch > DRIVER_KEYS_MAX) return complain("--batch is 1 to 10000");
    if (o->connections < 1 || o->connections > 65535)
        return complain("--connections is 1 to 65535");
    if (o->pipeline < 1 || o->pipeline > 4096) return complain("--pipeline is 1 to 4096");
    if (o->hit_percent > 100) return complain("--hit-percent is 0 to 100");
    if (o->keys < o->batch || o->keys > UINT32_MAX) return complain("--keys is too small or large");
    if (o->seconds <= 0) return complain("--seconds must be above 0");
    if (o->areas > REGISTRY_AREAS_MAX) return complain("--areas is at most 712");
    return true;
}

bool options_read(struct options *o, int argc, char **argv)
{
    *o = (struct options){.host = "127.0.0.1",
                          .protocol = "ocs",
                          .body = "small",
                          .scenario = "",
                          .tool = "",
                          .connections = 64,
                          .pipeline = 1,
                          .batch = 1,
                          .hit_percent = 10,
                          .keys = 4 << 20,
                          .count = 10000000,
                          .seed = 1,
                          .areas = REGISTRY_AREAS_DEFAULT,
                          .key_seed = 1,
                          .limit = UINT64_MAX,
                          .seconds = 5,
                          .warmup = 0.5};
    for (int i = 1; i < argc; i++) {
        const struct row *row = row_find(argv[i]);
        if (row == NULL) return complain("an option is not known");
        if (row->kind != FLAG && i + 1 == argc) return complain("an option has no value");
        if (!value_set(o, row, row->kind == FLAG ? "" : argv[++i])) {
            return complain("a value is no number");
        }
    }
    return options_check(o);
}
