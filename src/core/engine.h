/* SPDX-License-Identifier: MIT */
/*
 * An engine: one loop, and everything that the requests of one thread share
 *
 * Requests come in through flow_submit() and leave as results in `finished`. An engine does not
 * know its client, and knows other engines only through its table of functions. They share the
 * settings, which are constant, and the TLS context, which is made once for all (tls_source.h).
 */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include "body_memory.h"
#include "origin.h"
#include "outstanding.h"
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
#include <http/proxy_auth.h>
#include <muster/client.h>
#include <net/resolve.h>

#define PLAIN_BYTES (32 * 1024) /* two TLS records */

struct engine;

/*
 * What one of several engines asks of those who run them (lane.h): a table of functions, as an
 * engine does not know the modules above it.
 */
struct engine_ops {
        /* A turn begins: take what other threads have posted. False: this turn must not wait. */
        bool (*enter)(struct engine *engine);
        /* Lease slots before requests are started, and return unused ones afterwards. */
        void (*borrow_slots)(struct engine *engine);
        void (*return_slots)(struct engine *engine);
        /* A turn ends: hand over what is finished. */
        void (*leave)(struct engine *engine);
        /*
         * The engine to which requests to this URL belong, and the way there; send_home() takes the
         * request.
         */
        struct engine *(*home_of)(struct engine *engine, const struct url *url);
        void (*send_home)(struct engine *home, struct muster_request *take_request);
        /* A request was queued for this origin. */
        void (*met)(struct engine *engine, struct origin *origin);
        /* Make it look again at what it shares with others. Any thread. */
        void (*nudge)(struct engine *engine);
        /* An origin refused a request. */
        void (*refused)(struct engine *engine, const struct origin *origin);
};

/* What an engine knows of a proxy. */
struct engine_proxy {
        struct proxy_auth auth;        /* of one that speaks HTTP */
        struct tls_sessions *sessions; /* of an https proxy; NULL before the first handshake */
        uint32_t number;               /* of its URL in the record; 0: not recorded yet */
};

struct engine {
        const struct engine_ops *ops; /* NULL: it is the only one */
        const struct settings *settings;
        struct tls_source *tls_source, *proxy_tls_source;
        struct buf_store *bodies;                /* memory for large bodies */
        struct body_share body_share;            /* of the memory that all bodies may have */
        const struct exchange_ops *exchange_ops; /* take what exchanges report */
        uint8_t number;                          /* from 1, among the engines of its client */
        struct clock clock;
        struct loop loop;
        struct resolver *resolver;
        struct rand rand;

        struct url recent_url; /* that was asked for; the next one often has the same origin */
        struct origins origins;
        struct sched sched;
        struct tracing tracing;
        struct loop_timer start_timer; /* the next planned start */
        struct pool pool;
        struct list unflushed; /* connections whose mux has something to send */
        struct buf head;       /* what is written over TLS, before it is encrypted */
        struct retry_budget retry_budget;
        struct workers *workers; /* made for the first work; NULL before */
        struct loop_watch workers_watch;
        size_t n_processing;

        struct outstanding outstanding; /* requests that have no result yet */
        struct list finished;           /* requests with a result, in order of completion */
        uint64_t n_held;    /* requests submitted and not taken; counted by the client */
        uint64_t n_streams; /* outstanding requests that the caller has already, as streams */

        struct engine_proxy proxies[ROUTE_PROXIES_MAX]; /* by their index in settings->routes */

        struct h1_scratch scratch; /* fields of the present head */
        char plain[PLAIN_BYTES];   /* the last plaintext */
        char *wrapped; /* the same of TLS with a proxy around TLS; made for the first such connection */
        /* The caller's own loop waits for ours, so its descriptor must show all work. */
        bool has_foreign_loop;
        uint64_t hold_until_ns; /* the latest moment until which a server asked to wait */
        uint64_t turned_ns;     /* when the last turn was over */
        struct muster_client_stats stats;
};

/* What an engine is made from. Settings, TLS source and store are borrowed and must outlive it. */
struct engine_plan {
        const struct settings *settings;
        struct tls_source *tls_source, *proxy_tls_source;
        struct buf_store *bodies;
        struct body_memory *body_memory;
        const char *dns_server;     /* as in muster_client_options; read once */
        const char *const *resolve; /* as in muster_client_options; read once */
        struct clock clock;
        unsigned n_conns_max; /* open at once, idle ones included */
};

/*
 * Make a zeroed engine ready. MUSTER_E_RESOURCE, MUSTER_E_INVALID with *error; deinit is needed in
 * any case.
 */
int engine_init(struct engine *engine, const struct engine_plan *plan, struct muster_error *error);

/*
 * Cancel outstanding requests, wait for the workers, and end tracing. Results in `finished` can
 * still be taken.
 */
void engine_stop(struct engine *engine);

/* The same without ending tracing. */
void engine_end_all(struct engine *engine);

/*
 * Release the engine and the results that nobody took, after engine_stop() or engine_end_all().
 * Also after a failed engine_init(), and for a zeroed engine.
 */
void engine_deinit(struct engine *engine);

/* The time of its clock, which may have moved since the turn began. */
static inline uint64_t engine_now(const struct engine *engine)
{
        return clock_now(&engine->clock);
}

/*
 * End requests with MUSTER_E_CANCELLED: an outstanding one, those that wait for a slot or their
 * next try, or all of them. A request that a worker has begun ends when the worker is done.
 */
void engine_cancel(struct muster_request *request);
void engine_cancel_queued(struct engine *engine);
void engine_cancel_all(struct engine *engine);

/*
 * Make one turn of the loop: start the requests that can start, wait until `until_ns` at most, and
 * handle what came. It does not wait if there is a result already. Negative: the loop failed.
 */
int engine_turn(struct engine *engine, uint64_t until_ns);

/* Requests that have no result yet. */
uint64_t engine_n_outstanding(const struct engine *engine);

/* The counters and levels at present. */
struct muster_client_stats engine_stats(const struct engine *engine);

#endif
