/* SPDX-License-Identifier: MIT */
/*
 * Authentication (RFC 9110 section 11): which scheme answers a server's or a proxy's challenge
 *
 *      challenge fields ──▶ auth_choose() ──▶ Basic: auth_add_basic()
 *                                        └──▶ Digest: digest.h
 *
 * Servers and proxies do the same in fields of different names; struct auth_fields says which.
 */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include "digest.h"

/* The names of the fields in which it happens. */
struct auth_fields {
        const char *challenge;   /* WWW-Authenticate */
        const char *credentials; /* Authorization */
        const char *info;        /* Authentication-Info */
};

extern const struct auth_fields auth_fields_of_server, auth_fields_of_proxy;

/* Schemes, weakest first; their sum is a set. */
enum auth_scheme {
        AUTH_NONE = 0,
        AUTH_BASIC = 1,
        AUTH_BEARER = 2,
        AUTH_DIGEST = 4,
};

/* What a response asks for. */
struct auth_choice {
        enum auth_scheme scheme;        /* AUTH_NONE: nothing that may be used */
        unsigned offered;               /* the set of all that is offered and can be used */
        struct digest_challenge digest; /* with AUTH_DIGEST: the strongest; borrowed */
        const char *why;                /* why a digest challenge cannot be used; NULL: none */
};

/*
 * Choose the strongest of the challenges whose scheme is in `allowed`. The choice borrows from the
 * fields.
 */
struct auth_choice auth_choose(const struct fields *fields, const char *challenge_name,
        unsigned allowed);

/* Append "Basic ..." (RFC 7617). The user name must have no colon. MUSTER_E_RESOURCE. */
int auth_add_basic(struct muster_str user, struct muster_str password, struct buf *to);

#endif
