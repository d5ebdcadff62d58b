/* SPDX-License-Identifier: MIT */
/*
 * Challenges: what WWW-Authenticate and Proxy-Authenticate ask for (RFC 9110 section 11)
 *
 *      Digest realm="a, b", qop="auth, auth-int", nonce="x", Basic realm="a", Negotiate dG9rZW4=
 *      ├──────────────── a challenge ────────────────────┤ ├── another ───┤ ├── a third ──────┤
 *
 * Commas separate both challenges and their parameters, so a word that is not followed by "=" is
 * what begins a challenge. Servers are careless here. Parameters without a comma between them, and
 * values that should have been quoted, are read as they were meant; what makes no sense is skipped.
 */
#ifndef HTTP_AUTH_CHALLENGE_H
#define HTTP_AUTH_CHALLENGE_H

#include "field.h"

/* A challenge; borrowed from its field. */
struct auth_challenge {
        struct muster_str scheme;
        struct muster_str token68; /* what some schemes have instead of parameters; empty: none */
        struct muster_str params;  /* all of them: see auth_next_param() */
};

/* A parameter; borrowed. The value is without its quotes, and escapes are still in it. */
struct auth_param {
        struct muster_str name, value;
        bool is_quoted;
};

/*
 * Step through the challenges in all fields of that name. Start with a zeroed iterator; false at
 * the end.
 */
struct auth_challenges {
        size_t field;
        size_t at;
};
bool auth_next_challenge(const struct fields *fields, const char *name,
        struct auth_challenges *iter, struct auth_challenge *ret_challenge);

/*
 * Cut off the first parameter of a list: that of a challenge, or the value of Authentication-Info.
 * False at the end.
 */
bool auth_next_param(struct muster_str *rest, struct auth_param *ret_param);

/* Append the value without escapes (RFC 9110 section 5.6.4). MUSTER_E_RESOURCE. */
int auth_add_value(const struct auth_param *param, struct buf *to);

#endif
