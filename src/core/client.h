/* SPDX-License-Identifier: MIT */
/*
 * A client: the caller's side of one engine in the caller's thread, or of several, each in its own
 * thread (lanes.h)
 */
#ifndef CORE_CLIENT_H
#define CORE_CLIENT_H

#include "engine.h"
#include "lanes.h"

struct muster_client {
        struct settings settings;
        struct tls_source tls_source;
        struct tls_source proxy_tls_source; /* for https proxies */
        struct engine engine; /* in the caller's thread; not made if there are lanes */
        struct lanes *lanes;  /* NULL: no threads */
        uint64_t n_submitted;
        struct list taken; /* requests that the caller has as results */
        struct list store; /* recycled requests */
        size_t n_stored;
        struct body_memory body_memory; /* what all bodies may take */
        struct body_share *body_share;  /* the caller's: with one thread, the engine's */
        struct body_share caller_share; /* with several */
        struct buf_store bodies;        /* memory of large bodies that the caller no longer needs */
};

/* Make one turn of the loop, which waits until something happens. Only without threads. */
int client_turn(struct muster_client *client);

/* Wait until something happens that may have brought a stream something to read. */
int client_wait_for(struct muster_request *stream);

/* A stream's reader has made room for more. */
void client_wants_more(struct muster_request *request);

/*
 * Attach a tracer before anything was submitted, and end tracing: as tracing_begin() and
 * tracing_end(). With threads, rows come from all of them, and ops->end() and ops->free() are
 * called once for each.
 */
int client_trace(struct muster_client *client, struct tracer *take_tracer);
void client_untrace(struct muster_client *client);

/* The tracer of a client, even after client_untrace(); NULL: none was attached. */
struct tracer *client_tracer(const struct muster_client *client);

/* For tests: a client on a manual clock that begins at `start_ns` (see loop.h). */
int client_new_manual(struct muster_client **ret_client,
        const struct muster_client_options *options, uint64_t start_ns);

#endif
