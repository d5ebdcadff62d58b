/* SPDX-License-Identifier: MIT */
/*
 * The lanes of a client with threads: what client.h does, in the caller's thread, where the work is
 * done elsewhere
 */
#ifndef CORE_LANES_H
#define CORE_LANES_H

#include "lane.h"

struct lanes {
        struct lane_common common;
        struct list results; /* taken out of the outbox, and not by the caller yet */
        uint64_t n_submitted;
        uint64_t n_given; /* results that the caller got, streams with their head */
        bool may_deal;    /* hot origins to all lanes */
        unsigned n_dealt[LANES_MAX],
                dealt_last; /* and their results not taken; the last one that got one */
        bool is_recorded;   /* a tracer was attached, maybe in vain */
};

/*
 * Make `n` of them and start their threads. `plan` is that of each engine. MUSTER_E_RESOURCE,
 * MUSTER_E_INVALID with *error.
 */
int lanes_new(struct lanes **ret_lanes, unsigned n, const struct engine_plan *plan,
        struct muster_error *error);

/* End all that is outstanding, and the threads. NULL is allowed; returns NULL. */
struct lanes *lanes_free(struct lanes *lanes);

/* Its number and moment are set. */
void lanes_submit(struct lanes *lanes, struct muster_request *request);

/* A result, or a stream whose head is there; NULL: none yet. */
struct muster_request *lanes_take(struct lanes *lanes);

bool lanes_have_results(struct lanes *lanes);

/* As muster_wait(), with the moment until which to wait. */
int lanes_wait(struct lanes *lanes, uint64_t until_ns);

/* Until there is news for whoever reads a stream that had nothing after lanes_expect(). */
void lanes_expect(struct lanes *lanes);
void lanes_wait_for_news(struct lanes *lanes);

/* So many are submitted and not taken, and whether that is too many. */
void lanes_note_held(struct lanes *lanes, uint64_t n_held, bool is_full);

/* Any thread, any signal handler. */
void lanes_wake(struct lanes *lanes);

/* As their namesakes in muster/client.h. */
int lanes_cancel(struct lanes *lanes, uint64_t id);
void lanes_cancel_queued(struct lanes *lanes);
void lanes_cancel_all(struct lanes *lanes);
int lanes_fd(struct lanes *lanes);
int lanes_turn(struct lanes *lanes);
struct muster_client_stats lanes_stats(const struct lanes *lanes);

/*
 * Tell a tracer what all of them do; its end() and free() are called once for each lane. Nothing was
 * submitted yet. lanes_untrace(): the end, which is told by the caller's thread.
 */
int lanes_trace(struct lanes *lanes, struct tracer *tracer);
void lanes_untrace(struct lanes *lanes);

/* For what is the same in all of them. */
const struct engine *lanes_first_engine(const struct lanes *lanes);

#endif
