/* SPDX-License-Identifier: MIT */
#include "decision.h"

#include "engine.h"
#include "credentials.h"
#include "hsts_list.h"
#include "login.h"
#include "proxy_login.h"
#include "refusal.h"
#include <assert.h>
#include <base/error.h>
#include <http/redirect.h>
#include <stdio.h>

/* The wait that Retry-After asks for; 0: none, or an unreadable one. */
static uint64_t asked_wait_ns(const struct fields *fields)
{
        struct muster_str asked = fields_find(fields, "Retry-After");
        int64_t now_s;
        uint64_t seconds;

        if (!asked.at)
                return 0;
        now_s = (int64_t)(clock_ns_of(CLOCK_REALTIME) / NS_PER_S);
        if (!field_retry_after(asked, now_s, &seconds))
                return 0;
        return seconds < UINT64_MAX / NS_PER_S ? seconds * NS_PER_S : UINT64_MAX;
}

static bool decide_retry(struct muster_request *request, const struct http_head *head)
{
        uint64_t asked_ns = asked_wait_ns(&head->fields);
        bool asks_too_much = asked_ns > RETRY_AFTER_MAX_S * NS_PER_S;

        if (!asks_too_much)
                refusal_heard(request, head->status, asked_ns);
        if (!retry_is_status(head->status))
                return false;
        request->notes.retry_after_ns = asked_ns;
        request->retry_wait_ns = asked_ns ? asked_ns : retry_delay_ns(request);
        if (!retry_is_allowed(request, asks_too_much ? 0 : request->retry_wait_ns))
                return false;
        if (asks_too_much)
                request->withheld = RETRY_WITHHELD_LONG;
        return !asks_too_much &&
               (refusal_is_one(head->status, asked_ns != 0) || retry_is_paid(request));
}

/* --- redirects ------------------------------------------------------------------------------- */

/* times one URL in a chain: a server may need one extra step, such as to set a cookie */
#define ASKED_MAX 2

/* of URLs that are remembered to tell a loop; only who sets no limit of redirects gets there */
#define VISITED_BYTES_MAX (1024 * 1024)

#define URL_SHOWN_BYTES 80 /* characters of a URL, so that the advice still fits */

/* The method of the next request, if this redirect is followed. */
static struct muster_str next_method(const struct muster_request *request,
        const struct redirect *redirect)
{
        return redirect->becomes_get ? str_of("GET") : request_method(request);
}

/* How often the next URL was requested with this method: each line of `visited` is one request. */
static unsigned times_asked(const struct muster_request *request, struct muster_str method)
{
        struct muster_str rest = buf_str(&request->visited), url, word;
        unsigned n = 0;

        while (str_split(&rest, '\n', &url)) {
                str_split(&url, ' ', &word);
                n += str_eq(word, method) && str_eq(url, buf_str(&request->next_url.text));
        }
        return n;
}

static int note_asked(struct muster_request *request)
{
        struct buf *visited = &request->visited;

        if (visited->len > VISITED_BYTES_MAX)
                return 0;
        if (buf_add_str(visited, request_method(request)) < 0 || buf_add_char(visited, ' ') < 0 ||
                buf_add_str(visited, buf_str(&request->url.text)) < 0)
                return MUSTER_E_RESOURCE;
        return buf_add_char(visited, '\n');
}

/* Write a URL without user name and password, shortened to fit. */
static void show_url(const struct url *url, char *text, size_t size)
{
        struct buf shown = { 0 };

        (void)url_add_public(url, &shown);
        snprintf(text, size, "%.*s%s", (int)(shown.len < size - 4 ? shown.len : size - 4),
                shown.len ? shown.at : "", shown.len < size - 4 ? "" : "...");
        buf_deinit(&shown);
}

/* Most servers that redirect in a loop want their cookie back. */
static void advise(const struct muster_request *request, const struct fields *fields, char *text,
        size_t size)
{
        if (fields_find(fields, "Set-Cookie").at && !request_jar(request))
                snprintf(text, size,
                        "the server may want its cookie back; keep cookies with a jar (-b \"\")");
        else
                snprintf(text, size,
                        "to get this response itself, use no_redirects (--no-location)");
}

static int refuse_loop(const struct muster_request *request, const struct fields *fields,
        struct muster_error *error)
{
        bool is_itself = str_eq(buf_str(&request->url.text), buf_str(&request->next_url.text));
        bool is_empty = !fields_find(fields, "Location").len;
        char from[URL_SHOWN_BYTES], advice[120];

        show_url(&request->url, from, sizeof(from));
        advise(request, fields, advice, sizeof(advice));
        return error_set(error, MUSTER_E_REDIRECT, MUSTER_PHASE_RECEIVE, 0,
                "redirect: a loop: %s leads %s%s; %s", from,
                is_itself ? "to itself" : "back to an earlier URL",
                is_empty ? " (its Location is empty)" : "", advice);
}

static int too_many_redirects(const struct muster_request *request, struct muster_error *error)
{
        char to[URL_SHOWN_BYTES];

        show_url(&request->next_url, to, sizeof(to));
        if (request->engine->settings->max_redirects == 0)
                return error_set(error, MUSTER_E_REDIRECT, MUSTER_PHASE_RECEIVE, 0,
                        "redirect: to %s, but --max-redirs 0 allows no redirect; to get this response itself, use no_redirects (--no-location)",
                        to);
        return error_set(error, MUSTER_E_REDIRECT, MUSTER_PHASE_RECEIVE, 0,
                "redirect: gave up after %u redirects, the last to %s; raise the limit, max_redirects (--max-redirs), or request the target directly",
                request->result.n_redirects, to);
}

static int follow(struct muster_request *request, const struct http_head *head,
        bool allow_https_to_http, struct redirect *ret_redirect, struct muster_error *error)
{
        return redirect_decide(head->status, request_method(request), &request->url,
                fields_find(&head->fields, "Location"), allow_https_to_http, &request->next_url,
                ret_redirect, error);
}

/*
 * Where the redirect leads. A host that wants https only gets it, so that http behind https may turn
 * out to be allowed.
 */
static int find_target(struct muster_request *request, const struct http_head *head,
        struct redirect *ret_redirect, struct muster_error *error)
{
        const struct settings *settings = request->engine->settings;
        bool is_allowed = settings->allow_https_to_http;
        int r = follow(request, head, is_allowed || settings->hsts, ret_redirect, error);

        if (r != 0 || !settings->hsts)
                return r;
        if (hsts_list_upgrade(settings->hsts, &request->next_url) < 0)
                return error_set_memory(error, MUSTER_PHASE_RECEIVE);
        if (!is_allowed && request->url.scheme == URL_HTTPS && request->next_url.scheme == URL_HTTP)
                return follow(request, head, false, ret_redirect, error);
        ret_redirect->drops_credentials = !url_same_origin(&request->url, &request->next_url);
        return 0;
}

/*
 * 0: follow the redirect, as stored in the request. REDIRECT_NONE. MUSTER_E_REDIRECT or another
 * error: do not follow it.
 */
static int decide_redirect(struct muster_request *request, const struct http_head *head,
        struct muster_error *error)
{
        const struct settings *settings = request->engine->settings;
        struct redirect redirect = { 0 };
        int r;

        if (request->limits.no_redirects)
                return REDIRECT_NONE;
        r = find_target(request, head, &redirect, error);
        if (r != 0)
                return r;
        if (note_asked(request) < 0)
                return error_set_memory(error, MUSTER_PHASE_RECEIVE);
        if (times_asked(request, next_method(request, &redirect)) >= ASKED_MAX)
                return refuse_loop(request, &head->fields, error);
        if (request->result.n_redirects == settings->max_redirects)
                return too_many_redirects(request, error);
        if (!redirect.becomes_get && !request_can_repeat(request))
                return error_set(error, MUSTER_E_REDIRECT, MUSTER_PHASE_RECEIVE, 0,
                        "redirect: the body must be sent again to %.*s, but its source cannot be rewound; request that URL directly",
                        STR_ARGS(buf_str(&request->next_url.text)));
        request->is_get_now |= redirect.becomes_get;
        if (credentials_keep(request, redirect.drops_credentials) < 0)
                return error_set_memory(error, MUSTER_PHASE_RECEIVE);
        request->has_left_origin |= redirect.drops_credentials;
        return 0;
}

/* --- all of it ------------------------------------------------------------------------------- */

int decide_use(struct muster_request *request, const struct http_head *head,
        struct muster_error *error)
{
        int r;

        assert(request->state == REQUEST_RUNNING);
        request->use = USE_AS_RESULT;
        if (expect_answered(request, head->status)) {
                request->use = USE_WITHOUT_EXPECT;
                return 0;
        }
        if (decide_retry(request, head)) {
                request->use = USE_TO_RETRY;
                return 0;
        }
        r = proxy_login_heard(request, head);
        if (r == 0)
                r = login_heard(request, head);
        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_RECEIVE);
        if (r == LOGIN_AGAIN) {
                request->use = USE_TO_LOG_IN;
                return 0;
        }
        r = decide_redirect(request, head, error);
        if (r == 0)
                request->use = USE_AS_REDIRECT;
        else if (r == REDIRECT_NONE && login_send_body(request, head->status) == LOGIN_AGAIN)
                request->use = USE_TO_LOG_IN;
        return r < 0 ? r : 0;
}
