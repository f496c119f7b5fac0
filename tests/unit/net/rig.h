// SPDX-License-Identifier: Apache-2.0
//
// rig: a server in a thread with handlers of every kind, and plain sockets to talk to it.
#pragma once

#include <pthread.h>

#include "engine/net/server.h"

struct rig {
    struct server *server;
    struct metric_block *metrics;
    struct qsbr *qsbr;
    struct qsbr_reader *me;
    pthread_t thread;
    bool epoll;
    int result;
    _Atomic unsigned gone, ticks, stale, deferred, posting; // posting: threads that still may
    _Atomic uint64_t stream_bytes;
    _Atomic size_t room_max;
    struct conn *waiting[256]; // for on_turn
    unsigned waiting_count;
};

// Fills `config` with short times; change it before rig_start.
void rig_config(struct server_config *config, bool epoll);
void rig_start(struct rig *r, const struct server_config *config);
// Drains; checks that server_run ended well.
void rig_stop(struct rig *r);
uint64_t rig_metric(struct rig *r, enum metric m);

// A connected socket that gives up after five seconds.
int rig_connect(struct rig *r);
void rig_send(int fd, const char *text);
void rig_send_all(int fd, const char *data, size_t size);
// Reads until `size` bytes, or the end of file. How many.
size_t rig_read(int fd, char *dst, size_t size);
// Reads to the end of file into a static buffer.
const char *rig_read_end(int fd);
// Reads exactly this text, or fails the test.
void rig_expect(int fd, const char *text);
// One answer with a Content-Length: its status; body into a static buffer.
int rig_answer(int fd, const char **ret_body);
// True when the peer closed (or reset) within five seconds, with nothing more to read.
bool rig_closed(int fd);
