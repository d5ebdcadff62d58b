/* SPDX-License-Identifier: MIT */
#include "page.h"

#include "../text/table.h"
#include "chart.h"
#include <base/mem.h>
#include <base/words.h>

const struct load_percentile load_percentiles[LOAD_N_PERCENTILES] = {
        { "p50", 0.5, 2 },
        { "p75", 0.75, 4 },
        { "p90", 0.9, 10 },
        { "p95", 0.95, 20 },
        { "p99", 0.99, 100 },
        { "p99.9", 0.999, 1000 },
        { "p99.99", 0.9999, 10000 },
};

/* --- the plan -------------------------------------------------------------------------------- */

static void print_plan(const struct load_page *page, const struct page *to)
{
        const struct load_plan *plan = page->load->plan;

        page_label(to, "plan");
        if (plan->ramp_ns)
                fprintf(to->to, "%s/s to %s/s in %s", words_rate(plan->from_per_s).text,
                        words_rate(plan->per_s).text, words_ns(plan->ramp_ns).text);
        else if (plan->per_s > 0)
                fprintf(to->to, "%s/s", words_rate(plan->per_s).text);
        else
                fprintf(to->to, "as fast as %u at a time are answered (no rate)",
                        page->load->plan->concurrency);
        if (plan->n_requests)
                fprintf(to->to, ", %s",
                        words_counted(plan->n_requests, "request", "requests").text);
        if (plan->duration_ns)
                fprintf(to->to, ", for %s", words_ns(plan->duration_ns).text);
        if (page->load->was_interrupted)
                fprintf(to->to, "; interrupted after %s",
                        words_ns(page->load->end_ns - page->load->begin_ns).text);
        fputc('\n', to->to);
}

static void print_missed(const struct load_page *page, const struct page *to)
{
        uint64_t n_missed = load_n_missed(page->load, page->stats);
        char text[LOAD_WORDS_MAX];

        if (!n_missed)
                return;
        snprintf(text, sizeof(text),
                "%s of the planned starts: no slot was free before the end. The latencies below are without these, so from the plan they are better than what a user would have seen.",
                words_count(n_missed).text);
        page_label(to, "not started");
        page_wrap(to, PAGE_LABEL_WIDTH, PAGE_LABEL_WIDTH, text);
}

/* --- latencies ------------------------------------------------------------------------------- */

static void add_latencies(struct table *table, const char *name, const struct fine_hist *hist)
{
        table_row(table);
        table_cell(table, "%s", name);
        for (int i = 0; i < LOAD_N_PERCENTILES; i++)
                if (hist->n < load_percentiles[i].n_needed)
                        table_cell(table, "-");
                else
                        table_cell(table, "%s",
                                words_ns(fine_hist_quantile(hist, load_percentiles[i].share)).text);
        table_cell(table, "%s", words_ns(hist->max).text);
}

/* Why there is a "-". */
static void print_needs(const struct fine_hist *hist, const struct page *to)
{
        for (int i = 0; i < LOAD_N_PERCENTILES; i++) {
                if (hist->n >= load_percentiles[i].n_needed)
                        continue;
                fprintf(to->to,
                        "(-: %s needs at least %s requests without an error, there were %s)\n",
                        load_percentiles[i].name, words_count(load_percentiles[i].n_needed).text,
                        words_count(hist->n).text);
                return;
        }
}

static void print_latencies(const struct load_page *page, const struct page *to)
{
        static const unsigned spare[] = { 2, 4 };
        const struct load *load = page->load;
        struct table *table = mem_zalloc(sizeof(*table));

        if (!table || !load->from_start.n) {
                mem_free(table);
                return;
        }
        table_row(table);
        table_cell(table, "latency");
        for (int i = 0; i < LOAD_N_PERCENTILES; i++)
                table_cell(table, "%s", load_percentiles[i].name);
        table_cell(table, "max");
        table_bold(table);
        table_spare(table, spare, sizeof(spare) / sizeof(spare[0]));
        if (load->plan->per_s > 0)
                add_latencies(table, "from the plan", &load->from_plan);
        add_latencies(table, "from the start", &load->from_start);
        fputc('\n', to->to);
        table_print(table, to);
        mem_free(table);
        print_needs(&load->from_start, to);
        if (load->plan->per_s <= 0)
                fputs("(each request waited until one before it was answered: while a server pauses few are asked, so a pause\n counts for few; with --rate latency counts from a plan that does not wait)\n",
                        to->to);
        fputc('\n', to->to);
}

/* --- steps ----------------------------------------------------------------------------------- */

static void add_step_headings(struct table *table)
{
        static const char *const names[][2] = {
                { "rate", "to" },
                { "", "planned" },
                { "", "done" },
                { "from plan", "p50" },
                { "", "p99" },
                { "", "max" },
                { "from start", "p50" },
                { "failed,", "refused" },
        };

        table_headings(table, names, sizeof(names) / sizeof(names[0]));
}

static void add_step(struct table *table, const struct load_step *step)
{
        const struct span *span = &step->span;

        table_row(table);
        table_cell(table, "%s/s", words_rate(step->to_per_s).text);
        table_cell(table, "%s", step->planned ? words_count(step->planned).text : "-");
        table_cell(table, "%s", words_count(span->n).text);
        if (!span->latency.n)
                for (int i = 0; i < 4; i++)
                        table_cell(table, "-");
        else {
                table_cell(table, "%s", words_ns(hist_quantile(&span->latency, 0.5)).text);
                table_cell(table, "%s",
                        span->latency.n < 100 ? "-"
                                              : words_ns(hist_quantile(&span->latency, 0.99)).text);
                table_cell(table, "%s", words_ns(span->latency.max).text);
                table_cell(table, "%s", words_ns(step->service_p50_ns).text);
        }
        table_cell(table, "%s", words_count(span->n_failed + span->n_refused).text);
}

static void print_steps(const struct load_page *page, const struct page *to)
{
        static const unsigned spare[] = { 1, 5 };
        const struct load_steps *steps = &page->load->steps;
        struct table *table;
        char text[LOAD_WORDS_MAX];

        if (!steps->list || !steps->n)
                return;
        table = mem_zalloc(sizeof(*table));
        if (!table)
                return;
        add_step_headings(table);
        table_spare(table, spare, sizeof(spare) / sizeof(spare[0]));
        for (unsigned i = 0; i < steps->n; i++) {
                add_step(table, &steps->list[i]);
                if (steps->is_known && !steps->kept_up && i == steps->first_bad)
                        table_note(table, "<- from here on");
        }
        table_print(table, to);
        mem_free(table);
        fputc('\n', to->to);
        load_words_ramp(page, text);
        page_label(to, "ramp");
        page_wrap(to, PAGE_LABEL_WIDTH, PAGE_LABEL_WIDTH, text);
}

/* --- the page -------------------------------------------------------------------------------- */

static void print_words(const char *label, const char *text, const struct page *to)
{
        if (!*text)
                return;
        page_label(to, label);
        page_wrap(to, PAGE_LABEL_WIDTH, PAGE_LABEL_WIDTH, text);
}

void load_page_print(const struct load_page *page, const struct page *to)
{
        const struct load *load = page->load;
        char text[LOAD_WORDS_MAX];

        print_plan(page, to);
        summary_print_outcome(page->report, to);
        print_missed(page, to);
        print_latencies(page, to);
        print_steps(page, to);
        load_words_late(page, text);
        print_words("late starts", text, to);
        load_words_machine(page, text);
        print_words("this machine", text, to);
        summary_print_work(page->report, page->stats, page->verdict, to);
        if (!page->has_charts)
                return;
        chart_histogram(&load->from_plan, to);
        chart_timeline(&load->timeline, load->plan->per_s > 0, to);
}
