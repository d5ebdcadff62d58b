/* SPDX-License-Identifier: MIT */
#include "outcome.h"

#include "refusals.h"
#include <base/words.h>
#include <stdio.h>

void outcome_errors(struct outcome_errors *errors, const struct facts *facts)
{
        const struct record *record = facts->record;
        size_t n[600] = { 0 };

        *errors = (struct outcome_errors){ 0 };
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                int status = attempt->status;

                if (!attempt->is_last || attempt->code != MUSTER_OK || status < 400 ||
                        status >= 600)
                        continue;
                errors->n++;
                errors->n_refused += refusals_is_one(attempt);
                if (++n[status] > errors->n_of_status) {
                        errors->n_of_status = n[status];
                        errors->status = status;
                }
        }
}

void outcome_told(struct outcome_told *told, const struct facts *facts)
{
        const struct totals *all = &facts->all;

        *told = (struct outcome_told){ .n_requests = all->n_requests,
                .n_cancelled = all->n_codes[-MUSTER_E_CANCELLED] };
        told->n_done = told->n_requests - told->n_cancelled;
        told->n_failed = all->n_failed - told->n_cancelled;
        told->n_errors = totals_n_statuses(all, 400, 599);
        for (int status = 400; status < 600; status++)
                if (all->n_statuses[status] > told->n_of_status) {
                        told->n_of_status = all->n_statuses[status];
                        told->status = status;
                }
}

void outcome_say_how_many(char *text, size_t size, uint64_t n, const struct outcome_told *told)
{
        const char *done = "";

        if (told->n_cancelled)
                done = told->n_done == 1 ? " that was done" : " that were done";
        if (n < told->n_done)
                snprintf(text, size, "%s of %s requests%s", words_count(n).text,
                        words_count(told->n_done).text, done);
        else if (n == 1)
                snprintf(text, size, "The request%s", done);
        else
                snprintf(text, size, "All %s requests%s", words_count(n).text, done);
}

static bool is_failed_by_server(const struct trace_attempt *attempt)
{
        if (attempt->code == MUSTER_E_TIMEOUT)
                return attempt->stamps.send_end_ns && !attempt->stamps.first_byte_read_ns;
        return attempt->status == 429 || attempt->status >= 500;
}

bool outcome_servers_fail(const struct facts *facts)
{
        const struct record *record = facts->record;
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++)
                n += is_failed_by_server(&record->attempts[i]);
        return n && (double)n >= (double)record->n_attempts * FAILURES_FIRST;
}

bool outcome_is_failure(const struct facts *facts)
{
        struct outcome_errors errors;

        outcome_errors(&errors, facts);
        return outcome_is_nearly_all(outcome_n_failed(facts) + errors.n_refused, facts);
}
