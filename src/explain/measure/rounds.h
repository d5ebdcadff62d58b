/* SPDX-License-Identifier: MIT */
/*
 * Rounds: did the program wait for all of its requests before it submitted more?
 *
 * A new round begins with a submission at which no request is outstanding any more. A batch that is
 * handed over at once, or that keeps a window filled, has one. A program that works in batches has
 * one for each. One that makes one request after another, or gets them one by one, has as many as
 * requests. The pauses between rounds tell whether the program waited for results or had nothing to
 * submit.
 */
#ifndef EXPLAIN_ROUNDS_H
#define EXPLAIN_ROUNDS_H

#include <explain/facts/facts.h>

struct rounds {
        size_t n;
        size_t largest;         /* requests in one */
        uint64_t pauses_ns;     /* between rounds, summed: nothing was outstanding */
        uint64_t longest_ns;    /* of these */
        uint64_t submitting_ns; /* from the first submission of each round to its last, summed */
        bool is_by_clock;       /* and not when results came */
};

void rounds_count(struct rounds *rounds, const struct facts *facts);

/* Requests in a round. */
double rounds_mean(const struct rounds *rounds, const struct facts *facts);

/*
 * The program waited for the last of each batch: in rounds of several requests that were submitted
 * together, without long pauses.
 */
bool rounds_are_batches(const struct rounds *rounds, const struct facts *facts);

#endif
