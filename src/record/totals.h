/* SPDX-License-Identifier: MIT */
/*
 * Totals: how all requests ended, counted as they end
 *
 * A ring keeps only the newest rows, but the counts of a run must cover all of them. So they are
 * kept beside the ring.
 */
#ifndef RECORD_TOTALS_H
#define RECORD_TOTALS_H

#include <core/trace.h>

#define TOTALS_N_CODES    32   /* by the negative of enum muster_code */
#define TOTALS_N_STATUSES 1000 /* three digits */

struct totals {
        /* the first submission, and when the last result was taken; 0: none */
        uint64_t first_ns, last_ns;
        uint64_t n_requests, n_failed;
        uint64_t n_codes[TOTALS_N_CODES];
        uint64_t n_statuses[TOTALS_N_STATUSES]; /* of requests without an error */
        uint64_t n_unsafe;                      /* neither GET, HEAD nor OPTIONS, or with a body */
        uint64_t n_attempts;                    /* attempts that had a slot */
        uint64_t n_outcomes[TRACE_N_OUTCOMES];
        uint64_t n_conns_opened;
        uint64_t wire_bytes;
};

/* Count a finished attempt. */
void totals_add(struct totals *totals, const struct trace_attempt *attempt);

/* Requests without an error whose status is from `least` to `most`. */
uint64_t totals_n_statuses(const struct totals *totals, int least, int most);

#endif
