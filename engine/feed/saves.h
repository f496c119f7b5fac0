// SPDX-License-Identifier: Apache-2.0
//
// saves: when snapshots are written, and the thread that writes one. Feed thread.
//
// No file's content is put in force while one is written, and none is begun while a file is being
// read, so that the identities of files in its table are exactly those of the content in its body.
#pragma once

#include <stdbool.h>

struct feed;

// Begins one that is due, or ends one that is done.
void saves_run(struct feed *f);
// At the end: waits for the one under way, writes one if a load was not saved yet. What is not
// written after SAVES_CLOSE_MS is given up: the next start reads the log and the files instead.
#define SAVES_CLOSE_MS 3000
void saves_close(struct feed *f);
