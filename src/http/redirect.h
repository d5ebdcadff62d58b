/* SPDX-License-Identifier: MIT */
/*
 * What a redirect asks for (RFC 9110 section 15.4)
 *
 *      301, 302   POST becomes GET, as browsers do; other methods stay
 *      303        everything but HEAD becomes GET
 *      307, 308   the method and the body stay
 *
 * A redirect is followed only if its Location is an http or https URL. If the origin changes, it
 * gets neither credentials nor the fields that the caller gave: nobody can tell by its name which of
 * these is a secret.
 */
#ifndef HTTP_REDIRECT_H
#define HTTP_REDIRECT_H

#include "url.h"

struct redirect {
        bool becomes_get;       /* send GET, without the body and the fields that describe it */
        bool drops_credentials; /* the origin changes */
};

#define REDIRECT_NONE 1 /* the response is the result */

/*
 * Decide whether a response is a redirect. `location.at` is NULL if the field is missing. 0: go on
 * to *ret_target as *ret_redirect says. REDIRECT_NONE: `status` is none of the five, or there is no
 * Location. MUSTER_E_REDIRECT with *error: the Location cannot be used, or leads from https to http
 * without `allow_https_to_http`. MUSTER_E_RESOURCE.
 */
int redirect_decide(int status, struct muster_str method, const struct url *from,
        struct muster_str location, bool allow_https_to_http, struct url *ret_target,
        struct redirect *ret_redirect, struct muster_error *error);

/* Is this field a secret by its name? Its value is shown to nobody. */
bool redirect_is_credential_field(struct muster_str name);

/*
 * May a field that the caller gave be sent to another origin? Only what the request would be wrong
 * without: what describes the body that goes along, the range, and how the body is sent.
 */
bool redirect_may_leave(struct muster_str name);

/* Does this field describe the body? It is dropped together with the body. */
bool redirect_is_body_field(struct muster_str name);

#endif
