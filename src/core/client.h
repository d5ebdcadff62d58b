/* SPDX-License-Identifier: MIT */
/*
 * A client: what the caller's thread sees of the engine that does the work, or of several, each in a
 * thread of its own (lanes.h)
 */
#ifndef CORE_CLIENT_H
#define CORE_CLIENT_H

#include "engine.h"
#include "lanes.h"

struct muster_client {
        struct settings settings;
        struct tls_source tls_source;
        struct engine engine; /* in the caller's thread; not made where there are lanes */
        struct lanes *lanes;  /* NULL: no threads */
        uint64_t n_submitted;
        struct list taken; /* requests that are with the caller as results */
        struct list store; /* recycled requests */
        size_t n_stored;
        struct buf_store bodies; /* memory of large bodies that the caller is done with */
};

/* One turn of the loop, waiting until something happens; of a client without threads. */
int client_turn(struct muster_client *client);

/* Wait until something happens of which a stream may have got something to read. */
int client_wait_for(struct muster_request *stream);

/* A stream's reader has made room for more of it. */
void client_wants_more(struct muster_request *request);

/*
 * Attach a tracer to a client to which nothing was submitted yet, and tell it the end, as
 * tracing_begin() and tracing_end(). With threads ops->end() and ops->free() are called once for each
 * of them, and rows come from all.
 */
int client_trace(struct muster_client *client, struct tracer *take_tracer);
void client_untrace(struct muster_client *client);

/* The tracer of a client, also when it was told the end; NULL: none was attached. */
struct tracer *client_tracer(const struct muster_client *client);

/* For tests: a client whose time is `start_ns` and moves only as loop.h says. */
int client_new_manual(struct muster_client **ret_client,
        const struct muster_client_options *options, uint64_t start_ns);

#endif
