// SPDX-License-Identifier: Apache-2.0
//
// numline: the two shapes that a registry's lines have, eight bytes at a time. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"
#include "engine/feed/listfile.h"

// Reads lines of exactly `ddd,ddddddd` or (when `plain`) `dddddddddd`, ended by LF or CR LF, that
// are possible NANP numbers, until another line comes, the bytes end or `batch` is full (`max`).
// Returns where it stopped: always the begin of a line. It never reads past `end`.
const char *numline_run(const char *at, const char *end, bool plain, uint64_t *batch,
                        unsigned *count, unsigned max);
// The same shape with blanks and quotes allowed: true when `line` is area, comma, seven digits.
// Then *ret_reason is REJECT_NONE and *ret_nanp set, or it says why this is no number.
bool numline_flat(struct str line, uint64_t *ret_nanp, enum reject *ret_reason);
