/* SPDX-License-Identifier: MIT */
/*
 * Rehearsal: the requests of a run, or a sample of them, as a replay needs them
 *
 * What each took and when it came is the same for all replays of a record, of which an explanation
 * makes a dozen. So it is found out once. A replay changes a copy.
 */
#ifndef EXPLAIN_REHEARSAL_H
#define EXPLAIN_REHEARSAL_H

#include "replay.h"
#include "simulate.h"

struct rehearsed {
        struct replay_request as_it_was; /* submit_ns: were the client never full */
        uint64_t after_ns;               /* so long after `after` was over */
        uint32_t after;                  /* index of an earlier one; SIMULATE_NONE: at the start */
        bool follows; /* it came when a result was there, and the two above say which */
};

struct rehearsal {
        struct rehearsed *list;  /* in the order of submission */
        uint32_t n, n_following; /* of these follow another one that is known */
        double n_each;           /* how many requests one of the sample stands for */
};

/* For facts_measure(), which needs all of the facts but replays for it. MUSTER_E_RESOURCE. */
int rehearsal_new(struct rehearsal **ret_rehearsal, const struct facts *facts);
struct rehearsal *rehearsal_free(struct rehearsal *rehearsal); /* NULL is allowed; returns NULL */

#endif
