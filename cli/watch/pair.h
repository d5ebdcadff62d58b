/* SPDX-License-Identifier: MIT */
/*
 * Two programs that do the same job, side by side: muster compare --watch A B
 *
 * Each runs once without counting, then both in rounds, A first and B first in turn, so that
 * whatever drifts meanwhile is the same for both. What they print goes nowhere, but in two of
 * the runs, where it is compared, as the requests are.
 */
#ifndef CLI_WATCH_PAIR_H
#define CLI_WATCH_PAIR_H

#include "../measure/remarks.h"
#include "../measure/stat.h"
#include "counts.h"
#include "job.h"

#define PAIR_ROUNDS_MIN 6 /* as muster compare: with fewer a median says little */
#define PAIR_ROUNDS_MAX 100

struct pair_arm {
        const char *command; /* a shell's */
        double of[N_COUNTS][PAIR_ROUNDS_MAX];
        double medians[N_COUNTS];
        struct estimate wall;
        char about[200];    /* of its first run: "Python 3.11.2, aiohttp 3.8.4"; "": not known */
        char finding[300];  /* the first of the last run; "": none */
        char unseen[260];   /* why nothing was seen; "": something was */
        unsigned n_bad;     /* rounds in which it ended with another status than 0 */
        int status;         /* the first such */
        struct job jobs[2]; /* of the run that does not count, and of the first that does */
};

struct pair {
        struct pair_arm arms[2];
        unsigned n_rounds; /* complete ones */
        bool was_interrupted;
        struct estimate ratio; /* B's wall time as a share of A's, round by round */
};

/* Do both do the same? Unknown where one differs from itself, or not all of it was seen. */
enum sameness { SAMENESS_UNKNOWN, SAMENESS_NO, SAMENESS_YES };
enum sameness pair_requests(const struct pair *pair);
enum sameness pair_output(const struct pair *pair);
void pair_say_job(const struct pair *pair, struct remarks *remarks);

/* What the figures mean. */
void pair_explain(const struct pair *pair, struct remarks *remarks);

void pair_print(const struct pair *pair, const struct remarks *remarks, FILE *to);

/* One JSON object and a line end. MUSTER_E_RESOURCE. */
int pair_print_json(const struct pair *pair, const struct remarks *remarks, FILE *to);

/* `muster compare --watch`, with the arguments of compare. Returns an exit status. */
int pair_main(int argc, char **argv);

#endif
