// SPDX-License-Identifier: Apache-2.0
//
// decide: the verdict on one question. A pure function of (view, set, question); no lock, no
// allocation, no system call. Wrong never becomes "allowed": what is not known blocks.
#pragma once

#include "engine/core/question.h"
#include "engine/core/view.h"

// Second step of the look-up: prefetches what the keys' first lines point to. Call for all
// questions of a turn before decide() is called for any.
void decide_fetch(const struct set *set, struct question *q);

struct verdict decide(const struct view *view, const struct set *set, const struct question *q);
