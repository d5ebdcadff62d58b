/* SPDX-License-Identifier: MIT */
#include "client.h"

#include "callback.h"
#include "client_bodies.h"
#include "files.h"
#include "flow.h"
#include "relay.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>

#define BODIES_BYTES_MAX (64u * 1024 * 1024) /* of memory that is kept for the next bodies */
#define STORE_MAX        4096 /* recycled requests; more would wait for a burst that may not come */

/* Is there a client, and may this thread use it now? */
static bool is_ours(const struct muster_client *client)
{
        return client && !callback_is_running();
}

/* --- making and unmaking --------------------------------------------------------------------- */

static int init_lanes(struct muster_client *client, const struct engine_plan *plan,
        struct muster_error *error)
{
        if (plan->clock.is_manual)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: several threads cannot share a manual clock");
        return lanes_new(&client->lanes, client->settings.threads, plan, error);
}

/* An https proxy is trusted, or not, apart from the servers. */
static int init_proxy_tls(struct muster_client *client, const struct muster_client_options *options,
        struct muster_error *error)
{
        client->proxy_tls_source.options.is_for_proxy = true;
        return tls_source_init(&client->proxy_tls_source,
                &(struct muster_client_options){ .ca_file = options->proxy_ca_file,
                        .client_cert_file = options->proxy_client_cert_file,
                        .client_key_file = options->proxy_client_key_file,
                        .keylog_file = options->keylog_file,
                        .insecure_no_verify = options->proxy_insecure_no_verify },
                error);
}

static int init_client(struct muster_client *client, const struct muster_client_options *options,
        struct clock clock, struct muster_error *error)
{
        struct engine_plan plan = { .settings = &client->settings,
                .tls_source = &client->tls_source,
                .proxy_tls_source = &client->proxy_tls_source,
                .bodies = &client->bodies,
                .body_memory = &client->body_memory,
                .dns_server = options->dns_server,
                .resolve = options->resolve,
                .clock = clock };
        int r = settings_init(&client->settings, options, error);

        client_bodies_init(client);
        if (r == 0 && options->threads == MUSTER_THREADS_AUTO)
                files_fit_threads(&client->settings);
        if (r == 0)
                r = files_make_room(&client->settings, &plan.n_conns_max, error);
        if (r == 0 && client->settings.threads == 1)
                r = engine_init(&client->engine, &plan, error);
        if (r == 0)
                r = tls_source_init(&client->tls_source, options, error);
        if (r == 0 && routes_have_https_proxy(&client->settings.routes))
                r = init_proxy_tls(client, options, error);
        if (r == 0 && client->settings.threads > 1)
                r = init_lanes(client, &plan, error);
        return r;
}

static int make_client(struct muster_client **ret_client, const struct muster_client_options *given,
        struct clock clock)
{
        struct muster_client_options options = settings_known_options(given);
        struct muster_client *client = mem_zalloc(sizeof(*client));
        struct muster_error error = { 0 };
        int r;

        if (options.error)
                *options.error = error;
        if (!is_ours(client))
                return error_set_memory(options.error, MUSTER_PHASE_QUEUE);
        list_init(&client->taken);
        list_init(&client->store);
        buf_store_init(&client->bodies, BODIES_BYTES_MAX);
        body_memory_init(&client->body_memory, UINT64_MAX);
        r = init_client(client, &options, clock, &error);
        if (r < 0) {
                if (options.error)
                        *options.error = error;
                muster_client_free(client);
                return r;
        }
        *ret_client = client;
        return 0;
}

int muster_client_new(struct muster_client **ret_client,
        const struct muster_client_options *options)
{
        if (!ret_client)
                return MUSTER_E_INVALID;
        return make_client(ret_client, options, (struct clock){ 0 });
}

int client_new_manual(struct muster_client **ret_client,
        const struct muster_client_options *options, uint64_t start_ns)
{
        return make_client(ret_client, options,
                (struct clock){ .is_manual = true, .manual_ns = start_ns });
}

/* --- unmaking -------------------------------------------------------------------------------- */

/* Results that the caller still has outlive the client. */
static void orphan_taken(struct muster_client *client)
{
        struct list *link;

        while ((link = list_pop(&client->taken)))
                request_of_link(link)->client = NULL;
}

struct muster_client *muster_client_free(struct muster_client *client)
{
        if (!is_ours(client))
                return NULL;
        engine_stop(&client->engine);
        client->lanes = lanes_free(client->lanes);
        orphan_taken(client);
        requests_destroy(&client->store);
        engine_deinit(&client->engine);
        buf_store_deinit(&client->bodies);
        body_memory_deinit(&client->body_memory);
        tls_source_deinit(&client->tls_source);
        tls_source_deinit(&client->proxy_tls_source);
        settings_deinit(&client->settings);
        return mem_free(client);
}

/* --- requests in ----------------------------------------------------------------------------- */

/*
 * Set the number of held requests. A full queue counts as full until it is half empty, as a caller
 * refills it while it takes results.
 */
static void set_held(struct muster_client *client, uint64_t n_held)
{
        struct engine *engine = &client->engine;

        assert(n_held <= client->settings.queue_size);
        engine->n_held = n_held;
        if (n_held >= client->settings.queue_size)
                engine->sched.is_full = true;
        else if (n_held < client->settings.queue_size / 2)
                engine->sched.is_full = false;
        if (client->lanes)
                lanes_note_held(client->lanes, n_held, engine->sched.is_full);
}

static bool is_full(const struct muster_client *client)
{
        return client->engine.n_held >= client->settings.queue_size;
}

static void hand_over(struct muster_client *client, struct muster_request *request)
{
        if (client->lanes) {
                lanes_submit(client->lanes, request);
                return;
        }
        flow_submit(&client->engine, request);
        if (client->engine.has_foreign_loop)
                loop_wake(&client->engine.loop);
}

/* Was the request never submitted? */
static bool is_new(const struct muster_request *request)
{
        return request && request->state == REQUEST_NEW && !request->client;
}

int muster_submit(struct muster_client *client, struct muster_request *take_request,
        uint64_t *ret_id)
{
        if (!is_ours(client) || !is_new(take_request)) {
                /* A request that was submitted before must not be freed here. */
                if (is_new(take_request))
                        muster_request_free(take_request);
                return MUSTER_E_INVALID;
        }
        if (is_full(client))
                return MUSTER_FULL;
        set_held(client, client->engine.n_held + 1);
        take_request->client = client;
        take_request->id = ++client->n_submitted;
        take_request->result.submitted_ns = clock_now(&client->engine.clock);
        if (ret_id)
                *ret_id = take_request->id;
        hand_over(client, take_request);
        return 0;
}

static struct muster_request *from_store(struct muster_client *client)
{
        struct list *link = list_pop(&client->store);

        assert(!link || client->n_stored);
        if (!link)
                return mem_zalloc(sizeof(struct muster_request));
        client->n_stored--;
        return request_of_link(link);
}

int muster_get(struct muster_client *client, const char *url, void *userdata)
{
        struct muster_request *request;

        if (!is_ours(client) || !url)
                return MUSTER_E_INVALID;
        if (is_full(client))
                return MUSTER_FULL;
        request = from_store(client);
        if (!request)
                return MUSTER_E_RESOURCE;
        if (request_begin(request, NULL, url) < 0) {
                request_destroy(request);
                return MUSTER_E_RESOURCE;
        }
        request->userdata = userdata;
        return muster_submit(client, request, NULL);
}

int muster_cancel(struct muster_client *client, uint64_t id)
{
        struct muster_request *request;

        if (!is_ours(client))
                return MUSTER_E_INVALID;
        if (client->lanes)
                return id ? lanes_cancel(client->lanes, id) : MUSTER_E_INVALID;
        request = outstanding_find(&client->engine.outstanding, id);
        if (!request)
                return MUSTER_E_INVALID;
        engine_cancel(request);
        return 0;
}

void muster_cancel_queued(struct muster_client *client)
{
        if (!is_ours(client))
                return;
        if (client->lanes)
                lanes_cancel_queued(client->lanes);
        else
                engine_cancel_queued(&client->engine);
}

void muster_cancel_all(struct muster_client *client)
{
        if (!is_ours(client))
                return;
        if (client->lanes)
                lanes_cancel_all(client->lanes);
        else
                engine_cancel_all(&client->engine);
}

/* --- results out ----------------------------------------------------------------------------- */

static struct muster_request *pop_finished(struct muster_client *client)
{
        struct list *link;

        if (client->lanes)
                return lanes_take(client->lanes);
        link = list_pop(&client->engine.finished);
        return link ? request_of_link(link) : NULL;
}

static bool has_finished(struct muster_client *client)
{
        return client->lanes ? lanes_have_results(client->lanes)
                             : !list_is_empty(&client->engine.finished);
}

struct muster_result *muster_take(struct muster_client *client)
{
        struct muster_request *request;
        struct muster_result *result;

        if (!is_ours(client) || !(request = pop_finished(client)))
                return NULL;
        list_push_back(&client->taken, &request->link);
        set_held(client, client->engine.n_held - 1);
        result = &request->result;
        if (request->relay) /* its engine still works on it, and will trace it */
                return result;
        if (request->hold.state != BODY_NONE)
                body_hold_take(&client->body_memory, &request->hold);
        request->is_with_caller = true;
        if (request->state != REQUEST_FINISHED) {
                client->engine.n_streams++;
                return result;
        }
        request->state = REQUEST_TAKEN;
        result->taken_ns = clock_now(&client->engine.clock);
        result->phase_ns[MUSTER_PHASE_DELIVER] += result->taken_ns - result->finished_ns;
        tracing_request(request);
        return result;
}

/* Cancel a stream that is not over yet. */
static void end_stream(struct muster_request *request)
{
        if (request->relay && !relay_is_over(request->relay))
                (void)lanes_cancel(request->client->lanes, request->id);
        else if (!request->relay && request->state != REQUEST_TAKEN)
                engine_cancel(request);
}

static void put_back(struct muster_request *request)
{
        struct muster_client *client = request->client;

        end_stream(request);
        assert(request->state == REQUEST_TAKEN);
        list_remove(&request->link);
        if (client) {
                client_bodies_freed(client, request);
                client_bodies_keep(client, &request->result.body);
        }
        if (!client || client->n_stored >= STORE_MAX) {
                request_destroy(request);
                return;
        }
        request_recycle(request);
        list_push_front(&client->store, &request->link);
        client->n_stored++;
}

struct muster_result *muster_result_free(struct muster_result *result)
{
        if (result && !callback_is_running())
                put_back(request_of_result(result));
        return NULL;
}

struct muster_result *muster_next(struct muster_client *client)
{
        while (is_ours(client) && !has_finished(client)) {
                int r = muster_wait(client, MUSTER_NO_TIMEOUT);

                if (r == MUSTER_IDLE || r < 0)
                        return NULL;
        }
        return muster_take(client);
}

/* --- the work -------------------------------------------------------------------------------- */

int client_turn(struct muster_client *client)
{
        return engine_turn(&client->engine, UINT64_MAX);
}

int client_wait_for(struct muster_request *stream)
{
        struct muster_client *client = stream->client;

        if (!client->lanes)
                return client_turn(client);
        lanes_expect(client->lanes);
        if (relay_is_empty(stream->relay))
                lanes_wait_for_news(client->lanes);
        return 0;
}

void client_wants_more(struct muster_request *request)
{
        lane_nudge(lane_of_engine(request->engine));
}

static int wait_for_results(struct muster_client *client, uint64_t until_ns)
{
        if (client->lanes)
                return lanes_wait(client->lanes, until_ns);
        while (list_is_empty(&client->engine.finished)) {
                int r;

                /* Streams that the caller has are no results to come: the caller must read them. */
                if (engine_n_outstanding(&client->engine) == client->engine.n_streams)
                        return MUSTER_IDLE;
                r = engine_turn(&client->engine, until_ns);
                if (r < 0)
                        return r;
                if (client->engine.loop.was_woken) {
                        client->engine.loop.was_woken = false;
                        return list_is_empty(&client->engine.finished) ? MUSTER_WOKEN : 0;
                }
                if (list_is_empty(&client->engine.finished) &&
                        clock_now(&client->engine.clock) >= until_ns)
                        return MUSTER_LATER;
        }
        return 0;
}

int muster_wait(struct muster_client *client, uint64_t timeout_ms)
{
        bool is_endless = timeout_ms == MUSTER_NO_TIMEOUT;
        uint64_t until_ns;
        int r;

        if (!is_ours(client))
                return MUSTER_E_INVALID;
        until_ns =
                clock_after(clock_now(&client->engine.clock), settings_timeout_ns(timeout_ms, 0));
        client_bodies_tell(client);
        if (is_endless)
                body_memory_caller_waits(&client->body_memory, true);
        r = wait_for_results(client, until_ns);
        if (is_endless)
                body_memory_caller_waits(&client->body_memory, false);
        return r;
}

void muster_wake(struct muster_client *client)
{
        if (client && client->lanes)
                lanes_wake(client->lanes);
        else if (client)
                loop_wake(&client->engine.loop);
}

int muster_client_fd(struct muster_client *client)
{
        int fd;

        if (!is_ours(client))
                return MUSTER_E_INVALID;
        if (client->lanes)
                return lanes_fd(client->lanes);
        fd = loop_pollable_fd(&client->engine.loop);
        if (fd >= 0 && !client->engine.has_foreign_loop) {
                client->engine.has_foreign_loop = true;
                loop_wake(&client->engine.loop); /* for requests submitted before */
        }
        return fd;
}

int muster_turn(struct muster_client *client)
{
        int r;

        if (!is_ours(client))
                return MUSTER_E_INVALID;
        client_bodies_tell(client);
        if (client->lanes)
                return lanes_turn(client->lanes);
        r = engine_turn(&client->engine, 0);
        client->engine.loop.was_woken = false;
        if (r < 0 || !list_is_empty(&client->engine.finished))
                return r;
        return list_is_empty(&client->engine.outstanding.list) ? MUSTER_IDLE : MUSTER_LATER;
}

/* --- tracing --------------------------------------------------------------------------------- */

int client_trace(struct muster_client *client, struct tracer *take_tracer)
{
        return client->lanes ? lanes_trace(client->lanes, take_tracer)
                             : tracing_begin(&client->engine, take_tracer);
}

void client_untrace(struct muster_client *client)
{
        if (client->lanes)
                lanes_untrace(client->lanes);
        else
                tracing_end(&client->engine);
}

struct tracer *client_tracer(const struct muster_client *client)
{
        const struct engine *engine =
                client->lanes ? lanes_first_engine(client->lanes) : &client->engine;

        return engine->tracing.tracer ? engine->tracing.tracer : engine->tracing.ended;
}
