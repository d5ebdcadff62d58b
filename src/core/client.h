/* SPDX-License-Identifier: MIT */
/*
 * A client: what the caller's thread sees of the engine that does the work
 */
#ifndef CORE_CLIENT_H
#define CORE_CLIENT_H

#include "engine.h"

struct muster_client {
        struct settings settings;
        struct tls_source tls_source;
        struct engine engine;
        struct list taken; /* requests that are with the caller as results */
        struct list store; /* recycled requests */
        size_t n_stored;
        struct buf_store bodies; /* memory of large bodies that the caller is done with */
};

/* One turn of the loop, waiting until something happens. */
int client_turn(struct muster_client *client);

/* For tests: a client whose time is `start_ns` and moves only as loop.h says. */
int client_new_manual(struct muster_client **ret_client,
        const struct muster_client_options *options, uint64_t start_ns);

#endif
