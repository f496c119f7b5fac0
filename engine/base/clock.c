// SPDX-License-Identifier: Apache-2.0
#include "engine/base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define NS_PER_S 1000000000LL

#define RUNNING INT64_MIN

static _Atomic int64_t frozen_ns = RUNNING;

int64_t clock_mono_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_wall_ns(void)
{
    int64_t frozen = atomic_load_explicit(&frozen_ns, memory_order_relaxed);
    struct timespec ts;

    if (frozen != RUNNING) return frozen;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_file_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME_COARSE, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void clock_freeze(int64_t wall_ns)
{
    atomic_store_explicit(&frozen_ns, wall_ns, memory_order_relaxed);
}

// Days from 1970-01-01 of a proleptic Gregorian date (H. Hinnant, "chrono-compatible low-level
// date algorithms", days_from_civil).
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400);
    unsigned doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return era * 146097 + (int64_t)doe - 719468;
}

static unsigned month_days(unsigned y, unsigned m)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

    return m == 2 && leap ? 29 : days[m - 1];
}

// Exactly `n` digits at `s`, which is advanced.
static bool take_digits(struct str *s, unsigned n, unsigned *ret)
{
    unsigned value = 0;

    if (s->size < n) return false;
    for (unsigned i = 0; i < n; i++) {
        if (!str_is_digit(s->ptr[i])) return false;
        value = value * 10 + (unsigned)(s->ptr[i] - '0');
    }
    s->ptr += n;
    s->size -= n;
    *ret = value;
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->size == 0 || str_lower(s->ptr[0]) != c) return false;
    s->ptr++;
    s->size--;
    return true;
}

static bool take_date(struct str *s, int64_t *ret_days)
{
    unsigned y, m, d;

    if (!take_digits(s, 4, &y) || !take_char(s, '-') || !take_digits(s, 2, &m) ||
        !take_char(s, '-') || !take_digits(s, 2, &d))
        return false;
    if (m < 1 || m > 12 || d < 1 || d > month_days(y, m)) return false;
    *ret_days = days_of(y, m, d);
    return true;
}

static bool take_time(struct str *s, int64_t *ret_ns)
{
    unsigned h, m, sec, digit;
    int64_t scale = NS_PER_S, fraction = 0;

    if (!take_digits(s, 2, &h) || !take_char(s, ':') || !take_digits(s, 2, &m) ||
        !take_char(s, ':') || !take_digits(s, 2, &sec))
        return false;
    if (h > 23 || m > 59 || sec > 60) return false;
    if (take_char(s, '.')) {
        if (s->size == 0 || !str_is_digit(s->ptr[0])) return false;
        while (take_digits(s, 1, &digit)) {
            scale /= 10;
            fraction += scale * digit;
        }
    }
    *ret_ns = (h * 3600 + m * 60 + (sec == 60 ? 59 : sec)) * NS_PER_S + fraction;
    return true;
}

static bool take_offset(struct str *s, int64_t *ret_ns)
{
    unsigned h, m;
    int64_t sign;

    *ret_ns = 0;
    if (take_char(s, 'z')) return true;
    if (take_char(s, '+'))
        sign = 1;
    else if (take_char(s, '-'))
        sign = -1;
    else
        return false;
    if (!take_digits(s, 2, &h) || !take_char(s, ':') || !take_digits(s, 2, &m)) return false;
    if (h > 23 || m > 59) return false;
    *ret_ns = sign * (h * 3600 + m * 60) * NS_PER_S;
    return true;
}

bool clock_parse(struct str s, int64_t *ret_ns)
{
    int64_t days, time_ns, offset_ns;
    __int128 ns;

    if (!take_date(&s, &days)) return false;
    if (!take_char(&s, 't') && !take_char(&s, ' ')) return false;
    if (!take_time(&s, &time_ns) || !take_offset(&s, &offset_ns) || s.size != 0) return false;
    ns = (__int128)days * 86400 * NS_PER_S + time_ns - offset_ns;
    if (ns < INT64_MIN || ns > INT64_MAX) return false;
    *ret_ns = (int64_t)ns;
    return true;
}

struct str clock_format(char dst[CLOCK_TEXT_SIZE], int64_t wall_s)
{
    struct tm tm;
    time_t t = (time_t)wall_s;
    size_t n = 0;

    if (gmtime_r(&t, &tm)) n = strftime(dst, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return str_make(dst, n);
}
