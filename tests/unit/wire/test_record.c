// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/buf.h"
#include "engine/base/check.h"
#include "engine/base/err.h"
#include "engine/base/limits.h"
#include "engine/wire/record.h"

static struct record_keys *v1_keys, *ocs_keys;
static struct record r;

static int set_up(void **state)
{
    (void)state;
    v1_keys = record_keys_new(FIELD_COUNT);
    ocs_keys = record_keys_new(FIELD_V1_PHONE);
    return v1_keys && ocs_keys ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    record_keys_free(v1_keys);
    record_keys_free(ocs_keys);
    record_keys_free(NULL);
    return 0;
}

static void parses(const char *text)
{
    enum reason reason;

    memset(&r, 0xaa, sizeof r); // what an earlier record left
    if (!record_parse(&r, str_of(text), v1_keys, &reason))
        fail_msg("%s: %.*s", text, STR_ARG(reason_text(reason)));
}

static void refused(struct str text, enum reason want)
{
    enum reason reason = REASON_ALLOWED;

    assert_false(record_parse(&r, text, v1_keys, &reason));
    assert_int_equal(reason, want);
}

static void same(struct str got, const char *want)
{
    if (!want ? got.ptr != NULL : !str_eq(got, str_of(want)))
        fail_msg("'%.*s', not '%s'", STR_ARG(got), want ? want : "(absent)");
}

static void test_typical(void **state)
{
    (void)state;
    parses("{\"GSW_APPLICATION_ID\":134,\"GSW_CALL_ATTEMPT_GUID\":\"01AJ7B\",\n"
           " \"GSW_CAMPAIGN_GROUP_NAME\":\"Campaign1@AgentGroup1\",\"GSW_PHONE\":\"5551234567\",\n"
           " \"GSW_TENANT_NAME\":\"Acme\",\"GSW_CUSTOMER_ID\":\"C "
           "7\",\"custom1\":\"x\",\"custom2\":0}");
    same(record_phone(&r), "5551234567");
    same(record_client_id(&r), "C 7");
    same(record_tenant(&r), "Acme");
    same(record_group(&r), "Campaign1@AgentGroup1");
    same(record_text(&r, FIELD_CALL_ATTEMPT_GUID), "01AJ7B");
    same(record_text(&r, FIELD_V1_EMAIL), NULL);
    assert_int_equal(r.member_count, 8);
    assert_int_equal(r.duplicate_count, 0);
    parses("{}");
    same(record_phone(&r), NULL);
    same(record_tenant(&r), NULL);
    assert_int_equal(record_channel(&r, CHANNEL_VOICE), CHANNEL_VOICE);
}

static void test_order_of_names(void **state)
{
    (void)state;
    parses("{\"phone\":\"3\",\"contact_info\":\"2\",\"GSW_PHONE\":\"1\"}");
    same(record_phone(&r), "1");
    parses("{\"phone\":\"3\",\"contact_info\":\"2\",\"GSW_PHONE\":null}");
    same(record_phone(&r), "2");
    parses("{\"phone\":\"3\",\"contact_info\":\" \",\"GSW_PHONE\":\"\"}");
    same(record_phone(&r), "3");
    parses("{\"client_id\":\"v\",\"GSW_CUSTOMER_ID\":\"g\",\"campaign_group\":\"cg\"}");
    same(record_client_id(&r), "g");
    same(record_group(&r), "cg");
}

static void test_tenant(void **state)
{
    (void)state;
    parses("{\"GSW_TENANT_NAME\":\"undefined\",\"GSW_TENANT_CCID\":\"cc\",\"tenant\":\"t\"}");
    same(record_tenant(&r), "cc");
    parses(
        "{\"GSW_TENANT_NAME\":\"undefined\",\"GSW_TENANT_CCID\":\" undefined \",\"tenant\":\"t\"}");
    same(record_tenant(&r), "t");
    parses("{\"GSW_TENANT_NAME\":\"undefined\",\"GSW_TENANT_CCID\":null,\"tenant\":\"undefined\"}");
    same(record_tenant(&r), NULL);
    parses("{\"GSW_TENANT_NAME\":\"Undefined\"}");
    same(record_tenant(&r), "Undefined");
}

static void test_types(void **state)
{
    (void)state;
    parses("{\"GSW_PHONE\":2125551234,\"GSW_CUSTOMER_ID\":true,\"GSW_TENANT_NAME\":{\"a\":[1]},"
           "\"email\":[1, 2]}");
    same(record_phone(&r), "2125551234");
    assert_int_equal(r.value[FIELD_PHONE].type, JSON_NUMBER);
    same(record_client_id(&r), "true");
    same(record_tenant(&r), "{\"a\":[1]}");
    same(record_text(&r, FIELD_V1_EMAIL), "[1, 2]");
    assert_int_equal(r.member_count, 4);
}

static void test_duplicates(void **state)
{
    (void)state;
    parses("{\"GSW_PHONE\":\"1\",\"x\":1,\"x\":2,\"GSW_PHONE\":\"2\",\"GSW_PHONE\":\"3\"}");
    same(record_phone(&r), "3");
    assert_int_equal(r.duplicate_count, 2);
    assert_int_equal(r.member_count, 5);
    parses("{\"GSW_PHONE\":\"1\",\"GSW_PHONE\":null}");
    same(record_phone(&r), NULL);
    assert_int_equal(r.duplicate_count, 1);
    parses("{\"GSW_PHONE\":null,\"GSW_\\u0050HONE\":\"4\"}");
    same(record_phone(&r), "4");
    assert_int_equal(r.duplicate_count, 1);
}

static void test_escapes(void **state)
{
    (void)state;
    parses(
        "{\"GSW_PHONE\":\"\\u0032125551234\",\"GSW_TENANT_NAME\":\"a\\\"b\",\"email\":\"\\t\\n\"}");
    same(record_phone(&r), "2125551234");
    same(record_tenant(&r), "a\"b");
    same(record_text(&r, FIELD_V1_EMAIL), NULL); // white space, once undone
    assert_true(r.scratch_used > 0);
    assert_false(r.value[FIELD_PHONE].escaped);
}

// OCS records do not know what /v1 calls things, and the slots stay absent.
static void test_ocs_keys(void **state)
{
    enum reason reason;

    (void)state;
    memset(&r, 0xaa, sizeof r);
    assert_true(record_parse(&r, STR("{\"phone\":\"1\",\"at\":\"x\",\"contact_info\":\"2\"}"),
                             ocs_keys, &reason));
    same(record_phone(&r), "2");
    same(record_text(&r, FIELD_V1_AT), NULL);
    assert_int_equal(r.member_count, 3);
}

static void test_refused(void **state)
{
    (void)state;
    refused(STR(""), REASON_NOT_JSON);
    refused(str_make(NULL, 0), REASON_NOT_JSON);
    refused(STR("[]"), REASON_NOT_JSON);
    refused(STR("\"GSW_PHONE\""), REASON_NOT_JSON);
    refused(STR("{\"GSW_PHONE\":\"1\""), REASON_NOT_JSON);
    refused(STR("{\"GSW_PHONE\":\"1\"} x"), REASON_NOT_JSON);
    refused(STR("GSW_PHONE=1"), REASON_NOT_JSON);
    refused(STR("{\"a\":[[[[[[[[[1]]]]]]]]]}"), REASON_TOO_DEEP);
    parses("{\"a\":[[[[[[[[1]]]]]]]]}");
}

static void test_limits(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < LIMIT_RECORD_KEYS; i++) buf_printf(&b, "%c\"k%d\":%d", i ? ',' : '{', i, i);
    buf_lit(&b, "}");
    buf_char(&b, '\0');
    parses(b.ptr);
    assert_int_equal(r.member_count, LIMIT_RECORD_KEYS);
    b.size_bytes -= 2;
    buf_lit(&b, ",\"one\":1}");
    refused(buf_view(&b), REASON_TOO_MANY_KEYS);

    buf_reset(&b);
    buf_lit(&b, "{\"x\":\"");
    while (b.size_bytes < LIMIT_RECORD_BYTES - 2) buf_char(&b, 'y');
    buf_lit(&b, "\"}");
    buf_char(&b, '\0');
    parses(b.ptr);
    b.ptr[b.size_bytes - 1] = ' ';
    refused(buf_view(&b), REASON_TOO_LARGE);

    buf_reset(&b);
    buf_lit(&b, "{\"GSW_PHONE\":\"\\n");
    for (int i = 0; i < RECORD_SCRATCH_BYTES; i++) buf_char(&b, '1');
    buf_lit(&b, "\"}");
    refused(buf_view(&b), REASON_TOO_LARGE);
    buf_done(&b);
}

static void test_more_keys(void **state)
{
    struct record_keys *keys = record_keys_new(FIELD_COUNT);
    char name[32], text[64];
    enum reason reason;

    (void)state;
    assert_int_equal(record_keys_add(keys, STR("GSW_PHONE")), FIELD_PHONE);
    for (int i = FIELD_COUNT; i < RECORD_SLOTS_MAX; i++) {
        snprintf(name, sizeof name, "k%d", i);
        assert_int_equal(record_keys_add(keys, str_of(name)), i);
    }
    snprintf(name, sizeof name, "k%d", FIELD_COUNT); // once more: the slot it has
    assert_int_equal(record_keys_add(keys, str_of(name)), FIELD_COUNT);
    assert_int_equal(record_keys_add(keys, STR("one more")), ERR_FULL);
    for (int i = FIELD_COUNT; i < RECORD_SLOTS_MAX; i++) {
        snprintf(text, sizeof text, "{\"k%d\":\"v%d\"}", i, i);
        assert_true(record_parse(&r, str_of(text), keys, &reason));
        snprintf(name, sizeof name, "v%d", i);
        same(record_text(&r, (unsigned)i), name);
    }
    record_keys_free(keys);
}

// A key is found only by all of its bytes.
static void test_near_keys(void **state)
{
    (void)state;
    parses("{\"GSW_PHONE "
           "\":\"1\",\"gsw_phone\":\"1\",\"GSW_PHON\":\"1\",\"XSW_PHONE\":\"1\",\"\":\"1\"}");
    same(record_phone(&r), NULL);
    assert_int_equal(r.member_count, 5);
}

static void test_channels(void **state)
{
    enum channel channel = CHANNEL_COUNT;

    (void)state;
    assert_true(channel_parse(STR("SMS"), &channel));
    assert_int_equal(channel, CHANNEL_SMS);
    assert_true(channel_parse(STR(" Email"), &channel));
    assert_int_equal(channel, CHANNEL_EMAIL);
    assert_true(channel_parse(STR("any"), &channel));
    assert_int_equal(channel, CHANNEL_ANY);
    assert_false(channel_parse(STR("fax"), &channel));
    assert_false(channel_parse(STR(""), &channel));
    for (int i = 0; i <= CHANNEL_ANY; i++) {
        assert_true(channel_parse(channel_word((enum channel)i), &channel));
        assert_int_equal(channel, i);
    }
    parses("{\"GSW_CONTACT_MEDIA_TYPE\":\"email\",\"channel\":\"sms\"}");
    assert_int_equal(record_channel(&r, CHANNEL_VOICE), CHANNEL_EMAIL);
    parses("{\"channel\":\"sms\"}");
    assert_int_equal(record_channel(&r, CHANNEL_VOICE), CHANNEL_SMS);
    parses("{\"GSW_CONTACT_MEDIA_TYPE\":\"smoke\"}");
    assert_int_equal(record_channel(&r, CHANNEL_VOICE), CHANNEL_ANY);
}

static void next_is(struct json *cursor, enum reason want, const char *phone)
{
    enum reason reason = REASON_COUNT;

    assert_true(record_next(&r, cursor, v1_keys, &reason));
    assert_int_equal(reason, want);
    if (want == REASON_ALLOWED) same(record_phone(&r), phone);
}

// Elements of an array, where they stand: what is no record spoils no other.
static void test_next(void **state)
{
    struct json j = json_start(STR(" [{\"phone\":\"1\"} , 5,{}, {\"phone\":[[[[[[[[[1]]]]]]]]]},"
                                   "\n{\"x\":{\"phone\":\"9\"},\"phone\":2 },[{}], "
                                   "{\"email\":\"\\u0041\"}]"),
                               LIMIT_RECORD_DEPTH + 2);
    enum reason reason = REASON_COUNT;

    (void)state;
    assert_int_equal(json_enter(&j), JSON_ARRAY);
    next_is(&j, REASON_ALLOWED, "1");
    same(r.text, "{\"phone\":\"1\"}");
    next_is(&j, REASON_NOT_JSON, NULL);
    next_is(&j, REASON_ALLOWED, NULL);
    next_is(&j, REASON_TOO_DEEP, NULL);
    next_is(&j, REASON_ALLOWED, "2");
    same(r.text, "{\"x\":{\"phone\":\"9\"},\"phone\":2 }");
    next_is(&j, REASON_NOT_JSON, NULL);
    next_is(&j, REASON_ALLOWED, NULL);
    same(record_text(&r, FIELD_V1_EMAIL), "A");
    assert_false(record_next(&r, &j, v1_keys, &reason));
    assert_int_equal(reason, REASON_COUNT);
    assert_true(json_end(&j));
}

static void test_next_limits(void **state)
{
    char *text = malloc(3 * LIMIT_RECORD_BYTES);
    enum reason reason = REASON_COUNT;
    struct json j;
    int size;

    (void)state;
    size = snprintf(text, 3 * LIMIT_RECORD_BYTES, "[{\"x\":\"%*s\"},{\"phone\":\"7\"},{\"a\"",
                    LIMIT_RECORD_BYTES - 8, "");
    j = json_start(str_make(text, (size_t)size), 8);
    assert_int_equal(json_enter(&j), JSON_ARRAY);
    next_is(&j, REASON_ALLOWED, NULL);
    assert_int_equal(r.text.size, LIMIT_RECORD_BYTES);
    next_is(&j, REASON_ALLOWED, "7");
    assert_false(record_next(&r, &j, v1_keys, &reason));
    assert_true(j.failed);
    size = snprintf(text, 3 * LIMIT_RECORD_BYTES, "[{\"x\":\"%*s\"},{\"phone\":\"7\"}]",
                    LIMIT_RECORD_BYTES - 7, "");
    j = json_start(str_make(text, (size_t)size), 8);
    assert_int_equal(json_enter(&j), JSON_ARRAY);
    next_is(&j, REASON_TOO_LARGE, NULL);
    next_is(&j, REASON_ALLOWED, "7");
    assert_false(record_next(&r, &j, v1_keys, &reason));
    assert_true(json_end(&j));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typical),     cmocka_unit_test(test_next),
        cmocka_unit_test(test_next_limits), cmocka_unit_test(test_order_of_names),
        cmocka_unit_test(test_tenant),      cmocka_unit_test(test_types),
        cmocka_unit_test(test_duplicates),  cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_ocs_keys),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_more_keys),
        cmocka_unit_test(test_near_keys),   cmocka_unit_test(test_channels),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
