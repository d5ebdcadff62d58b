/* SPDX-License-Identifier: MIT */
/*
 * Split: the limit and the rate of one origin, shared by several engines
 *
 * An origin that is dealt to all engines (hot.h) keeps its limit and its rate: each engine leases
 * slots of it (slots.h) and moments of its plan (moments.h).
 *
 * One engine had the origin alone until then: its home. Requests may be running there, so all slots
 * are leased to the home at first, and the plan is closed. The home gives back the slots that it
 * does not use, and opens the plan, in its next turn.
 */
#ifndef CORE_SPLIT_H
#define CORE_SPLIT_H

#include "moments.h"
#include "slots.h"

struct origin;

/* One engine's part. Only its thread uses it, except for what the lease says. */
struct split_part {
        struct split *split;
        struct origin *origin; /* NULL: this engine has not met it, or has forgotten it */
        struct lease lease;
        unsigned n_slots; /* that requests to the origin may use here now */
        struct moments_lease moments;
        void *owner; /* the engine's, for wake() */
        bool is_home;
        bool is_open; /* the plan is, as far as this engine has seen */
};

struct split {
        struct slots slots; /* if has_limit */
        bool has_limit;
        struct moments moments; /* if has_rate */
        bool has_rate;
        struct split_part *parts; /* one for each engine */
        unsigned n_parts;
};

/*
 * Make the split of an origin that is not known yet, for `n_parts` engines. `per_host`: the limit,
 * not less than `n_parts`; 0: none. `rate_per_s`: of the origin; 0: none. `wake` is called by
 * another engine's thread when slots are free. MUSTER_E_RESOURCE; deinit is needed in any case.
 */
int split_init(struct split *split, unsigned n_parts, unsigned per_host, double rate_per_s,
        void (*wake)(struct lease *lease));

/* Release it, also a zeroed one. */
void split_deinit(struct split *split);

/* From now on it is the split of an origin whose home is this engine. Before any part is used. */
void split_begin(struct split *split, unsigned home);

static inline struct split_part *split_part_of_lease(struct lease *lease)
{
        return (struct split_part *)(uintptr_t)((char *)lease - offsetof(struct split_part, lease));
}

#endif
