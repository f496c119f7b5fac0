// SPDX-License-Identifier: Apache-2.0
#include "engine/base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *file, int line, const char *expr)
{
    fprintf(stderr, "dialgate: broken invariant at %s:%d: %s (please report this line)\n", file,
            line, expr);
    abort();
}
