// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/check.h"
#include "engine/wire/json.h"
#include "engine/wire/verdict.h"

static void writes_ocs(const struct verdict *v, enum ocs_body shape, const char *want)
{
    char bytes[512];
    struct buf b;

    buf_wrap(&b, bytes, sizeof bytes);
    verdict_write_ocs(&b, v, shape);
    assert_false(b.failed);
    assert_int_equal(b.size_bytes, strlen(want));
    assert_memory_equal(bytes, want, b.size_bytes);
}

static void test_ocs(void **state)
{
    struct verdict v = verdict_block(REASON_DEVICE_LISTED, STR("national"));

    (void)state;
    writes_ocs(&v, OCS_BODY_FULL,
               "{\"GSW_CALL_RESULT\":51,\"GSW_BLOCKING_RULE\":\"national\","
               "\"GSW_BLOCKING_RULE_TYPE\":\"suppression\"}");
    writes_ocs(&v, OCS_BODY_RESULT, "{\"GSW_CALL_RESULT\":51}");
    writes_ocs(&v, OCS_BODY_EMPTY, "");
    v = verdict_block(REASON_BAD_NUMBER, STR(""));
    writes_ocs(&v, OCS_BODY_FULL,
               "{\"GSW_CALL_RESULT\":3,\"GSW_BLOCKING_RULE\":\"number\","
               "\"GSW_BLOCKING_RULE_TYPE\":\"input\"}");
    v = verdict_block(REASON_LIST_LOADING, STR("a\"b\\c\n"));
    writes_ocs(&v, OCS_BODY_FULL,
               "{\"GSW_CALL_RESULT\":52,\"GSW_BLOCKING_RULE\":\"a\\\"b\\\\c\\n\","
               "\"GSW_BLOCKING_RULE_TYPE\":\"freshness\"}");
    v = verdict_allow();
    writes_ocs(&v, OCS_BODY_FULL, "{}");
}

static void writes_result(const struct verdict *v, const char *want)
{
    char bytes[512];
    struct buf b;

    buf_wrap(&b, bytes, sizeof bytes);
    verdict_write_result(&b, v);
    assert_false(b.failed);
    assert_int_equal(b.size_bytes, strlen(want));
    assert_memory_equal(bytes, want, b.size_bytes);
}

static void test_result(void **state)
{
    struct verdict v = verdict_block(REASON_DEVICE_LISTED, STR("national"));

    (void)state;
    writes_result(&v, "{\"verdict\":\"block\",\"rule\":\"national\",\"type\":\"suppression\","
                      "\"reason\":\"the device is on this suppression list\",\"retry_at\":null}");
    v.retry_at_s = 1795355275;
    writes_result(&v, "{\"verdict\":\"block\",\"rule\":\"national\",\"type\":\"suppression\","
                      "\"reason\":\"the device is on this suppression list\","
                      "\"retry_at\":\"2026-11-22T13:47:55Z\"}");
    v = verdict_allow();
    writes_result(&v, "{\"verdict\":\"allow\",\"rule\":\"\",\"type\":\"\","
                      "\"reason\":\"on no list that applies\",\"retry_at\":null}");
}

// Whatever the reason, the answer is JSON with the keys of the contract.
static void test_every_reason(void **state)
{
    (void)state;
    for (int i = 0; i < REASON_COUNT; i++) {
        struct json_value key, value;
        char bytes[512];
        struct verdict v;
        unsigned count = 0;
        struct json j;
        struct buf b;

        assert_true(reason_text((enum reason)i).size > 0);
        if (reason_type((enum reason)i) == VERDICT_NONE) continue;
        v = verdict_block((enum reason)i, STR(""));
        assert_int_equal(v.type, reason_type((enum reason)i));
        assert_int_equal(v.call_result, verdict_type_call_result(v.type));
        assert_int_equal(v.list, UINT16_MAX);
        assert_true(str_eq(v.rule, reason_rule((enum reason)i)));
        buf_wrap(&b, bytes, sizeof bytes);
        verdict_write_result(&b, &v);
        j = json_start(buf_view(&b), 0);
        assert_int_equal(json_enter(&j), JSON_OBJECT);
        while (json_member(&j, &key, &value)) count++;
        assert_true(json_end(&j));
        assert_int_equal(count, 5);
    }
}

// A buffer that is too small fails and is not overrun.
static void test_small_buffer(void **state)
{
    struct verdict v = verdict_block(REASON_DEVICE_LISTED, STR("national"));
    char bytes[64];

    (void)state;
    for (size_t n = 0; n < 40; n++) {
        struct buf b;

        memset(bytes, '#', sizeof bytes);
        buf_wrap(&b, bytes, n);
        verdict_write_ocs(&b, &v, OCS_BODY_FULL);
        assert_true(b.failed);
        assert_int_equal(bytes[n], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ocs),
        cmocka_unit_test(test_result),
        cmocka_unit_test(test_every_reason),
        cmocka_unit_test(test_small_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
