// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"

#define REDRAW_NS   ((int64_t)200 * 1000000)
#define LOG_STEP_NS ((int64_t)10 * 1000000000)

void progress_start(struct progress *p, const char *subject, bool terminal, uint64_t total_bytes)
{
    int64_t now = clock_mono_ns();

    *p = (struct progress){.subject = subject,
                           .terminal = terminal,
                           .total_bytes = total_bytes,
                           .start_ns = now,
                           .next_ns = now + (terminal ? REDRAW_NS : LOG_STEP_NS)};
    if (!terminal) log_info(subject, "reading %llu bytes", (unsigned long long)total_bytes);
}

void progress_rate(char dst[PROGRESS_RATE_SIZE], uint64_t rows, double seconds)
{
    double rate = seconds > 0 ? (double)rows / seconds : 0;

    if (rate >= 1e6)
        snprintf(dst, PROGRESS_RATE_SIZE, "%.1f M rows/s", rate / 1e6);
    else if (rate >= 1e4)
        snprintf(dst, PROGRESS_RATE_SIZE, "%.0f k rows/s", rate / 1e3);
    else
        snprintf(dst, PROGRESS_RATE_SIZE, "%.0f rows/s", rate);
}

void progress_step(struct progress *p, uint64_t done_bytes, uint64_t rows, uint64_t rejected)
{
    int64_t now = clock_mono_ns();
    double seconds = (double)(now - p->start_ns) / 1e9, share, left_s;
    char text[256], rate[PROGRESS_RATE_SIZE];
    int n;

    if (now < p->next_ns) return;
    p->next_ns = now + (p->terminal ? REDRAW_NS : LOG_STEP_NS);
    share = p->total_bytes ? (double)done_bytes / (double)p->total_bytes : 1;
    if (share > 1) share = 1;
    left_s = share > 0 ? seconds / share - seconds : 0;
    progress_rate(rate, rows, seconds);
    n = snprintf(text, sizeof text, "%llu rows, %.0f %%, %s, %llu rejected, %.0f s to go",
                 (unsigned long long)rows, share * 100, rate, (unsigned long long)rejected, left_s);
    if (!p->terminal) {
        log_info(p->subject, "%s", text);
        return;
    }
    p->drawn = true;
    if (n > 0) dprintf(STDERR_FILENO, "\r\033[K%s: %s", p->subject, text);
}

uint64_t progress_end(struct progress *p)
{
    int64_t ms = (clock_mono_ns() - p->start_ns) / 1000000;

    if (p->drawn) dprintf(STDERR_FILENO, "\r\033[K");
    p->drawn = false;
    return ms < 1 ? 1 : (uint64_t)ms;
}
