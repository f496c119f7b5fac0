// SPDX-License-Identifier: Apache-2.0
//
// consult: questions that need a customer's own service (rules of type external). Worker's own
// thread.
//
// A dialer's question is deferred while the service is asked, and decided again with its answer;
// if another rule then needs a service, that one is asked next. A question in a batch does not
// wait: it is blocked, and what it lacked is asked for questions to come. When too many asks are
// under way nothing is asked, and the question is blocked.
#pragma once

#include "engine/core/worker.h"

// Makes the worker's LIMIT_EXTERNAL_ASKS consults. 0 or ERR_NOMEM.
int consult_init(struct worker *w);
void consult_done(struct worker *w);
// Answers a question of OCS, at once or later. It is the only one of its connection that waits.
void consult_answer(struct worker *w, struct conn *conn, const struct question *q);
// What a question lacks, before it is decided; and asking that, once it is: nobody waits.
struct consult_need {
    unsigned count;
    struct decide_ask ask[LIMIT_EXTERNAL_RULES];
};
void consult_look(struct worker *w, const struct question *q, struct consult_need *need);
void consult_ahead(struct worker *w, const struct question *q, const struct consult_need *need);
