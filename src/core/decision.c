/* SPDX-License-Identifier: MIT */
#include "decision.h"

#include "client.h"
#include "deadline.h"
#include <base/error.h>
#include <http/redirect.h>

/* How long the server wants us to stay away; else our own back-off. False when it wants too much. */
static bool decide_wait(struct muster_request *request, const struct fields *fields)
{
        struct muster_client *client = request->client;
        struct muster_str asked = fields_find(fields, "Retry-After");
        int64_t now_s = (int64_t)(clock_ns_of(CLOCK_REALTIME) / NS_PER_S);
        uint64_t seconds;

        request->retry_wait_ns =
                retry_delay_ns(&client->settings, &client->rand, request->n_retries);
        if (!asked.at || !field_retry_after(asked, now_s, &seconds))
                return true;
        request->retry_wait_ns = request->notes.retry_after_ns = seconds * NS_PER_S;
        return seconds <= RETRY_AFTER_MAX_S;
}

static bool decide_retry(struct muster_request *request, const struct h1_head *head)
{
        struct muster_client *client = request->client;

        if (!retry_is_status(head->status) || !retry_is_allowed(request) ||
            !request_can_repeat(request) || !decide_wait(request, &head->fields))
                return false;
        if (deadline_forbids(request, clock_after(client->loop.now_ns, request->retry_wait_ns)))
                return false;
        return retry_budget_take(&client->retry_budget);
}

static bool was_visited(const struct muster_request *request, const struct url *url)
{
        struct muster_str rest = buf_str(&request->visited), line;

        while (str_split(&rest, '\n', &line))
                if (str_eq(line, buf_str(&url->text)))
                        return true;
        return false;
}

static int too_many_redirects(const struct muster_request *request, struct muster_error *error)
{
        return error_set(
                error, MUSTER_E_REDIRECT, MUSTER_PHASE_RECEIVE, 0,
                "redirect: %s after %u redirects, the last to %.*s; raise the limit (--max-redirs) "
                "or ask for the target itself",
                was_visited(request, &request->next_url) ? "a loop, given up" : "not there yet",
                request->result.n_redirects, STR_ARGS(buf_str(&request->next_url.text)));
}

/* 0: follow it, as noted in the request. REDIRECT_NONE. Negative: it must not be followed. */
static int decide_redirect(struct muster_request *request, const struct h1_head *head,
                           struct muster_error *error)
{
        const struct settings *settings = &request->client->settings;
        struct redirect redirect = { 0 };
        int r;

        if (request->limits.no_redirects)
                return REDIRECT_NONE;
        r = redirect_decide(head->status, request_method(request), &request->url,
                            fields_find(&head->fields, "Location"), settings->allow_https_to_http,
                            &request->next_url, &redirect, error);
        if (r != 0)
                return r;
        if (request->result.n_redirects == settings->max_redirects)
                return too_many_redirects(request, error);
        if (!redirect.becomes_get && !request_can_repeat(request))
                return error_set(error, MUSTER_E_REDIRECT, MUSTER_PHASE_RECEIVE, 0,
                                 "redirect: the body would have to be sent again to %.*s, but its "
                                 "source cannot be rewound; ask for that URL itself",
                                 STR_ARGS(buf_str(&request->next_url.text)));
        if (buf_add_str(&request->visited, buf_str(&request->url.text)) < 0 ||
            buf_add_char(&request->visited, '\n') < 0)
                return error_set_memory(error, MUSTER_PHASE_RECEIVE);
        request->is_get_now |= redirect.becomes_get;
        request->has_left_origin |= redirect.drops_credentials;
        return 0;
}

int decide_use(struct muster_request *request, const struct h1_head *head,
               struct muster_error *error)
{
        int r;

        request->use = RESPONSE_IS_RESULT;
        if (decide_retry(request, head)) {
                request->use = RESPONSE_IS_RETRIED;
                return 0;
        }
        r = decide_redirect(request, head, error);
        if (r == 0)
                request->use = RESPONSE_IS_REDIRECT;
        return r < 0 ? r : 0;
}
