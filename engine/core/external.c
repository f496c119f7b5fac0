// SPDX-License-Identifier: Apache-2.0
#include "engine/core/external.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/wire/json.h"

#define POLL_MS        60000 // libcurl knows its own deadlines, and external_submit wakes it
#define HEAD_BYTES_MAX 16384
#define TOLD_EVERY_NS  ((int64_t)60 * 1000000000)
#define MS             1000000

// One transfer under way.
struct call {
    struct call *next_free;
    struct external_ask *ask;
    CURL *curl;
    size_t head_bytes, size_bytes;
    bool head_whole;
    char *body; // EXTERNAL_BODY_MAX
};

struct external {
    CURLM *multi;
    struct curl_slist *headers;
    struct answers *answers;
    struct queue asks;
    atomic_uint waiting; // asks handed over and not done
    atomic_bool hurrying, stopping;
    unsigned asks_max;
    struct call *call; // asks_max of them
    char *bodies;      // theirs
    struct call *free_call;
    int64_t told_ns; // when a silence was logged
    pthread_t thread;
    bool started;
};

static void done(struct external *e, struct external_ask *ask, bool sent)
{
    ask->sent = sent;
    atomic_fetch_sub(&e->waiting, 1);
    ask->on_done(ask);
}

static void done_unsent(struct external *e, struct external_ask *ask)
{
    ask->answer = (struct answer){.said = JUDGE_EXTERNAL_SILENT};
    done(e, ask, false);
}

static size_t on_body(char *data, size_t one, size_t size, void *ctx)
{
    struct call *call = ctx;

    (void)one;
    if (size > EXTERNAL_BODY_MAX - call->size_bytes) return 0; // which ends the transfer
    memcpy(call->body + call->size_bytes, data, size);
    call->size_bytes += size;
    return size;
}

// Of a head that breaks off libcurl takes what came. Called for each line of it.
static size_t on_head(char *data, size_t one, size_t size, void *ctx)
{
    struct call *call = ctx;
    struct str line = str_trim(str_make(data, size));

    (void)one;
    call->head_bytes += size;
    if (call->head_bytes > HEAD_BYTES_MAX) return 0;              // which ends the transfer
    if (str_starts(line, STR("HTTP/"))) call->head_whole = false; // 100 is one of its own
    if (line.size == 0) call->head_whole = true;
    return size;
}

// -- asking ------------------------------------------------------------------------------------

static CURLcode set_options(const struct external *e, struct call *call)
{
    const struct external_ask *ask = call->ask;
    CURL *c = call->curl;

    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    // a resolver that hangs would hold up everybody when its ask is given up
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)ask->timeout_ms);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, e->headers);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "dialgate");
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.size);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, ask->body.ptr);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(c, CURLOPT_PRIVATE, call);
    // the environment's proxy is nobody the record was meant for
    if (curl_easy_setopt(c, CURLOPT_PROXY, "") != CURLE_OK) return CURLE_OUT_OF_MEMORY;
    return curl_easy_setopt(c, CURLOPT_URL, ask->url);
}

static void give_call(struct external *e, struct call *call)
{
    call->ask = NULL;
    call->next_free = e->free_call;
    e->free_call = call;
}

static void begin(struct external *e, struct external_ask *ask)
{
    struct call *call = e->free_call;

    CHECK(call); // external_submit let no more in
    if (!call->curl) call->curl = curl_easy_init();
    if (!call->curl) {
        done_unsent(e, ask);
        return;
    }
    e->free_call = call->next_free;
    call->ask = ask;
    call->head_bytes = call->size_bytes = 0;
    call->head_whole = false;
    curl_easy_reset(call->curl); // the connections are multi's, and stay
    if (set_options(e, call) == CURLE_OK && curl_multi_add_handle(e->multi, call->curl) == CURLM_OK)
        return;
    give_call(e, call);
    done_unsent(e, ask);
}

// -- answers -----------------------------------------------------------------------------------

static int call_result_of(const struct call *call)
{
    struct json j = json_start(str_make(call->body, call->size_bytes), 8);
    struct json_value key, value;
    int64_t result = 0, found = 0;

    if (json_enter(&j) != JSON_OBJECT) return 0;
    while (json_member(&j, &key, &value))
        if (str_eq(key.text, STR("GSW_CALL_RESULT")) && json_to_i64(value, &result)) found = result;
    return !j.failed && found >= 0 && found <= 999 ? (int)found : 0;
}

// Neither addresses (they may hold passwords) nor records: only what kind of failure it is.
static void tell(struct external *e, CURLcode code, long status)
{
    int64_t now_ns = clock_mono_ns();

    if (e->told_ns && now_ns - e->told_ns < TOLD_EVERY_NS) return;
    e->told_ns = now_ns;
    if (code != CURLE_OK)
        log_warn("external", "a service that a rule asks does not answer: %s",
                 curl_easy_strerror(code));
    else
        log_warn("external", "a service that a rule asks answers %ld, neither 200 nor 409", status);
}

static struct answer answer_of(struct external *e, const struct call *call, CURLcode code)
{
    int64_t now_ns = clock_mono_ns();
    struct answer answer = {.said = JUDGE_EXTERNAL_SILENT,
                            .until_ns = now_ns + (int64_t)EXTERNAL_SILENCE_MS * MS};
    long status = 0;

    curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && !call->head_whole) code = CURLE_GOT_NOTHING;
    if (code != CURLE_OK || (status != 200 && status != 409)) {
        tell(e, code, status);
        return answer;
    }
    answer.until_ns = now_ns + (int64_t)call->ask->cache_s * 1000 * MS;
    answer.said = status == 200 ? JUDGE_EXTERNAL_ALLOWS : JUDGE_EXTERNAL_REFUSES;
    if (status == 409) answer.call_result = call_result_of(call);
    return answer;
}

static void end(struct external *e, struct call *call, CURLcode code)
{
    struct external_ask *ask = call->ask;

    ask->answer = answer_of(e, call, code);
    answers_keep(e->answers, ask->key, &ask->answer);
    curl_multi_remove_handle(e->multi, call->curl);
    give_call(e, call);
    done(e, ask, true);
}

static void give_up(struct external *e)
{
    for (unsigned i = 0; i < e->asks_max; i++) {
        struct external_ask *ask = e->call[i].ask;

        if (!ask) continue;
        curl_multi_remove_handle(e->multi, e->call[i].curl);
        give_call(e, &e->call[i]);
        done_unsent(e, ask);
    }
}

static void end_all_that_are_done(struct external *e)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(e->multi, &left))) {
        char *call;

        if (message->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        end(e, (struct call *)(void *)call, message->data.result);
    }
}

static void take_asks(struct external *e)
{
    bool hurrying = atomic_load(&e->hurrying);
    struct queue_node *node;

    while ((node = queue_pop(&e->asks))) {
        if (hurrying)
            done_unsent(e, (struct external_ask *)(void *)node);
        else
            begin(e, (struct external_ask *)(void *)node);
    }
    if (hurrying) give_up(e);
}

static void *run(void *arg)
{
    struct external *e = arg;
    int running;

    while (!atomic_load(&e->stopping)) {
        take_asks(e);
        curl_multi_perform(e->multi, &running);
        end_all_that_are_done(e);
        curl_multi_poll(e->multi, NULL, 0, POLL_MS, NULL);
    }
    take_asks(e);
    return NULL;
}

int external_start(struct external **ret, struct answers *answers, unsigned asks_max,
                   struct err_info *info)
{
    struct external *e = calloc(1, sizeof *e);

    static_assert(offsetof(struct external_ask, node) == 0, "a node is its ask");
    if (!e) return err_set(info, ERR_NOMEM, "not enough memory to start");
    queue_init(&e->asks);
    e->answers = answers;
    e->asks_max = asks_max;
    e->call = calloc(asks_max, sizeof *e->call);
    e->bodies = calloc(asks_max, EXTERNAL_BODY_MAX);
    if (e->call && e->bodies && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        e->multi = curl_multi_init();
        e->headers = curl_slist_append(NULL, "Content-Type: application/json");
    }
    if (e->multi) { // idle ones make room: descriptors are counted
        curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, (long)asks_max);
        curl_multi_setopt(e->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)asks_max);
    }
    if (!e->multi || !e->headers) {
        external_stop(e);
        return err_set(info, ERR_NOMEM, "not enough memory to start");
    }
    for (unsigned i = asks_max; i-- > 0;) {
        e->call[i].body = e->bodies + (size_t)i * EXTERNAL_BODY_MAX;
        give_call(e, &e->call[i]);
    }
    if (pthread_create(&e->thread, NULL, run, e) != 0) {
        external_stop(e);
        return err_set(info, ERR_SYSTEM, "cannot start a thread; try: ulimit -u");
    }
    e->started = true;
    *ret = e;
    return 0;
}

void external_submit(struct external *e, struct external_ask *ask)
{
    unsigned before = atomic_fetch_add(&e->waiting, 1);

    if (before >= e->asks_max) {
        done_unsent(e, ask);
        return;
    }
    queue_push(&e->asks, &ask->node);
    curl_multi_wakeup(e->multi);
}

void external_hurry(struct external *e)
{
    atomic_store(&e->hurrying, true);
    curl_multi_wakeup(e->multi);
}

void external_stop(struct external *e)
{
    if (!e) return;
    atomic_store(&e->hurrying, true);
    atomic_store(&e->stopping, true);
    if (e->started) {
        curl_multi_wakeup(e->multi);
        pthread_join(e->thread, NULL);
    }
    for (unsigned i = 0; e->call && i < e->asks_max; i++)
        if (e->call[i].curl) curl_easy_cleanup(e->call[i].curl);
    if (e->multi) curl_multi_cleanup(e->multi);
    curl_slist_free_all(e->headers);
    free(e->bodies);
    free(e->call);
    free(e);
}
