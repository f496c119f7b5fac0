// SPDX-License-Identifier: Apache-2.0
#include "engine/core/external.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/wire/json.h"

#define ANSWER_BYTES_MAX 4096 // of a body; {"GSW_CALL_RESULT":51} is what is looked for
#define POLL_MS          1000

// One transfer under way.
struct call {
    struct external_ask *ask;
    CURL *curl;
    size_t size_bytes;
    char body[ANSWER_BYTES_MAX];
};

struct external {
    CURLM *multi;
    struct curl_slist *headers;
    struct queue asks;
    atomic_uint waiting; // asks handed over and not done
    atomic_bool stopping;
    unsigned asks_max;
    struct call *call; // asks_max of them
    pthread_t thread;
    bool started;
};

static void done(struct external *e, struct external_ask *ask, enum judge_external answer)
{
    ask->answer = answer;
    atomic_fetch_sub(&e->waiting, 1);
    ask->on_done(ask);
}

static size_t on_body(char *data, size_t one, size_t size, void *ctx)
{
    struct call *call = ctx;

    (void)one;
    if (size > ANSWER_BYTES_MAX - call->size_bytes) return 0; // which ends the transfer
    memcpy(call->body + call->size_bytes, data, size);
    call->size_bytes += size;
    return size;
}

static void set_options(const struct external *e, struct call *call)
{
    const struct external_ask *ask = call->ask;
    CURL *c = call->curl;

    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)ask->timeout_ms);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, e->headers);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "dialgate");
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.size);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, ask->body.ptr);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(c, CURLOPT_PRIVATE, call);
}

static struct call *free_call(struct external *e)
{
    for (unsigned i = 0; i < e->asks_max; i++)
        if (!e->call[i].ask) return &e->call[i];
    return NULL;
}

static void begin(struct external *e, struct external_ask *ask)
{
    struct call *call = free_call(e);
    char *url = str_dup(ask->url);

    CHECK(call); // external_submit let no more in
    if (!call->curl) call->curl = curl_easy_init();
    if (!call->curl || !url) {
        free(url);
        done(e, ask, JUDGE_EXTERNAL_SILENT);
        return;
    }
    call->ask = ask;
    call->size_bytes = 0;
    curl_easy_reset(call->curl); // keeps its connections
    set_options(e, call);
    if (curl_easy_setopt(call->curl, CURLOPT_URL, url) != CURLE_OK ||
        curl_multi_add_handle(e->multi, call->curl) != CURLM_OK) {
        call->ask = NULL;
        done(e, ask, JUDGE_EXTERNAL_SILENT);
    }
    free(url); // libcurl has its own copy
}

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

static void end(struct external *e, struct call *call, CURLcode code)
{
    struct external_ask *ask = call->ask;
    enum judge_external answer = JUDGE_EXTERNAL_SILENT;
    long status = 0;

    curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
    ask->call_result = 0;
    if (code == CURLE_OK && status == 200) answer = JUDGE_EXTERNAL_ALLOWS;
    if (code == CURLE_OK && status == 409) {
        answer = JUDGE_EXTERNAL_REFUSES;
        ask->call_result = call_result_of(call);
    }
    curl_multi_remove_handle(e->multi, call->curl);
    call->ask = NULL;
    done(e, ask, answer);
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

static void *run(void *arg)
{
    struct external *e = arg;
    struct queue_node *node;
    int running;

    while (!atomic_load(&e->stopping)) {
        while ((node = queue_pop(&e->asks))) begin(e, (struct external_ask *)(void *)node);
        curl_multi_perform(e->multi, &running);
        end_all_that_are_done(e);
        curl_multi_poll(e->multi, NULL, 0, POLL_MS, NULL);
    }
    for (unsigned i = 0; i < e->asks_max; i++)
        if (e->call[i].ask) end(e, &e->call[i], CURLE_ABORTED_BY_CALLBACK);
    while ((node = queue_pop(&e->asks)))
        done(e, (struct external_ask *)(void *)node, JUDGE_EXTERNAL_SILENT);
    return NULL;
}

int external_start(struct external **ret, unsigned asks_max, struct err_info *info)
{
    struct external *e = calloc(1, sizeof *e);

    static_assert(offsetof(struct external_ask, node) == 0, "a node is its ask");
    if (!e) return err_set(info, ERR_NOMEM, "not enough memory to start");
    queue_init(&e->asks);
    e->asks_max = asks_max;
    e->call = calloc(asks_max, sizeof *e->call);
    if (e->call && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        e->multi = curl_multi_init();
        e->headers = curl_slist_append(NULL, "Content-Type: application/json");
    }
    if (!e->multi || !e->headers) {
        external_stop(e);
        return err_set(info, ERR_NOMEM, "not enough memory to start");
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

    if (before >= e->asks_max || atomic_load(&e->stopping)) {
        done(e, ask, JUDGE_EXTERNAL_SILENT);
        return;
    }
    queue_push(&e->asks, &ask->node);
    curl_multi_wakeup(e->multi);
}

void external_stop(struct external *e)
{
    if (!e) return;
    atomic_store(&e->stopping, true);
    if (e->started) {
        curl_multi_wakeup(e->multi);
        pthread_join(e->thread, NULL);
    }
    for (unsigned i = 0; e->call && i < e->asks_max; i++)
        if (e->call[i].curl) curl_easy_cleanup(e->call[i].curl);
    if (e->multi) curl_multi_cleanup(e->multi);
    curl_slist_free_all(e->headers);
    free(e->call);
    free(e);
}

const struct external_answer *external_find(const struct external_cache *c, uint64_t key,
                                            int64_t now_ns)
{
    const struct external_answer *a = &c->slot[key % EXTERNAL_SLOTS];

    return a->key == key && now_ns < a->until_ns ? a : NULL;
}

void external_keep(struct external_cache *c, uint64_t key, const struct external_ask *ask,
                   uint32_t cache_s, int64_t now_ns)
{
    uint32_t keep_s = ask->answer == JUDGE_EXTERNAL_SILENT ? EXTERNAL_SILENCE_S : cache_s;

    CHECK(key != 0);
    c->slot[key % EXTERNAL_SLOTS] = (struct external_answer){
        .key = key,
        // even "not at all" lasts until the question that asked is decided
        .until_ns = now_ns + (int64_t)keep_s * 1000000000 + 50000000,
        .answer = ask->answer,
        .call_result = ask->call_result,
    };
}
