// SPDX-License-Identifier: Apache-2.0
// What clients that do not keep to the rules cost the others.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "tests/unit/net/rig.h"

#define HOST "Host: a\r\n"
#define ASK  "GET /p/a HTTP/1.1\r\n" HOST "\r\n"
#define OK_A "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\na"

static bool use_epoll;
static struct rig rig;
static struct server_config config;

static int setup(void **state)
{
    (void)state;
    rig_config(&config, use_epoll);
    return 0;
}

static void wait_metric(enum metric m, uint64_t want)
{
    for (int i = 0; i < 5000 && rig_metric(&rig, m) < want; i++) usleep(1000);
    assert_in_range(rig_metric(&rig, m), want, UINT64_MAX);
}

// Many who begin a request and never end it must not push out one who asks now and then.
static void test_slow_heads(void **state)
{
    enum { MAX = 16, SLOW = 80 };
    int asker, fresh, slow[SLOW];

    (void)state;
    config.connections_max = MAX;
    rig_start(&rig, &config);
    asker = rig_connect(&rig);
    for (int i = 0; i < SLOW; i++) {
        slow[i] = rig_connect(&rig);
        rig_send(slow[i], "POST /echo HT");
        usleep(1000);
        rig_send(asker, ASK);
        rig_expect(asker, OK_A);
    }
    wait_metric(METRIC_CLOSED_FULL, SLOW - MAX);
    usleep(20000);
    fresh = rig_connect(&rig); // and one more who asks finds room
    rig_send(fresh, ASK);
    rig_expect(fresh, OK_A);
    for (int i = 0; i < SLOW; i++) close(slow[i]);
    close(fresh);
    close(asker);
    rig_stop(&rig);
}

// The body of a refused request is read away, but not for longer than a request may take.
static void test_slow_refused_body(void **state)
{
    int fd;

    (void)state;
    config.request_timeout_ms = 300;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    rig_send(fd, "POST /nowhere HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\n");
    assert_int_equal(rig_answer(fd, NULL), 404);
    for (int i = 0; i < 20 && rig_metric(&rig, METRIC_CLOSED_SLOW) == 0; i++) {
        usleep(50000);
        send(fd, "x", 1, MSG_NOSIGNAL);
    }
    assert_int_equal(rig_metric(&rig, METRIC_CLOSED_SLOW), 1);
    close(fd);
    rig_stop(&rig);
}

// Bytes behind a last request must not turn the end into a reset that overtakes the answer.
static void test_bytes_after_the_last(void **state)
{
    static char more[300000];
    char c;

    (void)state;
    memset(more, 'm', sizeof more);
    memset(more, 'm', sizeof more);
    rig_start(&rig, &config);
    for (int i = 0; i < 20; i++) {
        int fd = rig_connect(&rig);

        rig_send(fd, "GET /p/a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
        rig_send_all(fd, more, sizeof more);
        assert_int_equal(rig_answer(fd, NULL), 200);
        assert_int_equal(recv(fd, &c, 1, 0), 0); // an end, no ECONNRESET
        close(fd);
    }
    rig_stop(&rig);
}

static int run(const char *name, bool epoll)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_slow_heads, setup),
        cmocka_unit_test_setup(test_slow_refused_body, setup),
        cmocka_unit_test_setup(test_bytes_after_the_last, setup),
    };

    use_epoll = epoll;
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return run("io_uring", false) + run("epoll", true);
}
