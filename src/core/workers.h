/* SPDX-License-Identifier: MIT */
/*
 * Threads that work off the loop
 *
 * The loop's thread gives jobs and takes them back when they are done; in between a job belongs to
 * one worker, and nothing else is shared. Threads are made when there is a job for each, up to the
 * number that was asked for.
 *
 *      loop ──give──▶ waiting ──▶ a worker runs it ──▶ done ──take──▶ loop
 *        ▲                                               │
 *        └──────────────── a descriptor is readable ─────┘
 */
#ifndef CORE_WORKERS_H
#define CORE_WORKERS_H

#include <base/list.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define WORKERS_MAX 1024

struct worker_job;
typedef void (*worker_run)(struct worker_job *job);

/* Embed it; zeroed but for `run`. */
struct worker_job {
        struct list link;
        worker_run run; /* called by a worker */
        bool is_begun;  /* guarded by the lock */
};

struct workers {
        pthread_mutex_t lock;
        pthread_cond_t wanted;
        struct list waiting, done; /* guarded by the lock, as all below */
        pthread_t *threads;
        unsigned n_threads, n_threads_max, n_idle, n_waiting;
        bool is_stopping;
        int event_fd; /* readable while there may be something to take */
};

/* At most `n_threads` of them; none is started yet. MUSTER_E_RESOURCE: deinit is not needed. */
int workers_init(struct workers *workers, unsigned n_threads);

/*
 * Let every job that was begun come to its end, and the threads with it; those that are done can
 * still be taken. May be called twice.
 */
void workers_stop(struct workers *workers);

/* After workers_stop(). */
void workers_deinit(struct workers *workers);

/*
 * Hand over a job. MUSTER_E_RESOURCE: there is no thread and none can be made; the job is still the
 * caller's.
 */
int workers_give(struct workers *workers, struct worker_job *job);

/* Take back one that was not begun. False: it is with a worker, or done. */
bool workers_withdraw(struct workers *workers, struct worker_job *job);

/* Was it begun by one of them? */
bool workers_have_begun(struct workers *workers, const struct worker_job *job);

/* One that is done; NULL when there is none, and the descriptor is quiet until there is. */
struct worker_job *workers_take(struct workers *workers);

#endif
