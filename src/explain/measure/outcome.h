/* SPDX-License-Identifier: MIT */
/*
 * How the requests ended: answered, with an error for an answer, failed, or stopped by somebody
 *
 * A request that was stopped was not done, and is no failure. Where nearly all that were done
 * failed, or were refused, the times are those of failures and say nothing about speed.
 */
#ifndef EXPLAIN_OUTCOME_H
#define EXPLAIN_OUTCOME_H

#include <explain/facts/facts.h>
#include <explain/judgement.h>

static inline size_t outcome_n_cancelled(const struct facts *facts)
{
        return facts->n_codes[-MUSTER_E_CANCELLED];
}

/* All but those. */
static inline size_t outcome_n_done(const struct facts *facts)
{
        return facts->n_requests - outcome_n_cancelled(facts);
}

/* Of those done. */
static inline size_t outcome_n_failed(const struct facts *facts)
{
        return facts->n_failed - outcome_n_cancelled(facts);
}

static inline bool outcome_is_nearly_all(size_t n, const struct facts *facts)
{
        return n && (double)n >= (double)outcome_n_done(facts) * NEARLY_ALL;
}

/*
 * Requests that did not fail, and yet were answered with a status of 400 and above; the usual one,
 * and how many ended with 429 or 503.
 */
struct outcome_errors {
        size_t n, n_refused;
        int status;
        size_t n_of_status;
};

void outcome_errors(struct outcome_errors *errors, const struct facts *facts);

/* The same for the whole run, for counts that are told. Rules judge by what is in the record. */
struct outcome_told {
        uint64_t n_requests, n_done, n_failed, n_cancelled;
        uint64_t n_errors, n_of_status;
        int status;
};

void outcome_told(struct outcome_told *told, const struct facts *facts);

/* "The request", "All 50 requests", "48 of 50 requests"; and "that were done" of a stopped run. */
void outcome_say_how_many(char *text, size_t size, uint64_t n, const struct outcome_told *told);

/*
 * Did the servers refuse so many attempts, fail at them, or leave them without a response? Then nobody
 * proposes to ask them for more at once.
 */
bool outcome_servers_fail(const struct facts *facts);

/* Are the times those of failures? */
bool outcome_is_failure(const struct facts *facts);

#endif
