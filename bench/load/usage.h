// SPDX-License-Identifier: Apache-2.0
//
// usage: CPU time of processes, from /proc.
#pragma once

#include <stdint.h>
#include <sys/types.h>

// Nanoseconds that all threads of `pid` have run so far; -1 when it cannot be read. 0 = myself.
int64_t usage_cpu_ns(pid_t pid);
