/* SPDX-License-Identifier: MIT */
/*
 * Capacity: how many requests at a time keep a full server busy
 *
 * Most of the requests under way at a full server only wait for their turn. With as many as it
 * works on at once it would give as many answers a second, each of them sooner.
 */
#ifndef EXPLAIN_CAPACITY_H
#define EXPLAIN_CAPACITY_H

#include "load.h"

/*
 * Of a load that grows: that of one host. At most as many as there were; 0: not known, or memory is
 * out.
 */
uint64_t capacity_of(const struct load *load, const struct facts *facts);

#endif
