/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <base/clock.h>
#include <base/mem.h>

void report_init(struct report *report)
{
        *report = (struct report){ .start_ns = clock_monotonic() };
        hist_init(&report->request_ns);
        hist_init(&report->queue_ns);
        hist_init(&report->from_plan_ns);
}

void report_deinit(struct report *report)
{
        for (int i = 0; i < REPORT_N_CODES; i++)
                report->examples[i] = mem_free(report->examples[i]);
        answers_deinit(&report->answers);
}

static void keep_example(struct report *report, unsigned code, const struct muster_result *result,
        const struct muster_error *error)
{
        char text[400];

        if (report->examples[code])
                return;
        snprintf(text, sizeof(text), "%.120s%s%s", result ? muster_result_url(result) : "",
                result ? ": " : "", error->text);
        report->examples[code] = mem_strdup(text); /* without memory there is no example */
}

static void add_error(struct report *report, const struct muster_result *result,
        const struct muster_error *error)
{
        unsigned code = (unsigned)-(int)error->code;

        report->n_failed++;
        if (code >= REPORT_N_CODES)
                return;
        report->n_codes[code]++;
        keep_example(report, code, result, error);
}

/* However late it started: that is what a plan is for. */
static uint64_t from_plan_ns(const struct muster_result *result)
{
        return muster_result_submitted_ns(result) + muster_result_total_ns(result) -
               muster_result_phase_ns(result, MUSTER_PHASE_DELIVER) -
               muster_result_planned_ns(result);
}

static void note_time(struct report *report, const struct muster_result *result)
{
        uint64_t submitted_ns = muster_result_submitted_ns(result);
        uint64_t taken_ns = submitted_ns + muster_result_total_ns(result);

        if (!report->first_ns || submitted_ns < report->first_ns)
                report->first_ns = submitted_ns;
        if (taken_ns > report->last_ns)
                report->last_ns = taken_ns;
}

/* Is it one in which a request holds its slot? */
static bool counts(int phase)
{
        return phase != MUSTER_PHASE_QUEUE && phase != MUSTER_PHASE_BACKOFF &&
               phase != MUSTER_PHASE_PROCESS && phase != MUSTER_PHASE_DELIVER;
}

uint64_t report_request_ns(const struct report *report)
{
        uint64_t sum_ns = 0;

        for (int i = 0; i < MUSTER_N_PHASES; i++)
                if (counts(i))
                        sum_ns += report->phase_ns[i];
        return sum_ns;
}

static void add_result(struct report *report, const struct muster_result *result, bool has_error)
{
        uint64_t request_ns = 0;

        note_time(report, result);
        for (int i = 0; i < MUSTER_N_PHASES; i++) {
                uint64_t ns = muster_result_phase_ns(result, (enum muster_phase)i);

                report->phase_ns[i] += ns;
                if (counts(i))
                        request_ns += ns;
        }
        report->body_bytes += muster_result_body_bytes(result);
        report->wire_bytes += muster_result_wire_bytes(result);
        if (!has_error) {
                hist_add(&report->request_ns, request_ns);
                hist_add(&report->queue_ns, muster_result_phase_ns(result, MUSTER_PHASE_QUEUE));
                if (report->has_plan)
                        hist_add(&report->from_plan_ns, from_plan_ns(result));
        }
}

void report_add(struct report *report, const struct muster_result *result,
        const struct muster_error *error)
{
        int status = result ? muster_result_status(result) : 0;

        if (result)
                add_result(report, result, error);
        if (error && error->code == MUSTER_E_CANCELLED) {
                report->n_cancelled++;
                return;
        }
        report->n_done++;
        answers_add(&report->answers, status, result ? muster_result_url(result) : NULL);
        if (error)
                add_error(report, result, error);
        else if (answer_is_success(answer_of(status)))
                report->n_succeeded++;
}
