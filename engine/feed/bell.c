// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/bell.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/err.h"

int bell_init(struct bell *b)
{
    atomic_init(&b->dozing, false);
    b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return b->fd < 0 ? ERR_SYSTEM : 0;
}

void bell_done(struct bell *b)
{
    if (b->fd >= 0) close(b->fd);
    b->fd = -1;
}

void bell_ring(struct bell *b)
{
    uint64_t one = 1;

    // a full counter wakes it all the same
    if (atomic_exchange(&b->dozing, false) && write(b->fd, &one, sizeof one) < 0) return;
}

void bell_doze(struct bell *b)
{
    atomic_store(&b->dozing, true);
}

void bell_rouse(struct bell *b)
{
    atomic_store(&b->dozing, false);
}

void bell_sleep(struct bell *b, int timeout_ms)
{
    struct pollfd event = {.fd = b->fd, .events = POLLIN};
    uint64_t count;

    if (poll(&event, 1, timeout_ms) > 0 && read(b->fd, &count, sizeof count) < 0)
        CHECK(errno == EAGAIN || errno == EINTR);
    bell_rouse(b);
}
