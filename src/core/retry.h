/* SPDX-License-Identifier: MIT */
/*
 * Whether to try again, and when
 *
 * Exponential back-off with full jitter: the n-th retry waits a random time between 0 and min(max,
 * first * 2^n), so that a herd that failed together does not come back together. What a server asks
 * for with Retry-After (RFC 9110 section 10.2.3) comes first.
 *
 * A budget keeps retries from multiplying the load on a server in trouble: each submitted request
 * pays in a share, each retry takes out one. So at most that share of requests is retried in the
 * long run, however many are allowed to each one. A refusal (refusal.h) does not mean that the
 * server is in trouble, so retrying it costs no budget. A retry that is allowed to a request, and
 * yet not made, is said in its result.
 */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include "settings.h"
#include <base/buf.h>
#include <base/rand.h>
#include <base/str.h>

#define RETRY_BUDGET_START 10    /* retries that a small batch may make before it has paid in */
#define RETRY_BUDGET_MAX   10000 /* what can be saved up */
#define RETRY_AFTER_MAX_S  600   /* who asks for more than 10 minutes wants no retry */

struct muster_request;

/* Why a request that had a try left was not tried again. */
enum retry_withheld {
        RETRY_NOT_WITHHELD,
        RETRY_WITHHELD_BUDGET, /* the budget was used up */
        RETRY_WITHHELD_TIME,   /* its timeouts leave no time for the wait */
        RETRY_WITHHELD_LONG,   /* the server asks for more than RETRY_AFTER_MAX_S */
        RETRY_WITHHELD_UNSAFE, /* its method may not be repeated unasked */
        RETRY_WITHHELD_BODY,   /* its body cannot be read again */
};

struct retry_budget {
        uint64_t hundredths; /* of a retry */
        unsigned percent;    /* MUSTER_NO_RETRY_BUDGET: there is no budget */
};

void retry_budget_init(struct retry_budget *budget, unsigned percent);

/* A request was submitted. */
void retry_budget_pay(struct retry_budget *budget);

/* Is this a status that another try may change (408, 425, 429, 500, 502, 503, 504)? */
bool retry_is_status(int status);

/* Is this an error that another try may change: the response never came, or not whole? */
bool retry_is_failure(const struct muster_request *request, const struct muster_error *error);

/*
 * May the request be tried again after a wait of that length, as far as it matters to itself: a try
 * is left, repeating what it does is harmless or asked for, its body can be sent again, its
 * timeouts allow it? If not, request->withheld says why.
 */
bool retry_is_allowed(struct muster_request *request, uint64_t wait_ns);

/*
 * Take a retry from its client's budget; false when there is none, which request->withheld says
 * then.
 */
bool retry_is_paid(struct muster_request *request);

/*
 * Add to `text` why the request was not tried again; nothing where it had no try left.
 * MUSTER_E_RESOURCE.
 */
int retry_add_reason(const struct muster_request *request, struct buf *text);

/* How long to wait before its next try, where nobody says. */
uint64_t retry_delay_ns(struct muster_request *request);

#endif
