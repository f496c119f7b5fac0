// SPDX-License-Identifier: Apache-2.0
//
// number_intl: libphonenumber for number.c; nobody else calls it. The only C++ of the engine: no
// exception leaves it, and what the library would log is dropped. Thread-safe after
// number_intl_start; it allocates and takes the library's lock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/wire/number.h"

#ifdef __cplusplus
extern "C" {
#endif

// 0 or ERR_NOMEM.
int number_intl_start(void);
// Country calling code of an upper-case ISO region, 0 when it is unknown.
int number_intl_country(const char *region);
// `text` is ASCII digits, maybe after one '+'; `region` is where national form is at home.
// `valid_only` asks for a number in the library's tables of assigned ranges; else its length has to
// be possible. NUMBER_OK with *ret_device, or the reason.
enum number_error number_intl_parse(struct str text, const char *region, bool valid_only,
                                    uint64_t *ret_device);

#ifdef __cplusplus
}
#endif
