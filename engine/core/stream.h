// SPDX-License-Identifier: Apache-2.0
//
// stream: the first member of whatever a handler keeps in conn_user for an answer that comes in
// pieces or later, so that the worker knows whom to wake.
#pragma once

#include "engine/net/server.h"

struct worker;

struct stream_owner {
    void (*on_resume)(struct worker *w, struct conn *conn);
    void (*on_gone)(struct worker *w, struct conn *conn); // may be NULL
};
