/* SPDX-License-Identifier: MIT */
/*
 * Our own part: what several rules want to know of this program
 */
#ifndef EXPLAIN_OWN_H
#define EXPLAIN_OWN_H

#include "finding.h"

/* Which work had most of the loop's time. */
enum trace_work own_main_work(const struct facts *facts);

/* Processors that this program may run on, at most CREW_MOST; 0: not known. */
uint64_t own_processors(const struct facts *facts);

/*
 * Processors that are free for more work. Where something waited for one, others were using all but
 * ours.
 */
double own_free_processors(const struct facts *facts);

/* An evidence: how busy the loop's thread was. */
void own_tell_busy(struct finding *finding, const struct facts *facts);

#endif
