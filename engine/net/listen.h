// SPDX-License-Identifier: Apache-2.0
//
// listen: the socket that connections come from. Any thread.
#pragma once

#include <stdint.h>

#include "engine/base/err.h"

// A listening descriptor on `host` (numeric or a name) and `port` (0 = any; *ret_port says which),
// or ERR_SYSTEM / ERR_CONFIG with a sentence that says why and what to type.
int listen_open(const char *host, uint16_t port, uint16_t *ret_port, struct err_info *info);

// Does anybody answer there already? SO_REUSEPORT would let a second engine share the port in
// silence. 0, or ERR_SYSTEM / ERR_CONFIG with a sentence. Call once, before the first listen_open.
int listen_check(const char *host, uint16_t port, struct err_info *info);
