/* SPDX-License-Identifier: MIT */
/*
 * An engine: one loop, and all that one thread's requests share
 *
 * Requests come in by flow_submit() and leave as results in `finished`. An engine knows nothing of
 * the client that it belongs to, and of other engines only what its table of functions says: what
 * they share is in its settings, which are constant, and in the TLS context, which is made once for
 * all (tls_source.h).
 */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include "origin.h"
#include "pool.h"
#include "request.h"
#include "retry.h"
#include "sched.h"
#include "settings.h"
#include "tracing.h"
#include "tls_source.h"
#include "workers.h"
#include <base/buf_store.h>
#include <base/rand.h>
#include <http/h1_read.h>
#include <muster/client.h>
#include <net/resolve.h>

#define PLAIN_BYTES (32 * 1024) /* two TLS records */

struct engine;

/*
 * What an engine that is one of several asks of whoever runs them (lane.h): a table of functions,
 * as what stands above is not known here.
 */
struct engine_ops {
        /* A turn begins: take in what others want. False: it is not to wait for anything. */
        bool (*enter)(struct engine *engine);
        /* Requests are about to be started, in so many slots; those that could be were. */
        void (*borrow_slots)(struct engine *engine);
        void (*return_slots)(struct engine *engine);
        /* A turn ends: hand out what is finished. */
        void (*leave)(struct engine *engine);
        /* Where requests to this URL belong, and the way there; send_home() takes the request. */
        struct engine *(*home_of)(struct engine *engine, const struct url *url);
        void (*send_home)(struct engine *home, struct muster_request *take_request);
        /* An origin has refused a request. */
        void (*refused)(struct engine *engine, const struct origin *origin);
};

struct engine {
        const struct engine_ops *ops; /* NULL: it is alone */
        const struct settings *settings;
        struct tls_source *tls_source;
        struct buf_store *bodies;                /* memory for large ones */
        const struct exchange_ops *exchange_ops; /* to whom exchanges are reported */
        uint8_t number;                          /* from 1, among the engines of its client */
        struct clock clock;
        struct loop loop;
        struct resolver *resolver;
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

        struct list outstanding;       /* requests that have no result yet */
        struct list finished;          /* requests with a result, in order of completion */
        struct muster_request **by_id; /* chains of outstanding requests */
        size_t by_id_mask;
        uint64_t n_held;    /* submitted, and their results not taken: counted by the client */
        uint64_t n_streams; /* outstanding, and with the caller already */

        struct h1_scratch scratch; /* fields of the head that is being read */
        char plain[PLAIN_BYTES];   /* what was decrypted last */
        /* A loop of the caller's waits for ours: its descriptor must tell of all work. */
        bool has_foreign_loop;
        uint64_t hold_until_ns; /* the latest moment that a server asked to wait for */
        struct muster_client_stats stats;
};

/* What an engine is made of. Settings, TLS and the store are borrowed and outlive it. */
struct engine_plan {
        const struct settings *settings;
        struct tls_source *tls_source;
        struct buf_store *bodies;
        const char *dns_server;     /* as in muster_client_options; read once */
        const char *const *resolve; /* so, too */
        struct clock clock;
        unsigned n_conns_max; /* open at once, idle ones included */
};

/* A zeroed engine is made ready. MUSTER_E_RESOURCE, MUSTER_E_INVALID with *error: deinit it. */
int engine_init(struct engine *engine, const struct engine_plan *plan, struct muster_error *error);

/*
 * Cancel what is outstanding, wait for the workers, tell the tracer the end. What is in `finished`
 * can still be taken.
 */
void engine_stop(struct engine *engine);

/* The same without the tracer. */
void engine_end_all(struct engine *engine);

/* After that, with the results that nobody took. Also after a failed engine_init(), and of a zeroed one. */
void engine_deinit(struct engine *engine);

/* What its clock says, which may have moved since the turn began. */
static inline uint64_t engine_now(const struct engine *engine)
{
        return clock_now(&engine->clock);
}

/* The outstanding request of that number; NULL when there is none. */
struct muster_request *engine_find(const struct engine *engine, uint64_t id);

/*
 * End requests with MUSTER_E_CANCELLED: one that is outstanding, those that wait for a slot or their
 * next try, or all. One that a worker has is over when the worker is.
 */
void engine_cancel(struct muster_request *request);
void engine_cancel_queued(struct engine *engine);
void engine_cancel_all(struct engine *engine);

/*
 * One turn of the loop: start who can start, wait until `until_ns` at the latest, or not at all when
 * there is a result already, and handle what came. Negative: the loop failed.
 */
int engine_turn(struct engine *engine, uint64_t until_ns);

/* Requests that have no result yet. */
uint64_t engine_n_outstanding(const struct engine *engine);

/* How things stand. */
struct muster_client_stats engine_stats(const struct engine *engine);

#endif
