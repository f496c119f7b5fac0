// SPDX-License-Identifier: Apache-2.0
//
// rules: rule sets that came by the API, kept in the data directory: DIR/rules/<tenant>.json,
//
//   {"file_sum":"<16 hex digits>","saved_at":"…","sum":"<16 hex digits>","rules":<document>}
//
// with `sum` that of the document and of `file_sum`;
// replaced whole (file_replace), so that a crash leaves the old or the new one. `file_sum` is the
// sum of what the configured file held when the document was saved: while the file holds the same,
// the saved document counts; when it changes, the file does. Feed thread, or before it runs.
#pragma once

#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"

struct rules_saved {
    uint64_t file_sum; // 0 = no file was configured
    struct buf memory; // owns what `document` points into; rules_done
    struct str document;
};

// ERR_STORAGE with a sentence; the old document is still there then.
int rules_save(const char *data_dir, const char *tenant, uint64_t file_sum, struct str document,
               struct err_info *info);
// ERR_NOT_FOUND when there is none for sure; ERR_CORRUPT (its sum is wrong), ERR_IO with a
// sentence.
int rules_load(struct rules_saved *ret, const char *data_dir, const char *tenant,
               struct err_info *info);
// The saved document counts no more, whatever the file will hold: it is kept as
// DIR/rules/<tenant>.json.old, which nobody reads. ERR_STORAGE with a sentence.
int rules_retire(const char *data_dir, const char *tenant, struct err_info *info);
void rules_done(struct rules_saved *saved);
