/* SPDX-License-Identifier: MIT */
/*
 * Lanes: the caller's side of a client with threads
 */
#ifndef CORE_LANES_H
#define CORE_LANES_H

#include "lane.h"

struct lanes {
        struct lane_common common;
        struct list results; /* out of the outbox, but not taken by the caller yet */
        uint64_t n_submitted;
        uint64_t n_given; /* results that the caller took, streams included */
        bool may_deal;    /* hot origins may be dealt: their limits have a part for each lane */
        /* dealt requests not taken, for each lane; and the lane that got the last one */
        unsigned n_dealt[LANES_MAX], dealt_last;
        bool is_recorded; /* a tracer was attached, perhaps without success */
};

/*
 * Make `n` lanes, each with an engine made from `plan`, and start their threads. MUSTER_E_RESOURCE,
 * MUSTER_E_INVALID with *error.
 */
int lanes_new(struct lanes **ret_lanes, unsigned n, const struct engine_plan *plan,
        struct muster_error *error);

/* End all outstanding requests and the threads. Takes NULL, returns NULL. */
struct lanes *lanes_free(struct lanes *lanes);

/* Submit a request whose id and moment of submission are set. */
void lanes_submit(struct lanes *lanes, struct muster_request *request);

/* Take a result, or a stream whose head is there; NULL: none yet. */
struct muster_request *lanes_take(struct lanes *lanes);

bool lanes_have_results(struct lanes *lanes);

/* As muster_wait(), with the moment at which to stop waiting. */
int lanes_wait(struct lanes *lanes, uint64_t until_ns);

/* For a reader: call lanes_expect(), look at the stream, and if it has nothing, wait for news. */
void lanes_expect(struct lanes *lanes);
void lanes_wait_for_news(struct lanes *lanes);

/* Tell the lanes how many requests were submitted and not taken, and whether the queue is full. */
void lanes_note_held(struct lanes *lanes, uint64_t n_held, bool is_full);

/* Any thread and any signal handler may call it. */
void lanes_wake(struct lanes *lanes);

/* As the functions of these names in muster/client.h. */
int lanes_cancel(struct lanes *lanes, uint64_t id);
void lanes_cancel_queued(struct lanes *lanes);
void lanes_cancel_all(struct lanes *lanes);
int lanes_fd(struct lanes *lanes);
int lanes_turn(struct lanes *lanes);
struct muster_client_stats lanes_stats(const struct lanes *lanes);

/*
 * Attach a tracer to all lanes before anything was submitted; its end() and free() are called once
 * for each lane. lanes_untrace() ends it, from the caller's thread.
 */
int lanes_trace(struct lanes *lanes, struct tracer *tracer);
void lanes_untrace(struct lanes *lanes);

/* For things that are the same in all engines. */
const struct engine *lanes_first_engine(const struct lanes *lanes);

#endif
