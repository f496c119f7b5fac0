// SPDX-License-Identifier: Apache-2.0
//
// batch: changes by the API, many with one fdatasync. Feed thread.
//
// Each job is decided against the sets as the jobs before it will have left them, and becomes
// records of final states (so that repeating them changes nothing). They are made durable, then
// applied in order, then acknowledged. If they cannot be made durable nothing is applied.
#pragma once

#include <stdbool.h>

#include "engine/feed/feed.h"
#include "engine/wire/logrec.h"

struct batch;

struct batch *batch_new(void);
void batch_free(struct batch *b);
// Takes what is queued, up to LIMIT_COMMIT_JOBS. The number of jobs done.
unsigned batch_run(struct feed *f);
// Makes new or changed lists durable; the caller applies them (lists_define) afterwards.
int batch_define(struct feed *f, const struct logrec_define *defines, const unsigned *numbers,
                 unsigned count, struct err_info *info);
// Makes durable that from now on `sum` is the content in force of a list (lists_is_mark).
int batch_mark(struct feed *f, unsigned list, uint64_t sum);
// Applies one record while the log is replayed.
int batch_replay(struct feed *f, const struct logrec *rec, struct err_info *info);
// Makes a list's `lifted` empty.
int batch_clear_lifted(struct feed *f, unsigned list, struct err_info *info);
