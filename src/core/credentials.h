/* SPDX-License-Identifier: MIT */
/*
 * Credentials: as whom an attempt is made
 *
 * They come from the request, its URL or the netrc file, in this order:
 *
 *      a bearer token of the request
 *      the URL's user name and password   with a netrc file, the password is looked up there
 *      user name and password of the request
 *      the netrc file, for the host of this attempt
 *
 * What was given with the request is for its first origin. After a redirect to another one only the
 * URL and the netrc file count, unless the client has credentials_to_any_origin.
 */
#ifndef CORE_CREDENTIALS_H
#define CORE_CREDENTIALS_H

#include <base/buf.h>

struct muster_request;

enum credentials_kind { CREDENTIALS_NONE, CREDENTIALS_USER, CREDENTIALS_BEARER };

struct credentials {
        enum credentials_kind kind;
        struct muster_str user, password; /* USER */
        struct muster_str token;          /* BEARER */
        struct buf text;                  /* what the above borrow from, if not from the request */
};

/* Can the present attempt have any? If not, that costs nothing. */
bool credentials_are_possible(const struct muster_request *request);

/* Find those of the present attempt. MUSTER_E_RESOURCE; deinit is needed in any case. */
int credentials_find(const struct muster_request *request, struct credentials *ret_credentials);
void credentials_deinit(struct credentials *credentials);

/*
 * A redirect leads on to request->next_url: if the credentials came with the URL and may go there,
 * they become the request's own. MUSTER_E_RESOURCE.
 */
int credentials_keep(struct muster_request *request, bool leaves_origin);

#endif
