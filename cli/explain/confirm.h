/* SPDX-License-Identifier: MIT */
/*
 * --confirm: is the prediction true?
 *
 * The same requests once more with the first remedy that is an option, and, as servers and networks
 * change, without it once more as well. Each is a process of its own, `muster fetch` by the words
 * of the original; what it writes goes nowhere, and its record tells how long it took. With several
 * rounds the two take turns in who goes first (ABBA).
 */
#ifndef CLI_EXPLAIN_CONFIRM_H
#define CLI_EXPLAIN_CONFIRM_H

#include "invocation.h"
#include <base/buf.h>
#include <muster/explain.h>

#define CONFIRM_ROUNDS_MAX 20

/* As options say. */
struct confirm_options {
        bool is_wanted;
        /* requests may change something on the server, and are made again all the same */
        bool allows_unsafe;
        unsigned n_rounds; /* 0: 1 */
};

/* By --confirm itself, or because somebody says how often. */
bool confirm_is_wanted(const struct confirm_options *options);

/* One way to run it: the median of its wall times, and what failed of all. */
struct confirm_arm {
        uint64_t wall_ns[CONFIRM_ROUNDS_MAX]; /* in the order in which they were run */
        uint64_t median_ns;
        uint64_t n_requests, n_failed;
};

struct confirmation {
        unsigned n_rounds;             /* 0: there was nothing to try */
        struct muster_finding finding; /* what was tried; its texts are the explanation's */
        uint64_t before_ns;            /* the run that was explained */
        struct confirm_arm changed, unchanged;
};

/* The first finding whose remedy is an option; NULL: none is. */
const struct muster_finding *confirm_choose(const struct muster_explanation *explanation);

/*
 * Can a command be run again, as far as its options tell? MUSTER_E_INVALID with *error when its
 * requests may change something on the server, or it reads anything but a list of requests from
 * standard input.
 */
int confirm_check(const struct invocation *invocation, bool allows_unsafe,
        struct muster_error *error);

#define CONFIRM_STOPPED 1 /* a signal came */
#define CONFIRM_NOTHING 2 /* no remedy is an option */

/* What is said of CONFIRM_NOTHING. */
extern const char confirm_nothing[];

/*
 * Try the remedy of confirm_choose() on `original`, whose inputs can be read again. A condition
 * above, or MUSTER_E_RESOURCE, MUSTER_E_INVALID, MUSTER_E_INPUT with *error: it could not be run.
 */
int confirm_run(struct confirmation *confirmation, const struct invocation *original,
        const struct muster_explanation *explanation, unsigned n_rounds,
        struct muster_error *error);

/*
 * "--concurrency 64: predicted 190 ms (150 to 300 ms), measured 210 ms; ..." MUSTER_E_RESOURCE.
 */
int confirm_words(const struct confirmation *confirmation, struct buf *to);

/* Is what was measured within the range of the prediction, taken in the same proportion? */
bool confirm_is_within(const struct confirmation *confirmation);

/*
 * What that says, as a sentence; a constant. Predictions are taken in proportion to how long the
 * unchanged arm takes now.
 */
const char *confirm_conclusion(const struct confirmation *confirmation);

#endif
