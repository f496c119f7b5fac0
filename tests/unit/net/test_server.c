// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/base/rand.h"
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

static void wait_metric(enum metric m, uint64_t want)
{
    for (int i = 0; i < 5000 && rig_metric(&rig, m) < want; i++) usleep(1000);
    assert_int_equal(rig_metric(&rig, m), want);
}

static void test_basics(void **state)
{
    int fd;

    (void)state;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    rig_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    rig_expect(fd, OK("5", "hello"));
    rig_send(fd, "GET /p/abc?x=1 HTTP/1.1\r\n" HOST "\r\n");
    rig_expect(fd, OK("3", "abc"));
    rig_send(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    rig_expect(fd, OK("5", "later"));
    rig_send(fd, "GET /defer/5 HTTP/1.1\r\n" HOST "\r\n");
    rig_expect(fd, OK("8", "deferred"));
    rig_send(fd, "GET /p/x HTTP/1.1\r\nConnection: close\r\n" HOST "\r\n");
    assert_non_null(strstr(rig_read_end(fd), "Connection: close\r\n\r\nx"));
    close(fd);
    wait_metric(METRIC_CLOSED_DONE, 1);
    assert_int_equal(rig_metric(&rig, METRIC_HTTP_REQUESTS), 5);
    assert_int_equal(rig_metric(&rig, METRIC_HTTP_2XX), 5);
    rig_stop(&rig);
}

static void test_old_clients(void **state)
{
    int fd;

    (void)state;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    rig_send(fd, "POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi");
    assert_string_equal(rig_read_end(fd), "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                          "Content-Length: 2\r\nConnection: close\r\n\r\nhi");
    close(fd);
    fd = rig_connect(&rig);
    for (int i = 0; i < 3; i++) {
        rig_send(fd,
                 "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi");
        rig_expect(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                       "Content-Length: 2\r\nConnection: keep-alive\r\n\r\nhi");
    }
    rig_send(fd, "POST /lines HTTP/1.0\r\nContent-Length: 5\r\n\r\nab\ncd");
    assert_string_equal(rig_read_end(fd),
                        "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                        "Connection: close\r\n\r\n2\n2\n");
    close(fd);
    rig_stop(&rig);
}

// Every kind of request in one go, answered in order.
static void test_pipeline(void **state)
{
    static char in[1 << 16], expect[1 << 16];
    struct buf b, e;
    struct rand rand;
    int fd;

    (void)state;
    print_message("seed 7\n");
    rand_seed(&rand, 7);
    rig_start(&rig, &config);
    buf_wrap(&b, in, sizeof in);
    buf_wrap(&e, expect, sizeof expect);
    for (int i = 0; i < 100; i++) {
        switch (rand_below(&rand, 6)) {
        case 0:
            buf_printf(&b, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n%03d", i);
            buf_printf(&e, OK("3", "%03d"), i);
            break;
        case 1:
            buf_printf(&b, "GET /p/%03d HTTP/1.1\r\n" HOST "\r\n", i);
            buf_printf(&e, OK("3", "%03d"), i);
            break;
        case 2:
            buf_lit(&b, "GET /defer/1 HTTP/1.1\r\n" HOST "\r\n");
            buf_lit(&e, OK("8", "deferred"));
            break;
        case 3:
            buf_printf(&b,
                       "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                       "1\r\n%c\r\n2;x=y\r\n%02d\r\n0\r\n\r\n",
                       'c', i);
            buf_printf(&e, OK("3", "c%02d"), i);
            break;
        default:
            buf_lit(&b, "GET /later HTTP/1.1\r\n" HOST "\r\n");
            buf_lit(&e, OK("5", "later"));
        }
    }
    assert_true(!b.failed && !e.failed);
    buf_char(&e, '\0');
    fd = rig_connect(&rig);
    rig_send_all(fd, in, b.size_bytes);
    rig_expect(fd, expect);
    // the same cut into pieces of any size
    for (size_t at = 0; at < b.size_bytes;) {
        size_t n = 1 + rand_below(&rand, 700);
        if (n > b.size_bytes - at) n = b.size_bytes - at;
        rig_send_all(fd, in + at, n);
        at += n;
        if (rand_below(&rand, 4) == 0) usleep(300);
    }
    rig_expect(fd, expect);
    close(fd);
    rig_stop(&rig);
}

// Far more than an out buffer holds, while nothing is read.
static void test_deep_pipeline(void **state)
{
    enum { COUNT = 20000 };
    static const char one[] = "GET /later HTTP/1.1\r\n" HOST "\r\n";
    static const char answer[] = OK("5", "later");
    char *in = malloc(COUNT * (sizeof one - 1)), got[sizeof answer] = {0};
    int fd;
    pid_t pid;

    (void)state;
    rig_start(&rig, &config);
    for (int i = 0; i < COUNT; i++) memcpy(in + i * (sizeof one - 1), one, sizeof one - 1);
    fd = rig_connect(&rig);
    pid = fork();
    if (pid == 0) {
        send(fd, in, COUNT * (sizeof one - 1), MSG_NOSIGNAL);
        _exit(0);
    }
    usleep(100000);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(rig_read(fd, got, sizeof answer - 1), sizeof answer - 1);
        if (memcmp(got, answer, sizeof answer - 1) != 0) fail_msg("answer %d: %s", i, got);
    }
    free(in);
    close(fd);
    rig_stop(&rig);
}

static void test_every_split(void **state)
{
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
        "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    };
    int fd;

    (void)state;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        for (size_t cut = 1; cut < strlen(requests[i]); cut++) {
            rig_send_all(fd, requests[i], cut);
            usleep(500);
            rig_send(fd, requests[i] + cut);
            rig_expect(fd, OK("5", "hello"));
        }
    close(fd);
    rig_stop(&rig);
}

static void test_bodies(void **state)
{
    static char body[1 << 20], head[128];
    static const size_t sizes[] = {0, 1, 30000, 32768, 65536, 65537, 300000, 1 << 20};
    const char *got;
    int fd;

    (void)state;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    for (size_t i = 0; i < sizeof body; i++) body[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < COUNT_OF(sizes) - 1; i++) {
        snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n",
                 sizes[i]);
        rig_send(fd, head);
        rig_send_all(fd, body, sizes[i]);
        assert_int_equal(rig_answer(fd, &got), 200);
        assert_int_equal(strlen(got), sizes[i]);
        assert_memory_equal(got, body, sizes[i]);
        rig_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
        for (size_t at = 0; at < sizes[i]; at += 7919) {
            size_t n = sizes[i] - at < 7919 ? sizes[i] - at : 7919;
            snprintf(head, sizeof head, "%zx\r\n", n);
            rig_send(fd, head);
            rig_send_all(fd, body + at, n);
            rig_send(fd, "\r\n");
        }
        rig_send(fd, "0\r\n\r\n");
        assert_int_equal(rig_answer(fd, &got), 200);
        assert_int_equal(strlen(got), sizes[i]);
        assert_memory_equal(got, body, sizes[i]);
    }
    rig_send(fd, "GET /large HTTP/1.1\r\n" HOST "\r\nGET /p/z HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(rig_answer(fd, &got), 200);
    assert_int_equal(strlen(got), 200000);
    rig_expect(fd, OK("1", "z"));
    close(fd);
    rig_stop(&rig);
}

static void test_refused(void **state)
{
    static char body[200];
    static const struct {
        const char *request;
        size_t body;
        int status;
    } kept[] = {
        {"GET /none HTTP/1.1\r\n" HOST "\r\n", 0, 404},
        {"POST /none HTTP/1.1\r\n" HOST "Content-Length: 200\r\n\r\n", 200, 404},
        {"DELETE /echo HTTP/1.1\r\n" HOST "\r\n", 0, 405},
        {"POST /p/x HTTP/1.1\r\n" HOST "Content-Length: 200\r\n\r\n", 200, 405},
        {"GET /closed HTTP/1.1\r\n" HOST "\r\n", 0, 401},
        {"GET /closed HTTP/1.1\r\nAuthorization: Bearer good\r\n" HOST "\r\n", 0, 200},
        {"POST /tiny HTTP/1.1\r\n" HOST "Content-Length: 200\r\n\r\n", 200, 413},
        {"POST /small HTTP/1.1\r\n" HOST "Content-Length: 200\r\n\r\n", 200, 409},
        {"POST /refuse HTTP/1.1\r\n" HOST "Content-Length: 200\r\n\r\n", 200, 409},
        {"POST /echo HTTP/1.1\r\n" HOST "\r\n", 0, 411},
        {"GET /p/x HTTP/1.1\r\n" HOST "Content-Length: 200\r\n\r\n", 200, 200},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0, 404},
    };
    int fd;

    (void)state;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        rig_send(fd, kept[i].request);
        rig_send_all(fd, body, kept[i].body);
        int got = rig_answer(fd, NULL);
        if (got != kept[i].status) fail_msg("row %zu: %d", i, got);
    }
    rig_send(fd, "HEAD /echo HTTP/1.1\r\n" HOST "\r\nGET /p/y HTTP/1.1\r\n" HOST "\r\n");
    char text[1024];
    size_t size = rig_read(fd, text, 20);
    while (size < sizeof text - 1 && memcmp(text + size - 4, "\r\n\r\n", 4) != 0)
        size += rig_read(fd, text + size, 1);
    text[size] = '\0';
    assert_non_null(strstr(text, "Allow: POST\r\n"));
    rig_expect(fd, OK("1", "y"));
    close(fd);
    rig_stop(&rig);
}

static void test_broken(void **state)
{
    static const struct {
        const char *request;
        const char *status;
    } rows[] = {
        {"\x16\x03\x01\x02\x01", "400"},
        {"GET /\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\n\r\n", "400"},
        {"GET / HTTP/3.0\r\n" HOST "\r\n", "505"},
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", "501"},
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
        {"POST /echo HTTP/1.1\r\n" HOST "Expect: x\r\nContent-Length: 3\r\n\r\n", "417"},
        {"POST /tiny HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\nabc", "413"},
        {"POST /tiny HTTP/1.1\r\n" HOST "Content-Length: 200\r\nExpect: 100-continue\r\n\r\n",
         "413"},
        {"POST /none HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nab", "404"},
    };
    char big[20000];

    (void)state;
    rig_start(&rig, &config);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int fd = rig_connect(&rig);
        const char *got;
        rig_send(fd, rows[i].request);
        got = rig_read_end(fd);
        if (strncmp(got + 9, rows[i].status, 3) != 0) fail_msg("row %zu: %s", i, got);
        assert_non_null(strstr(got, "Connection: close\r\n"));
        assert_non_null(strstr(got, "application/problem+json"));
        close(fd);
    }
    int fd = rig_connect(&rig);
    memset(big, 'a', sizeof big);
    memcpy(big, "GET / HTTP/1.1\r\nX: ", 19);
    rig_send_all(fd, big, sizeof big);
    assert_int_equal(rig_answer(fd, NULL), 431);
    assert_true(rig_closed(fd));
    close(fd);
    // good ones before a broken one are answered first
    fd = rig_connect(&rig);
    rig_send(fd,
             "GET /later HTTP/1.1\r\n" HOST "\r\nGET /later HTTP/1.1\r\n" HOST "\r\nnonsense\r\n");
    rig_expect(fd, OK("5", "later") OK("5", "later") "HTTP/1.1 400 ");
    close(fd);
    rig_stop(&rig);
}

static void test_expect(void **state)
{
    int fd;

    (void)state;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    for (int i = 0; i < 2; i++) {
        rig_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n"
                     "Expect: 100-continue\r\n\r\n");
        rig_expect(fd, "HTTP/1.1 100 Continue\r\n\r\n");
        rig_send(fd, "hi");
        rig_expect(fd, OK("2", "hi"));
    }
    rig_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n"
                 "Expect: 100-continue\r\n\r\nhi");
    rig_expect(fd, OK("2", "hi")); // the body did not wait
    close(fd);
    rig_stop(&rig);
}

static void test_lines(void **state)
{
    static char line[60001];
    const char *got;
    int fd;

    (void)state;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    rig_send(fd, "POST /lines HTTP/1.1\r\n" HOST "Connection: close\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n3\r\na\nb\r\n");
    usleep(20000);
    rig_send(fd, "4\r\nb\ncc\r\n");
    memset(line, 'x', 60000);
    rig_send(fd, "EA61\r\n");
    rig_send_all(fd, line, 30000);
    usleep(20000);
    rig_send_all(fd, line, 30000);
    rig_send(fd, "\n\r\n2\r\nno\r\n0\r\n\r\n");
    got = strstr(rig_read_end(fd), "\r\n\r\n");
    assert_non_null(got);
    // chunk heads stand between: only the lines count
    static const char *const want[] = {"1\n", "2\n", "60002\n", "2\n"};
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        got = strstr(got, want[i]);
        assert_non_null(got);
        got += strlen(want[i]);
    }
    assert_non_null(strstr(got, "\r\n0\r\n\r\n"));
    close(fd);
    fd = rig_connect(&rig);
    rig_send(fd, "POST /both HTTP/1.1\r\nContent-Type: Text/Lines; x=y\r\n" HOST
                 "Content-Length: 0\r\n\r\n");
    rig_expect(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    rig_send(fd, "GET /abort HTTP/1.1\r\n" HOST "\r\n");
    assert_null(strstr(rig_read_end(fd), "0\r\n\r\n"));
    close(fd);
    assert_int_equal(atomic_load(&rig.gone), 0);
    rig_stop(&rig);
}

// More lines than any buffer, answers read late.
static void test_many_lines(void **state)
{
    enum { LINES = 400000 };
    static char block[4000];
    size_t zeros = 0, at = 0;
    const char *text;
    int fd;

    (void)state;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    memset(block, '\n', sizeof block);
    if (fork() == 0) {
        char head[128];
        snprintf(head, sizeof head, "POST /lines HTTP/1.0\r\nContent-Length: %d\r\n\r\n", LINES);
        send(fd, head, strlen(head), MSG_NOSIGNAL);
        for (int i = 0; i < LINES / (int)sizeof block; i++)
            send(fd, block, sizeof block, MSG_NOSIGNAL);
        _exit(0);
    }
    usleep(50000);
    text = rig_read_end(fd);
    text = strstr(text, "\r\n\r\n") + 4;
    for (; text[at]; at += 2) zeros += text[at] == '0' && text[at + 1] == '\n';
    assert_int_equal(zeros, LINES);
    close(fd);
    rig_stop(&rig);
}

static void test_slow_reader(void **state)
{
    static char block[1 << 16];
    size_t before, total = 0, n;
    int fd, small = 65536;

    (void)state;
    rig_start(&rig, &config);
    fd = rig_connect(&rig);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    before = mem_resident_bytes();
    rig_send(fd, "GET /flood HTTP/1.0\r\n\r\n");
    usleep(200000);
    assert_true(rig.stream_bytes < (uint64_t)10 << 20); // it waits for the reader
    while ((n = rig_read(fd, block, sizeof block)) > 0) total += n;
    if (total < (size_t)50 << 20) fail_msg("only %zu bytes", total);
    assert_true(total < ((size_t)50 << 20) + 300);
    assert_true(rig.room_max <= 32768);
    assert_true(mem_resident_bytes() < before + ((size_t)8 << 20));
    close(fd);
    rig_stop(&rig);
}

static int run(const char *name, bool epoll)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_basics, setup),
        cmocka_unit_test_setup(test_old_clients, setup),
        cmocka_unit_test_setup(test_pipeline, setup),
        cmocka_unit_test_setup(test_deep_pipeline, setup),
        cmocka_unit_test_setup(test_every_split, setup),
        cmocka_unit_test_setup(test_bodies, setup),
        cmocka_unit_test_setup(test_refused, setup),
        cmocka_unit_test_setup(test_broken, setup),
        cmocka_unit_test_setup(test_expect, setup),
        cmocka_unit_test_setup(test_lines, setup),
        cmocka_unit_test_setup(test_many_lines, setup),
        cmocka_unit_test_setup(test_slow_reader, setup),
    };

    use_epoll = epoll;
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return run("io_uring", false) + run("epoll", true);
}
