// SPDX-License-Identifier: Apache-2.0
//
// routes: the engine's endpoints, and who handles them. One worker is the `ctx` of each handler.
#pragma once

#include "engine/core/worker.h"
#include "engine/net/route.h"

extern const struct route routes_table[];
extern const unsigned routes_count;

// May this request use its route? Worker's on_auth.
int routes_auth(void *ctx, const struct http_request *req);
// The tenant that a /v1 request acts for: `name` (absent = the token's own, else default). 0 with
// *ret_tenant, or ERR_NO_TENANT, ERR_FORBIDDEN, or ERR_UNAUTHORIZED when the token was taken away
// since routes_auth saw it (a body may take its time).
int routes_tenant(struct worker *w, const struct http_request *req, struct str name,
                  unsigned *ret_tenant);
// May this request change that list? A token of one tenant only reads what all share.
bool routes_may_change(struct worker *w, const struct http_request *req,
                       const struct view_list *list);

// The list that a /v1/lists/{list}… request names. NULL when there is none, or not for this token:
// the request is answered then.
const struct view_list *routes_list(struct worker *w, struct conn *conn,
                                    const struct http_request *req, unsigned *ret_tenant);

// ocs.c: POST /ocs/validate, POST /ocs/{tenant}/validate
route_fn ocs_on_validate;
// Answers one question of OCS.
void ocs_answer(struct worker *w, struct conn *conn, const struct question *q);

// decisions.c: POST /v1/decisions as JSON and NDJSON
route_fn decisions_on_request;
size_t decisions_on_piece(void *ctx, struct conn *conn, struct str piece, bool last);

// list_api.c: /v1/lists…
route_fn list_api_on_index, list_api_on_list, list_api_on_define;
route_fn list_api_on_entry_get, list_api_on_entry_put, list_api_on_entry_delete;

// rejected.c: GET /v1/lists/{list}/rejected
route_fn rejected_on_request;

// admin.c: /livez, /readyz, /metrics
route_fn admin_on_livez, admin_on_readyz, admin_on_metrics;
