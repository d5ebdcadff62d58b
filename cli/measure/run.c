/* SPDX-License-Identifier: MIT */
#include "run.h"

#include "../interrupt.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#define PATIENCE_MS 100
/* descriptors that a client needs beside its connections, and some more */
#define FILES_FOR_THREADS 8

/* One of the threads. */
struct worker {
        struct crew *crew;
        pthread_t thread;
        struct muster_client *client;
        struct batch_scratch scratch;
        struct tally tally;
        struct cpu cpu;
        uint64_t end_ns;
        unsigned n_outstanding;
};

/* All of them, and what they share. */
struct crew {
        const struct batch *batch;
        const struct way *way;
        struct answer *answers;
        struct worker *workers;
        unsigned n_workers, n_started;
        pthread_rwlock_t gate; /* held for writing until all may begin */
        uint64_t start_ns, limit_ns;
        atomic_size_t next;      /* item that nobody has taken yet */
        atomic_bool is_stopping; /* take no more */
};

/* --- a worker -------------------------------------------------------------------------------- */

/*
 * One by one means that the next request is thought of when the last one was answered. A loop has
 * some more ready, so that a slot that becomes free is used in the same turn.
 */
static unsigned window(const struct way *way)
{
        return way->concurrency == 1 ? 1 : way->concurrency * 2;
}

static bool may_take(const struct crew *crew)
{
        return !atomic_load_explicit(&crew->is_stopping, memory_order_relaxed) &&
               (!crew->limit_ns || clock_monotonic() - crew->start_ns < crew->limit_ns);
}

/* Up to the third slash; FNV-1a. */
static uint64_t host_of(const char *url)
{
        uint64_t hash = 0xcbf29ce484222325;

        for (int n_slashes = 0; *url && (n_slashes += *url == '/') < 3; url++)
                hash = (hash ^ (unsigned char)*url) * 0x100000001b3;
        return hash;
}

static void note_answer(struct crew *crew, size_t i, struct answer answer)
{
        if (crew->answers)
                crew->answers[i] = answer;
}

static void take_requests(struct worker *worker)
{
        struct crew *crew = worker->crew;

        while (worker->n_outstanding < window(crew->way) && may_take(crew)) {
                size_t i = atomic_fetch_add_explicit(&crew->next, 1, memory_order_relaxed);
                int r;

                if (i >= crew->batch->n)
                        return;
                r = batch_submit(crew->batch, i, worker->client, &worker->scratch,
                        (void *)(uintptr_t)i);
                if (r == 0) {
                        worker->n_outstanding++;
                        continue;
                }
                note_answer(crew, i, (struct answer){ .status = r });
                worker->tally.n++;
                worker->tally.n_failed++;
        }
}

static void take_results(struct worker *worker)
{
        struct muster_result *result;

        while ((result = muster_take(worker->client))) {
                const struct muster_error *error = muster_result_error(result);

                note_answer(worker->crew, (size_t)(uintptr_t)muster_result_userdata(result),
                        (struct answer){ error ? (int)error->code : muster_result_status(result),
                                muster_result_body_bytes(result),
                                host_of(muster_result_final_url(result)) });
                tally_add(&worker->tally, result);
                muster_result_free(result);
                worker->n_outstanding--;
        }
}

static void work_off(struct worker *worker)
{
        for (;;) {
                take_requests(worker);
                if (!worker->n_outstanding)
                        return;
                if (muster_wait(worker->client, PATIENCE_MS) < 0)
                        return;
                take_results(worker);
                if (atomic_load_explicit(&worker->crew->is_stopping, memory_order_relaxed))
                        muster_cancel_all(worker->client);
        }
}

static void *worker_main(void *argument)
{
        struct worker *worker = argument;
        struct cpu start;

        pthread_rwlock_rdlock(&worker->crew->gate);
        pthread_rwlock_unlock(&worker->crew->gate);
        start = cpu_now();
        work_off(worker);
        worker->cpu = cpu_since(cpu_now(), start);
        worker->end_ns = clock_monotonic();
        return NULL;
}

/* --- the crew -------------------------------------------------------------------------------- */

/* A client sees only to the descriptors that it needs itself. */
static void allow_files(unsigned n_threads)
{
        struct rlimit limit;
        rlim_t wanted = (rlim_t)n_threads * FILES_FOR_THREADS + 100;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
                return;
        limit.rlim_cur = min_u64(wanted, limit.rlim_max);
        (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * A client keeps idle connections by its concurrency, 4 for each. What is in flight with one by one
 * is bounded by the window alone, so that its client can have the concurrency, and with it the idle
 * connections, of a loop.
 */
static unsigned client_concurrency(const struct way *way)
{
        return way->concurrency == 1 && way->room > 1 ? way->room : way->concurrency;
}

static int make_clients(struct crew *crew, struct muster_error *error)
{
        struct muster_client_options options = crew->batch->options->client;
        int r = 0;

        options.concurrency = client_concurrency(crew->way);
        options.queue_size = window(crew->way);
        options.no_reuse = crew->way->no_reuse;
        options.discard_body = true;
        options.workers = 0; /* bodies are decoded where they are received, in every way */
        options.error = error;
        options.cookies = muster_jar_copy(crew->batch->options->client.cookies);
        for (unsigned i = 0; r == 0 && i < crew->n_workers; i++) {
                crew->workers[i].crew = crew;
                tally_init(&crew->workers[i].tally);
                r = muster_client_new(&crew->workers[i].client, &options);
        }
        muster_jar_free(options.cookies);
        return r;
}

/* Signals are for the thread that started them. */
static int start_workers(struct crew *crew, struct muster_error *error)
{
        sigset_t all, before;
        int sys = 0;

        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        while (sys == 0 && crew->n_started < crew->n_workers) {
                struct worker *worker = &crew->workers[crew->n_started];

                sys = pthread_create(&worker->thread, NULL, worker_main, worker);
                crew->n_started += sys == 0;
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (sys == 0)
                return 0;
        atomic_store(&crew->is_stopping, true);
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys,
                "cannot start %u threads: %s; use fewer --threads", crew->n_workers,
                error_sys_text(sys));
}

static bool has_ended(pthread_t thread)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until); /* which is what the call below goes by */
        until.tv_nsec += (long)(PATIENCE_MS * NS_PER_MS);
        until.tv_sec += until.tv_nsec / (long)NS_PER_S;
        until.tv_nsec %= (long)NS_PER_S;
        return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

static void join(struct crew *crew)
{
        for (unsigned i = 0; i < crew->n_started; i++)
                while (!has_ended(crew->workers[i].thread))
                        if (interrupt_has_come())
                                atomic_store(&crew->is_stopping, true);
}

static void add_up(struct run *run, const struct worker *worker, uint64_t start_ns)
{
        struct muster_client_stats stats;

        muster_client_stats(worker->client, &stats, sizeof(stats));
        tally_merge(&run->tally, &worker->tally);
        run->cpu.used_ns += worker->cpu.used_ns;
        run->cpu.delayed_ns += worker->cpu.delayed_ns;
        run->n_conns += stats.n_conns_opened;
        run->n_lookups += stats.n_lookups;
        run->n_handshakes += stats.n_tls_handshakes;
        run->n_resumed += stats.n_tls_resumed;
        if (worker->end_ns - start_ns > run->wall_ns)
                run->wall_ns = worker->end_ns - start_ns;
}

static int run_crew(struct crew *crew, struct muster_error *error)
{
        int r = make_clients(crew, error);

        if (r < 0)
                return r;
        pthread_rwlock_wrlock(&crew->gate);
        r = start_workers(crew, error);
        crew->start_ns = clock_monotonic();
        pthread_rwlock_unlock(&crew->gate);
        join(crew);
        return r;
}

int run_batch(struct run *run, const struct batch *batch, const struct way *way, uint64_t limit_ns,
        struct answer *answers, struct muster_error *error)
{
        struct crew crew = { .batch = batch,
                .way = way,
                .answers = answers,
                .n_workers = way->n_threads,
                .limit_ns = limit_ns,
                .gate = PTHREAD_RWLOCK_INITIALIZER };
        int r;

        memset(run, 0, sizeof(*run));
        tally_init(&run->tally);
        crew.workers = mem_array(way->n_threads, sizeof(*crew.workers));
        if (!crew.workers)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        allow_files(way->n_threads);
        r = run_crew(&crew, error);
        for (unsigned i = 0; i < crew.n_workers; i++) {
                if (r == 0)
                        add_up(run, &crew.workers[i], crew.start_ns);
                muster_client_free(crew.workers[i].client);
                batch_scratch_deinit(&crew.workers[i].scratch);
        }
        mem_free(crew.workers);
        return r;
}

/* --- answers --------------------------------------------------------------------------------- */

static int compare_u64(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

int answers_count_hosts(const struct answer *answers, size_t n, size_t *ret_n)
{
        uint64_t *hosts = mem_array(n, sizeof(*hosts));
        size_t n_hosts = 0;

        if (!hosts)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < n; i++)
                hosts[i] = answers[i].host;
        qsort(hosts, n, sizeof(*hosts), compare_u64);
        for (size_t i = 0; i < n; i++)
                n_hosts += i == 0 || hosts[i] != hosts[i - 1];
        mem_free(hosts);
        *ret_n = n_hosts;
        return 0;
}
