// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/attempt.h"

#include "engine/base/hash.h"

struct call_result_row {
    struct str name;
    bool counted;
};
// By number: the table has every number from 0 on.
static const struct call_result_row rows[] = {
#define CALL_RESULT(number, name, counted) [number] = {STR(name), counted},
#include "engine/wire/call_result.def"
#undef CALL_RESULT
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])
static_assert(ROW_COUNT <= CALL_RESULT_OTHER, "each named result has a bit of its own");

// "No Answer", "no answer" and "NoAnswer" are one name: spaces do not count.
static bool same_name(struct str a, struct str b)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a.size && a.ptr[i] == ' ') i++;
        while (k < b.size && b.ptr[k] == ' ') k++;
        if (i == a.size || k == b.size) return i == a.size && k == b.size;
        if (str_lower(a.ptr[i++]) != str_lower(b.ptr[k++])) return false;
    }
}

bool call_result_find(struct str name, unsigned *ret_number)
{
    for (unsigned n = 0; n < ROW_COUNT; n++) {
        if (!same_name(name, rows[n].name)) continue;
        *ret_number = n;
        return true;
    }
    return false;
}

struct str call_result_name(unsigned number)
{
    return number < ROW_COUNT ? rows[number].name : (struct str){NULL, 0};
}

uint64_t call_result_default_set(void)
{
    uint64_t set = 0;

    for (unsigned n = 0; n < ROW_COUNT; n++)
        if (rows[n].counted) set |= call_result_bit(n);
    return set;
}

uint32_t attempt_word(struct str text)
{
    char folded[128];
    size_t size = 0;
    uint64_t h;

    text = str_trim(text);
    if (text.size == 0) return 0;
    // longer words differ by their length and their beginning, which is enough to tell them apart
    for (size_t i = 0; i < text.size && size < sizeof folded; i++)
        folded[size++] = str_lower(text.ptr[i]);
    h = hash_keyed(text.size, folded, size);
    return (uint32_t)(h ^ h >> 32) ? (uint32_t)(h ^ h >> 32) : 1;
}
