// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/catalog.h"

#include "engine/base/check.h"

const char *list_state_word(enum list_state state)
{
    static const char *const words[] = {"empty", "loading", "ready", "reloading"};

    return (unsigned)state < COUNT_OF(words) ? words[state] : "unknown";
}
