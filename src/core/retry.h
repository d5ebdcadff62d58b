/* SPDX-License-Identifier: MIT */
/*
 * Retries: whether to try again, and when
 *
 * Exponential back-off with full jitter: the n-th retry waits a random time between 0 and min(max,
 * first * 2^n), so that requests that failed together do not come back together. Retry-After (RFC
 * 9110 section 10.2.3) takes precedence. With retry_fixed_delay_ms each retry waits just that long.
 *
 * A budget keeps retries from multiplying the load on a server in trouble. Each submitted request
 * pays in a share of a retry, and each retry takes out one. So in the long run at most that share
 * of requests is retried, however many retries each one may make. Retries after a refusal
 * (refusal.h) cost no budget, as the server is not in trouble. The result says why a retry that the
 * request had left was not made.
 */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include "settings.h"
#include <base/buf.h>
#include <base/rand.h>
#include <base/str.h>

/* retries that a small batch may make before it has paid for them */
#define RETRY_BUDGET_START 10
#define RETRY_BUDGET_MAX   10000 /* the most retries that can be saved up */
#define RETRY_AFTER_MAX_S  600   /* a server that asks for more than 10 minutes wants no retry */

struct muster_request;

/* Why a request that had a retry left was not retried; trace.h tells the same in this order. */
enum retry_withheld {
        RETRY_NOT_WITHHELD,
        RETRY_WITHHELD_BUDGET,   /* the budget was used up */
        RETRY_WITHHELD_TIME,     /* its timeouts do not leave enough time to wait */
        RETRY_WITHHELD_MAX_TIME, /* it would begin after retry_max_time_ms */
        RETRY_WITHHELD_LONG,     /* the server asks for more than RETRY_AFTER_MAX_S */
        RETRY_WITHHELD_UNSAFE,   /* its method must not be repeated unless the caller allows it */
        RETRY_WITHHELD_BODY,     /* its body cannot be read again */
};

struct retry_budget {
        uint64_t hundredths; /* of a retry */
        unsigned percent;    /* MUSTER_NO_RETRY_BUDGET: there is no budget */
};

void retry_budget_init(struct retry_budget *budget, unsigned percent);

/* A request was submitted: it pays its share. */
void retry_budget_pay(struct retry_budget *budget);

/* May a retry change this status (408, 425, 429, 500, 502, 503, 504)? */
bool retry_is_status(int status);

/* May a retry change this error: the response did not come, or not completely? */
bool retry_is_failure(const struct muster_request *request, const struct muster_error *error);

/*
 * May the request be retried after this wait, apart from the budget? It needs a retry left, a
 * method that is safe to repeat or permission to repeat it, a body that can be sent again, and
 * enough time. If one is missing, request->withheld says which.
 */
bool retry_is_allowed(struct muster_request *request, uint64_t wait_ns);

/* Take a retry from the budget. False if none is left; request->withheld says so then. */
bool retry_is_paid(struct muster_request *request);

/* Append why the request was not retried; nothing if it had no retry left. MUSTER_E_RESOURCE. */
int retry_add_reason(const struct muster_request *request, struct buf *text);

/* How long to wait before the next retry if the server does not say. */
uint64_t retry_delay_ns(struct muster_request *request);

#endif
