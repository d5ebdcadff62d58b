/* SPDX-License-Identifier: MIT */
/*
 * A client: all that one thread's requests share
 */
#ifndef CORE_CLIENT_H
#define CORE_CLIENT_H

#include "origin.h"
#include "pool.h"
#include "request.h"
#include "retry.h"
#include "sched.h"
#include "settings.h"
#include "tracing.h"
#include "workers.h"
#include <base/rand.h>
#include <http/h1_read.h>
#include <muster/client.h>
#include <net/resolve.h>
#include <tls/tls.h>

#define PLAIN_BYTES (32 * 1024) /* two TLS records */

struct muster_client {
        struct settings settings;
        struct clock clock;
        struct loop loop;
        struct resolver *resolver;
        struct tls_options tls_options; /* text owned here */
        /* Made for the first https request: loading a trust store takes its time. */
        struct tls_context *tls;
        struct rand rand;

        struct origins origins;
        struct sched sched;
        struct tracing tracing;
        struct loop_timer start_timer; /* the next moment at which the plan has somebody start */
        struct pool pool;
        struct retry_budget retry_budget;
        struct workers *workers; /* made when there is work for them; NULL before */
        struct loop_watch workers_watch;
        size_t n_processing;
        uint64_t n_streams; /* outstanding, and with the caller already */

        struct list outstanding; /* requests that have no result yet */
        /* Requests with a result that was not taken, in order of completion. */
        struct list finished;
        struct list taken; /* requests that are with the caller as results */
        struct list store; /* recycled requests */
        size_t n_stored;
        uint64_t n_held;               /* submitted and not taken */
        struct muster_request **by_id; /* chains of outstanding requests */
        size_t by_id_mask;

        struct h1_scratch scratch; /* fields of the head that is being read */
        char plain[PLAIN_BYTES];   /* what was decrypted last */
        /* muster_client_fd() was asked for: the descriptor must tell of all work */
        bool has_foreign_loop;
        uint64_t hold_until_ns; /* the latest moment that a server asked to wait for */
        struct muster_client_stats stats;
};

static inline struct muster_client *client_of_loop(struct loop *loop)
{
        return LIST_OWNER(loop, struct muster_client, loop);
}

/* A result comes back from the caller. Also when its client is gone. */
void client_put_back(struct muster_request *request);

/* The context for https, made on first use. MUSTER_E_TLS, MUSTER_E_RESOURCE. */
int client_tls(struct muster_client *client, struct tls_context **ret_context,
        struct muster_error *error);

/* One turn of the loop, waiting until something happens. */
int client_turn(struct muster_client *client);

/* For tests: a client whose time is `start_ns` and moves only as loop.h says. */
int client_new_manual(struct muster_client **ret_client,
        const struct muster_client_options *options, uint64_t start_ns);

#endif
