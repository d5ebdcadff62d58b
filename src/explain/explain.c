/* SPDX-License-Identifier: MIT */
/*
 * An explanation
 *
 *      record ─▶ facts ─┬─▶ chain, shares ─▶ parts
 *                       ├─▶ bounds
 *                       └─▶ causes ─▶ ranking ─▶ findings ─▶ verdict
 */
#include <assert.h>
#include <muster/explain.h>

#include "facts_measure.h"
#include "figure.h"
#include "judgement_sway.h"
#include "verdict.h"
#include "seen.h"
#include <base/error.h>
#include <base/mem.h>
#include <explain/facts/program.h>
#include <explain/model/bounds.h>

struct muster_explanation {
        struct record record;
        struct facts facts;
        struct muster_part parts[2][PART_N]; /* by enum muster_account */
        size_t n_parts[2];
        struct bound bounds[BOUNDS_MAX];
        struct muster_bound shown_bounds[BOUNDS_MAX]; /* point into `bounds` */
        size_t n_bounds;
        struct ranking ranking;
        char verdict[VERDICT_TEXT];
        struct seen seen;
};

/* --- explaining ------------------------------------------------------------------------------ */

/* The largest first. */
static void sort_parts(struct muster_explanation *explanation, enum muster_account account,
        const uint64_t part_ns[PART_N])
{
        struct muster_part *parts = explanation->parts[account];
        size_t n = 0;

        for (int i = 0; i < PART_N; i++) {
                enum part part = (enum part)i;
                size_t at = n;

                if (!part_ns[i])
                        continue;
                for (; at > 0 && parts[at - 1].ns < part_ns[i]; at--)
                        parts[at] = parts[at - 1];
                assert(n < PART_N);
                parts[at] = (struct muster_part){ part_name(part),
                        part_meaning(part, facts_is_watched(&explanation->facts)), part_ns[i] };
                n++;
        }
        explanation->n_parts[account] = n;
}

static void list_bounds(struct muster_explanation *explanation)
{
        explanation->n_bounds = bounds_of(&explanation->facts, explanation->bounds);
        for (size_t i = 0; i < explanation->n_bounds; i++)
                explanation->shown_bounds[i] = (struct muster_bound){
                        .name = explanation->bounds[i].name,
                        .formula = explanation->bounds[i].formula,
                        .ns = explanation->bounds[i].ns,
                };
}

static int explain(struct muster_explanation *explanation, struct muster_error *error)
{
        struct facts *facts = &explanation->facts;
        int r = judgement_sway();

        if (r < 0)
                return error_set(error, r, MUSTER_PHASE_QUEUE, 0,
                        "invalid: MUSTER_SWAY is not NAME:FACTOR of a threshold in src/explain/judgement.h");
        r = facts_measure(facts, &explanation->record);
        if (r == MUSTER_E_INPUT)
                return error_set(error, r, MUSTER_PHASE_QUEUE, 0,
                        "input: no request has ended in this record, so there is nothing to explain");
        if (r == 0)
                r = ranking_make(&explanation->ranking, facts);
        if (r == 0)
                r = seen_init(&explanation->seen, &explanation->record);
        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        sort_parts(explanation, MUSTER_ACCOUNT_CHAIN, facts->chain_ns);
        sort_parts(explanation, MUSTER_ACCOUNT_SHARES, facts->share_ns);
        list_bounds(explanation);
        verdict_write(explanation->verdict, facts, &explanation->ranking, explanation->bounds,
                explanation->n_bounds);
        return 0;
}

static int refuse(struct muster_error *error)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "invalid: an argument is missing");
}

static int conclude(struct muster_explanation *explanation, int r, struct muster_error *error,
        struct muster_explanation **ret_explanation)
{
        if (r == 0)
                r = explain(explanation, error);
        if (r < 0)
                explanation = muster_explanation_free(explanation);
        else
                *ret_explanation = explanation;
        return r;
}

int muster_explain_file(struct muster_explanation **ret_explanation, const char *path,
        struct muster_error *error)
{
        struct muster_explanation *explanation;

        if (error)
                error_clear(error);
        if (!ret_explanation || !path)
                return refuse(error);
        explanation = mem_zalloc(sizeof(*explanation));
        if (!explanation)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        return conclude(explanation, record_read(&explanation->record, path, error), error,
                ret_explanation);
}

static int copy_record(struct record *record, const struct muster_client *client,
        struct muster_error *error)
{
        int r = record_of_client(record, client);

        if (r == MUSTER_E_INPUT)
                return error_set(error, r, MUSTER_PHASE_QUEUE, 0,
                        "input: this client does not record: call muster_record() first");
        if (r == MUSTER_E_INVALID)
                return error_set(error, r, MUSTER_PHASE_QUEUE, 0,
                        "invalid: this cannot be called from a function that the client called");
        return r < 0 ? error_set_memory(error, MUSTER_PHASE_QUEUE) : 0;
}

int muster_explain_client(struct muster_explanation **ret_explanation, struct muster_client *client,
        struct muster_error *error)
{
        struct muster_explanation *explanation;

        if (error)
                error_clear(error);
        if (!ret_explanation || !client)
                return refuse(error);
        explanation = mem_zalloc(sizeof(*explanation));
        if (!explanation)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        return conclude(explanation, copy_record(&explanation->record, client, error), error,
                ret_explanation);
}

struct muster_explanation *muster_explanation_free(struct muster_explanation *explanation)
{
        if (!explanation)
                return NULL;
        seen_deinit(&explanation->seen);
        ranking_deinit(&explanation->ranking);
        facts_deinit(&explanation->facts);
        record_deinit(&explanation->record);
        return mem_free(explanation);
}

/* --- reading it ------------------------------------------------------------------------------ */

const char *muster_explanation_verdict(const struct muster_explanation *explanation)
{
        return explanation ? explanation->verdict : "";
}

void muster_explanation_run(const struct muster_explanation *explanation,
        struct muster_run *ret_run, size_t size)
{
        const struct facts *facts;
        const struct record_run *recorded;
        const struct totals *all;
        struct muster_run run;

        if (!explanation || !ret_run)
                return;
        facts = &explanation->facts;
        recorded = &explanation->record.run;
        all = &facts->all;
        run = (struct muster_run){
                .wall_ns = facts_all_wall_ns(facts) + facts->startup_ns + facts->ending_ns,
                .n_requests = all->n_requests,
                .n_failed = all->n_failed,
                .n_attempts = all->n_attempts,
                .n_retries = all->n_outcomes[TRACE_RETRIED],
                .n_redirects = all->n_outcomes[TRACE_REDIRECTED],
                .n_conns_opened = all->n_conns_opened,
                .wire_bytes = all->wire_bytes,
                .concurrency = facts->slots,
                .mean_in_flight = facts->mean_in_flight,
                .requests_per_s = (double)all->n_requests * 1e9 / (double)facts_all_wall_ns(facts),
                .latency_p50_ns = facts->latency.p50,
                .latency_p99_ns = facts->latency.p99,
                .latency_mean_ns = whole_of(spread_mean(&facts->latency)),
                .process_cpu_ns = facts->process_cpu_ns,
                .n_dropped = recorded->n_dropped,
                .is_complete = recorded->is_complete,
                .command = recorded->command,
                .n_cancelled = all->n_codes[-MUSTER_E_CANCELLED],
                .n_unsafe = all->n_unsafe,
                .is_going_on = recorded->is_going_on,
                .n_succeeded = totals_n_statuses(all, 0, 399),
                .n_4xx = totals_n_statuses(all, 400, 499),
                .n_5xx = totals_n_statuses(all, 500, 999),
                .n_kept = facts->n_requests,
                .kept_wall_ns = facts_told_wall_ns(facts),
                .startup_ns = facts->startup_ns,
                .ending_ns = facts->ending_ns,
        };

        mem_copy_known(ret_run, size, &run, sizeof(run));
}

static bool is_account(enum muster_account account)
{
        return account == MUSTER_ACCOUNT_CHAIN || account == MUSTER_ACCOUNT_SHARES;
}

size_t muster_explanation_n_parts(const struct muster_explanation *explanation,
        enum muster_account account)
{
        return explanation && is_account(account) ? explanation->n_parts[account] : 0;
}

const struct muster_part *muster_explanation_part(const struct muster_explanation *explanation,
        enum muster_account account, size_t index)
{
        if (index >= muster_explanation_n_parts(explanation, account))
                return NULL;
        return &explanation->parts[account][index];
}

const struct muster_bound *muster_explanation_bound(const struct muster_explanation *explanation,
        size_t index)
{
        return explanation && index < explanation->n_bounds ? &explanation->shown_bounds[index]
                                                            : NULL;
}

const struct muster_finding *muster_explanation_finding(const struct muster_explanation
                                                                *explanation,
        size_t index)
{
        return explanation && index < explanation->ranking.n
                       ? &explanation->ranking.findings[index]->shown
                       : NULL;
}

const struct muster_finding *muster_explanation_failures(const struct muster_explanation
                *explanation)
{
        return explanation && explanation->ranking.failures ? &explanation->ranking.failures->shown
                                                            : NULL;
}

int muster_explanation_figure(const struct muster_explanation *explanation, const char *name,
        double *ret_value)
{
        if (!explanation || !name || !ret_value)
                return MUSTER_E_INVALID;
        return figure_of(&explanation->facts, name, ret_value);
}

/* --- programs that were watched -------------------------------------------------------------- */

int muster_explanation_watched(const struct muster_explanation *explanation,
        struct muster_watched *ret_watched, size_t size)
{
        if (!explanation || !ret_watched)
                return MUSTER_E_INVALID;
        if (!explanation->seen.n_processes)
                return MUSTER_E_INPUT;
        mem_copy_known(ret_watched, size, &explanation->seen.sums, sizeof(explanation->seen.sums));
        return 0;
}

const struct muster_process *muster_explanation_process(const struct muster_explanation
                                                                *explanation,
        size_t index)
{
        return explanation && index < explanation->seen.n_processes
                       ? &explanation->seen.processes[index]
                       : NULL;
}
