// SPDX-License-Identifier: Apache-2.0
//
// conf: options from the command line, the environment and a file, all from one table (conf.def).
//
// Precedence: command line, then DIALGATE_<KEY>, then the config file, then the default. A config
// file has `key = value` lines, '#' comments, and repeats a key that may come more than once.
// Repeated options in one environment variable are separated by ';'. An empty variable and an empty
// item are as good as none. Start-up and SIGHUP only.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

enum conf_type { CONF_TYPE_TEXT, CONF_TYPE_UINT, CONF_TYPE_FLAG, CONF_TYPE_LIST };

enum conf_option {
#define OPTION(name, key, type, fallback, arg, min, max, reload, help) CONF_##name,
#include "engine/base/conf.def"
#undef OPTION
    CONF_COUNT
};

struct conf_row {
    const char *key; // "idle_timeout_ms"; on the command line --idle-timeout-ms
    enum conf_type type;
    const char *fallback; // "" = none
    const char *arg;      // what stands in help after the option
    uint64_t min, max;    // numbers only
    bool reload;          // SIGHUP takes a new value
    const char *help;
};
extern const struct conf_row conf_rows[CONF_COUNT];

#define CONF_LIST_MAX 1024

// Owns all its strings. One thread.
struct conf {
    char *text[CONF_COUNT];   // NULL = not given: the fallback holds
    char **items[CONF_COUNT]; // repeatable options
    unsigned item_count[CONF_COUNT];
    int argc; // kept for conf_load on SIGHUP
    char **argv;
    bool help, version, sample; // --help, --version, --sample-config were given
};

// Reads everything. ERR_CONFIG with a sentence that names the option, its place and what to type;
// ERR_IO when the config file cannot be read. conf_done is due also after a failure.
int conf_load(struct conf *c, int argc, char **argv, struct err_info *info);
void conf_done(struct conf *c);

const char *conf_text(const struct conf *c, enum conf_option o); // never NULL
uint64_t conf_uint(const struct conf *c, enum conf_option o);
bool conf_flag(const struct conf *c, enum conf_option o);
bool conf_given(const struct conf *c, enum conf_option o);

// --help, and a config file with every option, its help and its default, commented out.
void conf_write_help(FILE *to);
void conf_write_sample(FILE *to);
