// SPDX-License-Identifier: Apache-2.0
//
// state: struct feed, for the files of this room that share the feed thread: batch (changes by the
// API), loads (list files), saves (snapshots). Everything belongs to that thread unless it says
// otherwise.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "engine/feed/bell.h"
#include "engine/feed/feed.h"
#include "engine/feed/lists.h"
#include "engine/feed/snapshot.h"
#include "engine/feed/store.h"
#include "engine/feed/wal.h"

struct batch;

// A call of feed_reload under way: written by its caller, answered by the feed thread.
struct reload {
    const struct list_spec *specs;
    unsigned spec_count;
    struct err_info *info;
    int err;
    bool done;
};

struct feed {
    struct feed_config config;
    struct qsbr *q;
    struct set *set;
    struct metric_block *metrics;

    bool durable; // there is a data directory
    struct store store;
    struct wal wal;

    struct lists lists;
    _Atomic(struct catalog *) catalog; // any reader
    uint64_t catalog_version;
    bool catalog_due;

    struct batch *batch;
    struct loader *loader;
    struct load *held[LIMIT_LISTS]; // read, but a snapshot is being written
    unsigned held_count;

    // the snapshot under way
    bool saving, save_due;
    int64_t save_after_ns; // not before (a failed one)
    struct snapshot save;
    atomic_bool save_done, save_stop;
    struct qsbr_reader *save_reader;
    pthread_t save_thread;

    // shared with other threads
    struct queue jobs;       // struct feed_job, any thread pushes
    struct queue loads_done; // struct load, the loader pushes
    struct bell bell;
    atomic_bool closing;
    bool started; // the threads run
    pthread_t thread;
    pthread_mutex_t lock; // guards `reload`, report_fd and count of `lists` for other threads
    pthread_cond_t reload_changed;
    struct reload *reload;
};
