// SPDX-License-Identifier: Apache-2.0
//
// number: text to device. A device is its E.164 number as an integer (country code first, no +):
// +1 (212) 555-1234 and, at home in the US, 212.555.1234 are both 12125551234.
//
// North American numbers (NANP: NPA [2-9]XX, NXX [2-9]XX, then XXXX) take our own fast path, which
// never allocates. Everything else goes through libphonenumber (number_intl.cc), which does.
// What is no number gets a reason, never a guess. Thread-safe after number_start().
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

// NUMBER_OK or why a text is no number; words and sentences in number.def.
enum number_error {
#define NUMBER_ERROR(name, code, text) NUMBER_##name,
#include "engine/wire/number.def"
#undef NUMBER_ERROR
    NUMBER_ERROR_COUNT
};

// Where national form is at home. Made once per tenant by number_home_init, then read only.
struct number_home {
    char region[3]; // ISO 3166 alpha-2, upper case, terminated
    bool nanp;      // that region's country code is 1
};

// Loads libphonenumber's tables (some ms); call once before threads. 0 or ERR_NOMEM.
int number_start(void);
// `region` in either case. 0, or ERR_CONFIG when libphonenumber does not know it.
int number_home_init(struct number_home *home, struct str region, struct err_info *info);

// NUMBER_OK with *ret_device in 10^6 … 10^15, or the reason with *ret_device untouched.
enum number_error number_parse(struct str text, const struct number_home *home,
                               uint64_t *ret_device);
// "too_short", and "has too few digits for a number"
const char *number_error_code(enum number_error error);
const char *number_error_text(enum number_error error);

// NANP devices are 1 followed by ten digits; this gives the ten (2000000000 … 9999999999) or 0.
static inline uint64_t number_nanp(uint64_t device)
{
    return device >= 12000000000 && device <= 19999999999 ? device - 10000000000 : 0;
}
