/* SPDX-License-Identifier: MIT */
#include "client.h"

#include "callback.h"
#include "deadline.h"
#include "flow.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <sys/resource.h>

/* beside connections: races of addresses, name servers, the caller's own */
#define FILES_SPARE      64
#define CONNS_PER_SLOT   4    /* idle ones included; what curl allows, too */
#define STORE_MAX        4096 /* recycled requests; more wait for a burst that may not come */
#define BY_ID_CHAINS_MAX 65536

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

/* --- TLS ------------------------------------------------------------------------------------- */

static int copy_text(const char **to, const char *from)
{
        *to = from ? mem_strdup(from) : NULL;
        return from && !*to ? MUSTER_E_RESOURCE : 0;
}

static int copy_tls_options(struct tls_options *to, const struct muster_client_options *from)
{
        to->insecure_no_verify = from->insecure_no_verify;
        if (copy_text(&to->ca_file, from->ca_file) < 0 ||
                copy_text(&to->cert_file, from->client_cert_file) < 0 ||
                copy_text(&to->key_file, from->client_key_file) < 0 ||
                copy_text(&to->keylog_file, from->keylog_file) < 0)
                return MUSTER_E_RESOURCE;
        return 0;
}

static void drop_text(const char *text)
{
        mem_free((void *)(uintptr_t)text);
}

static void drop_tls_options(struct tls_options *options)
{
        drop_text(options->ca_file);
        drop_text(options->cert_file);
        drop_text(options->key_file);
        drop_text(options->keylog_file);
        *options = (struct tls_options){ 0 };
}

int client_tls(struct muster_client *client, struct tls_context **ret_context,
        struct muster_error *error)
{
        int r = 0;

        if (!client->tls)
                r = tls_context_new(&client->tls, &client->tls_options, error);
        if (r == 0)
                *ret_context = client->tls;
        return r;
}

/* Files that the caller named must be good now, not when the first https URL comes by. */
static int init_tls(struct muster_client *client, const struct muster_client_options *options,
        struct muster_error *error)
{
        struct tls_context *context;

        if (copy_tls_options(&client->tls_options, options) < 0)
                return error_set_memory(error, MUSTER_PHASE_TLS);
        if (options->ca_file || options->client_cert_file || options->keylog_file)
                return client_tls(client, &context, error);
        return 0;
}

/* --- making and unmaking --------------------------------------------------------------------- */

static int init_ids(struct muster_client *client, struct muster_error *error)
{
        size_t n = 64;

        while (n < client->settings.queue_size && n < BY_ID_CHAINS_MAX)
                n *= 2;
        client->by_id = mem_array(n, sizeof(*client->by_id));
        client->by_id_mask = n - 1;
        return client->by_id ? 0 : error_set_memory(error, MUSTER_PHASE_QUEUE);
}

static int init_loop(struct muster_client *client, struct muster_error *error)
{
        int sys = 0;
        int r = loop_init(&client->loop, &client->clock, &sys);

        if (r < 0)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys,
                        "resource: cannot set up the event loop: %s", error_sys_text(sys));
        return 0;
}

/* That the loop does not wait any longer is all that it takes: turn() does the rest. */
static void start_is_due(struct loop_timer *timer, uint64_t late_ns)
{
        (void)timer;
        (void)late_ns;
}

static int init(struct muster_client *client, const struct muster_client_options *options,
        struct muster_error *error)
{
        struct resolver_options resolver = { .servers = options->dns_server,
                .overrides = options->resolve,
                .looked_up = tracing_lookup,
                .observer = client };
        unsigned n_conns_max = 0;
        uint64_t seed;
        int r = settings_init(&client->settings, options, error);

        if (r == 0)
                r = make_room_for_files(client->settings.concurrency, &n_conns_max, error);
        if (r == 0)
                r = init_loop(client, error);
        if (r < 0)
                return r;
        pool_init(&client->pool, &client->loop, &client->origins, n_conns_max,
                client->settings.idle_timeout_ns);
        sched_init(&client->sched, client->settings.concurrency, client->settings.per_host);
        sched_set_rates(&client->sched, client->settings.rate_per_s,
                client->settings.rate_per_host_per_s);
        client->start_timer.fire = start_is_due;
        retry_budget_init(&client->retry_budget, client->settings.retry_budget_percent);
        rand_seed_bytes(&seed, sizeof(seed));
        rand_init(&client->rand, seed);
        r = init_ids(client, error);
        if (r == 0)
                r = resolver_new(&client->resolver, &client->loop, &resolver, error);
        if (r == 0)
                r = init_tls(client, options, error);
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
        client->clock = clock;
        list_init(&client->outstanding);
        list_init(&client->finished);
        list_init(&client->taken);
        list_init(&client->store);
        origins_init(&client->origins);
        r = init(client, &options, &error);
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

static void free_requests(struct list *list)
{
        struct list *link;

        while ((link = list_pop(list)))
                request_destroy(request_of_link(link));
}

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
        muster_cancel_all(client);
        work_stop(client);
        client_trace_end(client);
        orphan_taken(client);
        free_requests(&client->finished);
        free_requests(&client->store);
        pool_deinit(&client->pool);
        resolver_free(client->resolver);
        sched_deinit(&client->sched);
        origins_deinit(&client->origins);
        tls_context_free(client->tls);
        drop_tls_options(&client->tls_options);
        if (client->loop.clock)
                loop_deinit(&client->loop);
        mem_free(client->by_id);
        tracing_deinit(&client->tracing);
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
        if (client->n_held >= client->settings.queue_size)
                client->sched.is_full = true;
        else if (client->n_held < client->settings.queue_size / 2)
                client->sched.is_full = false;
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
        if (client->n_held >= client->settings.queue_size)
                return MUSTER_FULL;
        client->n_held++;
        note_fullness(client);
        flow_submit(client, take_request);
        if (ret_id)
                *ret_id = take_request->id;
        if (client->has_foreign_loop)
                loop_wake(&client->loop);
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
        if (client->n_held >= client->settings.queue_size)
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

static void cancel(struct muster_request *request)
{
        struct muster_error error = { 0 };

        error_set(&error, MUSTER_E_CANCELLED, MUSTER_PHASE_QUEUE, 0, "cancelled: by the caller");
        flow_abort(request, &error);
}

int muster_cancel(struct muster_client *client, uint64_t id)
{
        struct muster_request *request;

        if (!is_ours(client))
                return MUSTER_E_INVALID;
        request = client->by_id[id & client->by_id_mask];
        while (request && request->id != id)
                request = request->next_of_id;
        if (!request)
                return MUSTER_E_INVALID;
        cancel(request);
        return 0;
}

void muster_cancel_queued(struct muster_client *client)
{
        struct list *link, *next;

        if (!is_ours(client))
                return;
        for (link = client->outstanding.next; link != &client->outstanding; link = next) {
                struct muster_request *request = request_of_all_link(link);

                next = link->next;
                if (request->state == REQUEST_QUEUED || request->state == REQUEST_BACKOFF)
                        cancel(request);
        }
}

void muster_cancel_all(struct muster_client *client)
{
        struct list *link, *next;

        if (!is_ours(client))
                return;
        for (link = client->outstanding.next; link != &client->outstanding; link = next) {
                next = link->next;
                cancel(request_of_all_link(link));
        }
}

/* --- results out ----------------------------------------------------------------------------- */

struct muster_result *muster_take(struct muster_client *client)
{
        struct muster_request *request;
        struct muster_result *result;
        struct list *link;

        if (!is_ours(client) || !(link = list_pop(&client->finished)))
                return NULL;
        request = request_of_link(link);
        list_push_back(&client->taken, &request->link);
        client->n_held--;
        note_fullness(client);
        result = &request->result;
        request->is_with_caller = true;
        if (request->state != REQUEST_FINISHED) {
                client->n_streams++;
                return result;
        }
        request->state = REQUEST_TAKEN;
        result->taken_ns = clock_now(&client->clock);
        result->phase_ns[MUSTER_PHASE_DELIVER] += result->taken_ns - result->finished_ns;
        tracing_request(request);
        return result;
}

void client_put_back(struct muster_request *request)
{
        struct muster_client *client = request->client;

        if (request->state != REQUEST_TAKEN)
                cancel(request); /* a stream that is not over */
        assert(request->state == REQUEST_TAKEN);
        list_remove(&request->link);
        if (!client || client->n_stored >= STORE_MAX) {
                request_destroy(request);
                return;
        }
        request_recycle(request);
        list_push_front(&client->store, &request->link);
        client->n_stored++;
}

struct muster_result *muster_next(struct muster_client *client)
{
        while (is_ours(client) && list_is_empty(&client->finished)) {
                int r = muster_wait(client, MUSTER_NO_TIMEOUT);

                if (r == MUSTER_IDLE || r < 0)
                        return NULL;
        }
        return muster_take(client);
}

/* --- the work -------------------------------------------------------------------------------- */

/*
 * Start who can start, and see to it that the next one is not forgotten: until when the loop may
 * wait, at most.
 */
static uint64_t start_all(struct muster_client *client)
{
        uint64_t next_ns;

        flow_start_all(client);
        next_ns = sched_next_ns(&client->sched);
        if (loop_timer_set(&client->loop, &client->start_timer, next_ns) == 0)
                return UINT64_MAX;
        if (client->has_foreign_loop)
                loop_wake(&client->loop); /* no memory for the timer: come back and look */
        return next_ns;
}

static int turn(struct muster_client *client, uint64_t until_ns)
{
        uint64_t next_ns;
        int r;

        tracing_enter(client);
        next_ns = start_all(client);
        if (next_ns < until_ns)
                until_ns = next_ns;
        if (!list_is_empty(&client->finished))
                until_ns = 0; /* one that could not even be started: do not wait with its result */
        tracing_turn_over(client);
        r = loop_turn(&client->loop, until_ns);
        start_all(client);
        pool_reap(&client->pool);
        /* What stays ready here is known to us alone: a foreign loop must be told to come back. */
        if (client->has_foreign_loop && !list_is_empty(&client->loop.ready_sockets))
                loop_wake(&client->loop);
        tracing_leave(client);
        return r;
}

int client_turn(struct muster_client *client)
{
        return turn(client, UINT64_MAX);
}

static uint64_t n_outstanding(const struct muster_client *client)
{
        return client->stats.n_submitted - client->stats.n_finished;
}

int muster_wait(struct muster_client *client, uint64_t timeout_ms)
{
        uint64_t until_ns;

        if (!is_ours(client))
                return MUSTER_E_INVALID;
        until_ns = clock_after(clock_now(&client->clock), settings_timeout_ns(timeout_ms, 0));
        while (list_is_empty(&client->finished)) {
                int r;

                /* Streams that the caller has are its to read: they finish no more results. */
                if (n_outstanding(client) == client->n_streams)
                        return MUSTER_IDLE;
                r = turn(client, until_ns);
                if (r < 0)
                        return r;
                if (client->loop.was_woken) {
                        client->loop.was_woken = false;
                        return list_is_empty(&client->finished) ? MUSTER_WOKEN : 0;
                }
                if (list_is_empty(&client->finished) && clock_now(&client->clock) >= until_ns)
                        return MUSTER_LATER;
        }
        return 0;
}

void muster_wake(struct muster_client *client)
{
        if (client)
                loop_wake(&client->loop);
}

int muster_client_fd(struct muster_client *client)
{
        int fd;

        if (!is_ours(client))
                return MUSTER_E_INVALID;
        fd = loop_pollable_fd(&client->loop);
        if (fd >= 0 && !client->has_foreign_loop) {
                client->has_foreign_loop = true;
                loop_wake(&client->loop); /* for what was submitted before */
        }
        return fd;
}

int muster_turn(struct muster_client *client)
{
        int r;

        if (!is_ours(client))
                return MUSTER_E_INVALID;
        r = turn(client, 0);
        client->loop.was_woken = false;
        if (r < 0 || !list_is_empty(&client->finished))
                return r;
        return list_is_empty(&client->outstanding) ? MUSTER_IDLE : MUSTER_LATER;
}

/* --- counters -------------------------------------------------------------------------------- */

static uint64_t hold_left_ns(const struct muster_client *client)
{
        uint64_t now_ns = clock_now(&client->clock);

        if (client->sched.n_running || client->hold_until_ns < now_ns)
                return 0;
        return client->hold_until_ns - now_ns;
}

void muster_client_stats(const struct muster_client *client, struct muster_client_stats *ret_stats,
        size_t size)
{
        struct muster_client_stats stats;

        if (!client || !ret_stats)
                return;
        stats = client->stats;
        stats.n_in_flight = client->sched.n_running;
        stats.n_processing = client->n_processing;
        stats.n_queued =
                stats.n_submitted - stats.n_finished - stats.n_in_flight - stats.n_processing;
        stats.hold_ns = hold_left_ns(client);
        stats.n_lookups = resolver_n_lookups(client->resolver);
        stats.n_turns = client->loop.stats.n_turns;
        stats.longest_turn_ns = client->loop.stats.longest_turn_ns;
        mem_copy_known(ret_stats, size, &stats, sizeof(stats));
}
