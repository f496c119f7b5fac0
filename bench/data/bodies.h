// SPDX-License-Identifier: Apache-2.0
//
// bodies: the JSON that a dialer posts to /ocs/validate, as OCS writes it.
#pragma once

#include <stddef.h>

#include "engine/base/buf.h"

// SMALL (about 230 bytes): the keys a list check needs. FULL (about 700 bytes): a whole record as
// OCS sends it, with two user fields.
enum body_kind { BODY_SMALL, BODY_FULL };

#define BODY_PHONE_DIGITS    10
#define BODY_SEQUENCE_DIGITS 8 // hexadecimal, the end of GSW_CALL_ATTEMPT_GUID

// Where a body is patched, from its first byte.
struct body_slots {
    size_t phone_at;
    size_t sequence_at;
};

// Appends one body; the phone and the sequence are zeros to be patched by the caller.
void body_write(struct buf *b, enum body_kind kind, struct body_slots *ret);
