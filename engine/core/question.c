// SPDX-License-Identifier: Apache-2.0
#include "engine/core/question.h"

#include <string.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/ledger/report.h"
#include "engine/wire/address.h"
#include "engine/wire/number.h"

static void add_key(struct question *q, enum question_key which, const struct set *set,
                    struct set_key key)
{
    q->has[which] = true;
    set_probe_start(set, &q->probe[which], key);
}

static enum reason add_email(struct question *q, enum question_key which, struct str text,
                             const struct set *set)
{
    char normal[LIMIT_EMAIL_BYTES];
    struct str email;

    if (!address_email(text, normal, &email)) return REASON_BAD_EMAIL;
    add_key(q, which, set, set_key_text(set, SET_EMAIL, email.ptr, email.size));
    return REASON_ALLOWED;
}

static enum reason add_client(struct question *q, struct str text, const struct set *set)
{
    struct str id;

    if (!address_client_id(text, &id)) return REASON_BAD_CLIENT_ID;
    add_key(q, QUESTION_CLIENT, set, set_key_text(set, SET_CLIENT, id.ptr, id.size));
    return REASON_ALLOWED;
}

static enum reason add_phone(struct question *q, struct str text, const struct tenant *tenant,
                             const struct set *set)
{
    if (UNLIKELY(number_parse(text, &tenant->home, &q->device) != NUMBER_OK)) {
        // an e-mail campaign's records carry the address where others carry the number
        if (memchr(text.ptr, '@', text.size)) return add_email(q, QUESTION_PHONE, text, set);
        return REASON_BAD_NUMBER;
    }
    add_key(q, QUESTION_PHONE, set, set_key_device(set, q->device));
    return REASON_ALLOWED;
}

static enum reason read_contact(struct question *q, const struct record *record,
                                const struct tenant *tenant, const struct set *set)
{
    struct str phone = record_phone(record), client = record_client_id(record);
    struct str email = record_text(record, FIELD_V1_EMAIL);
    enum reason reason = REASON_ALLOWED;

    if (!phone.size && !client.size && !email.size) return REASON_NO_CONTACT;
    if (phone.size) reason = add_phone(q, phone, tenant, set);
    if (reason == REASON_ALLOWED && client.size) reason = add_client(q, client, set);
    if (reason == REASON_ALLOWED && email.size) reason = add_email(q, QUESTION_EMAIL, email, set);
    return reason;
}

static int tenant_of(const struct record *record, const struct question_frame *frame,
                     const struct tenants *tenants)
{
    if (frame->bound) return (int)(frame->bound - tenants->tenant);
    if (frame->tenant.size == 0 && tenants->count == 1) return 0;
    return tenant_resolve(tenants, frame->tenant, record_tenant(record));
}

static enum reason read_frame(struct question *q, const struct record *record,
                              const struct question_frame *frame, const struct tenants *tenants)
{
    struct str at = record_text(record, FIELD_V1_AT);
    int tenant = tenant_of(record, frame, tenants);
    int64_t at_ns;

    if (tenant < 0) return REASON_BAD_TENANT;
    q->tenant = (uint16_t)tenant;
    q->channel = record_channel(record, frame->channel);
    q->now_s = frame->now_s;
    q->dated = frame->dated;
    if (at.size) {
        if (!clock_parse(at, &at_ns) || at_ns < 0) return REASON_BAD_INSTANT;
        if (at_ns / 1000000000 >= SET_FOREVER) return REASON_BAD_INSTANT; // past what entries know
        q->now_s = (uint32_t)(at_ns / 1000000000);
        q->dated = true;
    }
    q->reserves = frame->reserves && !q->dated;
    return REASON_ALLOWED;
}

static uint64_t text_key(const struct view *view, struct str text, uint64_t tenant_hash)
{
    return text.size ? ledger_key(hash_keyed(view->seed, text.ptr, text.size), tenant_hash) : 0;
}

struct ledger_asker question_asker(const struct view *view, unsigned tenant, uint64_t device_hash,
                                   uint64_t client_hash, struct str group, struct str guid)
{
    uint64_t hash = view->tenant[tenant].hash;

    return (struct ledger_asker){
        .device = device_hash ? ledger_key(device_hash, hash) : 0,
        .client = client_hash ? ledger_key(client_hash, hash) : 0,
        .group = text_key(view, group, hash),
        .guid = text_key(view, guid, hash),
    };
}

static uint64_t hash_of(const struct question *q, enum question_key which)
{
    return q->has[which] ? q->probe[which].key.hash : 0;
}

static void read_rules(struct question *q, const struct record *record,
                       const struct question_frame *frame, const struct view *view)
{
    struct str group = record_group(record);
    uint64_t device;

    if (!group.size) group = frame->group;
    q->gate = view_gate(view, q->tenant, group);
    if (!q->gate->plan) return;
    if (q->gate->plan->external) q->text = record->text;
    device = hash_of(q, q->has[QUESTION_PHONE] ? QUESTION_PHONE : QUESTION_EMAIL);
    q->who = question_asker(view, q->tenant, device, hash_of(q, QUESTION_CLIENT), group,
                            report_guid(record));
    facts_from_record(&q->facts, q->gate->plan, record, q->device);
    q->who.subject = q->facts.subject;
    q->ahead = (struct ledger_ahead){0};
}

void question_from_record(struct question *q, const struct record *record,
                          const struct question_frame *frame, const struct view *view,
                          const struct set *set)
{
    memset(q->has, 0, sizeof q->has);
    q->tenant = 0;
    q->device = 0;
    q->gate = NULL;
    q->text = (struct str){0};
    q->input = read_frame(q, record, frame, view->tenants);
    if (q->input == REASON_ALLOWED)
        q->input = read_contact(q, record, &view->tenants->tenant[q->tenant], set);
    if (q->input == REASON_ALLOWED)
        read_rules(q, record, frame, view);
    else
        memset(q->has, 0, sizeof q->has);
}

void question_from_reason(struct question *q, enum reason reason)
{
    CHECK(reason != REASON_ALLOWED);
    memset(q->has, 0, sizeof q->has);
    q->tenant = 0;
    q->gate = NULL;
    q->text = (struct str){0};
    q->input = reason;
}
