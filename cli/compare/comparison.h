/* SPDX-License-Identifier: MIT */
/*
 * The result of a comparison: the modes, round by round, and its output
 */
#ifndef CLI_COMPARE_COMPARISON_H
#define CLI_COMPARE_COMPARISON_H

#include "../measure/remarks.h"
#include "../measure/run.h"
#include "../measure/stat.h"
#include <stdio.h>

/* with fewer a median says little; even, as rounds go forward and backward in turn */
#define ROUNDS_MIN 6
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
        FIGURE_SEND,    /* until the request is out, */
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
        /*
         * share of the wall time in which a thread worked, or would have, had a processor been free
         */
        FIGURE_BUSY,
        N_FIGURES,
};

struct mode {
        const char *key; /* for machines */
        char name[48];   /* for tables */
        char words[64];  /* for sentences */
        struct way way;

        double figures[N_FIGURES][ROUNDS_MAX];
        uint64_t failed[ROUNDS_MAX];    /* requests of each round */
        uint64_t refused[ROUNDS_MAX];   /* answered 4xx or 5xx, which is no failure without -f */
        uint64_t different[ROUNDS_MAX]; /* these were answered otherwise than the first time */

        /* Of the rounds that are complete. */
        uint64_t n_failed, n_refused, n_different;
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
        size_t n_hosts;    /* that these requests go to: of each scheme, host and port one */
        unsigned n_rounds; /* complete ones */
        bool was_interrupted;
        char example[TALLY_EXAMPLE]; /* what the first failure said */
        char refusal[TALLY_EXAMPLE]; /* the first answer of 4xx or 5xx */
};

/* Add the ways that are compared; `limits` are those of the event loop, ascending. */
void comparison_init(struct comparison *comparison, unsigned n_threads, const unsigned *limits,
        size_t n_limits);

/* A run of a mode in a round (from 0) is over; `n_different` of its answers were other ones. */
void comparison_add(struct comparison *comparison, size_t mode, unsigned round,
        const struct run *run, uint64_t n_different);

/* All rounds are there that there will be: fill in sums, medians and intervals. */
void comparison_finish(struct comparison *comparison);

/*
 * How many of the modes, from the first on, can differ: of loops that have the whole list in flight
 * the lowest stands for all.
 */
size_t comparison_n_distinct(const struct comparison *comparison);

/* The loop with as much at once as there are threads. */
const struct mode *comparison_loop_like_threads(const struct comparison *comparison);

/* What the figures mean. */
void comparison_explain(const struct comparison *comparison, struct remarks *remarks);

void comparison_print(const struct comparison *comparison, const struct remarks *remarks, FILE *to);

/* One JSON object and a line end. MUSTER_E_RESOURCE. */
int comparison_print_json(const struct comparison *comparison, const struct remarks *remarks,
        FILE *to);

#endif
