/* SPDX-License-Identifier: MIT */
/*
 * A client that speaks HTTP/2 in the clear and a scripted server of it (h2_server.h), in one loop
 */
#ifndef TESTS_FLOW_H2_WORLD_H
#define TESTS_FLOW_H2_WORLD_H

#include "fixture.h"
#include "h2_server.h"

struct world {
        struct muster_client *client;
        struct h2_server server;
        struct fixture f; /* for its helpers */
};

void begin(struct world *w, struct muster_client_options options, h2_function answer);
void end(struct world *w);

/* Submit `n` requests for the path. */
void ask(struct world *w, unsigned n, const char *path);

/* Take `n` results, which are all the same. */
void expect_all(struct world *w, unsigned n, enum muster_code code, int status);

#endif
