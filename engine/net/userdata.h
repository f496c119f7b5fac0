// SPDX-License-Identifier: Apache-2.0
//
// userdata: what an operation in flight is called: its kind, its connection's slot, and which life
// of that slot it belongs to, in the 64 bits that come back with the completion.
#pragma once

#include <stdint.h>

enum userdata_op {
    USERDATA_ACCEPT,
    USERDATA_RECV,
    USERDATA_SEND,
    USERDATA_WAKE,
    USERDATA_CANCEL,
};

#define USERDATA_LIFE_MASK 0xffffffu // a life has 24 bits

static inline uint64_t userdata_pack(enum userdata_op op, uint32_t slot, uint32_t life)
{
    return (uint64_t)op << 56 | (uint64_t)(life & USERDATA_LIFE_MASK) << 32 | slot;
}
static inline enum userdata_op userdata_op(uint64_t data)
{
    return (enum userdata_op)(data >> 56);
}
static inline uint32_t userdata_slot(uint64_t data)
{
    return (uint32_t)data;
}
static inline uint32_t userdata_life(uint64_t data)
{
    return (uint32_t)(data >> 32) & USERDATA_LIFE_MASK;
}
