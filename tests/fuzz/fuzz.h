// SPDX-License-Identifier: Apache-2.0
//
// fuzz: one function a target, called by libFuzzer (-Dfuzz=true) or by replay.c with the files of
// the corpus. It returns 0 and aborts (CHECK) when a promise is broken.
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
