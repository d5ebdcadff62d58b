/* SPDX-License-Identifier: MIT */
/*
 * A lane: an engine in a thread of its own
 *
 *      caller ──▶ inbox ──▶ engine ──▶ outbox ──▶ caller
 *                  ▲          │ a request that has come to another engine's origin
 *                  └──────────┘
 *
 * Lanes share only what is listed here. Requests come in through the inbox when a turn begins and
 * leave through the outbox when it ends, in batches. An origin belongs to one lane, by the hash of
 * its key, so its state needs no lock. Only an origin with most of the requests is dealt to all
 * lanes (hot.h); its limit and its rate are split (split.h). Slots are leased (slots.h), and so are
 * the moments of the overall rate (moments.h).
 */
#ifndef CORE_LANE_H
#define CORE_LANE_H

#include "engine.h"
#include "hot.h"
#include "inbox.h"
#include "moments.h"
#include "outbox.h"
#include "slots.h"
#include "split.h"

#define LANES_MAX SLOTS_LEASES_MAX

struct lane;

/* What all lanes of a client share. */
struct lane_common {
        struct lane **lanes;
        unsigned n;
        uint64_t hash_seed;
        struct hot hot;
        struct split *splits; /* for the places of hot origins; NULL: they have no limits */
        struct outbox outbox;
        struct slots slots;
        struct moments moments;
        struct trace_numbers numbers;
        /* Set by the caller's thread, read at the beginning of each turn. */
        _Atomic uint64_t n_held; /* requests submitted and not taken */
        atomic_bool is_full;     /* the queue is full, see sched.h */
        /*
         * Requests up to this id are cancelled, and this one, even if they are between two lanes.
         */
        _Atomic uint64_t cancelled_up_to, cancelled_id;
        atomic_bool was_met; /* such a request was found */
};

struct lane {
        struct engine engine; /* first */
        struct lane_common *common;
        unsigned index;
        struct settings settings; /* the client's, with this lane's part of the workers */
        struct inbox inbox;
        struct lease lease;
        struct visit *visit; /* taken, and answered at the end of the turn */
        bool was_met;
        bool is_stopping;
        struct list streams; /* relays with a body that is not over */
        /* hot origins, and those of them that were gathered, as known here */
        unsigned n_hot, n_gathered;
        pthread_t thread;
        bool is_running;
        /* What other threads may see, as of the end of its last turn. */
        pthread_mutex_t lock;
        struct muster_client_stats stats; /* guarded by the lock, like all members below */
        uint64_t hold_until_ns;
};

/*
 * Make the index-th lane, and start its thread. `plan` is for its engine; its settings are copied,
 * with `n_workers` workers. MUSTER_E_RESOURCE with *error; deinit is needed in any case.
 */
int lane_init(struct lane *lane, struct lane_common *common, unsigned index,
        const struct engine_plan *plan, unsigned n_workers, struct muster_error *error);
int lane_start(struct lane *lane, struct muster_error *error);

/* Wait for the thread and release everything, after VISIT_STOP or if it was never started. */
void lane_deinit(struct lane *lane);

/* Post a request: a new one from the caller, or one from another lane. */
void lane_post(struct lane *lane, struct muster_request *request);

void lane_post_visit(struct lane *lane, struct visit *visit);

/* Make the lane look at what it shares with others. */
void lane_nudge(struct lane *lane);

/* As lane_nudge(), for the lane that has this lease of a hot origin's slots. */
void lane_wake_part(struct lease *lease);

/*
 * The hash of an origin's key ("http://example.com:80"), and the lane that has the origin unless it
 * is dealt.
 */
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
