// SPDX-License-Identifier: Apache-2.0
#include "bench/load/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static int64_t task_cpu_ns(pid_t pid, const char *task)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%.16s/schedstat", (int)pid, task);
    FILE *f = fopen(path, "re");
    if (f == NULL) return 0; // it ended meanwhile
    long long ns = 0;
    int n = fscanf(f, "%lld", &ns);
    fclose(f);
    return n == 1 ? ns : 0;
}

int64_t usage_cpu_ns(pid_t pid)
{
    char path[64];
    if (pid == 0) pid = getpid();
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    if (dir == NULL) return -1;
    int64_t sum_ns = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] != '.') sum_ns += task_cpu_ns(pid, e->d_name);
    }
    closedir(dir);
    return sum_ns;
}
