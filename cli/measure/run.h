/* SPDX-License-Identifier: MIT */
/*
 * Run a batch in one way, and measure that
 *
 * Each way is a number of threads with a client of their own that take requests from the same list,
 * and what is kept in flight by each: one thread and one request are one by one; N threads and one
 * request each is what blocking calls in a pool of N threads do; one thread and N requests is the
 * event loop. So nothing differs but what is to be compared.
 *
 * Clients are made before the clock starts and begin without connections. It stops when the last
 * result was taken.
 */
#ifndef CLI_MEASURE_RUN_H
#define CLI_MEASURE_RUN_H

#include "batch.h"
#include "cpu.h"
#include "tally.h"

#define RUN_THREADS_MAX 1000 /* more is no comparison but a test of the scheduler */

struct way {
        unsigned n_threads;
        unsigned concurrency; /* of each of them */
        /*
         * for idle connections: as many as a client with this concurrency keeps; used where
         * concurrency is 1
         */
        unsigned room;
        bool no_reuse; /* each request has a connection of its own */
};

/* What came back for an item, to see whether two runs did the same work. */
struct answer {
        int status; /* or the negative code of the error */
        uint64_t body_bytes;
        uint64_t host; /* that it came from: a hash of scheme, host and port */
};

/* How many hosts they came from. MUSTER_E_RESOURCE. */
int answers_count_hosts(const struct answer *answers, size_t n, size_t *ret_n);

struct run {
        uint64_t wall_ns;
        struct tally tally;
        struct cpu cpu; /* of all its threads */
        uint64_t n_conns, n_lookups, n_handshakes, n_resumed;
};

/*
 * Run it, for at most `limit_ns` (0: to its end): after that, and after Ctrl-C, no further request
 * is begun. `answers`, unless NULL, has a place for each item. Negative with *error: it could not
 * be run.
 */
int run_batch(struct run *run, const struct batch *batch, const struct way *way, uint64_t limit_ns,
        struct answer *answers, struct muster_error *error);

#endif
