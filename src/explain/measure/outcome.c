/* SPDX-License-Identifier: MIT */
#include "outcome.h"

#include "refusals.h"

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

bool outcome_is_failure(const struct facts *facts)
{
        struct outcome_errors errors;

        outcome_errors(&errors, facts);
        return outcome_is_nearly_all(outcome_n_failed(facts) + errors.n_refused, facts);
}
