// SPDX-License-Identifier: Apache-2.0
//
// check: assertions that stay on in release builds. CHECK is for broken invariants (our bug),
// never for what a client, a file or the kernel did. DEBUG_CHECK is compiled in sanitizer builds
// only and may stand on the hot path.
#pragma once

#ifndef __cplusplus
#undef static_assert
#define static_assert _Static_assert
#endif

// Prints the sentence with file and line to standard error and aborts.
_Noreturn void check_failed(const char *file, int line, const char *expr);

#define CHECK(expr) ((expr) ? (void)0 : check_failed(__FILE__, __LINE__, #expr))
#ifdef DIALGATE_DEBUG
#define DEBUG_CHECK(expr) CHECK(expr)
#else
#define DEBUG_CHECK(expr) ((void)0)
#endif

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
