// SPDX-License-Identifier: Apache-2.0
//
// Any text as a number (the first byte chooses whose home): an accepted one is in range, is itself
// again as +digits wherever it is read, and where libphonenumber takes the same text it means the
// same device.
#include <stdlib.h>

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/wire/number.h"
#include "engine/wire/number_intl.h"
#include "tests/fuzz/fuzz.h"

static struct number_home homes[6];

static void make_homes(void)
{
    static const char *const regions[] = {"US", "GB", "DE", "IT", "MX", "AU"};

    CHECK(number_start() == 0);
    for (size_t i = 0; i < COUNT_OF(homes); i++)
        CHECK(number_home_init(&homes[i], str_of(regions[i]), NULL) == 0);
}

static void check_canonical(uint64_t device)
{
    char text[32];
    struct buf b;

    buf_wrap(&b, text, sizeof text);
    buf_char(&b, '+');
    buf_u64(&b, device);
    for (size_t i = 0; i < COUNT_OF(homes); i++) {
        uint64_t again = 0;

        CHECK(number_parse(buf_view(&b), &homes[i], &again) == NUMBER_OK);
        CHECK(again == device);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct number_home *home;
    uint64_t device = 0, theirs = 0;
    enum number_error error;
    struct str text;

    if (!homes[0].region[0]) make_homes();
    if (size == 0) return 0;
    home = &homes[data[0] % COUNT_OF(homes)];
    text = str_make((const char *)data + 1, size - 1);
    error = number_parse(text, home, &device);
    CHECK((unsigned)error < NUMBER_ERROR_COUNT);
    if (error != NUMBER_OK) {
        CHECK(device == 0);
        return 0;
    }
    CHECK(device >= 1000000 && device <= 999999999999999);
    CHECK(device / 10000000000 != 1 || number_nanp(device));
    check_canonical(device);
    // abroad the library may take a shorter national reading that we do not
    if (number_intl_parse(text, home->region, !home->nanp, &theirs) == NUMBER_OK &&
        (theirs / 10000000000 != 1 || number_nanp(theirs)))
        CHECK(theirs == device);
    return 0;
}
