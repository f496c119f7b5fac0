// SPDX-License-Identifier: Apache-2.0
//
// turn: one round of the server's loop: reap, hand over, on_turn, send, settle, wait. Inside of the
// room; the server's thread only.
#pragma once

#include <stdbool.h>

struct server;

// Before the first turn.
void turn_first(struct server *s);
// 0 or ERR_SYSTEM.
int turn_once(struct server *s);
// Drained: nothing is left, or its time is up.
bool turn_is_over(const struct server *s);
