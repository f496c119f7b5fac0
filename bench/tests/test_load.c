// SPDX-License-Identifier: Apache-2.0
//
// What the load generator believes of answers and of time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/load/driver.h"
#include "bench/load/hist.h"

static void quantiles_are_near_and_never_low(void **state)
{
    (void)state;
    static struct hist h;
    hist_reset(&h);
    for (int64_t v = 1; v <= 1000000; v++) hist_add(&h, v, 1);
    assert_int_equal(h.count, 1000000);
    const double quantiles[] = {0.5, 0.9, 0.99, 0.999, 0.9999};
    for (unsigned i = 0; i < 5; i++) {
        double truth = quantiles[i] * 1e6, found = (double)hist_quantile(&h, quantiles[i]);
        assert_true(found >= truth);
        assert_true(found <= truth * 1.017);
    }
    assert_int_equal(hist_quantile(&h, 1.0), 1000000);
}

static void small_and_huge_values_have_places(void **state)
{
    (void)state;
    static struct hist h;
    hist_reset(&h);
    assert_int_equal(hist_quantile(&h, 0.5), 0);
    hist_add(&h, -5, 1);
    hist_add(&h, 63, 2);
    hist_add(&h, INT64_MAX, 1);
    assert_int_equal(hist_quantile(&h, 0.0), 0);
    assert_int_equal(hist_quantile(&h, 0.5), 63);
    assert_int_equal(hist_quantile(&h, 0.99), INT64_MAX);
}

// Feeds `text` one byte more at a time: incomplete until the last one.
static struct answer read_all(const char *text, char *memory)
{
    struct answer a = {0};
    size_t size = strlen(text), need;
    for (size_t n = 1; n < size; n++) {
        memcpy(memory, text, n);
        assert_int_equal(http_answer_read(memory, n, &a, &need), 0);
    }
    memcpy(memory, text, size);
    assert_int_equal(http_answer_read(memory, size, &a, &need), 1);
    assert_int_equal(a.size, size);
    return a;
}

static void answers_with_a_length_are_read(void **state)
{
    (void)state;
    char memory[512];
    signed char verdict;
    struct answer a = read_all("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", memory);
    assert_int_equal(a.status, 200);
    assert_int_equal(driver_ocs.verdicts(&a, &verdict, 1), 1);
    assert_int_equal(verdict, 0);
    a = read_all("HTTP/1.1 409 Conflict\r\ncontent-length: 40\r\n\r\n"
                 "{\"GSW_BLOCKING_RULE_TYPE\":\"suppression\"}",
                 memory);
    assert_int_equal(a.status, 409);
    assert_int_equal(driver_ocs.verdicts(&a, &verdict, 1), 1);
    assert_int_equal(verdict, 1);
    a = read_all("HTTP/1.1 409 Conflict\r\ncontent-length: 34\r\n\r\n"
                 "{\"GSW_BLOCKING_RULE_TYPE\":\"input\"}",
                 memory);
    assert_int_equal(driver_ocs.verdicts(&a, &verdict, 1), 1);
    assert_int_equal(verdict, -1);
}

static void chunks_are_joined(void **state)
{
    (void)state;
    char memory[512];
    signed char verdict[4];
    struct answer a = read_all("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "15\r\n{\"verdict\":\"allow\"}\n{\r\n"
                               "5\r\n\"verd\r\n"
                               "2D\r\nict\":\"block\",\"rule\":\"n\",\"type\":\"suppression\"}\r\n"
                               "0\r\n\r\n",
                               memory);
    assert_int_equal(a.body_size, 0x15 + 5 + 0x2d);
    assert_int_equal(driver_ndjson.verdicts(&a, verdict, 4), 2);
    assert_int_equal(verdict[0], 0);
    assert_int_equal(verdict[1], 1);
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    size_t need;
    struct answer a;
    char text[] = "SMTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(http_answer_read(text, sizeof text - 1, &a, &need), -1);
    char no_length[] = "HTTP/1.1 200 OK\r\n\r\n";
    assert_int_equal(http_answer_read(no_length, sizeof no_length - 1, &a, &need), -1);
}

static void requests_have_their_gaps_filled(void **state)
{
    (void)state;
    struct workload w = {.host = "h", .path = "/p", .body = BODY_SMALL, .batch = 3};
    const struct key keys[] = {{"2125550001", 0}, {"2125550002", 1}, {"2125550003", 0}};
    struct request rq;
    assert_int_equal(request_init(&rq, &driver_batch, &w), 0);
    request_fill(&rq, rq.text.ptr, keys, 0);
    const char *body = memmem(rq.text.ptr, rq.text.size_bytes, "\r\n\r\n", 4);
    assert_non_null(body);
    body += 4;
    static const char wanted[] =
        "{\"records\":[{\"phone\":\"2125550001\"},{\"phone\":\"2125550002\"},"
        "{\"phone\":\"2125550003\"}]}";
    size_t body_size = rq.text.size_bytes - (size_t)(body - rq.text.ptr);
    assert_int_equal(body_size, sizeof wanted - 1);
    assert_memory_equal(body, wanted, body_size);
    char length[32];
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", body_size);
    assert_non_null(memmem(rq.text.ptr, rq.text.size_bytes, length, strlen(length)));
    request_done(&rq);

    w.batch = 1;
    assert_int_equal(request_init(&rq, &driver_ocs, &w), 0);
    request_fill(&rq, rq.text.ptr, keys + 1, 0xabc);
    assert_non_null(memmem(rq.text.ptr, rq.text.size_bytes, "\"GSW_PHONE\":\"2125550002\"", 24));
    assert_non_null(memmem(rq.text.ptr, rq.text.size_bytes, "HG5A00000ABC\"", 13));
    request_done(&rq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_near_and_never_low),
        cmocka_unit_test(small_and_huge_values_have_places),
        cmocka_unit_test(answers_with_a_length_are_read),
        cmocka_unit_test(chunks_are_joined),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(requests_have_their_gaps_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
