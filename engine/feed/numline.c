// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/numline.h"

#include "engine/base/check.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "first byte = lowest");

static inline uint64_t load8(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

// High nibble 3 before and after adding 6 means '0' … '9'.
static inline bool eight_digits(uint64_t v)
{
    uint64_t high = 0xf0f0f0f0f0f0f0f0;

    return ((v & high) | (((v + 0x0606060606060606) & high) >> 4)) == 0x3333333333333333;
}

// Eight ASCII digits, the first in the lowest byte, in three multiplications.
static inline uint64_t eight_value(uint64_t v)
{
    v = (v & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
    v = (v & 0x00ff00ff00ff00ff) * 6553601 >> 16;
    return (v & 0x0000ffff0000ffff) * 42949672960001 >> 32;
}

// `head`: three digits in the low bytes, `tail`: seven in the high ones, zeros elsewhere.
// 0 = no NANP number.
static inline uint64_t nanp_of(uint64_t head, uint64_t tail)
{
    uint64_t a = head << 40 | 0x3030303030, b = tail | 0x30;

    if (UNLIKELY(!eight_digits(a) || !eight_digits(b))) return 0;
    if (UNLIKELY((uint8_t)head < '2' || (uint8_t)(b >> 8) < '2')) return 0;
    return eight_value(a) * 10000000 + eight_value(b);
}

const char *numline_run(const char *at, const char *end, bool plain, uint64_t *batch,
                        unsigned *count, unsigned max)
{
    unsigned n = *count;

    while (n < max && end - at >= 16) {
        uint64_t first = load8(at), nanp = 0;
        unsigned used = 0;

        if (LIKELY((uint8_t)(first >> 24) == ',')) {
            nanp = nanp_of(first & 0xffffff, load8(at + 4) << 8);
            used = 11;
        } else if (plain) {
            nanp = nanp_of(first & 0xffffff, load8(at + 3) << 8);
            used = 10;
        }
        if (UNLIKELY(!nanp)) break;
        if (at[used] == '\r') used++;
        if (UNLIKELY(at[used] != '\n')) break;
        batch[n++] = nanp;
        at += used + 1;
    }
    *count = n;
    return at;
}

// The digits up to `sep` (or the end), blanks and quotes left out; -1 when there is anything else
// or not exactly `want` of them.
static int64_t digits_of(struct str s, unsigned want)
{
    int64_t value = 0;

    s = str_trim(s);
    if (s.size >= 2 && s.ptr[0] == '"' && s.ptr[s.size - 1] == '"')
        s = str_trim(str_make(s.ptr + 1, s.size - 2));
    if (s.size != want) return -1;
    for (size_t i = 0; i < s.size; i++) {
        if (!str_is_digit(s.ptr[i])) return -1;
        value = value * 10 + (s.ptr[i] - '0');
    }
    return value;
}

bool numline_flat(struct str line, uint64_t *ret_nanp, enum reject *ret_reason)
{
    struct str rest, first = str_cut(line, ',', &rest);
    int64_t area = digits_of(first, 3), local;

    if (area < 0 || !rest.ptr) return false;
    local = digits_of(rest, 7);
    if (local < 0) return false;
    *ret_reason = area < 200        ? REJECT_NUMBER_BAD_AREA_CODE
                  : local < 2000000 ? REJECT_NUMBER_BAD_EXCHANGE
                                    : REJECT_NONE;
    *ret_nanp = (uint64_t)area * 10000000 + (uint64_t)local;
    return true;
}
