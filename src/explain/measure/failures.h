/* SPDX-License-Identifier: MIT */
/*
 * Failures: requests that ended with an error, or with a status that says that the server is in
 * trouble, by why
 *
 * What failed for the same reason is one group: the code, and the errno or the status where it is
 * one. Such that a cause of their own explains are left out: refusals (refusals.h), this machine's
 * shortages, requests that gave up before they got a slot (unsent.h). So are requests that somebody
 * stopped.
 */
#ifndef EXPLAIN_FAILURES_H
#define EXPLAIN_FAILURES_H

#include <explain/facts/facts.h>

#define FAILURE_GROUPS 8 /* more reasons are no reason */

struct failure_group {
        int8_t code;
        uint8_t stage; /* of a timeout: what it was waiting for */
        uint16_t sys;
        int16_t status;
        size_t n;
        uint32_t origin; /* of all of them; 0: of several, or of none */
};

struct failures {
        size_t n, n_errors; /* the latter: without those that were answered */
        size_t n_requests;  /* done, whether they failed or not */
        struct failure_group groups[FAILURE_GROUPS]; /* the most frequent first */
        size_t n_groups, n_others;                   /* others: failures in no group */
        uint32_t origin;                             /* as of a group, of all failures */
        size_t n_withheld[TRACE_N_WITHHELD];         /* by why they were not tried again */
        size_t n_at_limit;                           /* these had no retry left */
        size_t n_retries, n_saved; /* all retries that were made; requests that one of them saved */
};

void failures_find(struct failures *failures, const struct facts *facts);

/* Are they many, so that they are to be told first? */
bool failures_are_many(const struct failures *failures);

#endif
