/* SPDX-License-Identifier: MIT */
/*
 * A curve as a table and words, and as one JSON object
 *
 * Members of the object may be added, those that are there keep their meaning. Times are
 * microseconds, as in fetch's result lines.
 */
#include "page.h"

#include "../measure/object.h"
#include "../text/layout.h"
#include "../text/table.h"
#include <base/error.h>
#include <base/mem.h>
#include <base/words.h>

/* --- the table ------------------------------------------------------------------------------- */

/* What can be done without to see where the curve bends, and why. */
static void add_spare_columns(struct table *table)
{
        static const unsigned spare[] = { 10, 9, 7, 11, 5, 1 };

        table_spare(table, spare, sizeof(spare) / sizeof(spare[0]));
}

static void add_headings(struct table *table)
{
        static const char *const names[][2] = {
                { "at", "once" },
                { "in", "flight" },
                { "requests", "per second" },
                { "latency", "p50" },
                { "", "p99" },
                { "connect", "p99" },
                { "wait", "p50" },
                { "", "p99" },
                { "lag", "p99" },
                { "receive", "p50" },
                { "", "p99" },
                { "bytes", "per second" },
                { "", "busy" },
                { "", "bad" },
        };

        table_headings(table, names, sizeof(names) / sizeof(names[0]));
}

static void add_step(struct table *table, const struct step *step, double throughput)
{
        table_row(table);
        table_cell(table, "%u", step->concurrency);
        table_cell(table, "%.1f", step->in_flight);
        table_cell(table, "%.*f", throughput < 100, throughput);
        table_cell_ns(table, step->latency_p50_ns, "0");
        table_cell_ns(table, step->latency_p99_ns, "0");
        table_cell_ns(table, step->connect.p99_ns, "0");
        table_cell_ns(table, step->phases[MUSTER_PHASE_WAIT].p50_ns, "0");
        table_cell_ns(table, step->phases[MUSTER_PHASE_WAIT].p99_ns, "0");
        table_cell_ns(table, step->phases[MUSTER_PHASE_LAG].p99_ns, "0");
        table_cell_ns(table, step->phases[MUSTER_PHASE_RECEIVE].p50_ns, "0");
        table_cell_ns(table, step->phases[MUSTER_PHASE_RECEIVE].p99_ns, "0");
        table_cell(table, "%s", words_bytes((uint64_t)step->bytes_per_s).text);
        table_cell(table, "%.0f %%", step->busy * 100);
        table_cell(table, "%.*f %%", step_bad_share(step) > 0, step_bad_share(step) * 100);
}

static void add_steps(struct table *table, const struct curve *curve)
{
        for (size_t i = 0; i < curve->n_steps; i++) {
                add_step(table, &curve->steps[i], curve->throughput[i]);
                if (i == curve->knee && curve_has_knee(curve)) {
                        table_note(table, "<- knee");
                        table_bold(table);
                }
        }
}

void sweep_print(const struct curve *curve, const struct remarks *remarks, FILE *to)
{
        struct page page = page_on(to);
        struct table *table = mem_zalloc(sizeof(*table));

        if (!table)
                return;
        add_headings(table);
        add_spare_columns(table);
        add_steps(table, curve);
        table_print(table, &page);
        fputc('\n', to);
        page_paragraph(&page, 0,
                "knee: the lowest concurrency with nearly all of the throughput. latency: of one request, time in the queue not counted. connect: DNS, TCP and TLS. wait: from the request to the first byte. lag: until this program read it. receive: first byte to last. busy: this program was working or waiting for a processor. bad: failed, or answered 429 or 5xx.");
        fputc('\n', to);
        remarks_print(remarks, &page);
        mem_free(table);
}

/* --- the object ------------------------------------------------------------------------------ */

static json_t *quantiles(double mean_ns, double p50_ns, double p99_ns)
{
        return json_pack("{s:f, s:f, s:f}", "mean", mean_ns / 1e3, "p50", p50_ns / 1e3, "p99",
                p99_ns / 1e3);
}

static json_t *phases_object(const struct step *step)
{
        json_t *object = json_object();

        for (int i = 0; i < MUSTER_N_PHASES; i++) {
                enum muster_phase phase = phase_in_order(i);

                if (tally_counts(phase))
                        json_object_set_new(object, muster_phase_name(phase),
                                quantiles(step->phases[phase].mean_ns, step->phases[phase].p50_ns,
                                        step->phases[phase].p99_ns));
        }
        return object;
}

static json_t *step_object(const struct curve *curve, size_t i)
{
        const struct step *step = &curve->steps[i];
        json_t *object =
                json_pack("{s:i, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}",
                        "concurrency", (int)step->concurrency, "in_flight", step->in_flight,
                        "requests_per_s", curve->throughput[i], "seconds", step->wall_s, "requests",
                        (json_int_t)step->n_done, "failed", (json_int_t)step->n_failed,
                        "turned_down", (json_int_t)step->n_turned_down, "answered_4xx",
                        (json_int_t)step->n_4xx, "answered_5xx", (json_int_t)step->n_5xx,
                        "connections", (json_int_t)step->n_conns, "bytes_per_s", step->bytes_per_s,
                        "cpu", step->cpu, "busy", step->busy);

        if (curve_has_looked_again(curve, i))
                json_object_set_new(object, "looks_requests_per_s",
                        json_pack("[f, f]", step->throughput, curve->again[i].throughput));
        json_object_set_new(object, "latency_us",
                quantiles(step->latency_mean_ns, step->latency_p50_ns, step->latency_p99_ns));
        json_object_set_new(object, "phases_us", phases_object(step));
        json_object_set_new(object, "rtt_mean_us", json_real(step->rtt_mean_ns / 1e3));
        return object;
}

static const char *limit_name(enum curve_limit limit)
{
        switch (limit) {
        case CURVE_LIMIT_NONE:
                return "none";
        case CURVE_LIMIT_MACHINE:
                return "machine";
        case CURVE_LIMIT_SERVER:
                return "server";
        case CURVE_LIMIT_BANDWIDTH:
                return "bandwidth";
        case CURVE_LIMIT_CONNECTIONS:
                return "connections";
        case CURVE_LIMIT_ERRORS:
                return "errors";
        }
        return "none";
}

static const char *end_name(enum curve_end end)
{
        switch (end) {
        case CURVE_END_LADDER:
                return "ladder";
        case CURVE_END_FELL:
                return "fell";
        case CURVE_END_BAD:
                return "errors";
        case CURVE_END_INTERRUPTED:
                return "interrupted";
        }
        return "ladder";
}

static json_t *fit_object(const struct curve *curve)
{
        if (!curve->has_fit)
                return json_null();
        return json_pack("{s:f, s:f, s:f, s:f, s:o}", "lambda", curve->usl.lambda, "sigma",
                curve->usl.sigma, "kappa", curve->usl.kappa, "deviation", curve->usl.deviation,
                "peak", curve->has_peak ? json_real(usl_peak(&curve->usl)) : json_null());
}

static json_t *curve_object(const struct curve *curve, const struct remarks *remarks)
{
        bool has_knee = curve_has_knee(curve);
        json_t *steps = json_array();
        json_t *object = json_pack("{s:o, s:s, s:s, s:b, s:f, s:o}", "concurrency",
                has_knee ? json_integer(curve->steps[curve->knee].concurrency) : json_null(),
                "limit", limit_name(curve->limit), "end", end_name(curve->end), "complete",
                !curve->was_interrupted, "drift", curve->drift, "usl", fit_object(curve));

        for (size_t i = 0; i < curve->n_steps; i++)
                json_array_append_new(steps, step_object(curve, i));
        json_object_set_new(object, "steps", steps);
        json_object_set_new(object, "words", object_words(remarks));
        return object;
}

int sweep_print_json(const struct curve *curve, const struct remarks *remarks, FILE *to)
{
        return object_print(curve_object(curve, remarks), to);
}
