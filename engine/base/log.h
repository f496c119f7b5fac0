// SPDX-License-Identifier: Apache-2.0
//
// log: one line an event on standard error: instant, level, subject, sentence.
//
// For the main side only (core, feed, main): decision, wire, set and net code returns errors
// instead, which a tidy test checks. Never a phone number, address or token; mask first
// (`log_masked`). Never on the hot path. Any thread; a line is one write(2).
#pragma once

#include <stdbool.h>

#include "engine/base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

// Lines below `level` are dropped. Before threads start. Default LOG_INFO.
void log_set_level(enum log_level level);
// Standard error is a terminal: a line first wipes what stands on the cursor's (a progress
// display). Before threads start. Default false.
void log_set_terminal(bool terminal);
bool log_level_parse(struct str name, enum log_level *ret);

// log_line(LOG_INFO, "list national", "%s rows loaded", …)
void log_line(enum log_level level, const char *subject, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

// Everything but the last two characters as '*', at most 15 shown. Returns `dst`.
#define LOG_MASK_SIZE 16
const char *log_masked(char dst[LOG_MASK_SIZE], struct str secret);
