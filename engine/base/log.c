// SPDX-License-Identifier: Apache-2.0
#include "engine/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"

static const char *const names[] = {"debug", "info", "warn", "error"};
static enum log_level threshold = LOG_INFO;
static const char *wipe = "";

void log_set_level(enum log_level level)
{
    threshold = level;
}

void log_set_terminal(bool terminal)
{
    wipe = terminal ? "\r\033[K" : "";
}

bool log_level_parse(struct str name, enum log_level *ret)
{
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        if (!str_eq_nocase(name, str_of(names[i]))) continue;
        *ret = (enum log_level)i;
        return true;
    }
    return false;
}

void log_line(enum log_level level, const char *subject, const char *fmt, ...)
{
    char line[1024], when[CLOCK_TEXT_SIZE];
    va_list args;
    int n, m;

    if (level < threshold) return;
    clock_format(when, clock_wall_s());
    n = snprintf(line, sizeof line, "%s%s %-5s %s: ", wipe, when, names[level], subject);
    if (n < 0 || (size_t)n >= sizeof line - 2) n = 0;
    va_start(args, fmt);
    m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, args);
    va_end(args);
    if (m > 0) n += m;
    if ((size_t)n > sizeof line - 2) n = (int)sizeof line - 2;
    for (int i = (int)strlen(wipe); i < n; i++) // a line stays a line whatever a file name holds
        if ((unsigned char)line[i] < 0x20) line[i] = ' ';
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)n) < 0) return; // nowhere left to say it
}

const char *log_masked(char dst[LOG_MASK_SIZE], struct str secret)
{
    size_t n = secret.size < LOG_MASK_SIZE - 1 ? secret.size : LOG_MASK_SIZE - 1;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)secret.ptr[secret.size - n + i];

        dst[i] = n > 4 && i + 2 >= n && c >= 0x20 && c < 0x7f ? (char)c : '*';
    }
    dst[n] = '\0';
    return dst;
}
