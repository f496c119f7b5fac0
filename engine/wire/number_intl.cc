// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/number_intl.h"

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumberutil.h>
#include <string>

using i18n::phonenumbers::NullLogger;
using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

int number_intl_start(void)
{
    try {
        PhoneNumberUtil::GetInstance()->SetLogger(new NullLogger()); // the library owns it
        return 0;
    } catch (...) {
        return ERR_NOMEM;
    }
}

int number_intl_country(const char *region)
{
    try {
        return PhoneNumberUtil::GetInstance()->GetCountryCodeForRegion(region);
    } catch (...) {
        return 0;
    }
}

static enum number_error error_of_parse(PhoneNumberUtil::ErrorType error)
{
    switch (error) {
    case PhoneNumberUtil::NO_PARSING_ERROR:
        return NUMBER_OK;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
        return NUMBER_BAD_COUNTRY;
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
    case PhoneNumberUtil::TOO_SHORT_NSN:
    case PhoneNumberUtil::NOT_A_NUMBER: // of digits alone: fewer than two
        return NUMBER_TOO_SHORT;
    case PhoneNumberUtil::TOO_LONG_NSN:
        return NUMBER_TOO_LONG;
    }
    return NUMBER_NOT_POSSIBLE;
}

static enum number_error error_of_length(PhoneNumberUtil::ValidationResult result)
{
    switch (result) {
    case PhoneNumberUtil::IS_POSSIBLE:
        return NUMBER_OK;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE:
        return NUMBER_BAD_COUNTRY;
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
    case PhoneNumberUtil::TOO_SHORT:
        return NUMBER_TOO_SHORT;
    case PhoneNumberUtil::TOO_LONG:
        return NUMBER_TOO_LONG;
    case PhoneNumberUtil::INVALID_LENGTH:
        return NUMBER_NOT_POSSIBLE;
    }
    return NUMBER_NOT_POSSIBLE;
}

// Country code, then the national significant number with the leading zeros that some countries
// (Italy) keep.
static enum number_error device_of(const PhoneNumberUtil &util, const PhoneNumber &number,
                                   uint64_t *ret_device)
{
    std::string digits, national;
    uint64_t device = 0;

    util.GetNationalSignificantNumber(number, &national);
    digits = std::to_string(number.country_code()) + national;
    if (digits.size() < 7) return NUMBER_TOO_SHORT;
    if (digits.size() > 15) return NUMBER_TOO_LONG;
    for (char c : digits) device = device * 10 + (uint64_t)(c - '0');
    *ret_device = device;
    return NUMBER_OK;
}

enum number_error number_intl_parse(struct str text, const char *region, bool valid_only,
                                    uint64_t *ret_device)
{
    try {
        const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
        enum number_error error;
        PhoneNumber number;

        error = error_of_parse(util.Parse(std::string(text.ptr, text.size), region, &number));
        if (error == NUMBER_OK) error = error_of_length(util.IsPossibleNumberWithReason(number));
        if (error == NUMBER_OK && valid_only && !util.IsValidNumber(number))
            error = NUMBER_NOT_POSSIBLE;
        return error == NUMBER_OK ? device_of(util, number, ret_device) : error;
    } catch (...) {
        return NUMBER_NOT_POSSIBLE;
    }
}
