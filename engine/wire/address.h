// SPDX-License-Identifier: Apache-2.0
//
// address: e-mail addresses and client ids, brought to the one form that is hashed. Pure functions.
#pragma once

#include <stdbool.h>

#include "engine/base/str.h"

// Trims, lower-cases (ASCII; the local part too: an opt-out must hold however it was typed), and
// checks local@domain in the practical subset of RFC 5321. `dst` has room for 254 bytes. False when
// it is no address; *ret points into dst.
bool address_email(struct str text, char *dst, struct str *ret);
// Trims spaces. A client id is 1 to 256 bytes without control characters; case is kept. Numbers
// come as their text ("007" and 7 are different ids). False when it is none; *ret points into text.
bool address_client_id(struct str text, struct str *ret);
