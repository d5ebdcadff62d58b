/* SPDX-License-Identifier: MIT */
/*
 * A lane: an engine in a thread of its own
 *
 *      caller ──▶ inbox ──▶ engine ──▶ outbox ──▶ caller
 *                  ▲          │ a request that has come to another engine's origin
 *                  └──────────┘
 *
 * Lanes share nothing but what stands here. Requests go in by the inbox and come out by the outbox,
 * in batches, when a turn begins and when it ends. An origin belongs to one lane, by the hash of its
 * key, so all that is kept for an origin needs no lock; but one that has most of the requests is
 * dealt to all lanes, where it has neither a limit nor a rate of its own (hot.h). Slots are leased (slots.h), and so are the
 * moments of the overall rate (moments.h).
 */
#ifndef CORE_LANE_H
#define CORE_LANE_H

#include "engine.h"
#include "hot.h"
#include "inbox.h"
#include "moments.h"
#include "outbox.h"
#include "slots.h"

#define LANES_MAX SLOTS_LEASES_MAX

struct lane;

/* What all lanes of a client have in common. */
struct lane_common {
        struct lane **lanes;
        unsigned n;
        uint64_t hash_seed;
        struct hot hot;
        struct outbox outbox;
        struct slots slots;
        struct moments moments;
        struct trace_numbers numbers;
        /* Told by the caller's thread, and looked at when a turn begins. */
        _Atomic uint64_t n_held; /* submitted, and their results not taken */
        atomic_bool is_full;     /* the queue is, see sched.h */
        /* Requests up to this number are to end, and this one: also such as are between two lanes. */
        _Atomic uint64_t cancelled_up_to, cancelled_id;
        atomic_bool was_met; /* one of those was */
};

struct lane {
        struct engine engine; /* first */
        struct lane_common *common;
        unsigned index;
        struct settings settings; /* the client's, with this lane's part of the workers */
        struct inbox inbox;
        struct lease lease;
        struct visit *visit; /* heard, and to be answered when the turn ends */
        bool was_met;
        bool is_stopping;
        struct list streams; /* relays whose body is not over */
        unsigned n_gathered; /* of the hot origins, as known here */
        pthread_t thread;
        bool is_running;
        /* What others may see of it, as of the end of its last turn. */
        pthread_mutex_t lock;
        struct muster_client_stats stats; /* guarded, as all below */
        uint64_t hold_until_ns;
};

/*
 * Make a lane, the index-th, and start its thread. `plan` is that of its engine, but for the
 * settings, which are copied with `n_workers` in them. MUSTER_E_RESOURCE with *error: free it.
 */
int lane_init(struct lane *lane, struct lane_common *common, unsigned index,
        const struct engine_plan *plan, unsigned n_workers, struct muster_error *error);
int lane_start(struct lane *lane, struct muster_error *error);

/* After VISIT_STOP, or when it was never started: wait for the thread, release everything. */
void lane_deinit(struct lane *lane);

/* A request for it: a new one of the caller's, or one that another lane has let go. */
void lane_post(struct lane *lane, struct muster_request *request);

void lane_post_visit(struct lane *lane, struct visit *visit);

/* It should look at what is shared. */
void lane_nudge(struct lane *lane);

/* The hash of an origin's key ("http://example.com:80"), and whose it is unless it is dealt. */
uint64_t lane_hash(const struct lane_common *common, struct muster_str key);

static inline struct lane *lane_of_hash(const struct lane_common *common, uint64_t hash)
{
        return common->lanes[hash % common->n];
}

static inline struct lane *lane_of_engine(const struct engine *engine)
{
        return (struct lane *)(uintptr_t)engine;
}

#endif
