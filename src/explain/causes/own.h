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

/*
 * For how long the busiest loop's thread ran: what it was busy, without what it only waited for a
 * processor.
 */
uint64_t own_running_ns(const struct facts *facts);

/*
 * Did that thread have a processor for most of the time in which it wanted one? Where that is not
 * known, too.
 */
bool own_has_processor(const struct facts *facts);

/* An evidence: how busy the loop's thread was. */
void own_tell_busy(struct finding *finding, const struct facts *facts);

#endif
