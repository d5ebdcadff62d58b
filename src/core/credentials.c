/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include "engine.h"
#include <assert.h>
#include <http/url_encode.h>

void credentials_deinit(struct credentials *credentials)
{
        buf_wipe(&credentials->text);
}

static bool url_has_login(const struct url *url)
{
        return url->user.len || url->password.len;
}

bool credentials_are_possible(const struct muster_request *request)
{
        return request->auth.kind != CREDENTIALS_NONE || url_has_login(&request->url) ||
               request->engine->settings->netrc.entries.len;
}

/* May what was given with the request be sent to the present origin? */
static bool may_send_given(const struct muster_request *request)
{
        return !request->has_left_origin || request->engine->settings->credentials_to_any_origin;
}

/* --- the URL --------------------------------------------------------------------------------- */

/* Decode user name and password of the URL (RFC 3986 section 3.2.1). */
static int decode_url(const struct url *url, struct credentials *credentials)
{
        size_t n_user;
        int r = url_add_decoded(url_part(url, url->user), &credentials->text);

        n_user = credentials->text.len;
        if (r == 0)
                r = url_add_decoded(url_part(url, url->password), &credentials->text);
        credentials->kind = CREDENTIALS_USER;
        credentials->user = (struct muster_str){ credentials->text.at, n_user };
        credentials->password =
                (struct muster_str){ credentials->text.at ? credentials->text.at + n_user : NULL,
                        credentials->text.len - n_user };
        return r;
}

/* As curl: a netrc file that is optional only adds the password that the URL does not have. */
static void look_up(const struct muster_request *request, struct credentials *credentials)
{
        const struct settings *settings = request->engine->settings;
        struct muster_str host = url_part(&request->url, request->url.host);

        if (settings->netrc_is_optional && credentials->password.len)
                return;
        if (netrc_find(&settings->netrc, host, credentials->user, &credentials->user,
                    &credentials->password))
                credentials->kind = CREDENTIALS_USER;
}

/* --- the request ----------------------------------------------------------------------------- */

static void take_given(const struct muster_request *request, struct credentials *credentials)
{
        const struct request_auth *auth = &request->auth;
        const char *text = auth->given.at;

        credentials->kind = auth->kind;
        if (auth->kind == CREDENTIALS_BEARER) {
                credentials->token = buf_str(&auth->given);
                return;
        }
        credentials->user = (struct muster_str){ text, auth->n_user };
        credentials->password = (struct muster_str){ text ? text + auth->n_user : NULL,
                auth->given.len - auth->n_user };
}

int credentials_find(const struct muster_request *request, struct credentials *ret_credentials)
{
        enum credentials_kind given = request->auth.kind;
        int r = 0;

        *ret_credentials = (struct credentials){ .kind = CREDENTIALS_NONE };
        if (given == CREDENTIALS_BEARER && may_send_given(request)) {
                take_given(request, ret_credentials);
        } else if (url_has_login(&request->url)) {
                r = decode_url(&request->url, ret_credentials);
                look_up(request, ret_credentials);
        } else if (given != CREDENTIALS_NONE) {
                if (may_send_given(request))
                        take_given(request, ret_credentials);
        } else {
                look_up(request, ret_credentials);
        }
        return r;
}

/* --- redirects ------------------------------------------------------------------------------- */

int credentials_keep(struct muster_request *request, bool leaves_origin)
{
        struct request_auth *auth = &request->auth;
        struct credentials credentials = { .kind = CREDENTIALS_NONE };
        bool may_go = !leaves_origin || request->engine->settings->credentials_to_any_origin;
        int r;

        assert(request->next_url.text.len);
        if (!may_go || !may_send_given(request) || !url_has_login(&request->url) ||
                url_has_login(&request->next_url) || auth->kind == CREDENTIALS_BEARER)
                return 0;
        r = decode_url(&request->url, &credentials);
        if (r == 0) {
                buf_wipe(&auth->given);
                auth->kind = CREDENTIALS_USER;
                auth->n_user = credentials.user.len;
                auth->given = credentials.text;
                return 0;
        }
        credentials_deinit(&credentials);
        return r;
}
