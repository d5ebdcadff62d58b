/* SPDX-License-Identifier: MIT */
#include "failures.h"

#include "outcome.h"
#include "refusals.h"
#include "unsent.h"
#include <assert.h>
#include <base/error.h>
#include <explain/judgement.h>

/* --- which ones ------------------------------------------------------------------------------ */

static bool is_refused(const struct trace_attempt *last)
{
        return refusals_is_one(last) && (last->code == MUSTER_OK || last->code == MUSTER_E_STATUS);
}

static bool is_failure(const struct facts *facts, const struct trace_attempt *last)
{
        bool has_queue_timeout = facts->record->run.options.queue_timeout_ns;

        if (last->code == MUSTER_E_CANCELLED || is_refused(last) ||
                error_sys_is_shortage(last->sys) || (has_queue_timeout && unsent_is_one(last)))
                return false;
        return last->code != MUSTER_OK || last->status >= 500;
}

/* --- by why ---------------------------------------------------------------------------------- */

static struct failure_group reason_of(const struct trace_attempt *last)
{
        bool is_answer = last->code == MUSTER_OK || last->code == MUSTER_E_STATUS;

        return (struct failure_group){
                .code = is_answer ? (int8_t)MUSTER_E_STATUS : last->code,
                .stage = last->code == MUSTER_E_TIMEOUT ? last->stage : 0,
                .sys = is_answer ? 0 : last->sys,
                .status = is_answer ? last->status : 0,
                .n = 1,
                .origin = last->origin,
        };
}

static bool is_same(const struct failure_group *one, const struct failure_group *other)
{
        return one->code == other->code && one->stage == other->stage && one->sys == other->sys &&
               one->status == other->status;
}

static void add_to_group(struct failures *failures, const struct failure_group *reason)
{
        for (size_t i = 0; i < failures->n_groups; i++) {
                struct failure_group *group = &failures->groups[i];

                if (!is_same(group, reason))
                        continue;
                group->n++;
                if (group->origin != reason->origin)
                        group->origin = 0;
                return;
        }
        if (failures->n_groups == FAILURE_GROUPS)
                failures->n_others++;
        else
                failures->groups[failures->n_groups++] = *reason;
}

static void sort_groups(struct failures *failures)
{
        for (size_t i = 1; i < failures->n_groups; i++) {
                struct failure_group group = failures->groups[i];
                size_t at = i;

                for (; at > 0 && failures->groups[at - 1].n < group.n; at--)
                        failures->groups[at] = failures->groups[at - 1];
                failures->groups[at] = group;
        }
}

/* --- and whether they were tried again ------------------------------------------------------- */

static size_t count_retries(const struct facts *facts, size_t from, size_t to)
{
        size_t n = 0;

        for (size_t i = from; i < to; i++)
                n += facts->record->attempts[facts->by_request[i]].outcome == TRACE_RETRIED;
        return n;
}

static void add_request(struct failures *failures, const struct facts *facts, size_t from,
        size_t to)
{
        const struct trace_attempt *last = &facts->record->attempts[facts->by_request[to - 1]];
        size_t n_retries = count_retries(facts, from, to);
        uint64_t most = facts->record->run.options.max_retries;
        struct failure_group reason = reason_of(last);

        failures->n_retries += n_retries;
        if (!last->is_last)
                return;
        if (!is_failure(facts, last)) {
                failures->n_saved += n_retries && last->code == MUSTER_OK && last->status < 400;
                return;
        }
        failures->origin = failures->n && failures->origin != last->origin ? 0 : last->origin;
        failures->n++;
        failures->n_errors += reason.code != MUSTER_E_STATUS;
        failures->n_at_limit += most && n_retries >= most;
        if (last->withheld < TRACE_N_WITHHELD)
                failures->n_withheld[last->withheld]++;
        add_to_group(failures, &reason);
}

void failures_find(struct failures *failures, const struct facts *facts)
{
        const size_t n_attempts = facts->record->n_attempts;

        *failures = (struct failures){ .n_requests = outcome_n_done(facts) };
        for (size_t from = 0, to; from < n_attempts; from = to) {
                to = facts_request_end(facts, from);
                assert(to > from);
                add_request(failures, facts, from, to);
        }
        sort_groups(failures);
}

bool failures_are_many(const struct failures *failures)
{
        return failures->n && (double)failures->n >= (double)failures->n_requests * FAILURES_FIRST;
}
