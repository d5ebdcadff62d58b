/* SPDX-License-Identifier: MIT */
/*
 * Programs that are servers as well: what they ask of others they ask because they are asked
 */
#ifndef EXPLAIN_PROGRAM_SERVED_H
#define EXPLAIN_PROGRAM_SERVED_H

#include <explain/facts/facts.h>

/* How often it was asked, where its requests are made for that; 0: it is no server. */
uint32_t served_times(const struct facts *facts);

/*
 * The run, if what was asked of others for one that asks it, one by one, was asked together. Who asks
 * it waits for as much less. UINT64_MAX without memory.
 */
uint64_t served_together_ns(const struct facts *facts);

#endif
