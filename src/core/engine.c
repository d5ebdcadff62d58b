/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include "exchange.h"
#include "finish.h"
#include "flow.h"
#include "turns.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>

/* --- making and unmaking --------------------------------------------------------------------- */

static int init_loop(struct engine *engine, struct muster_error *error)
{
        int sys = 0;
        int r = loop_init(&engine->loop, &engine->clock, &sys);

        if (r < 0)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys,
                        "resource: cannot set up the event loop: %s", error_sys_text(sys));
        return 0;
}

/* Does nothing: the timer only ends the loop's wait, and engine_turn() does the rest. */
static void start_is_due(struct loop_timer *timer, uint64_t late_ns)
{
        (void)timer;
        (void)late_ns;
}

static void workers_ready(struct loop_watch *watch, bool readable, bool writable)
{
        (void)readable;
        (void)writable;
        finish_take_processed(LIST_OWNER(watch, struct engine, workers_watch));
}

/* Bodies of this engine may go on, or requests start. Any thread, in a turn or between two. */
static void body_room(struct body_share *share)
{
        struct engine *engine = LIST_OWNER(share, struct engine, body_share);

        if (engine->ops)
                engine->ops->nudge(engine);
        else if (engine->has_foreign_loop)
                loop_wake(&engine->loop);
}

static void init_parts(struct engine *engine, const struct engine_plan *plan)
{
        const struct settings *settings = engine->settings;
        uint64_t seed;

        pool_init(&engine->pool, &engine->loop, &engine->origins, plan->n_conns_max,
                settings->idle_timeout_ns);
        engine->pool.keeps_apart = guard_is_active(&settings->guard);
        sched_init(&engine->sched, settings->concurrency, settings->per_host);
        sched_set_rates(&engine->sched, settings->rate_per_s, settings->rate_per_host_per_s);
        if (settings->rate_ramp_ns)
                rate_set_ramp(&engine->sched.pace.rate, settings->rate_from_per_s,
                        settings->rate_ramp_ns);
        engine->start_timer.fire = start_is_due;
        engine->workers_watch.ready = workers_ready;
        retry_budget_init(&engine->retry_budget, settings->retry_budget_percent);
        rand_seed_bytes(&seed, sizeof(seed));
        rand_init(&engine->rand, seed);
}

static void init_proxies(struct engine *engine)
{
        const struct routes *routes = &engine->settings->routes;

        for (unsigned i = 0; i < routes->n_proxies; i++)
                if (proxy_speaks_http(&routes->proxies[i]))
                        proxy_auth_init(&engine->proxies[i].auth, &routes->proxies[i],
                                routes->auth_schemes);
}

static void deinit_proxies(struct engine *engine)
{
        for (unsigned i = 0; i < ROUTE_PROXIES_MAX; i++) {
                proxy_auth_deinit(&engine->proxies[i].auth);
                engine->proxies[i].sessions = tls_sessions_free(engine->proxies[i].sessions);
        }
}

int engine_init(struct engine *engine, const struct engine_plan *plan, struct muster_error *error)
{
        struct resolver_options resolver = { .servers = plan->dns_server,
                .overrides = plan->resolve,
                .family = plan->settings->routes.family,
                .looked_up = tracing_lookup,
                .observer = engine };
        int r;

        assert(!engine->settings);
        engine->number = 1;
        engine->settings = plan->settings;
        engine->tls_source = plan->tls_source;
        engine->proxy_tls_source = plan->proxy_tls_source;
        engine->bodies = plan->bodies;
        body_share_init(&engine->body_share, plan->body_memory, body_room);
        engine->exchange_ops = &flow_exchange_ops;
        engine->clock = plan->clock;
        list_init(&engine->finished);
        list_init(&engine->unflushed);
        origins_init(&engine->origins);
        engine->origins.routes = &engine->settings->routes;
        init_proxies(engine);
        if (outstanding_init(&engine->outstanding, engine->settings->queue_size) < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        r = init_loop(engine, error);
        if (r < 0)
                return r;
        if (local_end_is_given(&engine->settings->routes.local_end))
                engine->loop.local_end = &engine->settings->routes.local_end;
        init_parts(engine, plan);
        return resolver_new(&engine->resolver, &engine->loop, &resolver, error);
}

void engine_deinit(struct engine *engine)
{
        if (!engine->settings)
                return;
        requests_destroy(&engine->finished);
        pool_deinit(&engine->pool);
        resolver_free(engine->resolver);
        sched_deinit(&engine->sched);
        origins_deinit(&engine->origins);
        deinit_proxies(engine);
        engine->wrapped = mem_free(engine->wrapped);
        if (engine->loop.clock)
                loop_deinit(&engine->loop);
        outstanding_deinit(&engine->outstanding);
        buf_deinit(&engine->head);
        url_deinit(&engine->recent_url);
        tracing_deinit(&engine->tracing);
}

/* --- cancelling ------------------------------------------------------------------------------ */

void engine_cancel(struct muster_request *request)
{
        struct muster_error error = { 0 };

        error_set(&error, MUSTER_E_CANCELLED, MUSTER_PHASE_QUEUE, 0, "cancelled: by the caller");
        flow_abort(request, &error);
}

static bool is_waiting(const struct muster_request *request)
{
        return request->state == REQUEST_QUEUED || request->state == REQUEST_BACKOFF;
}

void engine_cancel_queued(struct engine *engine)
{
        struct list *link, *next;

        for (link = engine->outstanding.list.next; link != &engine->outstanding.list; link = next) {
                struct muster_request *request = request_of_all_link(link);

                next = link->next;
                if (is_waiting(request))
                        engine_cancel(request);
        }
}

void engine_cancel_all(struct engine *engine)
{
        struct list *link, *next;

        for (link = engine->outstanding.list.next; link != &engine->outstanding.list; link = next) {
                next = link->next;
                engine_cancel(request_of_all_link(link));
        }
}

void engine_end_all(struct engine *engine)
{
        engine_cancel_all(engine);
        work_stop(engine);
        finish_take_processed(engine);
        work_end(engine);
}

void engine_stop(struct engine *engine)
{
        if (!engine->settings)
                return;
        engine_end_all(engine);
        tracing_end(engine);
}

/* --- the work -------------------------------------------------------------------------------- */

/*
 * Start the requests that can start, and set the timer for the next one. Returns until when the
 * loop may wait at most.
 */
static uint64_t start_all(struct engine *engine)
{
        uint64_t now_ns = engine_now(engine), next_ns;

        /* One moment for both: what became due in between would have no slot, and no timer. */
        sched_advance(&engine->sched, now_ns);
        if (engine->ops)
                engine->ops->borrow_slots(engine);
        flow_start_all(engine, now_ns);
        exchange_flush(engine);
        if (engine->ops)
                engine->ops->return_slots(engine);
        next_ns = sched_next_ns(&engine->sched);
        if (loop_timer_set(&engine->loop, &engine->start_timer, next_ns) == 0)
                return UINT64_MAX;
        if (engine->has_foreign_loop)
                loop_wake(&engine->loop); /* no memory for the timer: have the caller come back */
        return next_ns;
}

/* In less no peer ends a connection because it is idle, and one look costs a system call. */
#define AWAY_NS NS_PER_MS

/*
 * A caller that has been away for a while submits and waits. What happened meanwhile is not known
 * yet: idle connections may be closed, and a request that is begun on one of them is lost. Who was
 * woken meanwhile is not to wait.
 */
static int catch_up(struct engine *engine, uint64_t *until_ns)
{
        bool was_woken = engine->loop.was_woken;
        int r;

        if (list_is_empty(&engine->pool.idle) || engine_now(engine) - engine->turned_ns < AWAY_NS)
                return 0;
        r = loop_turn(&engine->loop, 0);
        if (engine->loop.was_woken && !was_woken)
                *until_ns = 0;
        return r;
}

int engine_turn(struct engine *engine, uint64_t until_ns)
{
        uint64_t next_ns;
        int r = catch_up(engine, &until_ns);

        if (r < 0)
                return r;
        turns_enter(engine);
        if (engine->ops && !engine->ops->enter(engine))
                until_ns = 0;
        next_ns = start_all(engine);
        if (next_ns < until_ns)
                until_ns = next_ns;
        if (!list_is_empty(&engine->finished))
                until_ns = 0; /* a request failed before it started: do not delay its result */
        body_share_settle(&engine->body_share);
        turns_over(engine);
        r = loop_turn(&engine->loop, until_ns);
        start_all(engine);
        pool_reap(&engine->pool);
        /* Only we know of sockets that are still ready: have a foreign loop come back. */
        if (engine->has_foreign_loop && !list_is_empty(&engine->loop.ready_sockets))
                loop_wake(&engine->loop);
        if (engine->ops)
                engine->ops->leave(engine);
        turns_leave(engine);
        engine->turned_ns = engine_now(engine);
        return r;
}

/* --- counters -------------------------------------------------------------------------------- */

uint64_t engine_n_outstanding(const struct engine *engine)
{
        return engine->stats.n_submitted - engine->stats.n_finished;
}

static uint64_t hold_left_ns(const struct engine *engine)
{
        uint64_t now_ns = clock_now(&engine->clock);

        if (engine->sched.n_running || engine->hold_until_ns < now_ns)
                return 0;
        return engine->hold_until_ns - now_ns;
}

struct muster_client_stats engine_stats(const struct engine *engine)
{
        struct muster_client_stats stats = engine->stats;

        stats.n_in_flight = engine->sched.n_running;
        stats.n_processing = engine->n_processing;
        stats.n_queued = engine_n_outstanding(engine) - stats.n_in_flight - stats.n_processing;
        stats.hold_ns = hold_left_ns(engine);
        stats.n_lookups = resolver_n_lookups(engine->resolver);
        stats.n_turns = engine->loop.stats.n_turns;
        stats.longest_turn_ns = engine->loop.stats.longest_turn_ns;
        return stats;
}
