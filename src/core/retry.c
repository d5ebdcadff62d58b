/* SPDX-License-Identifier: MIT */
#include "retry.h"

#include "request.h"
#include <base/clock.h>

void retry_budget_init(struct retry_budget *budget, unsigned percent)
{
        *budget =
                (struct retry_budget){ .hundredths = RETRY_BUDGET_START * 100, .percent = percent };
}

void retry_budget_pay(struct retry_budget *budget)
{
        budget->hundredths += budget->percent;
        if (budget->hundredths > RETRY_BUDGET_MAX * 100)
                budget->hundredths = RETRY_BUDGET_MAX * 100;
}

bool retry_budget_take(struct retry_budget *budget)
{
        if (budget->hundredths < 100)
                return false;
        budget->hundredths -= 100;
        return true;
}

bool retry_is_status(int status)
{
        return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 ||
               status == 503 || status == 504;
}

bool retry_is_allowed(const struct muster_request *request)
{
        return request->n_retries < request->limits.max_retries &&
               (request->limits.retry_unsafe || h1_method_is_idempotent(request_method(request)));
}

static bool was_never_sent(const struct muster_request *request)
{
        return request->attempt.send_start_ns == 0;
}

bool retry_is_failure(const struct muster_request *request, const struct muster_error *error)
{
        if (was_never_sent(request)) {
                /* No connection was made, so repeating is harmless whatever the method. */
                return request->n_retries < request->limits.max_retries &&
                       (error->code == MUSTER_E_RESOLVE || error->code == MUSTER_E_CONNECT ||
                        error->code == MUSTER_E_TLS || error->code == MUSTER_E_TIMEOUT);
        }
        return retry_is_allowed(request) &&
               (error->code == MUSTER_E_CLOSED || error->code == MUSTER_E_SEND);
}

uint64_t retry_delay_ns(const struct settings *settings, struct rand *rand, unsigned n)
{
        uint64_t bound = settings->retry_delay_ns;

        while (n-- && bound < settings->retry_delay_max_ns)
                bound *= 2;
        if (bound > settings->retry_delay_max_ns)
                bound = settings->retry_delay_max_ns;
        return rand_up_to(rand, bound);
}
