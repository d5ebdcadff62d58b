/* SPDX-License-Identifier: MIT */
/*
 * Facts, all of them: the order in which they are measured
 */
#ifndef EXPLAIN_FACTS_MEASURE_H
#define EXPLAIN_FACTS_MEASURE_H

#include <explain/facts/facts.h>

/*
 * MUSTER_E_RESOURCE; MUSTER_E_INPUT when no request in it has ended. The record is borrowed until
 * facts_deinit().
 */
int facts_measure(struct facts *facts, const struct record *record);

#endif
