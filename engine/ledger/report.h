// SPDX-License-Identifier: Apache-2.0
//
// report: an OCS call report record (POST /ocs/history) as an attempt. Pure functions.
// Tolerances and their sources: what OCS may send is in parts undocumented; see report.c's table.
#pragma once

#include "engine/wire/attempt.h"
#include "engine/wire/record.h"

enum report_fault {
    REPORT_OK,
    REPORT_NO_CONTACT, // neither a usable phone nor a client id
    REPORT_NO_SEQUENCE // sequence neither 0 nor 1 (absent: 1 when it has a result, else 0)
};

// Fills all of `a` but the keys, place, subject and disposition, which the caller has better means
// for. Times: seconds or milliseconds (>= 10^11), numbers or numeric strings; 0, null, absent and
// what is no instant (before 2001) = not reached; the first of GSW_DIALING, GSW_CALL_TIME (of an
// end), GSW_START_PROCESSING, else `now_s`; one that lies more than 5 minutes ahead of `now_s`
// counts as `now_s`.
enum report_fault report_from_record(struct attempt *a, const struct record *record, int64_t now_s);
// The attempt's guid text: GSW_CALL_ATTEMPT_GUID; absent when the record has none.
struct str report_guid(const struct record *record);
