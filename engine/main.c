// SPDX-License-Identifier: Apache-2.0
//
// dialgate-engine: may this contact be attempted now?
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "engine/base/log.h"
#include "engine/core/engine.h"

static struct engine engine;

// All threads inherit the mask, so signals arrive in main's sigtimedwait and nowhere else.
static void block_signals(sigset_t *set)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigprocmask(SIG_BLOCK, set, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); // a full quota is a failed write, not a death
}

static void serve(const sigset_t *set)
{
    const struct timespec second = {.tv_sec = 1};

    for (;;) {
        int signal = sigtimedwait(set, NULL, &second);

        engine_tick(&engine);

        if (signal == SIGHUP) engine_reload(&engine);
        if (signal != SIGTERM && signal != SIGINT) continue;
        log_info("engine", "stopping: answering what is in flight");
        return;
    }
}

// --help and its kin; true when one was asked.
static bool answer_question(const struct conf *conf)
{
    if (conf->help) conf_write_help(stdout);
    if (conf->version) fputs("dialgate-engine " DIALGATE_VERSION "\n", stdout);
    if (conf->sample) conf_write_sample(stdout);
    return conf->help || conf->version || conf->sample;
}

int main(int argc, char **argv)
{
    struct err_info info = {0};
    sigset_t set;
    int err;

    block_signals(&set);
    err = engine_start(&engine, argc, argv, &info);
    if (err)
        log_error("engine", "nothing was started: %s", info.text);
    else if (!answer_question(&engine.conf))
        serve(&set);
    if (atomic_load(&engine.failed)) err = ERR_SYSTEM;
    engine_stop(&engine);
    return err ? 1 : 0;
}
