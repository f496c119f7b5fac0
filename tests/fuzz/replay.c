// SPDX-License-Identifier: Apache-2.0
//
// replay: runs a fuzz target over the files and directories named as arguments, so that each input
// that once mattered is tried again with every compiler and sanitizer.
#include <dirent.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/file.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX_BYTES ((size_t)16 << 20)

static unsigned count;

static int replay_file(const char *path)
{
    struct err_info info;
    struct buf text;
    uint8_t *exact;
    int err;

    buf_init(&text, INPUT_MAX_BYTES);
    err = file_read_all(path, &text, &info);
    if (err) {
        fprintf(stderr, "%s\n", info.text);
    } else {
        // a copy of exactly this size, so that a sanitizer sees the first byte past it
        exact = malloc(text.size_bytes ? text.size_bytes : 1);
        if (text.size_bytes) memcpy(exact, text.ptr, text.size_bytes);
        LLVMFuzzerTestOneInput(exact, text.size_bytes);
        free(exact);
        count++;
    }
    buf_done(&text);
    return err;
}

static int replay_dir(const char *path)
{
    struct dirent **names;
    int err = 0, n = scandir(path, &names, NULL, alphasort);

    if (n < 0) {
        fprintf(stderr, "cannot list %s\n", path);
        return ERR_IO;
    }
    for (int i = 0; i < n; i++) {
        char file[PATH_MAX];

        if (names[i]->d_name[0] != '.' && !err) {
            snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
            err = replay_file(file);
        }
        free(names[i]);
    }
    free(names);
    return err;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat st;
        int err;

        if (stat(argv[i], &st) < 0) {
            fprintf(stderr, "%s is not there\n", argv[i]);
            return 1;
        }
        err = S_ISDIR(st.st_mode) ? replay_dir(argv[i]) : replay_file(argv[i]);
        if (err) return 1;
    }
    fprintf(stderr, "%u inputs\n", count);
    return count > 0 ? 0 : 1;
}
