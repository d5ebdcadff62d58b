/* SPDX-License-Identifier: MIT */
/*
 * Keep so many requests in flight for a while, and measure that
 *
 * The list is gone through again and again. First as many requests are let pass as there are slots,
 * so that connections are open and what waits in the server has reached its height; then the clock
 * runs; what is still in flight when it stops is let finish, so that the next step does not find a
 * server at work on what nobody waits for.
 */
#ifndef CLI_MEASURE_STEP_H
#define CLI_MEASURE_STEP_H

#include "batch.h"
#include "cpu.h"
#include "tally.h"

/* How long the clock runs: as long as all of these want. */
struct step_plan {
        unsigned concurrency;
        uint64_t least_ns;
        uint64_t least_requests;
};

struct step_phase {
        double mean_ns, p50_ns, p99_ns;
};

struct step {
        unsigned concurrency;
        double wall_s;
        uint64_t n_done, n_failed, n_turned_down; /* while the clock ran; the last as in tally.h */
        uint64_t n_4xx, n_5xx;                    /* of n_done, as in tally.h */
        double throughput;                        /* good responses a second */
        double in_flight;                         /* mean, by Little's law */
        double bytes_per_s;                       /* of bodies, on the wire */
        double latency_mean_ns, latency_p50_ns, latency_p99_ns;
        struct step_phase connect; /* DNS, TCP and TLS together */
        struct step_phase phases[MUSTER_N_PHASES];
        /* of the connections, as the kernel smoothed it: grows where packets queue */
        double rtt_mean_ns;
        double cpu;       /* share of the wall time in which our thread worked */
        double busy;      /* and that in which it worked or was waiting for a processor */
        uint64_t n_conns; /* opened while the clock ran */
        char example[TALLY_EXAMPLE]; /* what the first failure said */
        char refusal[TALLY_EXAMPLE]; /* the first answer of 4xx or 5xx */
        bool is_complete;
};

/* Share of the requests that failed or were turned down. */
double step_bad_share(const struct step *step);

/*
 * Go through `batch`, from item *next on. After Ctrl-C is_complete is false. Negative with *error:
 * it could not be run.
 */
int step_run(struct step *step, const struct batch *batch, size_t *next,
        const struct step_plan *plan, struct muster_error *error);

#endif
