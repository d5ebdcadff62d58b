/* SPDX-License-Identifier: MIT */
#include "retry.h"

#include "engine.h"
#include "deadline.h"
#include "request.h"
#include <assert.h>
#include <base/clock.h>
#include <base/words.h>
#include <http/request_head.h>
#include <stdio.h>

void retry_budget_init(struct retry_budget *budget, unsigned percent)
{
        *budget =
                (struct retry_budget){ .hundredths = RETRY_BUDGET_START * 100, .percent = percent };
}

void retry_budget_pay(struct retry_budget *budget)
{
        if (budget->percent == MUSTER_NO_RETRY_BUDGET)
                return;
        budget->hundredths += budget->percent;
        if (budget->hundredths > RETRY_BUDGET_MAX * 100)
                budget->hundredths = RETRY_BUDGET_MAX * 100;
}

/* Take one retry out of the budget. False if none is left. */
static bool take_retry(struct retry_budget *budget)
{
        if (budget->percent == MUSTER_NO_RETRY_BUDGET)
                return true;
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

static bool was_never_sent(const struct muster_request *request)
{
        return request->attempt.send_start_ns == 0;
}

bool retry_is_failure(const struct muster_request *request, const struct muster_error *error)
{
        if (was_never_sent(request))
                return error->code == MUSTER_E_RESOLVE || error->code == MUSTER_E_CONNECT ||
                       error->code == MUSTER_E_TLS || error->code == MUSTER_E_TIMEOUT ||
                       (error->code == MUSTER_E_PROXY && !request->was_denied);
        return error->code == MUSTER_E_CLOSED || error->code == MUSTER_E_SEND;
}

/* A request that was never sent is safe to repeat, whatever its method. */
static bool is_harmless(const struct muster_request *request)
{
        return was_never_sent(request) || request->limits.retry_unsafe ||
               request_method_is_idempotent(request_method(request));
}

bool retry_is_allowed(struct muster_request *request, uint64_t wait_ns)
{
        uint64_t now_ns = clock_now(&request->engine->clock);

        if (request->n_retries >= request->limits.max_retries)
                return false;
        if (!is_harmless(request))
                request->withheld = RETRY_WITHHELD_UNSAFE;
        else if (!request_can_repeat(request))
                request->withheld = RETRY_WITHHELD_BODY;
        else if (deadline_forbids(request, clock_after(now_ns, wait_ns)))
                request->withheld = RETRY_WITHHELD_TIME;
        else if (clock_after(now_ns, wait_ns) > request->retry_until_ns)
                request->withheld = RETRY_WITHHELD_MAX_TIME;
        return request->withheld == RETRY_NOT_WITHHELD;
}

bool retry_is_paid(struct muster_request *request)
{
        struct engine *engine = request->engine;

        assert(request->withheld == RETRY_NOT_WITHHELD);
        if (take_retry(&engine->retry_budget))
                return true;
        request->withheld = RETRY_WITHHELD_BUDGET;
        engine->stats.n_retries_withheld++;
        return false;
}

/* --- saying why not -------------------------------------------------------------------------- */

static int add_budget(const struct muster_request *request, struct buf *text)
{
        char budget[100];

        snprintf(budget, sizeof(budget),
                "the retry budget (%u %% of all requests) was used up; --retry-budget raises it",
                request->engine->settings->retry_budget_percent);
        return buf_add_text(text, budget);
}

static int add_time(const struct muster_request *request, struct buf *text)
{
        int r = buf_add_text(text, "a wait of ");

        if (r == 0)
                r = buf_add_text(text, words_ns(request->retry_wait_ns).text);
        return r < 0 ? r
                     : buf_add_text(text, request->deadline_ns < request->total_until_ns
                                                  ? " is longer than the time left (--deadline)"
                                                  : " is longer than the time left (--max-time)");
}

static int add_max_time(const struct muster_request *request, struct buf *text)
{
        uint64_t max_ns = request->engine->settings->retry_max_time_ns;
        int r = buf_add_text(text, "after a wait of ");

        if (r == 0)
                r = buf_add_text(text, words_ns(request->retry_wait_ns).text);
        if (r == 0)
                r = buf_add_text(text, " the time for retries would be over (--retry-max-time ");
        if (r == 0)
                r = buf_add_text(text, words_ns(max_ns).text);
        return r < 0 ? r : buf_add_char(text, ')');
}

static int add_long(const struct muster_request *request, struct buf *text)
{
        int r = buf_add_text(text, "the server asks to wait ");

        return r < 0 ? r : buf_add_text(text, words_ns(request->notes.retry_after_ns).text);
}

static int add_unsafe(const struct muster_request *request, struct buf *text)
{
        int r = buf_add_str(text, request_method(request));

        return r < 0 ? r : buf_add_text(text, " is not retried without --retry-unsafe");
}

static int add_reason(const struct muster_request *request, struct buf *text)
{
        switch (request->withheld) {
        case RETRY_WITHHELD_BUDGET:
                return add_budget(request, text);
        case RETRY_WITHHELD_TIME:
                return add_time(request, text);
        case RETRY_WITHHELD_MAX_TIME:
                return add_max_time(request, text);
        case RETRY_WITHHELD_LONG:
                return add_long(request, text);
        case RETRY_WITHHELD_UNSAFE:
                return add_unsafe(request, text);
        case RETRY_WITHHELD_BODY:
                return buf_add_text(text, "its body cannot be read again");
        case RETRY_NOT_WITHHELD:
                break;
        }
        return 0;
}

int retry_add_reason(const struct muster_request *request, struct buf *text)
{
        int r;

        if (request->withheld == RETRY_NOT_WITHHELD)
                return 0;
        r = text->len ? buf_add_text(text, "; ") : 0;
        if (r == 0)
                r = buf_add_text(text, "not retried: ");
        return r < 0 ? r : add_reason(request, text);
}

uint64_t retry_delay_ns(struct muster_request *request)
{
        const struct settings *settings = request->engine->settings;
        uint64_t bound = settings->retry_delay_ns;

        if (settings->retry_fixed_delay_ns)
                return settings->retry_fixed_delay_ns;
        for (unsigned n = request->n_retries; n && bound < settings->retry_delay_max_ns; n--)
                bound *= 2;
        if (bound > settings->retry_delay_max_ns)
                bound = settings->retry_delay_max_ns;
        return rand_up_to(&request->engine->rand, bound);
}
