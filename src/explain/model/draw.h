/* SPDX-License-Identifier: MIT */
/*
 * Drawing requests anew: the bootstrap
 *
 * A run is one sample of what its requests might have taken. Another run of the same would have had
 * others, of the same kinds, in another order. So each job of a simulation is given what another
 * one of its kind took, drawn with repetition; from its neighbourhood, so that a run that began
 * slowly still does. When it comes stays as it is.
 */
#ifndef EXPLAIN_DRAW_H
#define EXPLAIN_DRAW_H

#include "simulate.h"
#include <base/rand.h>

struct draw {
        struct simulate_job *jobs;    /* as they were, those of a kind together */
        uint32_t *place_of;           /* by index of a job: where it is among these */
        uint32_t *first_of, *last_of; /* by place: where its kind begins and ends */
        uint32_t n;
        struct rand rand;
};

/* `kinds`, by index of a job, may be any numbers. 0 or MUSTER_E_RESOURCE; to be deinited then, too. */
int draw_init(struct draw *draw, const struct simulate *what, const uint64_t *kinds, uint64_t seed);
void draw_deinit(struct draw *draw);

/* Fills the jobs of the simulation anew, which may have been run. The same seed draws the same. */
void draw_next(struct draw *draw, struct simulate *what);

#endif
