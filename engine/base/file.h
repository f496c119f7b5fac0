// SPDX-License-Identifier: Apache-2.0
//
// file: the few file operations where getting it right takes more than one call. Slow path.
// Every failure fills `info` with the path, the cause and what to try.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"

// All of `fd` gets all of `size_bytes`, whatever short writes and EINTR do. 0 or ERR_IO.
int file_write_all(int fd, const void *data, size_t size_bytes, struct err_info *info);
// Reads a whole file into `b` (initialised by the caller with its maximum).
int file_read_all(const char *path, struct buf *b, struct err_info *info);
// Writes `path` so that a crash leaves the old or the new content: temporary file, fsync, rename,
// fsync of the directory.
int file_replace(const char *path, const void *data, size_t size_bytes, struct err_info *info);
// fsync of the directory that holds `path` (after a create, rename or unlink in it).
int file_sync_dir(const char *dir, struct err_info *info);
// mkdir -p; an existing directory is fine.
int file_make_dir(const char *dir, struct err_info *info);
