/* SPDX-License-Identifier: MIT */
/*
 * A ramp in steps of its rate, and up to which one the server kept up
 *
 * Beyond what a server can do, a plan that does not wait has its requests wait longer and longer,
 * until the ramp ends. So the rate to name is where the steps begin that are bad up to the last: a
 * pause that the server recovers from is not the end of what it can do.
 */
#ifndef CLI_LOAD_STEPS_H
#define CLI_LOAD_STEPS_H

#include "plan.h"
#include "timeline.h"

#define STEPS_OF_RAMP 20
#define STEPS_MAX     (STEPS_OF_RAMP + 1) /* and one for the time behind the ramp */

#define STEP_BAD_SHARE  0.01 /* of a step's requests, which failed or were refused */
#define STEP_LOST_SHARE 0.05 /* of those planned, which did not even start */
#define STEP_SLOW_TIMES 2    /* as slow as the first steps, in the median, */
/* and by this slower: below that it may be that processors woke or slept */
#define STEP_SLOW_NS 5000000
/* a step with fewer requests tells nothing */
#define STEP_FEW 5
/* so many steps at the end are bad: one alone may be a pause */
#define STEPS_BAD_MIN 2

/* What is wrong with a step. */
enum step_fault {
        STEP_GOOD,
        STEP_SLOW,      /* latency rose */
        STEP_ERRORS,    /* failures and refusals began */
        STEP_UNSTARTED, /* requests found no slot to the end */
};

struct load_step {
        double from_per_s, to_per_s;
        uint64_t planned; /* until the run ended */
        struct span span;
        uint64_t service_p50_ns; /* from the start */
        struct hist service;
        enum step_fault fault;
};

struct load_steps {
        unsigned n;
        struct load_step *list; /* STEPS_MAX; NULL: there is no ramp */

        /* From steps_finish() on. */
        bool is_known;        /* there was enough to judge it */
        bool kept_up;         /* to the end */
        unsigned first_bad;   /* else: from this step on it did not */
        double kept_up_to;    /* else: the rate at which that began */
        uint64_t base_p50_ns; /* the median of the first steps */
        bool is_our_limit;    /* requests took no longer, only their slots came late */
};

/* MUSTER_E_RESOURCE. */
int steps_init(struct load_steps *steps, const struct load_plan *plan);
void steps_deinit(struct load_steps *steps);

/* `at_ns`: the planned start, since the beginning. Without a ramp it does nothing. */
void steps_add(struct load_steps *steps, const struct load_plan *plan, uint64_t at_ns,
        const struct timed *timed);

/* The run is over, after `ns`: find out the rest. */
void steps_finish(struct load_steps *steps, const struct load_plan *plan, uint64_t ns);

#endif
