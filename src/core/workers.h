/* SPDX-License-Identifier: MIT */
/*
 * Workers: threads for work that would block the loop
 *
 * The loop's thread gives jobs and takes them back when they are done. In between a job belongs to
 * one worker; nothing else is shared. A thread is started when there is a job for it, up to the
 * number asked for.
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

/* Embed it; zeroed except for `run`. */
struct worker_job {
        struct list link;
        worker_run run; /* called by a worker */
        bool is_begun;  /* guarded by the lock */
};

struct workers {
        pthread_mutex_t lock;
        pthread_cond_t wanted;
        struct list waiting, done; /* guarded by the lock, like all members below */
        pthread_t *threads;
        unsigned n_threads, n_threads_max, n_idle, n_waiting;
        bool is_stopping;
        int event_fd; /* readable while there may be something to take */
};

/*
 * Prepare for up to `n_threads` threads; none is started yet. MUSTER_E_RESOURCE: deinit is not
 * needed.
 */
int workers_init(struct workers *workers, unsigned n_threads);

/*
 * Let each job that was begun finish, and end the threads. Finished jobs can still be taken. May be
 * called twice.
 */
void workers_stop(struct workers *workers);

/* Release everything, after workers_stop(). */
void workers_deinit(struct workers *workers);

/*
 * Give a job. MUSTER_E_RESOURCE: there is no thread and none can be started; the caller keeps the
 * job.
 */
int workers_give(struct workers *workers, struct worker_job *job);

/* Take back a job that was not begun. False: a worker has it, or it is done. */
bool workers_withdraw(struct workers *workers, struct worker_job *job);

/* Has a worker begun the job? */
bool workers_have_begun(struct workers *workers, const struct worker_job *job);

/* A finished job; NULL if there is none. The descriptor is quiet then until there is one. */
struct worker_job *workers_take(struct workers *workers);

#endif
