/* SPDX-License-Identifier: MIT */
#include "page.h"

#include "../measure/object.h"
#include "../option/standard.h"
#include <base/clock.h>
#include <base/error.h>
#include <errno.h>
#include <jansson.h>

static json_t *count(uint64_t n)
{
        return json_integer((json_int_t)n);
}

static json_t *us(uint64_t ns)
{
        return json_real((double)ns / 1e3);
}

static json_t *seconds(uint64_t ns)
{
        return json_real((double)ns / 1e9);
}

static void add(json_t *object, const char *name, json_t *take_value)
{
        json_object_set_new(object, name, take_value);
}

/* --- latencies ------------------------------------------------------------------------------- */

/* Each bucket that is not empty: least and greatest latency, requests. */
static json_t *buckets_array(const struct fine_hist *hist)
{
        struct fine_hist_bucket bucket;
        json_t *array = json_array();
        size_t at = 0;

        while (fine_hist_next(hist, &at, &bucket))
                json_array_append_new(array,
                        json_pack("[f, f, I]", (double)bucket.from / 1e3, (double)bucket.to / 1e3,
                                (json_int_t)bucket.n));
        return array;
}

/* A percentile that is no figure is null. */
static json_t *latencies_object(const struct fine_hist *hist)
{
        json_t *object = json_object();

        add(object, "requests", count(hist->n));
        add(object, "mean",
                hist->n ? json_real((double)hist->sum / (double)hist->n / 1e3) : json_null());
        add(object, "min", hist->n ? us(hist->min) : json_null());
        for (int i = 0; i < LOAD_N_PERCENTILES; i++)
                add(object, load_percentiles[i].name,
                        hist->n < load_percentiles[i].n_needed
                                ? json_null()
                                : us(fine_hist_quantile(hist, load_percentiles[i].share)));
        add(object, "max", hist->n ? us(hist->max) : json_null());
        add(object, "buckets", buckets_array(hist));
        return object;
}

static json_t *late_object(const struct load_page *page)
{
        const struct load *load = page->load;
        json_t *object = json_object();
        char words[LOAD_WORDS_MAX];

        load_words_late(page, words);
        add(object, "requests", count(load->n_late));
        add(object, "waited_for_slot", count(page->stats->n_slot_waits));
        add(object, "p99_us", load->n_late ? us(hist_quantile(&load->late, 0.99)) : json_null());
        add(object, "max_us", load->n_late ? us(load->late.max) : json_null());
        add(object, "slots_needed", json_real(timeline_slots_needed(&load->timeline)));
        add(object, "words", json_string(words));
        return object;
}

/* --- over time, and by rate ------------------------------------------------------------------ */

static void add_span(json_t *object, const struct span *span)
{
        const struct hist *latency = &span->latency;

        add(object, "requests", count(span->n));
        add(object, "failed", count(span->n_failed));
        add(object, "refused", count(span->n_refused));
        add(object, "p50_us", latency->n ? us(hist_quantile(latency, 0.5)) : json_null());
        add(object, "p99_us", latency->n >= 100 ? us(hist_quantile(latency, 0.99)) : json_null());
        add(object, "max_us", latency->n ? us(latency->max) : json_null());
}

static json_t *timeline_array(const struct timeline *timeline)
{
        json_t *array = json_array();

        for (unsigned i = 0; i < timeline->n; i++) {
                json_t *object = json_object();

                add(object, "from_s", seconds(i * timeline->width_ns));
                add(object, "to_s", seconds((i + 1) * timeline->width_ns));
                add_span(object, &timeline->spans[i]);
                json_array_append_new(array, object);
        }
        return array;
}

static const char *fault_name(enum step_fault fault)
{
        switch (fault) {
        case STEP_GOOD:
                return "none";
        case STEP_SLOW:
                return "slow";
        case STEP_ERRORS:
                return "errors";
        case STEP_UNSTARTED:
                return "not-started";
        }
        return "none";
}

static json_t *steps_array(const struct load_steps *steps)
{
        json_t *array = json_array();

        for (unsigned i = 0; i < steps->n; i++) {
                const struct load_step *step = &steps->list[i];
                json_t *object = json_object();

                add(object, "from_per_s", json_real(step->from_per_s));
                add(object, "to_per_s", json_real(step->to_per_s));
                add(object, "planned", step->planned ? count(step->planned) : json_null());
                add_span(object, &step->span);
                add(object, "from_start_p50_us",
                        step->span.latency.n ? us(step->service_p50_ns) : json_null());
                add(object, "fault", json_string(fault_name(step->fault)));
                json_array_append_new(array, object);
        }
        return array;
}

static json_t *ramp_object(const struct load_page *page)
{
        const struct load_steps *steps = &page->load->steps;
        json_t *object = json_object();
        char words[LOAD_WORDS_MAX];

        load_words_ramp(page, words);
        add(object, "kept_up", steps->is_known ? json_boolean(steps->kept_up) : json_null());
        add(object, "kept_up_to_per_s",
                steps->is_known && !steps->kept_up ? json_real(steps->kept_up_to) : json_null());
        add(object, "limited_by_concurrency", json_boolean(steps->is_our_limit));
        add(object, "words", json_string(words));
        add(object, "steps", steps_array(steps));
        return object;
}

/* --- the rest -------------------------------------------------------------------------------- */

static json_t *plan_object(const struct load_page *page)
{
        const struct load_plan *plan = page->load->plan;
        json_t *object = json_object();

        add(object, "requests", plan->n_requests ? count(plan->n_requests) : json_null());
        add(object, "duration_s", plan->duration_ns ? seconds(plan->duration_ns) : json_null());
        add(object, "rate_per_s", plan->per_s > 0 ? json_real(plan->per_s) : json_null());
        add(object, "ramp",
                plan->ramp_ns ? json_pack("{s:f, s:f, s:o}", "from_per_s", plan->from_per_s,
                                        "to_per_s", plan->per_s, "seconds", seconds(plan->ramp_ns))
                              : json_null());
        add(object, "concurrency", count(page->load->plan->concurrency));
        return object;
}

static json_t *errors_object(const struct report *report)
{
        json_t *object = json_object();

        for (int i = 0; i < REPORT_N_CODES; i++)
                if (report->n_codes[i])
                        add(object, muster_code_name((enum muster_code) - i),
                                count(report->n_codes[i]));
        return object;
}

static json_t *statuses_object(const struct report *report)
{
        json_t *object = json_object();
        char name[16];

        for (int status = ANSWERS_STATUS_MIN; status < ANSWERS_STATUS_MIN + ANSWERS_N_STATUSES;
                status++) {
                snprintf(name, sizeof(name), "%d", status);
                if (answers_n(&report->answers, status))
                        add(object, name, count(answers_n(&report->answers, status)));
        }
        return object;
}

static const char *limit_name(enum machine_limit limit)
{
        switch (limit) {
        case MACHINE_FINE:
                return "none";
        case MACHINE_LIMIT_BUSY:
                return "busy";
        case MACHINE_LIMIT_DELAYED:
                return "run-delay";
        case MACHINE_LIMIT_LAG:
                return "lag";
        case MACHINE_LIMIT_LATE:
                return "late-starts";
        case MACHINE_LIMIT_AWAY:
                return "away";
        }
        return "none";
}

static json_t *machine_object(const struct load_page *page)
{
        const struct machine *machine = &page->load->machine;
        json_t *object = json_object();
        char words[LOAD_WORDS_MAX];

        load_words_machine(page, words);
        add(object, "limit", json_string(limit_name(machine_limit(machine))));
        add(object, "busy", json_real(machine_busy(machine)));
        add(object, "run_delay", json_real(machine_delayed(machine)));
        add(object, "lag", json_real(machine_lag(machine)));
        add(object, "late_with_free_slots", count(machine->n_late_with_slots));
        add(object, "longest_turn_us", us(machine->longest_turn_ns));
        add(object, "words", json_string(words));
        return object;
}

static json_t *page_object(const struct load_page *page)
{
        const struct report *report = page->report;
        const struct load *load = page->load;
        uint64_t wall_ns = report->last_ns - report->first_ns;
        json_t *object = json_object();

        add(object, "complete", json_boolean(!load->was_interrupted));
        add(object, "plan", plan_object(page));
        add(object, "seconds", seconds(wall_ns));
        add(object, "done", count(report->n_done));
        add(object, "requests_per_s",
                json_real(wall_ns ? (double)report->n_done * 1e9 / (double)wall_ns : 0));
        add(object, "succeeded", count(report->n_succeeded));
        add(object, "refused", count(report_n_refused(report)));
        add(object, "failed", count(report->n_failed));
        add(object, "cancelled", count(report->n_cancelled));
        add(object, "not_started", count(load_n_missed(load, page->stats)));
        add(object, "errors", errors_object(report));
        add(object, "statuses", statuses_object(report));
        add(object, "from_plan_us",
                load->plan->per_s > 0 ? latencies_object(&load->from_plan) : json_null());
        add(object, "from_start_us", latencies_object(&load->from_start));
        add(object, "late_starts", load->plan->per_s > 0 ? late_object(page) : json_null());
        add(object, "ramp", load->steps.list ? ramp_object(page) : json_null());
        add(object, "timeline", timeline_array(&load->timeline));
        add(object, "machine", machine_object(page));
        return object;
}

int load_page_write_json(const struct load_page *page, const char *path, struct muster_error *error)
{
        FILE *to = path_is_standard(path) ? stdout : fopen(path, "we");
        int r;

        if (!to)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, errno,
                        "cannot write to %s: %s", path, error_sys_text(errno));
        r = object_print(page_object(page), to);
        if (to == stdout ? fflush(to) != 0 : fclose(to) != 0)
                r = MUSTER_E_RESOURCE;
        return r == 0 ? 0
                      : error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, errno,
                                "cannot write the load page to %s: %s", path,
                                error_sys_text(errno));
}
