/* SPDX-License-Identifier: MIT */
/*
 * Watched programs: certificates that are loaded again
 *
 * A context for TLS is made once, and serves all connections. Where each client or request has one
 * of its own, its certificates are loaded each time. On a loop's thread nothing else goes on
 * meanwhile: requests come later by it, and answers, connections and handshakes wait.
 */
#ifndef EXPLAIN_PROGRAM_LOADING_H
#define EXPLAIN_PROGRAM_LOADING_H

#include <explain/model/replay.h>

struct loading {
        uint64_t again_ns; /* what was loaded for others than the first one */
        bool is_on_loop;   /* ... by the thread of the loop */
        /* what the quickest request took; PART_SEND to PART_RECEIVE */
        uint64_t least_ns[PART_N];
};

void loading_measure(struct loading *loading, const struct facts *facts);

/*
 * Changes a request of a replay to what it is when they are loaded once, on the loop's thread: it
 * comes sooner, and did not wait for what was loaded beside it. A replay that this is in is not to
 * be scaled (replay.h), as that of the run as it was has this time twice.
 */
void loading_once(struct replay_request *request, const struct facts *facts,
        const struct loading *loading);

#endif
