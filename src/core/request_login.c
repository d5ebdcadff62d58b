/* SPDX-License-Identifier: MIT */
/*
 * Credentials that a request is given
 */
#include "request.h"

#include <base/error.h>
#include <http/field.h>

#define AUTH_BYTES_MAX (8 * 1024) /* user name and password; servers refuse longer fields */

/* Keep `text` as what is given, of which the first `n_user` bytes are the user name. */
static int give(struct muster_request *request, enum credentials_kind kind, struct muster_str user,
        struct muster_str rest)
{
        struct buf given = { 0 };

        if (buf_add_str(&given, user) < 0 || buf_add_str(&given, rest) < 0) {
                buf_wipe(&given);
                return error_set_memory(request_fresh_error(request), MUSTER_PHASE_QUEUE);
        }
        buf_wipe(&request->auth.given);
        request->auth.given = given;
        request->auth.kind = kind;
        request->auth.n_user = user.len;
        request->auth.schemes = 0;
        return 0;
}

int muster_request_set_credentials(struct muster_request *request, const char *user,
        const char *password, unsigned schemes)
{
        int r;

        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (schemes & ~MUSTER_AUTH_ANY)
                return request_invalid(request,
                        "schemes are not a set of MUSTER_AUTH_BASIC and MUSTER_AUTH_DIGEST", "");
        if (!user)
                return request_invalid(request, "credentials without a user name", "");
        if (!password)
                password = "";
        if (strchr(user, ':'))
                return request_invalid(request,
                        "a colon in the user name, which RFC 7617 does not allow", "");
        if (!field_is_value(str_of(user)))
                return request_invalid(request, "a control character in the user name", "");
        if (strlen(user) + strlen(password) > AUTH_BYTES_MAX)
                return request_invalid(request, "user name and password have more than 8 KiB", "");
        r = give(request, CREDENTIALS_USER, str_of(user), str_of(password));
        if (r == 0)
                request->auth.schemes = schemes;
        return r;
}

int muster_request_set_basic_auth(struct muster_request *request, const char *user,
        const char *password)
{
        return muster_request_set_credentials(request, user, password, MUSTER_AUTH_BASIC);
}

int muster_request_set_bearer(struct muster_request *request, const char *token)
{
        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (!token || !*token)
                return request_invalid(request, "an empty bearer token", "");
        if (!field_is_value(str_of(token)) || strpbrk(token, " \t"))
                return request_invalid(request, "a blank or control character in the bearer token",
                        "");
        if (strlen(token) > AUTH_BYTES_MAX)
                return request_invalid(request, "a bearer token of more than 8 KiB", "");
        return give(request, CREDENTIALS_BEARER, (struct muster_str){ NULL, 0 }, str_of(token));
}
