// SPDX-License-Identifier: Apache-2.0
//
// Slots of rules: stable, bounded, added up over rows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine/core/tally.h"

static struct tally tally;

static int set_up(void **state)
{
    (void)state;
    tally_init(&tally);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tally_done(&tally);
    return 0;
}

static void slots_stay(void **state)
{
    uint16_t a = tally_slot(&tally, STR("acme"), STR("hours"), false);
    uint16_t b = tally_slot(&tally, STR("acme"), STR("hours"), true);
    uint16_t c = tally_slot(&tally, STR("initech"), STR("hours"), false);

    (void)state;
    assert_int_not_equal(a, TALLY_OTHER);
    assert_true(a != b && b != c && a != c);
    for (int i = 0; i < 100; i++) {
        char name[32];

        snprintf(name, sizeof name, "rule %d", i);
        tally_slot(&tally, STR("acme"), str_of(name), false);
    }
    assert_int_equal(tally_slot(&tally, STR("acme"), STR("hours"), false), a);
    assert_int_equal(tally_slot(&tally, STR("acme"), STR("hours"), true), b);
    assert_int_equal(tally_slot(&tally, STR("initech"), STR("hours"), false), c);
    // where one name ends and the other begins is told
    assert_int_not_equal(tally_slot(&tally, STR("ac"), STR("mehours"), false), a);
}

static void rows_are_added_up(void **state)
{
    struct tally_row *one = tally_row_new(&tally), *two = tally_row_new(&tally);
    uint16_t slot = tally_slot(&tally, STR("acme"), STR("hours"), false);

    (void)state;
    for (int i = 0; i < 3; i++) tally_add(one, slot);
    for (int i = 0; i < 4; i++) tally_add(two, slot);
    assert_int_equal(tally_sum(&tally, slot), 7);
}

static void too_many_are_counted_together(void **state)
{
    struct tally_row *row = tally_row_new(&tally);
    uint16_t first = 0, slot = 0;
    struct buf out;

    (void)state;
    for (int i = 0; i < TALLY_SLOTS + 10; i++) {
        char name[32];

        snprintf(name, sizeof name, "rule %d", i);
        slot = tally_slot(&tally, STR("acme"), str_of(name), false);
        if (i == 0) first = slot;
        if (i == TALLY_SLOTS - 2) assert_int_not_equal(slot, TALLY_OTHER);
    }
    assert_int_equal(slot, TALLY_OTHER);
    assert_int_equal(tally_slot(&tally, STR("acme"), STR("rule 0"), false), first);
    tally_add(row, slot);
    buf_init(&out, 1 << 20);
    tally_write(&tally, &out, "x");
    assert_non_null(memmem(out.ptr, out.size_bytes, "x{tenant=\"\",rule=\"other\",mode=\"\"} 1\n",
                           strlen("x{tenant=\"\",rule=\"other\",mode=\"\"} 1\n")));
    buf_done(&out);
}

static void labels_are_escaped(void **state)
{
    static const char wanted[] =
        "x{tenant=\"acme\",rule=\"a \\\"b\\\" \\\\ c\\n\",mode=\"shadow\"} 0\n";
    char memory[256];
    struct buf out;

    (void)state;
    tally_slot(&tally, STR("acme"), STR("a \"b\" \\ c\n"), true);
    buf_wrap(&out, memory, sizeof memory);
    tally_write(&tally, &out, "x");
    assert_int_equal(out.size_bytes, sizeof wanted - 1);
    assert_memory_equal(memory, wanted, sizeof wanted - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(slots_stay),
        TEST(rows_are_added_up),
        TEST(too_many_are_counted_together),
        TEST(labels_are_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
