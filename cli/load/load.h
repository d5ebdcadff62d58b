/* SPDX-License-Identifier: MIT */
/*
 * A load run, counted while it goes on, in constant memory
 *
 *      plan.h ── when requests are to start
 *      load.h ── latencies from the plan and from the start, late starts
 *      timeline.h, steps.h ── the same over time, and by the rate of a ramp
 *      machine.h ── whether this machine kept up
 *      page.h ── all of it, for people and as an object
 */
#ifndef CLI_LOAD_LOAD_H
#define CLI_LOAD_LOAD_H

#include "machine.h"
#include "plan.h"
#include "steps.h"
#include "timeline.h"
#include <base/fine_hist.h>
#include <muster/muster.h>

#define LOAD_LATE_NS 1000000 /* a start that is later is told as late: 1 ms is a turn of a loop */

struct load {
        bool is_on;
        const struct load_plan *plan;
        uint64_t begin_ns; /* the first planned start; 0: there was none yet */
        uint64_t end_ns;   /* no request begins later; 0: not known yet */
        bool has_ended;    /* by its duration, or by the user */
        bool was_interrupted;

        uint64_t n_started, n_unstarted; /* given to the client; of the latter it began none */
        struct fine_hist from_plan, from_start; /* to the result, of those without an error */
        uint64_t n_late;
        struct hist late; /* by how much, of those */
        struct timeline timeline;
        struct load_steps steps;

        unsigned n_loops;
        struct machine_time machine_begin;
        struct machine machine; /* from load_finish() on */
};

/* MUSTER_E_RESOURCE with *error. `n_loops`: threads that make requests. */
int load_init(struct load *load, const struct load_plan *plan, unsigned n_loops,
        struct muster_error *error);
void load_deinit(struct load *load);

/* Requests are going to be submitted: account for this process from now on. */
void load_prepare(struct load *load);

/* Until it returns true: has the client begun? Then the time of the run does. */
bool load_has_begun(struct load *load, const struct muster_client *client);

/* Has its time come? Nothing begins from then on. */
bool load_is_due(const struct load *load, uint64_t now_ns);

/* The user ends it now. */
void load_interrupt(struct load *load, uint64_t now_ns);

/* A request is over. `has_failed`: it has an error. */
void load_add(struct load *load, const struct muster_result *result, bool has_failed);

/* A request that the end of the run came before; it was not begun. */
static inline bool load_is_unstarted(const struct muster_result *result)
{
        const struct muster_error *error = muster_result_error(result);

        return error && error->code == MUSTER_E_CANCELLED && !muster_result_n_attempts(result);
}

/* All is over: the rest follows. `request_ns`, `lag_ns`: what requests took, and lay here unread. */
void load_finish(struct load *load, const struct muster_client_stats *stats, uint64_t wall_ns,
        uint64_t request_ns, uint64_t lag_ns);

/* The starts that the plan had and that no request made, as none found a slot in time. */
uint64_t load_n_missed(const struct load *load, const struct muster_client_stats *stats);

/* How far it is, from 0 to 1; negative: not known. */
double load_share_done(const struct load *load, uint64_t n_done, uint64_t now_ns);

#endif
