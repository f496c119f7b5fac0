// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/rejects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/buf.h"
#include "engine/base/file.h"
#include "engine/base/log.h"

#define ROW_BYTES_MAX 256

void rejects_init(struct rejects *r, const char *path)
{
    r->fd = -1;
    str_copy(r->path, sizeof r->path - 4, str_of(path ? path : ""));
    r->failed = false;
    r->total = 0;
    memset(r->count, 0, sizeof r->count);
    r->used_bytes = 0;
}

static void temp_path(const struct rejects *r, char temp[PATH_MAX])
{
    snprintf(temp, PATH_MAX, "%.*s.new", PATH_MAX - 5, r->path);
}

static int open_spool(const struct rejects *r)
{
    char temp[PATH_MAX];
    const char *dir = getenv("TMPDIR");
    int fd;

    if (r->path[0]) {
        temp_path(r, temp);
        return open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    }
    if (!dir || !*dir) dir = "/tmp";
    fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    snprintf(temp, sizeof temp, "%s/dialgate-rejected-XXXXXX", dir);
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd >= 0) unlink(temp);
    return fd;
}

static void give_up(struct rejects *r)
{
    log_warn("rejected rows", "their report cannot be written (%s); counting goes on",
             strerror(errno));
    r->failed = true;
    rejects_drop(r);
}

static void flush(struct rejects *r)
{
    if (r->used_bytes > 0 && file_write_all(r->fd, r->buffer, r->used_bytes, NULL)) give_up(r);
    r->used_bytes = 0;
}

static void write_row(struct rejects *r, const struct listfile_reject *reject)
{
    char masked[LOG_MASK_SIZE];
    struct buf row;

    buf_wrap(&row, r->buffer + r->used_bytes, sizeof r->buffer - r->used_bytes);
    buf_u64(&row, reject->line);
    buf_char(&row, ',');
    buf_str(&row, str_of(reject->column));
    buf_char(&row, ',');
    buf_str(&row, str_of(listfile_reject_code(reject->reason)));
    buf_lit(&row, ",\"");
    log_masked(masked, reject->value);
    for (char *c = masked; *c; c++) buf_char(&row, *c == '"' ? '*' : *c);
    buf_lit(&row, "\"\n");
    r->used_bytes += row.size_bytes;
}

void rejects_add(struct rejects *r, const struct listfile_reject *reject)
{
    if (r->total < REJECTS_FIRST) {
        r->first_line[r->total] = reject->line;
        r->first_reason[r->total] = reject->reason;
    }
    r->total++;
    r->count[reject->reason]++;
    if (r->failed) return;
    if (r->fd < 0) {
        r->fd = open_spool(r);
        if (r->fd < 0) {
            give_up(r);
            return;
        }
        r->used_bytes = (size_t)snprintf(r->buffer, sizeof r->buffer, "line,column,reason,value\n");
    }
    if (r->used_bytes + ROW_BYTES_MAX > sizeof r->buffer) flush(r);
    if (!r->failed) write_row(r, reject);
}

void rejects_drop(struct rejects *r)
{
    char temp[PATH_MAX];

    if (r->fd < 0) return;
    close(r->fd);
    r->fd = -1;
    if (!r->path[0]) return;
    temp_path(r, temp);
    unlink(temp);
}

void rejects_end(struct rejects *r, const char *subject, int *ret_fd)
{
    char temp[PATH_MAX];

    if (r->fd >= 0) flush(r);
    *ret_fd = -1;
    if (r->fd >= 0 && !r->path[0]) {
        *ret_fd = r->fd;
        r->fd = -1;
        return;
    }
    if (r->fd < 0) { // a report of an earlier load would now be wrong
        if (r->path[0]) unlink(r->path);
        return;
    }
    close(r->fd);
    r->fd = -1;
    temp_path(r, temp);
    if (rename(temp, r->path) < 0)
        log_warn(subject, "cannot rename the report of rejected rows to %s: %s", r->path,
                 strerror(errno));
}

void rejects_log(const struct rejects *r, const char *subject, const char *list_name)
{
    char text[900];
    struct buf b;

    if (r->total == 0) return;
    buf_wrap(&b, text, sizeof text);
    for (int i = 0; i < REJECT_COUNT; i++)
        if (r->count[i])
            buf_printf(&b, "%s %s %llu", b.size_bytes ? "," : "",
                       listfile_reject_code((enum reject)i), (unsigned long long)r->count[i]);
    log_warn(subject, "%llu rows rejected:%.*s; each with its line: GET /v1/lists/%s/rejected",
             (unsigned long long)r->total, STR_ARG(buf_view(&b)), list_name);
    for (uint64_t i = 0; i < r->total && i < REJECTS_FIRST; i++)
        log_warn(subject, "line %llu %s", (unsigned long long)r->first_line[i],
                 listfile_reject_text(r->first_reason[i]));
}
