/* SPDX-License-Identifier: MIT */
/*
 * A client that logs in, and a scripted server that asks it to
 *
 * The server's side of Digest is a script here: it looks at the nonce and its count. That the
 * response itself is right is for the unit test and for real servers to say.
 */
#ifndef TESTS_FLOW_LOGIN_WORLD_H
#define TESTS_FLOW_LOGIN_WORLD_H

#include "fixture.h"

enum script {
        SCRIPT_DIGEST,  /* wants Digest, and believes every answer to its nonce */
        SCRIPT_STALE,   /* the same, but a nonce is good for two requests */
        SCRIPT_SILENT,  /* the same, but it does not say "stale" */
        SCRIPT_REFUSES, /* wants Digest, and believes nothing */
        SCRIPT_ALWAYS_STALE,
        SCRIPT_NEXT,   /* names another nonce with each answer */
        SCRIPT_REALMS, /* another realm for each path */
        SCRIPT_BASIC,  /* wants Basic */
        SCRIPT_OPEN,   /* wants nothing */
        SCRIPT_BUSY,   /* wants nothing, and is busy at first */
};

struct login_world {
        enum script script;
        unsigned n_challenges, n_uses; /* of the last nonce */
        uint64_t uses;                 /* a bit for each count that it was used with */
        unsigned n_401, n_empty;       /* requests that said Content-Length: 0 */
        char last_body_length[24];
};

extern struct login_world world;

/* A client that may use the schemes of `auth`, and the server; the world begins anew. */
void start(struct fixture *f, enum script script, unsigned auth);

/* A request with user name and password; `body` may be NULL. */
void submit(struct fixture *f, const char *path, const char *method, const char *body);

/* The next result is no error, and took so many attempts. */
void expect(struct fixture *f, int status, unsigned n_attempts);

/* Both, for a GET. */
void get(struct fixture *f, const char *path, int status, unsigned n_attempts);

#endif
