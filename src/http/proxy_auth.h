/* SPDX-License-Identifier: MIT */
/*
 * Credentials at a proxy that speaks HTTP: what to send with a request, and what after a 407
 *
 * One for a proxy and a thread: what was learnt from the first 407 serves all later requests and
 * tunnels. With Basic alone the credentials are sent unasked, as curl does.
 */
#ifndef HTTP_PROXY_AUTH_H
#define HTTP_PROXY_AUTH_H

#include "auth.h"
#include "proxy.h"

struct proxy_auth {
        const struct proxy *proxy; /* borrowed */
        unsigned allowed;          /* a set of enum auth_scheme: Basic, Digest */
        enum auth_scheme scheme;   /* what is sent; AUTH_NONE: nothing yet */
        struct digest digest;      /* with AUTH_DIGEST */
};

/* Begin; `borrow_proxy` may have no user name, then nothing is ever sent. */
void proxy_auth_init(struct proxy_auth *auth, const struct proxy *borrow_proxy, unsigned allowed);
void proxy_auth_deinit(struct proxy_auth *auth);

/*
 * Append the value of Proxy-Authorization for a request with this method and target; nothing if
 * none is to be sent. MUSTER_E_RESOURCE.
 */
int proxy_auth_add(struct proxy_auth *auth, struct muster_str method, struct muster_str target,
        struct buf *to);

/*
 * A request was answered with 407. `had_credentials`: it had some. `cnonce` is a text that nobody
 * can guess, of letters and digits. 0: send it again, proxy_auth_add() knows more now.
 * PROXY_AUTH_REFUSED: that would not help, and *ret_why says in a few words what would.
 * MUSTER_E_RESOURCE.
 */
#define PROXY_AUTH_REFUSED 1
int proxy_auth_challenged(struct proxy_auth *auth, const struct fields *fields,
        bool had_credentials, struct muster_str cnonce, const char **ret_why);

#endif
