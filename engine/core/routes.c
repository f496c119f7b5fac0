// SPDX-License-Identifier: Apache-2.0
#include "engine/core/routes.h"

#include "engine/base/check.h"
#include "engine/core/engine.h"
#include "engine/core/explain.h"
#include "engine/core/history.h"
#include "engine/core/rules_api.h"
#include "engine/core/when_api.h"

enum route_tag { TAG_OPEN, TAG_OCS, TAG_V1 };

#define RECORD_BODY ROUTE_WHOLE, LIMIT_RECORD_BYTES, true, NULL, false
#define SMALL_BODY  ROUTE_WHOLE, LIMIT_SMALL_BODY_BYTES, false, NULL, false
#define BATCH_BODY  ROUTE_WHOLE, LIMIT_BATCH_BYTES, false, "application/x-ndjson", false
#define RULES_BODY  ROUTE_WHOLE, LIMIT_RULES_BYTES, false, NULL, false
#define ONE_RECORD  ROUTE_WHOLE, LIMIT_RECORD_BYTES, false, NULL, false
#define NO_BODY     ROUTE_NO_BODY, LIMIT_SMALL_BODY_BYTES, false, NULL, false
#define OPEN        ROUTE_NO_BODY, LIMIT_SMALL_BODY_BYTES, false, NULL, true

const struct route routes_table[] = {
    {HTTP_POST, "/ocs/validate", RECORD_BODY, ocs_on_validate, TAG_OCS,
     "one OCS record: 200 dial, 409 do not dial"},
    {HTTP_POST, "/ocs/{tenant}/validate", RECORD_BODY, ocs_on_validate, TAG_OCS,
     "the same for a named tenant"},
    {HTTP_POST, "/ocs/history", RECORD_BODY, history_on_report, TAG_OCS,
     "one OCS call report: 200 when it is durable"},
    {HTTP_POST, "/ocs/{tenant}/history", RECORD_BODY, history_on_report, TAG_OCS,
     "the same for a named tenant"},
    {HTTP_POST, "/v1/decisions", BATCH_BODY, decisions_on_request, TAG_V1,
     "many records, one result each; JSON or NDJSON"},
    {HTTP_POST, "/v1/explain", ONE_RECORD, explain_on_request, TAG_V1,
     "one record: every list and rule looked at, and why"},
    {HTTP_POST, "/v1/when", ONE_RECORD, when_api_on_request, TAG_V1,
     "one record: the intervals in which it may be contacted"},
    {HTTP_GET, "/v1/rules", NO_BODY, rules_api_on_get, TAG_V1, "the rule set in force"},
    {HTTP_PUT, "/v1/rules", RULES_BODY, rules_api_on_put, TAG_V1,
     "replaces the rule set, or names every error"},
    {HTTP_GET, "/v1/rules/effective", NO_BODY, rules_api_on_effective, TAG_V1,
     "every rule, those of packs too, and how often it blocked"},
    {HTTP_GET, "/v1/lists", NO_BODY, list_api_on_index, TAG_V1, "all lists of the tenant"},
    {HTTP_GET, "/v1/lists/{list}", NO_BODY, list_api_on_list, TAG_V1, "one list"},
    {HTTP_PUT, "/v1/lists/{list}", SMALL_BODY, list_api_on_define, TAG_V1,
     "makes a list that is kept by the API"},
    {HTTP_GET, "/v1/lists/{list}/rejected", NO_BODY, rejected_on_request, TAG_V1,
     "rows of the file that were no entries, CSV"},
    {HTTP_GET, "/v1/lists/{list}/entries/{value}", NO_BODY, list_api_on_entry_get, TAG_V1,
     "is the value on the list, since when, by which source"},
    {HTTP_PUT, "/v1/lists/{list}/entries/{value}", SMALL_BODY, list_api_on_entry_put, TAG_V1,
     "adds an entry; never shortens one"},
    {HTTP_DELETE, "/v1/lists/{list}/entries/{value}", NO_BODY, list_api_on_entry_delete, TAG_V1,
     "deletes an entry"},
    {HTTP_GET, "/livez", OPEN, admin_on_livez, TAG_OPEN, "the process answers"},
    {HTTP_GET, "/readyz", OPEN, admin_on_readyz, TAG_OPEN, "every required list is loaded"},
    {HTTP_GET, "/metrics", OPEN, admin_on_metrics, TAG_OPEN, "Prometheus text"},
};
const unsigned routes_count = COUNT_OF(routes_table);

int routes_auth(void *ctx, const struct http_request *req)
{
    struct worker *w = ctx;
    const struct view_settings *settings = &worker_view(w)->settings;

    if (req->route->tag == TAG_OCS) {
        struct str secret = str_of(settings->ocs_token);

        if (secret.size == 0 || token_matches(req->authorization, secret)) return 0;
        return ERR_UNAUTHORIZED;
    }
    if (!settings->tokens.required) return 0;
    return token_find(&settings->tokens, req->authorization) ? 0 : ERR_UNAUTHORIZED;
}

int routes_tenant(struct worker *w, const struct http_request *req, struct str name,
                  unsigned *ret_tenant)
{
    const struct tokens *tokens = &worker_view(w)->settings.tokens;
    const struct token *token = token_find(tokens, req->authorization);
    int tenant;

    // it was there when the head came; meanwhile it was taken away
    if (tokens->required && !token) return ERR_UNAUTHORIZED;
    if (name.size > 0)
        tenant = tenant_find(&w->engine->tenants, name);
    else
        tenant = token && token->tenant >= 0 ? token->tenant : 0;
    // to a token that is bound to one tenant, all others are as good as absent
    if (token && token->tenant >= 0 && token->tenant != tenant) return ERR_FORBIDDEN;
    if (tenant < 0) return ERR_NO_TENANT;
    *ret_tenant = (unsigned)tenant;
    return 0;
}

bool routes_may_change(struct worker *w, const struct http_request *req,
                       const struct view_list *list)
{
    const struct token *token = token_find(&worker_view(w)->settings.tokens, req->authorization);

    return !token || token->tenant < 0 || !str_eq(str_of(list->list.tenant), STR("*"));
}

const struct view_list *routes_list(struct worker *w, struct conn *conn,
                                    const struct http_request *req, unsigned *ret_tenant)
{
    const struct view_list *list;
    int err = routes_tenant(w, req, http_query(req->query, STR("tenant")), ret_tenant);

    if (err) {
        conn_answer_error(conn, err, STR("no such tenant, or the token does not reach it"));
        return NULL;
    }
    list = view_find(worker_view(w), *ret_tenant, req->param[0]);
    if (!list)
        conn_answer_error(conn, ERR_NO_LIST,
                          STR("no list of that name; try: GET /v1/lists, or PUT /v1/lists/{list} "
                              "to make one"));
    return list;
}
