/* SPDX-License-Identifier: MIT */
/*
 * Whether to try again, and when
 *
 * Exponential back-off with full jitter: the n-th retry waits a random time between 0 and min(max, first * 2^n), so that a
 * herd that failed together does not come back together. What a server asks for with Retry-After (RFC 9110 section 10.2.3) comes first.
 *
 * A budget keeps retries from multiplying the load on a server in trouble: each submitted request pays in a share, each retry
 * takes out one. So at most that share of requests is retried in the long run, however many are allowed to each one.
 */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include "settings.h"
#include <base/rand.h>
#include <base/str.h>

#define RETRY_BUDGET_START 10    /* retries that a small batch may make before it has paid in */
#define RETRY_BUDGET_MAX   10000 /* what can be saved up */
#define RETRY_AFTER_MAX_S  600   /* who asks for more than 10 minutes wants no retry */

struct muster_request;

struct retry_budget {
        uint64_t hundredths; /* of a retry */
        unsigned percent;
};

void retry_budget_init(struct retry_budget *budget, unsigned percent);

/* A request was submitted. */
void retry_budget_pay(struct retry_budget *budget);

/* Take one out; false when there is none. */
bool retry_budget_take(struct retry_budget *budget);

/* Is this a status that another try may change (408, 425, 429, 500, 502, 503, 504)? */
bool retry_is_status(int status);

/* May this request be retried at all: a try is left, and repeating what it does is harmless or asked for? */
bool retry_is_allowed(const struct muster_request *request);

/* May a request that ended with such an error be tried again, as the response never came or not whole? */
bool retry_is_failure(const struct muster_request *request, const struct muster_error *error);

/* How long to wait before the n-th retry (from 0). */
uint64_t retry_delay_ns(const struct settings *settings, struct rand *rand, unsigned n);

#endif
