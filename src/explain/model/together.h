/* SPDX-License-Identifier: MIT */
/*
 * Together: what the loop does for a request that is one of many
 *
 * A loop that sleeps between two answers is woken up for each, with nothing of it in the processor's
 * caches. With many under way it is woken up once for several, or does not sleep at all. So in a run
 * of few at a time most of what it does for a small request is waking up, and at best a run of many
 * has as much of that as there are times it wakes.
 */
#ifndef EXPLAIN_TOGETHER_H
#define EXPLAIN_TOGETHER_H

#include <explain/facts/facts.h>

/*
 * Of its work for each request as it was, what is left at best where so many times as many are under
 * way; 1: all of it, as of large answers, which are work, and of programs that were watched.
 */
double together_factor(const struct facts *facts, double times);

#endif
