// SPDX-License-Identifier: Apache-2.0
#include "bench/data/bodies.h"

#include "engine/base/check.h"

#define GUID  "01AJ7BMDBGANF1AABGHAHG5A" // 24 of 32 characters; the sequence follows
#define ZEROS "00000000"

static const char small[] =
    "{\"GSW_CALL_ATTEMPT_GUID\":\"" GUID ZEROS "\",\"GSW_CAMPAIGN_NAME\":\"Campaign1\","
    "\"GSW_CAMPAIGN_GROUP_NAME\":\"Campaign1@AgentGroup1\",\"GSW_CHAIN_ID\":1,"
    "\"GSW_RECORD_HANDLE\":9,\"GSW_PHONE\":\"" ZEROS "00\",\"GSW_TZ_NAME\":\"PST\"}";

static const char full[] =
    "{\"GSW_APPLICATION_ID\":134,\"GSW_ATTEMPTS\":0,"
    "\"GSW_CALL_ATTEMPT_GUID\":\"" GUID ZEROS "\",\"GSW_CALL_RESULT\":28,"
    "\"GSW_CALLING_LIST\":\"CallingList1\",\"GSW_CALLING_LIST_DBID\":104,"
    "\"GSW_CAMPAIGN_NAME\":\"Campaign1\",\"GSW_CAMPAIGN_GROUP_NAME\":\"Campaign1@AgentGroup1\","
    "\"GSW_CAMPAIGN_GROUP_DBID\":42896,\"GSW_CHAIN_ID\":1,\"GSW_CHAIN_N\":0,"
    "\"GSW_RECORD_HANDLE\":9,\"GSW_RECORD_TYPE\":2,\"GSW_RECORD_STATUS\":2,"
    "\"GSW_TENANT_NAME\":\"undefined\",\"GSW_PHONE\":\"" ZEROS "00\",\"GSW_PHONE_TYPE\":1,"
    "\"GSW_TZ_NAME\":\"PST\",\"GSW_TZ_OFFSET\":-25200,\"GSW_FROM\":28800,\"GSW_UNTIL\":64800,"
    "\"GSW_CLIENT_ID\":\"C-0042\",\"GSW_DIAL_MODE\":\"Predictive\","
    "\"custom1\":\"something\",\"custom2\":0}";

static size_t offset_after(struct str text, struct str mark)
{
    const char *at = memmem(text.ptr, text.size, mark.ptr, mark.size);
    CHECK(at != NULL);
    return (size_t)(at - text.ptr) + mark.size;
}

void body_write(struct buf *b, enum body_kind kind, struct body_slots *ret)
{
    struct str text =
        kind == BODY_FULL ? str_make(full, sizeof full - 1) : str_make(small, sizeof small - 1);
    ret->phone_at = offset_after(text, STR("\"GSW_PHONE\":\""));
    ret->sequence_at = offset_after(text, STR(GUID));
    buf_str(b, text);
}
