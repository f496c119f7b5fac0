// SPDX-License-Identifier: Apache-2.0
#include "engine/wire/address.h"

#include "engine/base/limits.h"

#define LOCAL_MAX_BYTES  64 // RFC 5321, 4.5.3.1.1
#define LABEL_MAX_BYTES  63 // RFC 1035, 2.3.4
#define DOMAIN_MAX_BYTES 253

static bool is_letter(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26;
}

// atext of RFC 5322, 3.2.3
static bool is_atext(char c)
{
    return is_letter(c) || str_is_digit(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_local(struct str s)
{
    bool dot = true; // none at the start, the end or twice

    if (s.size == 0 || s.size > LOCAL_MAX_BYTES) return false;
    for (size_t i = 0; i < s.size; i++) {
        if (s.ptr[i] == '.' && dot) return false;
        dot = s.ptr[i] == '.';
        if (!dot && !is_atext(s.ptr[i])) return false;
    }
    return !dot;
}

static bool is_label(struct str s, bool *ret_has_letter)
{
    bool letter = false;

    if (s.size == 0 || s.size > LABEL_MAX_BYTES) return false;
    if (s.ptr[0] == '-' || s.ptr[s.size - 1] == '-') return false;
    for (size_t i = 0; i < s.size; i++) {
        letter |= is_letter(s.ptr[i]);
        if (!is_letter(s.ptr[i]) && !str_is_digit(s.ptr[i]) && s.ptr[i] != '-') return false;
    }
    *ret_has_letter = letter;
    return true;
}

// At least two labels, and the last one is no number: neither a host of the house nor an IP address
// is where a contact lives.
static bool is_domain(struct str s)
{
    unsigned count = 0;
    bool letter = false;

    if (s.size > DOMAIN_MAX_BYTES) return false;
    do {
        struct str label = str_cut(s, '.', &s);

        if (!is_label(label, &letter)) return false;
        count++;
    } while (s.ptr);
    return count >= 2 && letter;
}

bool address_email(struct str text, char *dst, struct str *ret)
{
    struct str domain, local;

    text = str_trim(text);
    if (text.size == 0 || text.size > LIMIT_EMAIL_BYTES) return false;
    local = str_cut(text, '@', &domain);
    if (!domain.ptr || !is_local(local) || !is_domain(domain)) return false;
    for (size_t i = 0; i < text.size; i++) dst[i] = str_lower(text.ptr[i]);
    *ret = str_make(dst, text.size);
    return true;
}

bool address_client_id(struct str text, struct str *ret)
{
    text = str_trim(text);
    if (text.size == 0 || text.size > LIMIT_CLIENT_ID_BYTES) return false;
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f) return false;
    *ret = text;
    return true;
}
