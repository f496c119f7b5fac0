// SPDX-License-Identifier: Apache-2.0
#include "engine/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_BYTES ((size_t)2 << 20)

static size_t rounded(size_t size_bytes)
{
    return (size_bytes + 4095) & ~(size_t)4095;
}

void *mem_map(size_t size_bytes)
{
    size_t size = rounded(size_bytes), lead;
    char *raw;

    raw = mmap(NULL, size + HUGE_BYTES, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (raw == MAP_FAILED) return NULL;
    lead = (HUGE_BYTES - ((uintptr_t)raw & (HUGE_BYTES - 1))) & (HUGE_BYTES - 1);
    if (lead) munmap(raw, lead);
    munmap(raw + lead + size, HUGE_BYTES - lead);
    madvise(raw + lead, size, MADV_HUGEPAGE);
    return raw + lead;
}

void mem_unmap(void *ptr, size_t size_bytes)
{
    if (ptr) munmap(ptr, rounded(size_bytes));
}

void mem_forget(void *ptr, size_t size_bytes)
{
    madvise(ptr, rounded(size_bytes), MADV_DONTNEED);
}

size_t mem_resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f) return 0;
    if (fscanf(f, "%*u %lu", &pages) != 1) pages = 0;
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}
