// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/number.h"

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/base/limits.h"
#include "engine/base/utf8.h"
#include "engine/wire/number_intl.h"

#define TEN_DIGITS UINT64_C(10000000000)

// What the fast path makes of a byte.
enum { OTHER, DIGIT, PUNCTUATION };

static const unsigned char classes[256] = {
    ['0'] = DIGIT,       ['1'] = DIGIT,       ['2'] = DIGIT,       ['3'] = DIGIT,
    ['4'] = DIGIT,       ['5'] = DIGIT,       ['6'] = DIGIT,       ['7'] = DIGIT,
    ['8'] = DIGIT,       ['9'] = DIGIT,       [' '] = PUNCTUATION, ['-'] = PUNCTUATION,
    ['.'] = PUNCTUATION, ['('] = PUNCTUATION, [')'] = PUNCTUATION, ['/'] = PUNCTUATION,
};

struct error_row {
    const char *code, *text;
};

static const struct error_row rows[NUMBER_ERROR_COUNT] = {
#define NUMBER_ERROR(name, code, text) {code, text},
#include "engine/wire/number.def"
#undef NUMBER_ERROR
};

// The digits of a text. `value` is exact up to 19 of them.
struct digits {
    uint64_t value;
    unsigned count;
    bool plus;
};

const char *number_error_code(enum number_error error)
{
    CHECK((unsigned)error < NUMBER_ERROR_COUNT);
    return rows[error].code;
}

const char *number_error_text(enum number_error error)
{
    CHECK((unsigned)error < NUMBER_ERROR_COUNT);
    return rows[error].text;
}

int number_start(void)
{
    return number_intl_start();
}

int number_home_init(struct number_home *home, struct str region, struct err_info *info)
{
    char upper[3] = {0};
    int country = 0;

    region = str_trim(region);
    if (region.size == 2) {
        upper[0] = (char)(region.ptr[0] & ~0x20);
        upper[1] = (char)(region.ptr[1] & ~0x20);
        country = number_intl_country(upper);
    }
    if (country == 0)
        return err_set(info, ERR_CONFIG,
                       "'%.*s' is no country with telephone numbers; try: an ISO 3166 code of two "
                       "letters, such as US",
                       STR_ARG(region));
    *home = (struct number_home){.nanp = country == 1};
    memcpy(home->region, upper, sizeof upper);
    return 0;
}

// False when a byte is none that the fast path knows, or a plus sign stands behind a digit.
static inline bool collect(struct str text, struct digits *ret)
{
    struct digits d = {0};

    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (LIKELY(classes[c] == DIGIT)) {
            d.value = d.value * 10 + (c - '0');
            d.count++;
        } else if (classes[c] == OTHER) {
            if (c != '+' || d.plus || d.count) return false;
            d.plus = true;
        }
    }
    *ret = d;
    return true;
}

// The one rule for North America; which codes are assigned changes too often to be asked here.
static inline enum number_error nanp_device(uint64_t ten, uint64_t *ret_device)
{
    if (ten < 2 * TEN_DIGITS / 10) return NUMBER_BAD_AREA_CODE;
    if (ten / 1000000 % 10 < 2) return NUMBER_BAD_EXCHANGE;
    *ret_device = TEN_DIGITS + ten;
    return NUMBER_OK;
}

// `d` is +1 and something.
static inline enum number_error plus_one(const struct digits *d, uint64_t *ret_device)
{
    if (d->count < 11) return NUMBER_TOO_SHORT;
    if (d->count > 11) return NUMBER_TOO_LONG;
    return nanp_device(d->value - TEN_DIGITS, ret_device);
}

// Of some texts the library makes a number that it reads otherwise when given it back (a second
// zero to strip, say). Such a text is no number: one device has to have one integer.
static bool is_settled(uint64_t device, struct str text)
{
    char bytes[32];
    uint64_t again = 0;
    struct buf b;

    buf_wrap(&b, bytes, sizeof bytes);
    buf_char(&b, '+');
    buf_u64(&b, device);
    if (str_eq(buf_view(&b), text)) return true;
    return number_intl_parse(buf_view(&b), "ZZ", false, &again) == NUMBER_OK && again == device;
}

static enum number_error library(struct str text, const char *region, bool valid_only,
                                 uint64_t *ret_device)
{
    uint64_t device = 0;
    enum number_error error = number_intl_parse(text, region, valid_only, &device);

    if (error != NUMBER_OK) return error;
    if (device / TEN_DIGITS == 1) return nanp_device(device - TEN_DIGITS, ret_device);
    if (!is_settled(device, text)) return NUMBER_NOT_POSSIBLE;
    *ret_device = device;
    return NUMBER_OK;
}

// `digits` begin with a country code.
static enum number_error international(struct str digits, bool valid_only, uint64_t *ret_device)
{
    char text[LIMIT_NUMBER_BYTES + 1] = "+";
    struct digits d;

    CHECK(digits.size < sizeof text);
    if (digits.size == 0) return NUMBER_TOO_SHORT;
    if (digits.ptr[0] == '1') {
        CHECK(collect(digits, &d));
        return plus_one(&d, ret_device);
    }
    memcpy(text + 1, digits.ptr, digits.size);
    return library(str_make(text, digits.size + 1), "ZZ", valid_only, ret_device);
}

static struct str without(struct str digits, struct str prefix)
{
    if (!str_starts(digits, prefix)) return digits;
    return str_make(digits.ptr + prefix.size, digits.size - prefix.size);
}

// Digits at home in North America that are not one of its numbers.
static enum number_error foreign_from_nanp(struct str digits, uint64_t *ret_device)
{
    struct str rest = without(digits, STR("011"));

    if (digits.size <= 10) return NUMBER_TOO_SHORT;
    if (rest.size == digits.size) rest = without(digits, STR("00"));
    if (rest.size < digits.size) return international(rest, false, ret_device);
    return NUMBER_TOO_LONG; // 61755512345: an Australian without +, or a digit too many?
}

// Digits at home elsewhere: national form first, then what else they can only be.
static enum number_error national(struct str digits, const char *region, uint64_t *ret_device)
{
    if (library(digits, region, true, ret_device) == NUMBER_OK) return NUMBER_OK;
    if (digits.ptr[0] == '1' && digits.size == 11 &&
        international(digits, false, ret_device) == NUMBER_OK)
        return NUMBER_OK;
    if (international(without(digits, STR("00")), true, ret_device) == NUMBER_OK) return NUMBER_OK;
    return library(digits, region, false, ret_device);
}

// A spreadsheet's 2125551234.0 would shift every digit.
static bool is_decimal(struct str text)
{
    return text.size > 2 && memcmp(text.ptr + text.size - 2, ".0", 2) == 0;
}

// `text` was collected; `d` is what it holds.
static enum number_error parse_foreign(struct str text, const struct digits *d,
                                       const struct number_home *home, uint64_t *ret_device)
{
    char only[LIMIT_NUMBER_BYTES];
    size_t size = 0;
    struct str digits;

    if (is_decimal(text)) return NUMBER_BAD_CHARACTER;
    for (size_t i = 0; i < text.size; i++)
        if (str_is_digit(text.ptr[i])) only[size++] = text.ptr[i];
    digits = str_make(only, size);
    if (d->plus) return international(digits, false, ret_device);
    if (home->nanp) return foreign_from_nanp(digits, ret_device);
    return national(digits, home->region, ret_device);
}

static inline enum number_error parse_digits(struct str text, const struct digits *d,
                                             const struct number_home *home, uint64_t *ret_device)
{
    if (LIKELY(home->nanp && !d->plus)) {
        if (d->count == 10) return nanp_device(d->value, ret_device);
        if (d->count == 11 && d->value >= TEN_DIGITS && d->value < 2 * TEN_DIGITS)
            return nanp_device(d->value - TEN_DIGITS, ret_device);
    } else if (d->plus && d->count == 11 && d->value >= TEN_DIGITS && d->value < 2 * TEN_DIGITS) {
        return nanp_device(d->value - TEN_DIGITS, ret_device);
    }
    if (d->count == 0) return NUMBER_EMPTY;
    return parse_foreign(text, d, home, ret_device);
}

// The ASCII twin of a character that people and their programs put into numbers, or 0.
static char twin_of(uint32_t code)
{
    if (code >= 0xff10 && code <= 0xff19) return (char)('0' + (code - 0xff10)); // full width
    if (code >= 0x660 && code <= 0x669) return (char)('0' + (code - 0x660));    // Arabic
    if (code >= 0x6f0 && code <= 0x6f9) return (char)('0' + (code - 0x6f0));    // Persian
    if (code >= 0x2010 && code <= 0x2015) return '-';
    if (code >= 0x2000 && code <= 0x200f) return ' '; // spaces, and marks of direction
    if (code >= 0x202a && code <= 0x202f) return ' ';
    switch (code) {
    case 0xff0b:
        return '+';
    case 0x2212:
    case 0xff0d:
    case 0x30fc:
        return '-';
    case 0xff08:
        return '(';
    case 0xff09:
        return ')';
    case 0xff0e:
        return '.';
    case 0xff0f:
        return '/';
    case 0xa0:
    case 0x2060:
    case 0x3000:
    case 0xfeff:
        return ' ';
    }
    return 0;
}

static uint32_t code_of(const char *p, size_t size)
{
    unsigned char a = (unsigned char)p[0];
    uint32_t code = size == 1 ? a : size == 2 ? a & 0x1f : size == 3 ? a & 0x0f : a & 0x07;

    for (size_t i = 1; i < size; i++) code = code << 6 | ((unsigned char)p[i] & 0x3f);
    return code;
}

// Writes `text` with twins for its characters beyond ASCII to `dst`; false when one has none.
static bool fold(struct str text, char *dst, struct str *ret)
{
    size_t size = 0;

    for (size_t at = 0; at < text.size;) {
        size_t n = utf8_size(text.ptr + at, text.size - at);
        char c = n == 1 ? text.ptr[at] : n ? twin_of(code_of(text.ptr + at, n)) : '\0';

        if (c == '\t') c = ' ';
        if ((unsigned char)c < 0x20 || c == 0x7f) return false;
        dst[size++] = c;
        at += n;
    }
    *ret = str_make(dst, size);
    return true;
}

// Cuts an extension off: "x12", "ext. 12", "extension 12", "#12", ";ext=12". False when what
// follows the number is something else.
static bool cut_extension(struct str *text)
{
    static const struct str words[] = {
        {"extension", 9}, {"extn", 4}, {"ext", 3}, {"x", 1}, {"#", 1}};
    struct str rest = {NULL, 0};
    size_t at = 0, digits = 0;

    while (at < text->size && (classes[(unsigned char)text->ptr[at]] || text->ptr[at] == '+')) at++;
    text->size -= at;
    rest = str_make(text->ptr + at, text->size);
    text->size = at;
    while (rest.size && memchr(",; ", rest.ptr[0], 3)) rest.ptr++, rest.size--;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        struct str head = str_make(rest.ptr, words[i].size);

        if (rest.size < words[i].size || !str_eq_nocase(head, words[i])) continue;
        rest = str_make(rest.ptr + head.size, rest.size - head.size);
        while (rest.size && memchr(".:= ", rest.ptr[0], 4)) rest.ptr++, rest.size--;
        while (digits < rest.size && str_is_digit(rest.ptr[digits])) digits++;
        rest = str_trim(str_make(rest.ptr + digits, rest.size - digits));
        return digits >= 1 && digits <= 7 && (rest.size == 0 || str_eq(rest, STR("#")));
    }
    return false;
}

// Everything that is not plain ASCII digits and punctuation.
static __attribute__((noinline)) enum number_error
parse_unusual(struct str text, const struct number_home *home, uint64_t *ret_device)
{
    char folded[LIMIT_NUMBER_BYTES];
    struct digits d;

    if (!fold(text, folded, &text)) return NUMBER_BAD_CHARACTER;
    if (!collect(text, &d) && (!cut_extension(&text) || !collect(text, &d)))
        return NUMBER_BAD_CHARACTER;
    return parse_digits(text, &d, home, ret_device);
}

// The value of eight digits, and false when they are not.
static inline bool eight_digits(const char *p, uint64_t *ret)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    x ^= UINT64_C(0x3030303030303030);
    if ((x | (x + UINT64_C(0x0606060606060606))) & UINT64_C(0xf0f0f0f0f0f0f0f0)) return false;
    // pairs, then fours, then all eight; the first digit is the lowest byte
    x = x * 10 + (x >> 8);
    x = (x & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
        (x >> 16 & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001);
    *ret = x >> 32;
    return true;
}

// What nearly every question names: ten digits and nothing else, at home in North America.
static inline bool ten_digits(struct str text, uint64_t *ret)
{
    uint64_t eight;

    if (text.size != 10 || !str_is_digit(text.ptr[8]) || !str_is_digit(text.ptr[9]) ||
        !eight_digits(text.ptr, &eight))
        return false;
    *ret = eight * 100 + (uint64_t)(text.ptr[8] - '0') * 10 + (uint64_t)(text.ptr[9] - '0');
    return true;
}

static __attribute__((noinline)) enum number_error
parse_any(struct str text, const struct number_home *home, uint64_t *ret_device)
{
    struct digits d;

    if (text.size == 0) return NUMBER_EMPTY;
    if (text.size > LIMIT_NUMBER_BYTES) return NUMBER_TOO_LONG;
    if (UNLIKELY(!collect(text, &d))) return parse_unusual(text, home, ret_device);
    return parse_digits(text, &d, home, ret_device);
}

enum number_error number_parse(struct str text, const struct number_home *home,
                               uint64_t *ret_device)
{
    uint64_t ten;

    if (LIKELY(home->nanp && ten_digits(text, &ten))) return nanp_device(ten, ret_device);
    return parse_any(text, home, ret_device);
}
