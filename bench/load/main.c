// SPDX-License-Identifier: Apache-2.0
//
// load: puts load on the engine or a peer and prints one JSON line of what came of it.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/ask.h"
#include "bench/load/options.h"
#include "bench/load/run.h"
#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/err.h"

#define LAG_P99_MAX_NS INT64_C(1000000) // an open loop run with more is worth nothing

static int fail(int err, const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, err_text(err));
    return 1;
}

static double us(uint64_t ns)
{
    return (double)ns / 1000.0;
}

static bool report(const struct options *o, const struct request *rq, const struct run_result *r)
{
    unsigned per_request = rq->key_count > 0 ? rq->key_count : 1;
    double answers = (double)(r->answers > 0 ? r->answers : 1);
    uint64_t lag_ns = hist_quantile(&r->lag, 0.99);
    bool ok = r->answers > 0 && r->errors == 0 && r->wrong == 0 && r->unanswered == 0 &&
              lag_ns <= LAG_P99_MAX_NS;
    printf("{\"tool\":\"%s\",\"scenario\":\"%s\",\"protocol\":\"%s\",\"connections\":%lu,"
           "\"pipeline\":%lu,\"batch\":%u,\"rate\":%lu,\"seconds\":%.2f,\"request_bytes\":%zu,",
           o->tool, o->scenario, o->protocol, o->connections, o->pipeline, per_request, o->rate,
           r->seconds, rq->text.size_bytes);
    printf("\"answers\":%lu,\"rps\":%.0f,\"decisions_per_s\":%.0f,", r->answers,
           (double)r->answers / r->seconds, (double)r->answers * per_request / r->seconds);
    printf("\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p99_9_us\":%.1f,"
           "\"p99_99_us\":%.1f,\"max_us\":%.1f,\"lag_p99_us\":%.1f,",
           us(hist_quantile(&r->latency, 0.5)), us(hist_quantile(&r->latency, 0.9)),
           us(hist_quantile(&r->latency, 0.99)), us(hist_quantile(&r->latency, 0.999)),
           us(hist_quantile(&r->latency, 0.9999)), us(r->latency.max_ns), us(lag_ns));
    printf("\"server_cpu_ns_per_request\":%.1f,\"client_cpu_ns_per_request\":%.1f,",
           r->server_cpu_ns < 0 ? -1.0 : (double)r->server_cpu_ns / answers,
           (double)r->client_cpu_ns / answers);
    printf("\"server_busy\":%.3f,\"client_busy\":%.3f,",
           r->server_cpu_ns < 0 ? -1.0 : (double)r->server_cpu_ns / r->seconds / 1e9,
           (double)r->client_cpu_ns / r->seconds / 1e9);
    printf("\"hit_percent\":%lu,\"count\":%lu,\"seed\":%lu,\"key_seed\":%lu,\"keys\":%lu,"
           "\"errors\":%lu,\"wrong\":%lu,\"verified\":%lu,\"unanswered\":%lu,\"ok\":%s}\n",
           o->hit_percent, o->count, o->seed, o->key_seed, o->keys, r->errors, r->wrong,
           r->verified, r->unanswered, ok ? "true" : "false");
    return ok;
}

static int measure(const struct options *o, const struct driver *d, struct request *rq,
                   struct draw *draw, uint32_t address)
{
    struct run_config config = {.address = address,
                                .port = (uint16_t)o->port,
                                .connections = (unsigned)o->connections,
                                .pipeline = (unsigned)o->pipeline,
                                .seconds = o->seconds,
                                .warmup_seconds = o->warmup,
                                .rate_per_s = o->rate,
                                .server_pid = (pid_t)o->pid,
                                .verify = o->verify,
                                .spin = o->spin};
    static struct run_result result;
    int err = run(&config, d, rq, draw, &result);
    if (err < 0) return fail(err, "the run broke off");
    return report(o, rq, &result) ? 0 : 1;
}

static int check(const struct options *o, const struct driver *d, const struct workload *w,
                 uint32_t address)
{
    struct ask_count c;
    bool listed = o->expect == NULL || strcmp(o->expect, "blocked") == 0;
    int64_t begin_ns = clock_mono_ns();
    int err = ask_file(o->check_file, o->limit, listed, d, w, address, (uint16_t)o->port, &c);
    bool ok = err == 0 && c.asked > 0 && c.asked == (listed ? c.listed : c.unlisted);
    printf("{\"tool\":\"%s\",\"scenario\":\"%s\",\"expect\":\"%s\",\"asked\":%lu,\"blocked\":%lu,"
           "\"allowed\":%lu,\"other\":%lu,\"first_unexpected_line\":%lu,\"seconds\":%.1f,"
           "\"ok\":%s}\n",
           o->tool, o->scenario, listed ? "blocked" : "allowed", c.asked, c.listed, c.unlisted,
           c.other, c.first_unexpected_line, (double)(clock_mono_ns() - begin_ns) / 1e9,
           ok ? "true" : "false");
    if (err < 0) return fail(err, "check-file broke off");
    return ok ? 0 : 1;
}

static int fill(const struct options *o, uint32_t address)
{
    uint64_t count;
    int err = ask_fill(o->fill_file, o->limit, address, (uint16_t)o->port, &count);
    if (err < 0) return fail(err, "fill broke off");
    printf("{\"filled\":%lu}\n", count);
    return 0;
}

static int with_draw(const struct options *o, const struct driver *d, struct request *rq,
                     uint32_t address)
{
    static struct registry registry;
    struct draw draw = {0};
    if (!(o->codes ? registry_init_codes(&registry, o->seed, o->count, o->codes)
                   : registry_init(&registry, o->seed, o->count, (unsigned)o->areas))) {
        return fail(ERR_BAD_VALUE, "--count does not fit into --areas or --codes");
    }
    bool capture = o->capture_file != NULL;
    int err = draw_init(&draw, &registry, capture ? (uint32_t)o->batch : (uint32_t)o->keys,
                        capture ? 0 : (unsigned)o->hit_percent, o->key_seed);
    if (err < 0) return fail(err, "drawing numbers");
    int rc;
    size_t size = 0;
    if (!capture) {
        rc = measure(o, d, rq, &draw, address);
    } else {
        err = ask_capture(o->capture_file, d, rq, draw.pool, address, (uint16_t)o->port, &size);
        rc = err < 0 ? fail(err, "capture") : 0;
        printf("{\"request_bytes\":%zu,\"answer_bytes\":%zu}\n", rq->text.size_bytes, size);
    }
    draw_done(&draw);
    return rc;
}

int main(int argc, char **argv)
{
    struct options o;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        options_usage(stdout);
        return 0;
    }
    if (!options_read(&o, argc, argv)) return 2;
    struct in_addr address;
    if (inet_pton(AF_INET, o.host, &address) != 1) {
        fputs("load: --host takes a numeric IPv4 address\n", stderr);
        return 2;
    }
    const struct driver *d = driver_find(o.protocol);
    struct workload w = {.host = o.host,
                         .path = o.path != NULL ? o.path : d->path,
                         .body = strcmp(o.body, "full") == 0 ? BODY_FULL : BODY_SMALL,
                         .batch = (unsigned)o.batch};
    if (o.fill_file != NULL) return fill(&o, address.s_addr);
    if (o.check_file != NULL) return check(&o, d, &w, address.s_addr);
    struct request rq;
    int err = request_init(&rq, d, &w);
    if (err < 0) return fail(err, "the request");
    int rc = with_draw(&o, d, &rq, address.s_addr);
    request_done(&rq);
    return rc;
}
