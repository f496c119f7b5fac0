// SPDX-License-Identifier: Apache-2.0
//
// utf8: the little of UTF-8 (RFC 3629) that the engine needs. Pure functions.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Bytes of the well-formed character at `p` (1 to 4), or 0 when there is none.
size_t utf8_size(const char *p, size_t size_bytes);
// How many bytes at the start are well-formed: `size_bytes` when all are.
size_t utf8_good(const char *p, size_t size_bytes);
// Writes `code` (a scalar value) to `dst` (room for 4); returns the bytes written.
size_t utf8_put(char *dst, uint32_t code);
