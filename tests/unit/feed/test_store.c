// SPDX-License-Identifier: Apache-2.0
//
// What store.h promises about damage, a full disk and a crash at any moment.
#include "tests/unit/feed/fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "engine/base/metric.h"
#include "engine/wire/number.h"

#define SEED 20261122
#define A    12125550001ULL
#define B    12125550002ULL

static void flip(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    char c;

    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x40;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static void test_damaged_snapshot(void **state)
{
    char snapshot[PATH_MAX];
    struct list_spec spec;
    struct stat st;
    struct rand rand;
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_write(&r, "f", "212,5550001\n212,5550002\n+442079460958\n");
    spec = rig_spec(&r, "n", "f");
    rig_open(&r, &spec, 1);
    rig_wait(&r, 0);
    rig_wait_snapshot(&r, snapshot);
    rig_close(&r);
    rig_wait_snapshot(&r, snapshot);
    assert_int_equal(stat(snapshot, &st), 0);
    printf("seed %d, %lld bytes\n", SEED, (long long)st.st_size);
    rand_seed(&rand, SEED);
    for (int i = 0; i < 200; i++) {
        off_t at = (off_t)rand_below(&rand, (uint64_t)st.st_size);
        int err;

        flip(snapshot, at);
        err = rig_try_open(&r, &spec, 1);
        if (err == 0) { // only zeros that mean nothing may change
            assert_true(rig_has(&r, 0, A) && rig_has(&r, 0, B));
            assert_true(rig_has(&r, 0, 442079460958));
            assert_int_equal(set_count(r.set, list_id_base(0)), 3);
            rig_close(&r);
        } else {
            assert_true(err == ERR_CORRUPT || err == ERR_VERSION);
            assert_non_null(strstr(r.info.text, "try:"));
        }
        flip(snapshot, at);
    }
    assert_int_equal(truncate(snapshot, st.st_size - 1), 0);
    assert_int_equal(rig_try_open(&r, &spec, 1), ERR_CORRUPT);
    rig_done(&r);
}

static void test_disk_full(void **state)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct rlimit old, tight;
    struct list_spec spec;
    struct rig_job jobs[64];
    struct rig r;
    uint64_t n = 0;
    struct stat st;
    char log[PATH_MAX];

    (void)state;
    rig_init(&r);
    spec = rig_spec(&r, "n", NULL);
    rig_open(&r, &spec, 1);
    assert_int_equal(rig_put(&r, 0, A), 1);
    rig_find(&r, "log-", log);
    assert_int_equal(stat(log, &st), 0);
    sigaction(SIGXFSZ, &ignore, NULL);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = old;
    tight.rlim_cur = (rlim_t)st.st_size + 1000; // in the middle of a record
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    for (; n < 100 && rig_put(&r, 0, 12125560000 + n) == 1; n++) continue;
    assert_in_range(n, 1, 20);
    for (unsigned i = 0; i < 64; i++)
        rig_submit(&r, &jobs[i], FEED_ENTRY_SET, 0, 12125570000 + i, SET_ALWAYS);
    for (unsigned i = 0; i < 64; i++) assert_int_equal(rig_result(&jobs[i]), ERR_STORAGE);
    assert_false(rig_has(&r, 0, 12125560000 + n));
    assert_false(rig_has(&r, 0, 12125570000));
    assert_true(metric_sum(METRIC_CHANGES_FAILED) >= 64);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(rig_put(&r, 0, B), 1); // it passes
    rig_close(&r);
    rig_open(&r, &spec, 1);
    for (uint64_t i = 0; i < n; i++) assert_true(rig_has(&r, 0, 12125560000 + i));
    assert_false(rig_has(&r, 0, 12125560000 + n));
    assert_false(rig_has(&r, 0, 12125570000));
    assert_true(rig_has(&r, 0, A) && rig_has(&r, 0, B));
    rig_close(&r);
    rig_done(&r);
}

// What a child of the kill loop tells its parent after each answer.
struct told {
    uint32_t step;
    uint8_t key, present;
};
#define KEYS     64
#define KEY_FILE 255 // not a key: the file got new content, which names all even ones again
#define INTENT   0x80000000u

static void tell(int to, struct told told)
{
    if (write(to, &told, sizeof told) != sizeof told) _exit(1);
}

static void write_file(struct rig *r, uint64_t version)
{
    char text[4096];
    size_t n = (size_t)snprintf(text, sizeof text, "213,%07u\n", (unsigned)(2000000 + version));

    for (unsigned k = 0; k < KEYS; k += 2)
        n += (size_t)snprintf(text + n, sizeof text - n, "212,%07u\n", 5550000 + k);
    rig_write(r, "f", text);
}

// Touches the file, or gives it new content, and has it read again.
static void child_reload(struct rig *r, const struct list_spec *spec, struct rand *rand, int to)
{
    char path[600];

    if (rand_below(rand, 2)) {
        snprintf(path, sizeof path, "%s", spec->file);
        utimensat(AT_FDCWD, path, NULL, 0);
        feed_reload(r->feed, spec, 1, NULL);
        return;
    }
    tell(to, (struct told){INTENT, KEY_FILE, 1});
    write_file(r, rand_below(rand, 1000000));
    feed_reload(r->feed, spec, 1, NULL);
    rig_wait(r, 0);
    tell(to, (struct told){0, KEY_FILE, 1});
}

// Puts and deletes keys of the file (even ones) and others, and never stops by itself.
static void child(struct rig *r, const struct list_spec *spec, uint64_t seed, int to)
{
    struct rand rand;

    rand_seed(&rand, seed);
    rig_open(r, spec, 1);
    rig_wait(r, 0);
    for (uint32_t step = 0;; step++) {
        struct told told = {step, (uint8_t)rand_below(&rand, KEYS), rand_below(&rand, 2) != 0};
        uint64_t device = 12125550000 + told.key;
        int err;

        tell(to, (struct told){step | INTENT, told.key, told.present});
        err = told.present ? rig_put(r, 0, device) : rig_delete(r, 0, device);
        if (err < 0 && err != ERR_NO_ENTRY && err != ERR_LOADING) _exit(2);
        if (err == ERR_LOADING) told.present = 2; // as it was
        tell(to, told);
        if (rand_below(&rand, 40) == 0) child_reload(r, spec, &rand, to);
    }
}

// What the parent knows of each key.
struct known {
    bool present[KEYS], unsure[KEYS];
    unsigned acknowledged;
};

static void learn(struct known *k, struct told told)
{
    bool intent = (told.step & INTENT) != 0;

    if (told.key == KEY_FILE) {
        for (unsigned i = 0; i < KEYS; i += 2) {
            // begun: those that were there are there in either case
            k->unsure[i] = intent && (k->unsure[i] || !k->present[i]);
            k->present[i] = k->present[i] || !intent;
        }
        return;
    }
    if (told.present == 2 || (intent && k->unsure[told.key])) return;
    k->unsure[told.key] = intent && k->present[told.key] != told.present;
    if (!intent) k->present[told.key] = told.present;
    k->acknowledged += !intent;
}

static void run_and_kill(struct rig *r, const struct list_spec *spec, struct rand *rand,
                         struct known *known)
{
    struct timespec pause = {.tv_nsec = (long)(1000000 * (20 + rand_below(rand, 60)))};
    uint64_t seed = rand_u64(rand);
    struct told told;
    int pipes[2], status;
    pid_t pid;

    assert_int_equal(pipe(pipes), 0);
    fcntl(pipes[1], F_SETPIPE_SZ, 1 << 20);
    pid = fork();
    if (pid == 0) {
        close(pipes[0]);
        child(r, spec, seed, pipes[1]);
    }
    close(pipes[1]);
    nanosleep(&pause, NULL);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status)); // it never stops by itself
    while (read(pipes[0], &told, sizeof told) == sizeof told) learn(known, told);
    close(pipes[0]);
}

static void test_kill_loop(void **state)
{
    struct known known = {0};
    struct list_spec spec;
    struct rand rand;
    struct rig r;

    (void)state;
    rig_init(&r);
    write_file(&r, 1);
    for (unsigned k = 0; k < KEYS; k += 2) known.present[k] = true;
    spec = rig_spec(&r, "n", "f");
    rand_seed(&rand, SEED);
    printf("seed %d\n", SEED);
    for (unsigned round = 0; round < 60; round++) {
        run_and_kill(&r, &spec, &rand, &known);
        if (rand_below(&rand, 2)) continue; // the next child starts on what this one left
        rig_open(&r, &spec, 1);
        rig_wait(&r, 0);
        for (unsigned k = 0; k < KEYS; k++) {
            bool has = rig_has(&r, 0, 12125550000 + k);

            if (!known.unsure[k] && has != known.present[k])
                fail_msg("round %u, key %u: %d", round, k, has);
            known.present[k] = has;
            known.unsure[k] = false;
        }
        rig_close(&r);
    }
    printf("%u acknowledged\n", known.acknowledged);
    assert_true(known.acknowledged > 100);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged_snapshot),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_kill_loop),
    };

    if (number_start()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
