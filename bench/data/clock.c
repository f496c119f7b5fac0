// SPDX-License-Identifier: Apache-2.0
//
// clock: for LD_PRELOAD: the calendar's clock begins at DIALGATE_BENCH_CLOCK_S (epoch seconds).
// Unlike the engine's --now it goes on, so that what is kept for a time (a reservation) ends.
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int (*real)(clockid_t clock, struct timespec *ts);
static time_t shift_s;

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("DIALGATE_BENCH_CLOCK_S");
    struct timespec now;
    time_t at_s = 0;

    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    for (; text && *text >= '0' && *text <= '9'; text++) at_s = at_s * 10 + (*text - '0');
    if (at_s && real(CLOCK_REALTIME, &now) == 0) shift_s = at_s - now.tv_sec;
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    int result = real(clock, ts);

    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) ts->tv_sec += shift_s;
    return result;
}
