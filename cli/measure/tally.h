/* SPDX-License-Identifier: MIT */
/*
 * What a number of requests took, added up
 *
 * The latency of a request is the time in which it held a slot: all phases but those in which it
 * waited for its turn here or for the caller.
 */
#ifndef CLI_MEASURE_TALLY_H
#define CLI_MEASURE_TALLY_H

#include <base/hist.h>
#include <muster/result.h>

#define TALLY_EXAMPLE 340 /* a URL, as far as it says anything, and an error's text */

struct tally {
        uint64_t n;
        uint64_t n_failed;      /* have an error */
        uint64_t n_turned_down; /* of the others: see tally_is_turned_down() */
        uint64_t n_4xx, n_5xx;  /* answered so, and no failure; n_5xx: 500 and above */
        /* the latencies of all: divided by the wall time, how many were in flight (Little's law) */
        uint64_t in_flight_ns;
        struct hist latency; /* of all, as tally_latency_mean(): they stand side by side */
        uint64_t phase_ns[MUSTER_N_PHASES];
        uint64_t body_bytes, wire_bytes;
        char example[TALLY_EXAMPLE]; /* what the first failure said */
        char refusal[TALLY_EXAMPLE]; /* the first of n_4xx and n_5xx: "404 from http://..." */
};

void tally_init(struct tally *tally);
void tally_add(struct tally *tally, const struct muster_result *result);

/* Add all of `other`. */
void tally_merge(struct tally *tally, const struct tally *other);

/*
 * Did the server turn it down: was it answered 429 or 5xx? Explain calls refused what is answered
 * 429 or 503, where a server says that it has enough. Who looks for the limit must not count as
 * throughput what one answers that is past it, and 500, 502 and 504 are such answers.
 */
bool tally_is_turned_down(const struct muster_result *result);

/* Is this phase one in which a slot is held? */
bool tally_counts(enum muster_phase phase);

/* The mean of a phase, and of the latency, in ns a request. */
double tally_phase_mean(const struct tally *tally, enum muster_phase phase);
double tally_latency_mean(const struct tally *tally);

/* Names, connections and TLS together. */
double tally_connect_mean(const struct tally *tally);

#endif
