// SPDX-License-Identifier: Apache-2.0
#include "bench/load/run.h"

#include <stdlib.h>
#include <unistd.h>

#include "bench/load/usage.h"
#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/err.h"

#define SECOND_NS       INT64_C(1000000000)
#define STALL_NS        (5 * SECOND_NS)
#define EVENTS          256
#define OPEN_EVENTS     16   // few, so that the schedule is looked at often
#define OPEN_DEPTH      4096 // flights of one connection in the open loop
#define OPEN_UNANSWERED (2 * SECOND_NS)

struct load {
    const struct run_config *config;
    struct run_result *result;
    struct pipe_shared shared;
    struct pipe *pipes;
    int64_t progress_ns; // when something arrived last
    int64_t server_cpu_ns, client_cpu_ns;
    bool measuring;
};

static uint32_t power_of_two(uint32_t at_least)
{
    uint32_t n = 1;
    while (n < at_least) n *= 2;
    return n;
}

static int load_open(struct load *l)
{
    const struct run_config *c = l->config;
    int err = pipe_shared_init(&l->shared);
    if (err < 0) return err;
    l->pipes = calloc(c->connections, sizeof *l->pipes);
    if (l->pipes == NULL) return ERR_NOMEM;
    for (unsigned i = 0; i < c->connections; i++) l->pipes[i].fd = -1;
    for (unsigned i = 0; i < c->connections; i++) {
        err = pipe_open(&l->pipes[i], &l->shared, c->address, c->port);
        if (err < 0) return err;
    }
    return pipe_start(l->pipes, c->connections, &l->shared);
}

static void load_close(struct load *l)
{
    pipe_shared_done(&l->shared); // first: the kernel may still read what a pipe sends
    for (unsigned i = 0; l->pipes != NULL && i < l->config->connections; i++) {
        pipe_close(&l->pipes[i]);
    }
    free(l->pipes);
}

// CPU time is taken at the edges of the measured window.
static void measure_begin(struct load *l)
{
    l->measuring = true;
    l->server_cpu_ns = l->config->server_pid > 0 ? usage_cpu_ns(l->config->server_pid) : -1;
    l->client_cpu_ns = usage_cpu_ns(0);
}

static void measure_end(struct load *l)
{
    struct run_result *r = l->result;
    int64_t server_ns = l->server_cpu_ns < 0 ? -1 : usage_cpu_ns(l->config->server_pid);
    r->server_cpu_ns = server_ns < 0 ? -1 : server_ns - l->server_cpu_ns;
    r->client_cpu_ns = usage_cpu_ns(0) - l->client_cpu_ns;
    r->seconds = (double)(l->shared.end_ns - l->shared.begin_ns) / (double)SECOND_NS;
}

// Serves what has happened. `again`: a finished pipe gets its next requests (closed loop).
static int turn(struct load *l, unsigned max, bool spin, bool again)
{
    struct io_uring_cqe *cqe;
    unsigned head, n = 0;
    int err = pipe_wait(&l->shared, spin);
    int64_t now_ns = clock_mono_ns();
    io_uring_for_each_cqe(&l->shared.ring, head, cqe)
    {
        struct pipe *p;
        if (err < 0 || n == max) break;
        err = pipe_complete(l->pipes, &l->shared, cqe, &p);
        if (err > 0) {
            l->progress_ns = now_ns;
            if (again && pipe_in_flight(p) == 0) {
                err = pipe_fire(p, &l->shared, l->config->pipeline, clock_mono_ns());
            }
        }
        n++;
    }
    io_uring_cq_advance(&l->shared.ring, n);
    if (err < 0) return err;
    return now_ns - l->progress_ns > STALL_NS ? ERR_TIMEOUT : 0;
}

static int closed_loop(struct load *l)
{
    for (unsigned i = 0; i < l->config->connections; i++) {
        int err = pipe_fire(&l->pipes[i], &l->shared, l->config->pipeline, clock_mono_ns());
        if (err < 0) return err;
    }
    for (int64_t now_ns; (now_ns = clock_mono_ns()) < l->shared.end_ns;) {
        if (!l->measuring && now_ns >= l->shared.begin_ns) measure_begin(l);
        int err = turn(l, EVENTS, l->config->spin, true);
        if (err < 0) return err;
    }
    measure_end(l);
    return 0;
}

// A pipe that is full of unanswered requests is passed over; NULL when all are.
static struct pipe *open_pipe(struct load *l, uint64_t index)
{
    for (unsigned i = 0; i < l->config->connections; i++) {
        struct pipe *p = &l->pipes[(index + i) % l->config->connections];
        if (pipe_in_flight(p) < l->shared.depth_max) return p;
    }
    return NULL;
}

// Sends what is due, at most one round over the connections before answers are looked at.
static int open_fire(struct load *l, int64_t start_ns, uint64_t *index)
{
    double gap_ns = (double)SECOND_NS / (double)l->config->rate_per_s;
    for (unsigned i = 0; i < OPEN_EVENTS; i++) {
        int64_t due_ns = start_ns + (int64_t)((double)*index * gap_ns);
        int64_t now_ns = clock_mono_ns();
        if (now_ns < due_ns || due_ns >= l->shared.end_ns) return 0;
        struct pipe *p = open_pipe(l, *index);
        if (p == NULL) return 0;
        int err = pipe_fire(p, &l->shared, 1, due_ns);
        if (err < 0) return err;
        if (due_ns >= l->shared.begin_ns) hist_add(&l->result->lag, now_ns - due_ns, 1);
        ++*index;
    }
    return 0;
}

static int open_loop(struct load *l, int64_t start_ns)
{
    uint64_t index = 0;
    int err = 0;
    for (int64_t now_ns; err >= 0 && (now_ns = clock_mono_ns()) < l->shared.end_ns;) {
        if (!l->measuring && now_ns >= l->shared.begin_ns) measure_begin(l);
        err = open_fire(l, start_ns, &index);
        if (err >= 0) err = turn(l, OPEN_EVENTS, true, false);
    }
    measure_end(l);
    // those still waiting belong to the picture
    int64_t last_ns = l->shared.end_ns + OPEN_UNANSWERED;
    while (err >= 0 && l->shared.in_flight > 0 && clock_mono_ns() < last_ns) {
        err = turn(l, EVENTS, false, false);
    }
    l->result->unanswered = l->shared.in_flight;
    return err;
}

int run(const struct run_config *config, const struct driver *driver, struct request *request,
        struct draw *draw, struct run_result *ret)
{
    bool open = config->rate_per_s > 0;
    CHECK(config->connections > 0 && config->pipeline > 0 && config->seconds > 0);
    *ret = (struct run_result){.server_cpu_ns = -1};
    struct load l = {.config = config, .result = ret};
    l.shared = (struct pipe_shared){
        .driver = driver,
        .request = request,
        .draw = draw,
        .verify = config->verify,
        .depth_max = open ? OPEN_DEPTH : power_of_two(config->pipeline),
        .latency = &ret->latency,
        // no two runs send the same attempts: a repeated report costs no disk
        .sequence = (uint32_t)(clock_mono_ns() / 1000),
    };
    int err = load_open(&l);
    if (err < 0) goto out;
    int64_t start_ns = clock_mono_ns();
    l.progress_ns = start_ns;
    l.shared.begin_ns = start_ns + (int64_t)(config->warmup_seconds * (double)SECOND_NS);
    l.shared.end_ns = l.shared.begin_ns + (int64_t)(config->seconds * (double)SECOND_NS);
    err = open ? open_loop(&l, start_ns) : closed_loop(&l);
    ret->answers = l.shared.answers;
    ret->errors = l.shared.errors;
    ret->wrong = l.shared.wrong;
    ret->verified = l.shared.verified;
out:
    load_close(&l);
    return err;
}
