/* SPDX-License-Identifier: MIT */
#include "client.h"

#include "callback.h"
#include "flow.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <sys/resource.h>

/* beside connections: races of addresses, name servers, the caller's own */
#define FILES_SPARE      64
#define CONNS_PER_SLOT   4                   /* idle ones included; what curl allows, too */
#define BODIES_BYTES_MAX (64u * 1024 * 1024) /* that are kept of bodies for the next ones */
#define STORE_MAX        4096 /* recycled requests; more wait for a burst that may not come */

/* Is there a client, and may this thread use it? */
static bool is_ours(const struct muster_client *client)
{
        return client && !callback_is_running();
}

/* --- what the machine must hold -------------------------------------------------------------- */

/*
 * Room for `concurrency` connections there must be; as many again and more are for idle ones, so
 * that a batch over several origins need not close the one to open the other.
 */
static int make_room_for_files(unsigned concurrency, unsigned *ret_n_conns_max,
        struct muster_error *error)
{
        rlim_t need = (rlim_t)concurrency + FILES_SPARE;
        rlim_t wanted = (rlim_t)concurrency * CONNS_PER_SLOT + FILES_SPARE;
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                limit = (struct rlimit){ wanted, wanted };
        if (limit.rlim_max < need)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, EMFILE,
                        "resource: a concurrency of %u needs %llu open files, but this process may not have more than %llu; raise the hard limit (ulimit -Hn) or lower the concurrency",
                        concurrency, (unsigned long long)need, (unsigned long long)limit.rlim_max);
        if (wanted > limit.rlim_max)
                wanted = limit.rlim_max;
        if (limit.rlim_cur < wanted) {
                limit.rlim_cur = wanted;
                if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                                "resource: cannot raise the limit of open files to %llu: %s",
                                (unsigned long long)wanted, error_sys_text(errno));
        }
        *ret_n_conns_max = (unsigned)(wanted - FILES_SPARE);
        return 0;
}

/* --- making and unmaking --------------------------------------------------------------------- */

static int init(struct muster_client *client, const struct muster_client_options *options,
        struct clock clock, struct muster_error *error)
{
        struct engine_plan plan = { .settings = &client->settings,
                .tls_source = &client->tls_source,
                .bodies = &client->bodies,
                .dns_server = options->dns_server,
                .resolve = options->resolve,
                .clock = clock };
        int r = settings_init(&client->settings, options, error);

        if (r == 0)
                r = make_room_for_files(client->settings.concurrency, &plan.n_conns_max, error);
        if (r == 0)
                r = engine_init(&client->engine, &plan, error);
        if (r == 0)
                r = tls_source_init(&client->tls_source, options, error);
        return r;
}

static int make(struct muster_client **ret_client, const struct muster_client_options *given,
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
        r = init(client, &options, clock, &error);
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
        return make(ret_client, options, (struct clock){ 0 });
}

int client_new_manual(struct muster_client **ret_client,
        const struct muster_client_options *options, uint64_t start_ns)
{
        return make(ret_client, options,
                (struct clock){ .is_manual = true, .manual_ns = start_ns });
}

/* --- unmaking -------------------------------------------------------------------------------- */

/* Results that the caller still has live on without a client. */
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
        orphan_taken(client);
        requests_destroy(&client->store);
        engine_deinit(&client->engine);
        buf_store_deinit(&client->bodies);
        tls_source_deinit(&client->tls_source);
        settings_deinit(&client->settings);
        return mem_free(client);
}

/* --- requests in ----------------------------------------------------------------------------- */

/*
 * Once full it counts as such until it is half empty: a caller fills it up as results are taken,
 * not at once.
 */
static void note_fullness(struct muster_client *client)
{
        if (client->engine.n_held >= client->settings.queue_size)
                client->engine.sched.is_full = true;
        else if (client->engine.n_held < client->settings.queue_size / 2)
                client->engine.sched.is_full = false;
}

int muster_submit(struct muster_client *client, struct muster_request *take_request,
        uint64_t *ret_id)
{
        if (!is_ours(client) || !take_request || take_request->state != REQUEST_NEW) {
                /* One that was submitted before is not ours to free. */
                if (take_request && take_request->state == REQUEST_NEW)
                        muster_request_free(take_request);
                return MUSTER_E_INVALID;
        }
        if (client->engine.n_held >= client->settings.queue_size)
                return MUSTER_FULL;
        client->engine.n_held++;
        note_fullness(client);
        take_request->client = client;
        flow_submit(&client->engine, take_request);
        if (ret_id)
                *ret_id = take_request->id;
        if (client->engine.has_foreign_loop)
                loop_wake(&client->engine.loop);
        return 0;
}

static struct muster_request *from_store(struct muster_client *client)
{
        struct list *link = list_pop(&client->store);

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
        if (client->engine.n_held >= client->settings.queue_size)
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
        request = engine_find(&client->engine, id);
        if (!request)
                return MUSTER_E_INVALID;
        engine_cancel(request);
        return 0;
}

void muster_cancel_queued(struct muster_client *client)
{
        if (is_ours(client))
                engine_cancel_queued(&client->engine);
}

void muster_cancel_all(struct muster_client *client)
{
        if (is_ours(client))
                engine_cancel_all(&client->engine);
}

/* --- results out ----------------------------------------------------------------------------- */

struct muster_result *muster_take(struct muster_client *client)
{
        struct muster_request *request;
        struct muster_result *result;
        struct list *link;

        if (!is_ours(client) || !(link = list_pop(&client->engine.finished)))
                return NULL;
        request = request_of_link(link);
        list_push_back(&client->taken, &request->link);
        client->engine.n_held--;
        note_fullness(client);
        result = &request->result;
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

/* Nothing is outstanding, and the caller has no result. */
static bool is_idle(const struct muster_client *client)
{
        return client->engine.n_held == 0 && list_is_empty(&client->taken);
}

/* The memory of a large body is for the next ones, while there may be any. */
static void keep_body(struct muster_client *client, struct buf *body)
{
        if (body->size >= BUF_STORE_LEAST_BYTES)
                buf_store_give(&client->bodies, body);
        if (is_idle(client))
                buf_store_empty(&client->bodies);
}

static void put_back(struct muster_request *request)
{
        struct muster_client *client = request->client;

        if (request->state != REQUEST_TAKEN)
                engine_cancel(request); /* a stream that is not over */
        assert(request->state == REQUEST_TAKEN);
        list_remove(&request->link);
        if (!client || client->n_stored >= STORE_MAX) {
                request_destroy(request);
                return;
        }
        keep_body(client, &request->result.body);
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
        while (is_ours(client) && list_is_empty(&client->engine.finished)) {
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

int muster_wait(struct muster_client *client, uint64_t timeout_ms)
{
        uint64_t until_ns;

        if (!is_ours(client))
                return MUSTER_E_INVALID;
        until_ns =
                clock_after(clock_now(&client->engine.clock), settings_timeout_ns(timeout_ms, 0));
        while (list_is_empty(&client->engine.finished)) {
                int r;

                /* Streams that the caller has are its to read: they finish no more results. */
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

void muster_wake(struct muster_client *client)
{
        if (client)
                loop_wake(&client->engine.loop);
}

int muster_client_fd(struct muster_client *client)
{
        int fd;

        if (!is_ours(client))
                return MUSTER_E_INVALID;
        fd = loop_pollable_fd(&client->engine.loop);
        if (fd >= 0 && !client->engine.has_foreign_loop) {
                client->engine.has_foreign_loop = true;
                loop_wake(&client->engine.loop); /* for what was submitted before */
        }
        return fd;
}

int muster_turn(struct muster_client *client)
{
        int r;

        if (!is_ours(client))
                return MUSTER_E_INVALID;
        r = engine_turn(&client->engine, 0);
        client->engine.loop.was_woken = false;
        if (r < 0 || !list_is_empty(&client->engine.finished))
                return r;
        return list_is_empty(&client->engine.outstanding) ? MUSTER_IDLE : MUSTER_LATER;
}

/* --- counters -------------------------------------------------------------------------------- */

void muster_client_stats(const struct muster_client *client, struct muster_client_stats *ret_stats,
        size_t size)
{
        struct muster_client_stats stats;

        if (!client || !ret_stats)
                return;
        stats = engine_stats(&client->engine);
        mem_copy_known(ret_stats, size, &stats, sizeof(stats));
}
