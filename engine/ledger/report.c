// SPDX-License-Identifier: Apache-2.0
//
// What the pages of Genesys (CallReportRecords, PreDialValidation) leave open, and how it is taken:
//
//   | open                                   | taken as                                         |
//   |----------------------------------------|--------------------------------------------------|
//   | name of the sequence                   | GSW_HIST_SEQUENCE_NUM, else GSW_OCS_SEQUENCE_NO  |
//   | numbers                                | JSON numbers or numeric strings                  |
//   | unit of times                          | seconds; from 10^11 on milliseconds              |
//   | 0, null, "" as a time                  | not reached                                      |
//   | a time below 10^9 (before 2001-09-09)  | no instant (a length, a time of day): not reached|
//   | GSW_CALL_RESULT of a start             | the record's last result, not this attempt's     |
//   | GSW_CALL_TIME of a start               | the record's last call, not this one             |
//   | a result that is no number             | by its name, else none yet, which fits every rule|
//   | a result above 62 or negative          | 63, any other                                    |
#include "engine/ledger/report.h"

#define TIME_MIN_S     1000000000
#define TIME_MIN_MS    100000000000
#define TIME_AHEAD_S   300
#define SEQUENCE_START 0
#define SEQUENCE_END   1

static struct json_value value_of(const struct record *record, enum record_field field)
{
    static const struct json_value absent = {.type = JSON_NONE};

    return record->present >> field & 1 ? record->value[field] : absent;
}

static bool has(const struct record *record, enum record_field field)
{
    return record->present >> field & 1;
}

// Digits behind a point are cut off: "1763819275.25".
static bool to_number(struct json_value value, int64_t *ret)
{
    struct str rest;

    if (json_to_i64(value, ret)) return true;
    value.text = str_cut(value.text, '.', &rest);
    for (size_t i = 0; i < rest.size; i++)
        if (!str_is_digit(rest.ptr[i])) return false;
    return rest.size > 0 && json_to_i64(value, ret);
}

// False when that milestone was not reached.
static bool time_of(const struct record *record, enum record_field field, int64_t *ret_s)
{
    int64_t t;

    if (!has(record, field) || !to_number(value_of(record, field), &t)) return false;
    if (t >= TIME_MIN_MS) t /= 1000;
    if (t < TIME_MIN_S) return false;
    *ret_s = t;
    return true;
}

static int64_t start_of(const struct record *record, bool ended, int64_t now_s)
{
    int64_t start_s = now_s;

    if (!time_of(record, FIELD_DIALING, &start_s) &&
        !(ended && time_of(record, FIELD_CALL_TIME, &start_s)))
        time_of(record, FIELD_START_PROCESSING, &start_s);
    return start_s > now_s + TIME_AHEAD_S ? now_s : start_s;
}

static uint8_t result_of(const struct record *record)
{
    struct json_value value = value_of(record, FIELD_CALL_RESULT);
    unsigned number;
    int64_t n;

    if (!has(record, FIELD_CALL_RESULT)) return ATTEMPT_NO_RESULT;
    if (to_number(value, &n))
        return n >= 0 && n < CALL_RESULT_OTHER ? (uint8_t)n : CALL_RESULT_OTHER;
    return call_result_find(value.text, &number) ? (uint8_t)number : ATTEMPT_NO_RESULT;
}

static bool sequence_of(const struct record *record, int64_t *ret)
{
    enum record_field field =
        has(record, FIELD_HIST_SEQUENCE_NUM) ? FIELD_HIST_SEQUENCE_NUM : FIELD_OCS_SEQUENCE_NO;

    if (!has(record, field)) {
        *ret = has(record, FIELD_CALL_RESULT) ? SEQUENCE_END : SEQUENCE_START;
        return true;
    }
    return json_to_i64(value_of(record, field), ret) &&
           (*ret == SEQUENCE_START || *ret == SEQUENCE_END);
}

static bool says(struct str text)
{
    return str_trim(text).size > 0;
}

enum report_fault report_from_record(struct attempt *a, const struct record *record, int64_t now_s)
{
    int64_t sequence;

    if (!says(record_phone(record)) && !says(record_client_id(record))) return REPORT_NO_CONTACT;
    if (!sequence_of(record, &sequence)) return REPORT_NO_SEQUENCE;
    *a = (struct attempt){.ended = sequence == SEQUENCE_END};
    a->start_s = start_of(record, a->ended, now_s);
    a->channel = (uint8_t)record_channel(record, CHANNEL_VOICE);
    a->result = a->ended ? result_of(record) : ATTEMPT_NO_RESULT;
    return REPORT_OK;
}

struct str report_guid(const struct record *record)
{
    return str_trim(record_text(record, FIELD_CALL_ATTEMPT_GUID));
}
