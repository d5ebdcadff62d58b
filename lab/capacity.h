/* SPDX-License-Identifier: MIT */
/*
 * A queue in front of a number of workers
 *
 * A job waits for a worker, keeps it for its service time, and is done. With n jobs there and b of
 * them at work, a service takes (1 + contention * (b - 1) + coherency * (n - 1)) times its drawn
 * time, n and b as it begins: with a coherency above 0 more jobs at once make fewer done a second,
 * as in the Universal Scalability Law.
 *
 * Time is exact: a worker that is told late that it has finished begins the next job when it should
 * have.
 */
#ifndef LAB_CAPACITY_H
#define LAB_CAPACITY_H

#include "config.h"
#include <net/loop.h>

struct capacity;
struct job;

typedef void (*job_done)(struct job *job);

/* A job, to be embedded; all zeroes: not in the queue. */
struct job {
        struct capacity *capacity; /* NULL: neither at work nor waiting */
        struct list link;          /* while it waits */
        struct loop_timer timer;   /* while it is at work */
        uint64_t entered_ns;
        job_done done;
};

struct capacity {
        struct loop *loop;
        struct rand *rand;
        const struct listener_config *config;
        const struct pauses *pauses;
        struct list waiting;
        unsigned n_busy, n_waiting;
        unsigned n_waiting_max; /* the most that waited at once */
        uint64_t n_done, n_refused;
        uint64_t busy_ns; /* all services, summed */
        uint64_t wait_ns; /* all waits, summed */
};

/* What is given stays until the last job has left. */
void capacity_init(struct capacity *capacity, struct loop *loop, struct rand *rand,
        const struct listener_config *config, const struct pauses *pauses);

#define CAPACITY_FULL 1

/* Add a job; `done` is called later, never from here. 0, CAPACITY_FULL, MUSTER_E_RESOURCE. */
int capacity_enter(struct capacity *capacity, struct job *job, job_done done);

/* Remove a job, wherever it is. May be called twice. */
void capacity_leave(struct job *job);

#endif
