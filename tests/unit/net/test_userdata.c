// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>

#include "engine/net/userdata.h"

static void check(enum userdata_op op, uint32_t slot, uint32_t life)
{
    uint64_t data = userdata_pack(op, slot, life);

    assert_int_equal(userdata_op(data), op);
    assert_int_equal(userdata_slot(data), slot);
    assert_int_equal(userdata_life(data), life & USERDATA_LIFE_MASK);
}

static void test_every_bit(void **state)
{
    (void)state;
    for (int op = USERDATA_ACCEPT; op <= USERDATA_CANCEL; op++)
        for (int i = 0; i <= 32; i++)
            for (int j = 0; j <= 32; j++) {
                uint32_t slot = i < 32 ? 1u << i : UINT32_MAX;
                uint32_t life = j < 32 ? 1u << j : UINT32_MAX;
                check((enum userdata_op)op, slot, life);
                check((enum userdata_op)op, ~slot, ~life);
            }
}

static void test_every_life(void **state)
{
    (void)state;
    for (uint32_t life = 0; life <= USERDATA_LIFE_MASK; life++)
        if (userdata_life(userdata_pack(USERDATA_SEND, 77, life)) != life) fail();
    // the next life after the last is the first again, and never touches the operation
    assert_int_equal(userdata_op(userdata_pack(USERDATA_RECV, 1, USERDATA_LIFE_MASK + 1)),
                     USERDATA_RECV);
    assert_int_equal(userdata_life(userdata_pack(USERDATA_RECV, 1, USERDATA_LIFE_MASK + 1)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_every_life),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
