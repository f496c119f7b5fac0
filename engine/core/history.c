// SPDX-License-Identifier: Apache-2.0
#include "engine/core/history.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/core/engine.h"
#include "engine/ledger/report.h"

// One report under way. Owned by its worker; lent to reports between submit and on_done.
struct history_job {
    struct worker_message message;
    struct report_job report;
    struct worker *worker;
    struct history_job *next_free;
    struct conn_id conn;
    char *raw; // a report for the quarantine: why, and a copy
};

static void on_arrival(struct worker *w, struct worker_message *message);

int history_jobs_init(struct worker *w)
{
    w->history_jobs = calloc(LIMIT_JOBS, sizeof *w->history_jobs);
    if (!w->history_jobs) return ERR_NOMEM;
    for (unsigned i = 0; i < LIMIT_JOBS; i++) {
        struct history_job *job = &w->history_jobs[i];

        job->worker = w;
        job->message.on_arrival = on_arrival;
        job->next_free = w->free_history_jobs;
        w->free_history_jobs = job;
    }
    return 0;
}

void history_jobs_done(struct worker *w)
{
    // those that came back when the server had stopped
    for (unsigned i = 0; w->history_jobs && i < LIMIT_JOBS; i++) free(w->history_jobs[i].raw);
    free(w->history_jobs);
}

// In the reports thread: only pass it on.
static void on_done(struct report_job *report)
{
    struct history_job *job =
        (struct history_job *)((char *)report - offsetof(struct history_job, report));

    server_post(job->worker->server, &job->message.node);
}

// -- what the report says --------------------------------------------------------------------

static uint64_t key_of(const struct question *q, enum question_key which)
{
    return q->has[which] ? q->probe[which].key.hash : 0;
}

// What only the tenant's rules know how to read.
static void read_words(struct attempt *a, const struct question *q, const struct record *record)
{
    const struct rule_plan *plan = q->gate->plan;

    if (!plan) return;
    if (plan->subject_slot >= 0)
        a->subject = attempt_word(record_text(record, (unsigned)plan->subject_slot));
    if (plan->disposition_slot >= 0)
        a->disposition = attempt_word(record_text(record, (unsigned)plan->disposition_slot));
}

static void read_place(struct attempt *a, const struct view *view, const struct question *q,
                       const struct record *record)
{
    const struct rule_plan *plan = q->gate->plan;

    if (view->book->atlas)
        facts_place_attempt(a, view->book->atlas->places, plan ? plan->default_country : 0, record,
                            q->device);
}

// The same keys as the question before the attempt had. A report without a guid is its own attempt,
// and only an identical one repeats it.
static void read_keys(struct attempt *a, const struct view *view, const struct question *q,
                      const struct record *record)
{
    struct str guid = report_guid(record);
    struct ledger_asker who = question_asker(
        view, q->tenant, key_of(q, q->has[QUESTION_PHONE] ? QUESTION_PHONE : QUESTION_EMAIL),
        key_of(q, QUESTION_CLIENT), record_group(record), guid.size ? guid : record->text);

    a->device = who.device;
    a->client = who.client;
    a->group = who.group;
    a->guid = who.guid;
}

static struct str why_not(enum report_fault fault)
{
    if (fault == REPORT_NO_SEQUENCE) return STR("GSW_HIST_SEQUENCE_NUM is neither 0 nor 1");
    return reason_text(REASON_NO_CONTACT);
}

// Absent, or why it is a report for the quarantine.
static struct str read_report(struct worker *w, const struct http_request *req, struct attempt *a)
{
    const struct view *view = worker_view(w);
    int64_t now_s = clock_wall_s();
    struct question_frame frame = {
        .tenant = req->param[0], .channel = CHANNEL_VOICE, .now_s = (uint32_t)now_s};
    struct record *record = &w->record;
    enum report_fault fault;
    struct question q;
    enum reason reason;

    if (req->body_too_large) return reason_text(REASON_TOO_LARGE);
    if (!record_parse(record, req->body, view->book->ocs_keys, &reason)) return reason_text(reason);
    if (record->duplicate_count)
        metric_add(w->metrics, METRIC_DUPLICATE_KEYS, record->duplicate_count);
    question_from_record(&q, record, &frame, view, w->engine->set);
    if (q.input != REASON_ALLOWED) return reason_text(q.input);
    fault = report_from_record(a, record, now_s);
    if (fault != REPORT_OK) return why_not(fault);
    read_keys(a, view, &q, record);
    read_words(a, &q, record);
    read_place(a, view, &q, record);
    return (struct str){0};
}

// -- there and back --------------------------------------------------------------------------

// The body is gone when this turn ends. Without memory the quarantine knows only that there was
// one.
static void keep_raw(struct history_job *job, struct str why, struct str body)
{
    struct buf text;

    if (body.size > LIMIT_REPORT_RAW_BYTES - why.size - 1)
        body.size = LIMIT_REPORT_RAW_BYTES - why.size - 1;
    job->raw = malloc(LIMIT_REPORT_RAW_BYTES);
    if (!job->raw) return;
    buf_wrap(&text, job->raw, LIMIT_REPORT_RAW_BYTES);
    buf_str(&text, why);
    buf_lit(&text, "\n");
    buf_str(&text, body);
    job->report.raw = buf_view(&text);
}

void history_on_report(void *ctx, struct conn *conn, const struct http_request *req)
{
    struct worker *w = ctx;
    struct history_job *job;
    struct str why;

    worker_flush(w);
    job = w->free_history_jobs;
    if (!job) {
        conn_answer_error(conn, ERR_BUSY, STR("too many call reports are under way; try again"));
        return;
    }
    w->free_history_jobs = job->next_free;
    job->report = (struct report_job){.on_done = on_done};
    why = read_report(w, req, &job->report.attempt);
    job->report.quarantined = why.size > 0;
    if (job->report.quarantined) keep_raw(job, why, req->body);
    job->conn = conn_defer(conn);
    reports_submit(w->engine->reports, &job->report);
}

static enum metric metric_of(const struct report_job *report)
{
    if (report->err) return METRIC_REPORTS_FAILED;
    if (report->quarantined) return METRIC_REPORTS_QUARANTINED;
    return report->applied == LEDGER_REPEATED ? METRIC_REPORTS_REPEATED : METRIC_REPORTS_DURABLE;
}

static struct str why_failed(int err)
{
    switch (err) {
    case ERR_NOT_DURABLE:
        return STR("the engine keeps nothing; start it with --data DIR");
    case ERR_STORAGE:
        return STR("the data directory cannot be written; send the report again");
    default:
        return str_of(err_text(err));
    }
}

static void on_arrival(struct worker *w, struct worker_message *message)
{
    struct history_job *job = (struct history_job *)message;
    struct conn *conn = conn_find(w->server, job->conn);

    metric_add(w->metrics, metric_of(&job->report), 1);
    if (conn && job->report.err)
        conn_answer_error(conn, job->report.err, why_failed(job->report.err));
    else if (conn)
        conn_answer_canned(conn, &w->engine->allowed);
    free(job->raw);
    job->raw = NULL;
    job->next_free = w->free_history_jobs;
    w->free_history_jobs = job;
}
static_assert(offsetof(struct history_job, message) == 0, "a message is the head of its job");
