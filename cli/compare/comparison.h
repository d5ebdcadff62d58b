/* SPDX-License-Identifier: MIT */
/*
 * What came of comparing: the ways, round by round, and how it is told
 */
#ifndef CLI_COMPARE_COMPARISON_H
#define CLI_COMPARE_COMPARISON_H

#include "../measure/remarks.h"
#include "../measure/run.h"
#include "../measure/stat.h"
#include <stdio.h>

#define ROUNDS_MIN 5 /* with fewer a median says little */
#define ROUNDS_MAX 100
#define MODES_MAX  40

/* Of one mode in one round. Times are ns, those of requests are means of one request. */
enum figure {
        FIGURE_WALL,
        FIGURE_RATE, /* requests a second */
        FIGURE_LATENCY,
        FIGURE_LATENCY_P50,
        FIGURE_LATENCY_P99,
        FIGURE_CONNECT, /* from here on parts of the latency: DNS, TCP and TLS, */
        FIGURE_WAIT,    /* until the first byte is here, */
        FIGURE_LAG,     /* until we read it, */
        FIGURE_RECEIVE, /* until the last, */
        FIGURE_DECODE,
        FIGURE_IN_FLIGHT, /* mean: the sum of latencies over the wall time */
        FIGURE_CONNS,     /* opened */
        FIGURE_LOOKUPS,
        FIGURE_HANDSHAKES,
        FIGURE_RESUMED, /* of the handshakes */
        FIGURE_CPU,     /* processor time of all threads */
        FIGURE_BUSY, /* share of the wall time in which a thread worked, or would have, had a processor been free */
        N_FIGURES,
};

struct mode {
        const char *key; /* for machines */
        char name[48];   /* for tables */
        char words[64];  /* for sentences */
        struct way way;

        double figures[N_FIGURES][ROUNDS_MAX];
        uint64_t n_failed; /* in all rounds that count */
        uint64_t
                n_different; /* requests in these that were answered otherwise than the first time */

        double medians[N_FIGURES];
        struct estimate wall,
                speedup; /* the latter: how many times as fast as the first mode, round by round */
};

struct comparison {
        struct mode modes[MODES_MAX];
        size_t n_modes;
        size_t threads,
                first_loop; /* indices: that with threads, and the loops from the lowest limit on */
        size_t n_requests, n_listed, n_left_out;
        unsigned n_rounds; /* complete ones */
        unsigned n_processors;
        bool was_interrupted;
        char example[TALLY_EXAMPLE]; /* what the first failure said */
};

/* Add the ways that are compared; `limits` are those of the event loop, ascending. */
void comparison_init(struct comparison *comparison, unsigned n_threads, const unsigned *limits,
                     size_t n_limits);

/* A run of a mode in a round (from 0) is over; `n_different` of its answers were other ones. */
void comparison_add(struct comparison *comparison, size_t mode, unsigned round,
                    const struct run *run, uint64_t n_different);

/* All rounds are there, at least one: fill in medians and intervals. */
void comparison_finish(struct comparison *comparison);

/* The loop with as much at once as there are threads. */
const struct mode *comparison_loop_like_threads(const struct comparison *comparison);

/* What the figures mean. */
void comparison_explain(const struct comparison *comparison, struct remarks *remarks);

void comparison_print(const struct comparison *comparison, const struct remarks *remarks, FILE *to);

/* One JSON object and a line end. MUSTER_E_RESOURCE. */
int comparison_print_json(const struct comparison *comparison, const struct remarks *remarks,
                          FILE *to);

#endif
