// SPDX-License-Identifier: Apache-2.0
//
// clock: the two clocks, and instants as text.
//
// Wall time is what rules and list entries are judged by; it can be frozen (`--now`) for tests and
// replay. Monotonic time is for deadlines and measuring and never frozen. Any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"

// Nanoseconds since an arbitrary start. Never goes back.
int64_t clock_mono_ns(void);
// Nanoseconds since 1970-01-01T00:00:00Z, or the frozen instant.
int64_t clock_wall_ns(void);
static inline int64_t clock_wall_s(void)
{
    return clock_wall_ns() / 1000000000;
}
// The clock that the kernel stamps files with: wall time in steps of some milliseconds, never
// frozen. A change of a file after this call gets this time or a later one.
int64_t clock_file_ns(void);
// Freezes wall time, for all threads.
void clock_freeze(int64_t wall_ns);

// RFC 3339 with a mandatory offset ("Z" or "±hh:mm"), optional fraction, upper or lower case T/Z.
// Leap seconds (":60") count as ":59". 1677-09-21 to 2262-04-11, what fits 64 bits. False when `s`
// is anything else; *ret_ns is untouched then.
bool clock_parse(struct str s, int64_t *ret_ns);
// "2026-11-22T13:47:55Z" (whole seconds, UTC). Returns the str in `dst`.
#define CLOCK_TEXT_SIZE 32
struct str clock_format(char dst[CLOCK_TEXT_SIZE], int64_t wall_s);
