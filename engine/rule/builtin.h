// SPDX-License-Identifier: Apache-2.0
//
// builtin: data files that are part of the program (engine/packs/*.json,
// engine/packs/places/*.tsv), written as C by engine/packs/embed. Read only.
#pragma once

#include <stddef.h>

struct builtin_file {
    const char *name; // "us-federal.json", "nanp.tsv"
    const char *text;
    size_t size_bytes;
};
// Ends with a row whose name is NULL.
extern const struct builtin_file builtin_files[];
