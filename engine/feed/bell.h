// SPDX-License-Identifier: Apache-2.0
//
// bell: wakes one thread that waits for work in queues. Ringing costs a system call only while it
// sleeps.
//
//   the thread:  bell_doze(b); if (there is work) bell_rouse(b); else bell_sleep(b, timeout_ms);
//   others:      queue_push(…); bell_ring(b);
#pragma once

#include <stdatomic.h>

struct bell {
    int fd;
    atomic_bool dozing;
};

// ERR_SYSTEM.
int bell_init(struct bell *b);
void bell_done(struct bell *b);
// Any thread, after the work was left.
void bell_ring(struct bell *b);
// From here on a ring ends the sleep that follows; what was left before is to be looked for now.
void bell_doze(struct bell *b);
void bell_rouse(struct bell *b);
void bell_sleep(struct bell *b, int timeout_ms);
