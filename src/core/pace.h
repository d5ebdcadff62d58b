/* SPDX-License-Identifier: MIT */
/*
 * When a request is to start
 *
 * With a rate a request passes two queues: here it waits for its planned moment, then in its
 * origin's queue for a slot (sched.h). The plan knows only what was submitted and when, never how
 * the servers do. So it goes on when they are slow: what is late for want of a slot keeps the
 * moment that it was planned for, and its latency can be told from there.
 *
 *      fresh ──▶ aside ──────────▶ turns ─────────▶ due: origin->queue
 *                until the origin's      one at each moment of
 *                own next moment         the rate of all
 *
 * Origins take turns for the moments of the rate of all. One whose own moment is still to come
 * stands aside, in a heap, and nobody waits for it.
 *
 * A plan begins with the first request that finds nobody waiting, in the turn that could start it,
 * and is not behind then: what nobody wanted is not saved up. There is one exception. A caller who
 * finds the queue full submits as requests end: it would be the servers then that say when a
 * request is wanted. So, while the queue is full of late ones, the plan goes on.
 */
#ifndef CORE_PACE_H
#define CORE_PACE_H

#include "moments.h"
#include "origin.h"
#include "request.h"

struct pace {
        struct rate rate;            /* of all starts */
        struct moments_lease shared; /* where other engines follow the same rate; else unused */
        struct rate host_rate;       /* what each origin's is made from */
        struct list fresh; /* origins whose first waiting request came after the last look */
        struct list turns; /* origins whose own moment has come */
        struct heap
                asides; /* with a rate for each: origins that have waiting requests, by their own
                                  next moment; those in `fresh` and `turns` at UINT64_MAX */
        size_t n_waiting;
        bool is_behind; /* the queue is full of late ones: said by the scheduler before each look */
};

/* Requests a second, of all and of each origin; 0: no limit. */
void pace_init(struct pace *pace, double per_s, double per_host_per_s);
void pace_deinit(struct pace *pace);

/* The rate of all is that of several engines: their plan is this one. Before anybody waits. */
void pace_share(struct pace *pace, struct moments *moments);

/* Is there a rate at all? If not, nothing below is called. */
bool pace_is_on(const struct pace *pace);

/*
 * Let a request wait for its moment, behind the others of its origin or before them.
 * MUSTER_E_RESOURCE: it does not.
 */
int pace_add(struct pace *pace, struct muster_request *request, bool is_first);

/* A request does not want to wait any more. */
void pace_remove(struct pace *pace, struct muster_request *request);

/*
 * A request whose moment has come by `now_ns`, in the order of these moments; NULL: no more. Its
 * planned start is set.
 */
struct muster_request *pace_next(struct pace *pace, uint64_t now_ns);

/* The moment at which pace_next() gives another, at the earliest; UINT64_MAX: never as it is. */
uint64_t pace_next_ns(struct pace *pace);

#endif
