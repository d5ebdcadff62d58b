/* SPDX-License-Identifier: MIT */
#include "login.h"

#include "credentials.h"
#include "engine.h"
#include <assert.h>
#include <stdio.h>

/*
 * Challenges that a request answers at one URL: what is wanted first, a nonce that had expired, and
 * one in reserve.
 */
#define ANSWERS_MAX 3

/* --- before it is sent ----------------------------------------------------------------------- */

static unsigned schemes_of(const struct muster_request *request)
{
        return request->auth.schemes ? request->auth.schemes : request->engine->settings->auth;
}

static int send_basic(struct muster_request *request, struct muster_str user,
        struct muster_str password)
{
        request->auth.used = AUTH_BASIC;
        return auth_add_basic(user, password, &request->auth.value);
}

static int send_bearer(struct muster_request *request, struct muster_str token)
{
        int r = buf_add_text(&request->auth.value, "Bearer ");

        request->auth.used = AUTH_BEARER;
        return r < 0 ? r : buf_add_str(&request->auth.value, token);
}

/* Send nothing, to be told what is wanted. Once for each origin, the others wait for that. */
static void ask(struct muster_request *request)
{
        struct request_auth *auth = &request->auth;
        struct origin *origin = request->origin;

        auth->is_asking = true;
        auth->withholds_body = request->has_body && !request->is_get_now && !auth->must_send_body;
        auth->leads = !origin->auth.has_led;
        if (auth->leads)
                origin->auth.has_led = origin->auth.is_led = true;
}

static int send_digest(struct muster_request *request, struct auth_session *session)
{
        struct muster_str target = url_part(&request->url, request->url.target);
        int r = digest_add(&session->digest, request_method(request), target, &request->auth.value);

        request->auth.used = AUTH_DIGEST;
        if (r != DIGEST_USED_UP)
                return r;
        request->auth.used = AUTH_NONE;
        session->is_known = false;
        ask(request);
        return 0;
}

/* Send what this origin is known to want from this user. */
static int send_known(struct muster_request *request, const struct credentials *credentials)
{
        struct auth_session *session;
        int r = auth_sessions_get(&request->origin->auth, credentials->user, credentials->password,
                &session);

        if (r < 0)
                return r;
        request->auth.session = session->number;
        session->is_awaited = false;
        if (session->is_known && session->scheme == AUTH_NONE)
                return 0;
        if (!session->is_known || !(session->scheme & schemes_of(request)))
                ask(request);
        else if (session->scheme == AUTH_BASIC)
                r = send_basic(request, credentials->user, credentials->password);
        else
                r = send_digest(request, session);
        return r;
}

static int send_credentials(struct muster_request *request, const struct credentials *credentials)
{
        switch (credentials->kind) {
        case CREDENTIALS_NONE:
                return 0;
        case CREDENTIALS_BEARER:
                return send_bearer(request, credentials->token);
        case CREDENTIALS_USER:
                return schemes_of(request) == AUTH_BASIC
                               ? send_basic(request, credentials->user, credentials->password)
                               : send_known(request, credentials);
        }
        return 0;
}

int login_begin(struct muster_request *request)
{
        struct request_auth *auth = &request->auth;
        struct credentials credentials;
        int r;

        assert(request->origin && !auth->value.len);
        auth->used = AUTH_NONE;
        auth->session = 0;
        auth->is_asking = auth->withholds_body = auth->leads = false;
        if (!credentials_are_possible(request))
                return 0;
        r = credentials_find(request, &credentials);
        if (r == 0)
                r = send_credentials(request, &credentials);
        credentials_deinit(&credentials);
        return r;
}

/* --- its answer ------------------------------------------------------------------------------ */

/* The others need not wait any longer. */
static void let_others_go(struct muster_request *request)
{
        if (!request->auth.leads)
                return;
        assert(request->origin->auth.is_led);
        request->auth.leads = request->origin->auth.is_led = false;
        sched_let_go(&request->engine->sched, request->origin);
}

static void take_info(struct auth_session *session, const struct http_head *head)
{
        struct muster_str info = fields_find(&head->fields, auth_fields_of_server.info);

        /* Without memory the next request is answered with 401, and all goes on from there. */
        if (info.at && session->scheme == AUTH_DIGEST && digest_has_begun(&session->digest))
                (void)digest_renew(&session->digest, info);
}

static void note_accepted(struct muster_request *request, struct auth_session *session,
        const struct http_head *head)
{
        if (request->auth.is_asking) {
                session->is_known = true;
                session->scheme = AUTH_NONE;
        } else if (request->auth.used != AUTH_NONE) {
                session->was_refused = false;
                take_info(session, head);
        }
}

/*
 * Is the challenge more than "these credentials are wrong"? A server that has forgotten a nonce may
 * not say so, and one may want counts in order: who was not asked itself may try once more, unless
 * the credentials were refused before.
 */
static bool is_worth_an_answer(const struct request_auth *auth, const struct auth_session *session,
        const struct auth_choice *choice)
{
        if (auth->n_answers >= ANSWERS_MAX || choice->scheme == AUTH_NONE)
                return false;
        if (auth->used != choice->scheme)
                return true;
        if (choice->scheme != AUTH_DIGEST)
                return false;
        return choice->digest.is_stale || !digest_is_for_realm(&session->digest, &choice->digest) ||
               (!session->was_refused && auth->n_answers == 0);
}

static const char *names_of(unsigned schemes)
{
        switch (schemes & (AUTH_BASIC | AUTH_DIGEST)) {
        case AUTH_BASIC:
                return "Basic";
        case AUTH_DIGEST:
                return "Digest";
        default:
                return "Basic or Digest";
        }
}

static void warn(struct muster_request *request, const char *what, const char *advice)
{
        struct buf text = { 0 };

        if (buf_add_text(&text, "not logged in: ") == 0 && buf_add_text(&text, what) == 0 &&
                buf_add_text(&text, advice) == 0)
                result_add_warning(&request->result, buf_str(&text));
        buf_deinit(&text);
}

/* If nothing of what the server offers may be used, say what could be done. True: that was said. */
static bool say_unusable(struct muster_request *request, const struct auth_choice *choice)
{
        unsigned offered = choice->offered & (AUTH_BASIC | AUTH_DIGEST);
        char what[100];

        if (choice->scheme != AUTH_NONE || request->auth.used == AUTH_BEARER)
                return false;
        if (!offered) {
                if (choice->why)
                        warn(request, "the server cannot be answered: ", choice->why);
                return choice->why;
        }
        snprintf(what, sizeof(what), "the server asks for %s", names_of(offered));
        warn(request, what, "; allow that with auth (--anyauth)");
        return true;
}

/* The session of the attempt; made anew if it was forgotten meanwhile. NULL: it has none. */
static int find_session(struct muster_request *request, struct auth_session **ret_session)
{
        struct auth_sessions *sessions = &request->origin->auth;
        struct credentials credentials;
        int r = 0;

        *ret_session = NULL;
        if (!request->auth.session)
                return 0;
        *ret_session = auth_sessions_find(sessions, request->auth.session);
        if (*ret_session)
                return 0;
        r = credentials_find(request, &credentials);
        if (r == 0)
                r = auth_sessions_get(sessions, credentials.user, credentials.password,
                        ret_session);
        credentials_deinit(&credentials);
        return r;
}

/* Get the session ready for the answer. */
static int prepare_answer(struct auth_session *session, const struct auth_choice *choice)
{
        int r = 0;

        if (choice->scheme == AUTH_DIGEST)
                r = auth_session_begin_digest(session, &choice->digest);
        else
                session->scheme = choice->scheme;
        session->is_known = session->is_awaited = r == 0;
        return r;
}

static int answer(struct muster_request *request, struct auth_session *session,
        const struct http_head *head)
{
        struct request_auth *auth = &request->auth;
        struct auth_choice choice =
                auth_choose(&head->fields, auth_fields_of_server.challenge, schemes_of(request));
        int r;

        if (!session || !is_worth_an_answer(auth, session, &choice)) {
                if (!say_unusable(request, &choice) && auth->used != AUTH_NONE)
                        request->engine->stats.n_logins_refused++;
                if (session)
                        session->was_refused = true;
                return LOGIN_DONE;
        }
        if (!request_can_repeat(request)) {
                warn(request, "the server asks for credentials again",
                        ", but the body cannot be read a second time");
                return LOGIN_DONE;
        }
        r = prepare_answer(session, &choice);
        auth->n_answers++;
        return r < 0 ? r : LOGIN_AGAIN;
}

int login_heard(struct muster_request *request, const struct http_head *head)
{
        struct auth_session *session;
        int r;

        if (request->auth.used == AUTH_NONE && !request->auth.session)
                return LOGIN_DONE;
        assert(request->state == REQUEST_RUNNING && request->origin);
        let_others_go(request);
        r = find_session(request, &session);
        if (r < 0)
                return r;
        if (head->status == 401)
                return answer(request, session, head);
        if (session)
                note_accepted(request, session, head);
        return LOGIN_DONE;
}

int login_send_body(struct muster_request *request, int status)
{
        if (!request->auth.withholds_body || status == 401)
                return LOGIN_DONE;
        request->auth.must_send_body = true;
        return LOGIN_AGAIN;
}

void login_end(struct muster_request *request)
{
        assert(request->origin);
        let_others_go(request);
        buf_wipe(&request->auth.value);
}

void login_redirected(struct muster_request *request)
{
        request->auth.n_answers = 0;
        request->auth.must_send_body = false;
}
