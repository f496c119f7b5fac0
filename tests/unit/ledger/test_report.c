// SPDX-License-Identifier: Apache-2.0
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>

#include "engine/base/check.h"
#include "engine/ledger/report.h"

#define NOW INT64_C(1763819275)

static struct record_keys *keys;

static struct record *parsed(const char *text)
{
    static struct record record;
    enum reason reason;

    assert_true(record_parse(&record, str_of(text), keys, &reason));
    return &record;
}

static enum report_fault fault_of(const char *text)
{
    struct attempt a = {.start_s = 42};
    enum report_fault fault = report_from_record(&a, parsed(text), NOW);

    if (fault != REPORT_OK) assert_int_equal(a.start_s, 42); // untouched
    return fault;
}

// Of a report of that phone with `members` beside.
static struct attempt with(const char *members)
{
    struct attempt a = {.device = 1};
    char text[512];

    snprintf(text, sizeof text, "{\"GSW_PHONE\":\"2125551234\",\"x\":1%s}", members);
    assert_int_equal(report_from_record(&a, parsed(text), NOW), REPORT_OK);
    return a;
}

static int64_t started(const char *members)
{
    return with(members).start_s;
}

// The two records that the reference shows.
static void reference_records(void **state)
{
    static const char start[] =
        "{\"GSW_CALL_ATTEMPT_GUID\":\"01AJ7BMDBGANF1AABGHAHG5AES000003\","
        "\"GSW_HIST_SEQUENCE_NUM\":0,\"GSW_TENANT_NAME\":\"undefined\",\"GSW_PHONE\":"
        "\"5551234567\","
        "\"GSW_PHONE_TYPE\":1,\"GSW_TZ_NAME\":\"PST\",\"GSW_START_PROCESSING\":0,"
        "\"GSW_DIALING\":0}";
    static const char end[] =
        "{\"GSW_CALL_ATTEMPT_GUID\":\"01AJ7BMDBGANF1AABGHAHG5AES000003\","
        "\"GSW_HIST_SEQUENCE_NUM\":1,\"GSW_PHONE\":\"5551234567\",\"GSW_CALL_RESULT\":33,"
        "\"GSW_DIALING\":1763819200}";
    struct attempt a;

    (void)state;
    assert_int_equal(report_from_record(&a, parsed(start), NOW), REPORT_OK);
    assert_int_equal(a.start_s, NOW);
    assert_int_equal(a.result, ATTEMPT_NO_RESULT);
    assert_false(a.ended);
    assert_int_equal(a.channel, CHANNEL_VOICE);
    assert_true(a.device == 0 && a.client == 0 && a.guid == 0 && a.group == 0 && a.subject == 0);
    assert_true(str_eq(report_guid(parsed(start)), STR("01AJ7BMDBGANF1AABGHAHG5AES000003")));
    assert_int_equal(report_from_record(&a, parsed(end), NOW), REPORT_OK);
    assert_int_equal(a.start_s, 1763819200);
    assert_int_equal(a.result, 33);
    assert_true(a.ended);
}

static void contact(void **state)
{
    (void)state;
    assert_int_equal(fault_of("{\"GSW_HIST_SEQUENCE_NUM\":0}"), REPORT_NO_CONTACT);
    assert_int_equal(fault_of("{\"GSW_PHONE\":\"  \",\"GSW_CUSTOMER_ID\":null}"),
                     REPORT_NO_CONTACT);
    assert_int_equal(fault_of("{\"GSW_CUSTOMER_ID\":7}"), REPORT_OK);
    assert_int_equal(fault_of("{\"contact_info\":\"2125551234\"}"), REPORT_OK);
    assert_int_equal(fault_of("{}"), REPORT_NO_CONTACT);
    assert_int_equal(fault_of("{\"GSW_HIST_SEQUENCE_NUM\":9}"), REPORT_NO_CONTACT);
}

static void sequence(void **state)
{
    static const char *const faults[] = {"2", "-1", "\"x\"", "0.5", "true", "[0]", "1e0"};
    char text[128];

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(faults); i++) {
        snprintf(text, sizeof text, "{\"GSW_PHONE\":1,\"GSW_HIST_SEQUENCE_NUM\":%s}", faults[i]);
        assert_int_equal(fault_of(text), REPORT_NO_SEQUENCE);
        snprintf(text, sizeof text, "{\"GSW_PHONE\":1,\"GSW_OCS_SEQUENCE_NO\":%s}", faults[i]);
        assert_int_equal(fault_of(text), REPORT_NO_SEQUENCE);
    }
    assert_true(with(",\"GSW_HIST_SEQUENCE_NUM\":\" 1 \"").ended);
    assert_true(with(",\"GSW_OCS_SEQUENCE_NO\":1").ended);
    assert_false(with(",\"GSW_OCS_SEQUENCE_NO\":\"0\",\"GSW_CALL_RESULT\":6").ended);
    assert_false(with(",\"GSW_HIST_SEQUENCE_NUM\":0,\"GSW_OCS_SEQUENCE_NO\":1").ended);
    assert_true(with(",\"GSW_HIST_SEQUENCE_NUM\":null,\"GSW_OCS_SEQUENCE_NO\":1").ended);
    // absent: what carries a result is an end
    assert_false(with("").ended);
    assert_false(with(",\"GSW_CALL_RESULT\":\"\"").ended);
    assert_true(with(",\"GSW_CALL_RESULT\":6").ended);
}

static void results(void **state)
{
    (void)state;
    assert_int_equal(with(",\"GSW_CALL_RESULT\":0").result, 0);
    assert_int_equal(with(",\"GSW_CALL_RESULT\":\"33\"").result, 33);
    assert_int_equal(with(",\"GSW_CALL_RESULT\":62").result, 62);
    assert_int_equal(with(",\"GSW_CALL_RESULT\":63").result, 63);
    assert_int_equal(with(",\"GSW_CALL_RESULT\":255").result, 63);
    assert_int_equal(with(",\"GSW_CALL_RESULT\":256").result, 63);
    assert_int_equal(with(",\"GSW_CALL_RESULT\":4294967302").result, 63);
    assert_int_equal(with(",\"GSW_CALL_RESULT\":-1").result, 63);
    assert_int_equal(with(",\"GSW_CALL_RESULT\":6.0").result, 6);
    assert_int_equal(with(",\"GSW_CALL_RESULT\":\"No Answer\"").result, 7);
    assert_int_equal(with(",\"GSW_CALL_RESULT\":\"gone\"").result, ATTEMPT_NO_RESULT);
    assert_int_equal(with(",\"GSW_CALL_RESULT\":99999999999999999999").result, ATTEMPT_NO_RESULT);
    assert_int_equal(with(",\"GSW_HIST_SEQUENCE_NUM\":1").result, ATTEMPT_NO_RESULT);
    // of a start it is the record's last result
    assert_int_equal(with(",\"GSW_HIST_SEQUENCE_NUM\":0,\"GSW_CALL_RESULT\":28").result,
                     ATTEMPT_NO_RESULT);
}

static void times(void **state)
{
    (void)state;
    assert_int_equal(started(",\"GSW_DIALING\":1763810000"), 1763810000);
    assert_int_equal(started(",\"GSW_DIALING\":\"1763810000\""), 1763810000);
    assert_int_equal(started(",\"GSW_DIALING\":1763810000.75"), 1763810000);
    assert_int_equal(started(",\"GSW_DIALING\":1763810000999"), 1763810000);
    assert_int_equal(started(",\"GSW_DIALING\":\"1763810000000\""), 1763810000);
    assert_int_equal(started(",\"GSW_DIALING\":100000000000"), NOW); // 1973 in milliseconds
    assert_int_equal(started(",\"GSW_DIALING\":99999999999"), NOW);  // far ahead in seconds
    assert_int_equal(started(",\"GSW_DIALING\":1000000000"), 1000000000);
    assert_int_equal(started(",\"GSW_DIALING\":999999999"), NOW); // no instant
    assert_int_equal(started(",\"GSW_DIALING\":-1763810000"), NOW);
    assert_int_equal(started(",\"GSW_DIALING\":9223372036854775807"), NOW);
    assert_int_equal(started(""), NOW);
    // ahead
    assert_int_equal(started(",\"GSW_DIALING\":1763819575"), NOW + 300);
    assert_int_equal(started(",\"GSW_DIALING\":1763819576"), NOW);
}

#define END ",\"GSW_HIST_SEQUENCE_NUM\":1"

static void first_milestone_that_was_reached(void **state)
{
    (void)state;
    assert_int_equal(started(END
                             ",\"GSW_START_PROCESSING\":1763810001,\"GSW_CALL_TIME\":1763810002,"
                             "\"GSW_DIALING\":1763810003"),
                     1763810003);
    assert_int_equal(started(END
                             ",\"GSW_START_PROCESSING\":1763810001,\"GSW_CALL_TIME\":1763810002,"
                             "\"GSW_DIALING\":0"),
                     1763810002);
    assert_int_equal(started(END ",\"GSW_START_PROCESSING\":1763810001,\"GSW_CALL_TIME\":null,"
                                 "\"GSW_DIALING\":\"0\""),
                     1763810001);
    assert_int_equal(started(END ",\"GSW_START_PROCESSING\":1763810001,\"GSW_CALL_TIME\":35,"
                                 "\"GSW_DIALING\":\"soon\""),
                     1763810001);
    assert_int_equal(started(END ",\"GSW_START_PROCESSING\":\"\",\"GSW_DIALING\":true"), NOW);
}

// Nobody has called yet: the record's GSW_CALL_TIME is of its last call, perhaps weeks ago.
static void call_time_of_a_start(void **state)
{
    (void)state;
    assert_int_equal(started(",\"GSW_HIST_SEQUENCE_NUM\":0,\"GSW_CALL_TIME\":1763000000,"
                             "\"GSW_START_PROCESSING\":0,\"GSW_DIALING\":0"),
                     NOW);
    assert_int_equal(started(",\"GSW_CALL_TIME\":1763000000,\"GSW_START_PROCESSING\":1763810001"),
                     1763810001);
    assert_int_equal(started(END ",\"GSW_CALL_TIME\":1763000000"), 1763000000);
}

static void channel_and_guid(void **state)
{
    (void)state;
    assert_int_equal(with(",\"GSW_CONTACT_MEDIA_TYPE\":\"SMS\"").channel, CHANNEL_SMS);
    assert_int_equal(with(",\"GSW_CONTACT_MEDIA_TYPE\":\"email\"").channel, CHANNEL_EMAIL);
    assert_int_equal(with(",\"GSW_CONTACT_MEDIA_TYPE\":\"fax\"").channel, CHANNEL_ANY);
    assert_int_equal(with(",\"GSW_CONTACT_MEDIA_TYPE\":\"\"").channel, CHANNEL_VOICE);
    assert_int_equal(report_guid(parsed("{\"GSW_CALL_ATTEMPT_GUID\":\" \"}")).size, 0);
    assert_int_equal(report_guid(parsed("{}")).size, 0);
    assert_true(str_eq(report_guid(parsed("{\"GSW_CALL_ATTEMPT_GUID\":\" a1 \"}")), STR("a1")));
    assert_true(str_eq(report_guid(parsed("{\"GSW_CALL_ATTEMPT_GUID\":17}")), STR("17")));
}

static int set_up(void **state)
{
    (void)state;
    keys = record_keys_new(FIELD_V1_PHONE);
    return keys ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    record_keys_free(keys);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_records),
        cmocka_unit_test(contact),
        cmocka_unit_test(sequence),
        cmocka_unit_test(results),
        cmocka_unit_test(times),
        cmocka_unit_test(first_milestone_that_was_reached),
        cmocka_unit_test(call_time_of_a_start),
        cmocka_unit_test(channel_and_guid),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
