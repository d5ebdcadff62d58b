/* SPDX-License-Identifier: MIT */
/*
 * Pace: when a request may start
 *
 * With a rate, a request passes two queues: here it waits for its planned moment, then it waits in
 * its origin's queue for a slot (sched.h). The plan depends on what was submitted and when, not on
 * how servers perform. So it goes on when they are slow: a request that is late for want of a slot
 * keeps its planned moment, and its latency counts from there.
 *
 *      fresh ──▶ aside ──────────▶ turns ─────────▶ due: origin->queue
 *                until the origin's      one at each moment of
 *                own next moment         the rate of all
 *
 * Origins take turns for the moments of the overall rate. An origin whose own moment is still to
 * come stands aside, in a heap, and nobody waits for it.
 *
 * A plan begins with the first request that finds nobody waiting, in the turn that could start it.
 * It begins without a backlog: moments that nobody wanted are not saved up. There is one exception.
 * A caller who finds the queue full submits only as requests end, so servers would decide when
 * requests start. So the plan goes on while the queue is full of late requests.
 */
#ifndef CORE_PACE_H
#define CORE_PACE_H

#include "moments.h"
#include "origin.h"
#include "request.h"

struct split_part;

struct pace {
        struct rate rate;            /* of all starts */
        struct moments_lease shared; /* used when other engines follow the same rate */
        struct rate host_rate;       /* the rate of each origin, to be copied */
        /* origins whose first waiting request came after the last look */
        struct list fresh;
        struct list turns; /* origins whose own moment has come */
        /*
         * with a rate for each origin: those that have waiting requests, by their own next moment;
         * those in `fresh` and `turns` are at UINT64_MAX
         */
        struct heap asides;
        size_t n_waiting;
        /* the queue is full of late requests; the scheduler sets it before each look */
        bool is_behind;
};

/* Set the rates in requests a second, of all and of each origin; 0: no limit. */
void pace_init(struct pace *pace, double per_s, double per_host_per_s);
void pace_deinit(struct pace *pace);

/* Follow an overall plan that several engines share. To be called before anybody waits. */
void pace_share(struct pace *pace, struct moments *moments);

/* Is there a rate? If not, nothing below is called. */
bool pace_is_on(const struct pace *pace);

/*
 * Let a request wait for its moment, behind the others of its origin or before them.
 * MUSTER_E_RESOURCE: it does not wait.
 */
int pace_add(struct pace *pace, struct muster_request *request, bool is_first);

/* Remove a waiting request. */
void pace_remove(struct pace *pace, struct muster_request *request);

/*
 * For the rate of an origin that other engines have as well (split.h): hand over the plan that this
 * engine had alone; `origin` may be NULL. And look again at an origin whose plan was opened by
 * another engine: its requests may have moments now.
 */
void pace_open(struct pace *pace, struct split_part *part, uint64_t now_ns);
void pace_opened(struct pace *pace, struct origin *origin);

/*
 * Take the next request whose moment has come by `now_ns`, in the order of these moments, and set
 * its planned start; NULL if there is none.
 */
struct muster_request *pace_next(struct pace *pace, uint64_t now_ns);

/*
 * The earliest moment at which pace_next() has another request; UINT64_MAX: not before something
 * changes.
 */
uint64_t pace_next_ns(struct pace *pace);

#endif
