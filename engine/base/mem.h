// SPDX-License-Identifier: Apache-2.0
//
// mem: big anonymous memory, outside malloc. Zeroed by the kernel on first touch.
//
// Huge pages are asked for by madvise; where the machine grants none the memory works all the
// same, only slower. Any thread; the caller owns the mapping.
#pragma once

#include <stddef.h>

// Maps `size_bytes` (rounded up to whole pages) aligned to 2 MiB. NULL when the kernel refuses.
// `MAP_NORESERVE`: address space is taken now, memory when touched.
void *mem_map(size_t size_bytes);
// Gives it back; NULL is fine. `size_bytes` as given to mem_map.
void mem_unmap(void *ptr, size_t size_bytes);
// Gives the memory of [ptr, ptr+size) back and keeps the addresses; it reads as zero afterwards.
void mem_forget(void *ptr, size_t size_bytes);
// Resident bytes of this process (VmRSS), 0 when unknown.
size_t mem_resident_bytes(void);
