// SPDX-License-Identifier: Apache-2.0
//
// fixture: a feed over a directory of its own, with calls that wait for their answer.
#pragma once

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/rand.h"
#include "engine/feed/feed.h"

struct rig {
    char dir[64];   // removed at the end
    char data[80];  // dir/data
    bool volatile_; // open without a data directory
    unsigned shrink_percent;
    struct qsbr *q;
    struct qsbr_reader *me;
    struct feed *feed;
    struct set *set;
    struct err_info info;
    _Atomic unsigned catalogs; // calls of on_catalog
};

struct rig_job {
    struct feed_job feed;
    sem_t done;
};

void rig_init(struct rig *r);
void rig_done(struct rig *r);
int rig_try_open(struct rig *r, const struct list_spec *specs, unsigned count);
void rig_open(struct rig *r, const struct list_spec *specs, unsigned count);
void rig_close(struct rig *r);
// A copy of the list's row in the catalog.
struct list rig_list(struct rig *r, unsigned number);
void rig_wait(struct rig *r, unsigned number);
void rig_on_done_(struct feed_job *job);
void rig_submit(struct rig *r, struct rig_job *j, enum feed_op op, unsigned list, uint64_t device,
                struct set_span span);
int rig_result(struct rig_job *j);
// 1 created, 0 was there, or ERR_*.
int rig_put_span(struct rig *r, unsigned list, uint64_t device, struct set_span *span);
int rig_put(struct rig *r, unsigned list, uint64_t device);
int rig_delete(struct rig *r, unsigned list, uint64_t device);
bool rig_in(struct rig *r, unsigned id, uint64_t device);
// In force: by its file or by the API.
bool rig_has(struct rig *r, unsigned list, uint64_t device);
// Writes a file anew (another inode, and so another time).
void rig_write(struct rig *r, const char *name, const char *text);
struct list_spec rig_spec(struct rig *r, const char *name, const char *file);
// The first (in order of names) file of the data directory that begins so; "" = none.
void rig_find(struct rig *r, const char *prefix, char dst[PATH_MAX]);
void rig_wait_snapshot(struct rig *r, char path[PATH_MAX]);
