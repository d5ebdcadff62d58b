/* SPDX-License-Identifier: MIT */
/*
 * Totals: how all requests ended, counted when they do
 *
 * A ring keeps the newest rows; what is told of a run as a count has to be of all of them. So this
 * is counted beside the ring.
 */
#ifndef RECORD_TOTALS_H
#define RECORD_TOTALS_H

#include <core/trace.h>

#define TOTALS_N_CODES    32   /* by the negative of enum muster_code */
#define TOTALS_N_STATUSES 1000 /* three digits */

struct totals {
        uint64_t first_ns, last_ns; /* first submit to last result taken; 0: none */
        uint64_t n_requests, n_failed;
        uint64_t n_codes[TOTALS_N_CODES];
        uint64_t n_statuses[TOTALS_N_STATUSES]; /* of those without an error */
        uint64_t n_unsafe;                      /* neither GET, HEAD nor OPTIONS, or with a body */
        uint64_t n_attempts;                    /* that had a slot */
        uint64_t n_outcomes[TRACE_N_OUTCOMES];
        uint64_t n_conns_opened;
        uint64_t wire_bytes;
};

/* An attempt is over. */
void totals_add(struct totals *totals, const struct trace_attempt *attempt);

/* Requests without an error whose status is from `least` to `most`. */
uint64_t totals_n_statuses(const struct totals *totals, int least, int most);

#endif
