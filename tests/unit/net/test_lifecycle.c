// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "tests/unit/net/rig.h"

#define HOST "Host: a\r\n"
#define OK(size, body)                                                                             \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " size "\r\n\r\n" body

static bool use_epoll;
static struct rig rig;
static struct server_config config;

static int setup(void **state)
{
    (void)state;
    rig_config(&config, use_epoll);
    return 0;
}

static void wait_for(_Atomic unsigned *value, unsigned want)
{
    for (int i = 0; i < 5000 && atomic_load(value) < want; i++) usleep(1000);
    assert_int_equal(atomic_load(value), want);
}

static void wait_metric(enum metric m, uint64_t want)
{
    for (int i = 0; i < 5000 && rig_metric(&rig, m) < want; i++) usleep(1000);
    assert_int_equal(rig_metric(&rig, m), want);
}

static void test_timeouts(void **state)
{
    int half, idle, deaf, body;

    (void)state;
    config.idle_timeout_ms = 600;
    config.request_timeout_ms = 300;
    config.send_timeout_ms = 300;
    rig_start(&rig, &config);
    half = rig_connect(&rig);
    idle = rig_connect(&rig);
    deaf = rig_connect(&rig);
    body = rig_connect(&rig);
    rig_send(half, "POST /echo HT");
    rig_send(body, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    rig_send(deaf, "GET /flood HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 5; i++) { // a byte now and then does not help
        usleep(50000);
        rig_send(half, "x");
    }
    assert_int_equal(rig_answer(half, NULL), 408);
    assert_true(rig_closed(half));
    assert_int_equal(rig_answer(body, NULL), 408);
    assert_true(rig_closed(idle));
    wait_for(&rig.gone, 1);
    assert_int_equal(rig_metric(&rig, METRIC_CLOSED_IDLE), 1);
    wait_metric(METRIC_CLOSED_SLOW, 3);
    close(half);
    close(idle);
    close(deaf);
    close(body);
    rig_stop(&rig);
}

static void test_thousand(void **state)
{
    enum { COUNT = 1000 };
    static int fds[COUNT];

    (void)state;
    rig_start(&rig, &config);
    for (int i = 0; i < COUNT; i++) fds[i] = rig_connect(&rig);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++)
            rig_send(fds[i],
                     "GET /later HTTP/1.1\r\n" HOST "\r\nGET /p/q HTTP/1.1\r\n" HOST "\r\n");
        for (int i = 0; i < COUNT; i++) rig_expect(fds[i], OK("5", "later") OK("1", "q"));
    }
    assert_int_equal(rig_metric(&rig, METRIC_CONNECTIONS_OPEN), COUNT);
    for (int i = 0; i < COUNT; i++) close(fds[i]);
    wait_metric(METRIC_CLOSED_PEER, COUNT);
    rig_stop(&rig);
}

static void test_full(void **state)
{
    int fds[5];

    (void)state;
    config.connections_max = 4;
    rig_start(&rig, &config);
    for (int i = 0; i < 4; i++) {
        fds[i] = rig_connect(&rig);
        rig_send(fds[i], "GET /p/a HTTP/1.1\r\n" HOST "\r\n");
        rig_expect(fds[i], OK("1", "a"));
    }
    rig_send(fds[0], "GET /p/b HTTP/1.1\r\n" HOST "\r\n");
    rig_expect(fds[0], OK("1", "b"));
    fds[4] = rig_connect(&rig); // the second is idle longest now
    assert_true(rig_closed(fds[1]));
    rig_send(fds[4], "GET /p/c HTTP/1.1\r\n" HOST "\r\n");
    rig_expect(fds[4], OK("1", "c"));
    assert_int_equal(rig_metric(&rig, METRIC_CLOSED_FULL), 1);
    close(fds[1]);
    for (int i = 0; i < 5; i++)
        if (i != 1) rig_send(fds[i], "GET /defer/300 HTTP/1.1\r\n" HOST "\r\n");
    wait_for(&rig.deferred, 4);
    fds[1] = rig_connect(&rig); // nobody is idle
    assert_int_equal(rig_answer(fds[1], NULL), 503);
    assert_true(rig_closed(fds[1]));
    for (int i = 0; i < 5; i++) {
        if (i != 1) rig_expect(fds[i], OK("8", "deferred"));
        close(fds[i]);
    }
    rig_stop(&rig);
}

static void test_half_close(void **state)
{
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi",
        "GET /defer/50 HTTP/1.1\r\n" HOST "\r\n",
        "GET /later HTTP/1.1\r\n" HOST "\r\nGET /defer/20 HTTP/1.1\r\n" HOST
        "\r\nGET /p/x HTTP/1.1\r\n" HOST "\r\n",
    };
    static const char *const answers[] = {OK("2", "hi"), OK("8", "deferred"),
                                          OK("5", "later") OK("8", "deferred") OK("1", "x")};

    (void)state;
    rig_start(&rig, &config);
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        int fd = rig_connect(&rig);
        rig_send(fd, requests[i]);
        shutdown(fd, SHUT_WR);
        assert_string_equal(rig_read_end(fd), answers[i]);
        close(fd);
    }
    rig_stop(&rig);
}

static void test_reset(void **state)
{
    struct linger now = {.l_onoff = 1};
    int fd;

    (void)state;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    rig_send(fd, "GET /defer/200 HTTP/1.1\r\n" HOST "\r\n");
    wait_for(&rig.deferred, 1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    wait_for(&rig.gone, 1);
    fd = rig_connect(&rig); // takes the slot that the late message names
    rig_send(fd, "GET /defer/400 HTTP/1.1\r\n" HOST "\r\n");
    wait_for(&rig.stale, 1);
    rig_expect(fd, OK("8", "deferred"));
    close(fd);
    rig_stop(&rig);
}

static void test_drain(void **state)
{
    int idle, busy, queued;

    (void)state;
    rig_start(&rig, &config);
    idle = rig_connect(&rig);
    busy = rig_connect(&rig);
    queued = rig_connect(&rig);
    rig_send(idle, "GET /p/a HTTP/1.1\r\n" HOST "\r\n");
    rig_expect(idle, OK("1", "a"));
    rig_send(busy, "GET /defer/200 HTTP/1.1\r\n" HOST "\r\n");
    rig_send(queued, "GET /defer/200 HTTP/1.1\r\n" HOST "\r\nGET /p/b HTTP/1.1\r\n" HOST "\r\n");
    wait_for(&rig.deferred, 2);
    usleep(20000);
    server_drain(rig.server);
    assert_true(rig_closed(idle));
    assert_string_equal(rig_read_end(busy),
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n"
                        "Connection: close\r\n\r\ndeferred");
    assert_string_equal(rig_read_end(queued),
                        OK("8", "deferred") "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                            "Content-Length: 1\r\nConnection: close\r\n\r\nb");
    close(idle);
    close(busy);
    close(queued);
    rig_stop(&rig);
}

static void test_drain_deadline(void **state)
{
    int64_t start;
    int fd;

    (void)state;
    config.drain_timeout_ms = 200;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    rig_send(fd, "GET /flood HTTP/1.1\r\n" HOST "\r\n");
    usleep(50000);
    start = clock_mono_ns();
    rig_stop(&rig);
    assert_true(clock_mono_ns() - start < (int64_t)1500000000);
    close(fd);
}

static void test_ticks(void **state)
{
    (void)state;
    config.spin_us = 50;
    rig_start(&rig, &config);
    usleep(1300000);
    assert_in_range(atomic_load(&rig.ticks), 2, 3);
    assert_true(rig_metric(&rig, METRIC_TURNS) < 100); // it sleeps
    rig_stop(&rig);
}

static int run(const char *name, bool epoll)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_timeouts, setup),
        cmocka_unit_test_setup(test_thousand, setup),
        cmocka_unit_test_setup(test_full, setup),
        cmocka_unit_test_setup(test_half_close, setup),
        cmocka_unit_test_setup(test_reset, setup),
        cmocka_unit_test_setup(test_drain, setup),
        cmocka_unit_test_setup(test_drain_deadline, setup),
        cmocka_unit_test_setup(test_ticks, setup),
    };

    use_epoll = epoll;
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return run("io_uring", false) + run("epoll", true);
}
