/* SPDX-License-Identifier: MIT */
/*
 * The program's own workers: processes or threads that it gives bodies to, of which the engine sees nothing
 *
 * While they have all the bodies that they may have, the program takes no results and makes no
 * requests. To the engine that looks like a slow list, a slow consumer, or requests made in batches. What the
 * program told of them (muster_record_count()) tells it apart.
 */
#ifndef EXPLAIN_OWN_WORKERS_H
#define EXPLAIN_OWN_WORKERS_H

#include <explain/facts/facts.h>

struct own_workers {
        uint64_t n; /* 0: not known */
        uint64_t n_bodies, busy_ns;
        uint64_t full_ns; /* they had all that they may have, and were waited for */
};

/* Did the run wait for them? False, too, where the program told nothing. */
bool own_workers_limit(const struct facts *facts);

void own_workers_measure(struct own_workers *workers, const struct facts *facts);

#endif
