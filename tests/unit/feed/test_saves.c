// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/feed/fixture.h"

#include <sys/syscall.h>

#include "engine/base/clock.h"
#include "engine/feed/saves.h"

// A disk that is slow, for large writes only.
static _Atomic bool slow;

ssize_t write(int fd, const void *data, size_t size_bytes)
{
    if (slow && size_bytes >= 1 << 20) sleep(2);
    return syscall(SYS_write, fd, data, size_bytes);
}

// A snapshot does not hold up the end for long; without it nothing is lost.
static void test_slow_close(void **state)
{
    struct list_spec spec;
    char path[PATH_MAX];
    int64_t begin_ns;
    struct rig r;
    FILE *to;

    (void)state;
    rig_init(&r);
    spec = rig_spec(&r, "n", "f");
    spec.kind = SET_CLIENT;
    to = fopen(spec.file, "w");
    for (unsigned i = 0; i < 400000; i++) fprintf(to, "%u\n", i); // a snapshot of 4 MB
    fclose(to);
    slow = true;
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    begin_ns = clock_mono_ns();
    rig_close(&r);
    assert_in_range((clock_mono_ns() - begin_ns) / 1000000, 0, SAVES_CLOSE_MS + 2500);
    slow = false;
    rig_find(&r, "snapshot-", path);
    assert_string_equal(path, "");
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    assert_int_equal(rig_list(&r, 0).rows.accepted, 400000);
    rig_close(&r);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_slow_close)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
