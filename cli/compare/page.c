/* SPDX-License-Identifier: MIT */
/*
 * A comparison as a table and words, and as one JSON object
 *
 * Members of the object may be added, those that are there keep their meaning. Times are
 * microseconds, as in fetch's result lines.
 */
#include "comparison.h"

#include "../measure/object.h"
#include "../text/layout.h"
#include "../text/table.h"
#include <base/mem.h>
#include <math.h>

/* --- the table ------------------------------------------------------------------------------- */

/* What can be done without to see which way is faster. */
static void add_spare_columns(struct table *table)
{
        static const unsigned spare[] = { 6, 10, 2, 9, 8, 4 };

        table_spare(table, spare, sizeof(spare) / sizeof(spare[0]));
}

static void add_headings(struct table *table)
{
        static const char *const names[][2] = {
                { "", "" },
                { "wall", "median" },
                { "", "+- 95 %" },
                { "times", "as fast" },
                { "requests", "per second" },
                { "latency", "mean" },
                { "", "p99" },
                { "in", "flight" },
                { "", "connections" },
                { "CPU", "time" },
                { "", "lag" },
        };

        table_headings(table, names, sizeof(names) / sizeof(names[0]));
}

/* How far the interval reaches from the median, as a share of it. */
static double margin(const struct estimate *estimate)
{
        return fmax(estimate->high - estimate->median, estimate->median - estimate->low) /
               estimate->median;
}

static void add_mode(struct table *table, const struct mode *mode)
{
        double rate = mode->medians[FIGURE_RATE];

        table_row(table);
        table_cell(table, "%s", mode->name);
        table_cell_ns(table, mode->wall.median, "-");
        table_cell(table, "%.1f %%", margin(&mode->wall) * 100);
        table_cell(table, "%.*f", mode->speedup.median < 9.95 ? 2 : 1, mode->speedup.median);
        table_cell(table, "%.*f", rate < 100, rate);
        table_cell_ns(table, mode->medians[FIGURE_LATENCY], "-");
        table_cell_ns(table, mode->medians[FIGURE_LATENCY_P99], "-");
        table_cell(table, "%.1f", mode->medians[FIGURE_IN_FLIGHT]);
        table_cell(table, "%.0f", mode->medians[FIGURE_CONNS]);
        table_cell_ns(table, mode->medians[FIGURE_CPU], "-");
        table_cell_ns(table, mode->medians[FIGURE_LAG], "-");
}

static void print_title(const struct comparison *c, const struct page *page)
{
        char list[80] = "";

        if (c->n_requests < c->n_listed)
                snprintf(list, sizeof(list), " of %zu, spread over the list", c->n_listed);
        else if (c->n_requests > c->n_listed)
                snprintf(list, sizeof(list), ", repeating a list of %zu", c->n_listed);
        page_paragraph(page, 0,
                "%zu requests%s; medians of %u rounds in alternating order, after a warm-up round%s",
                c->n_requests, list, c->n_rounds, c->was_interrupted ? " (interrupted)" : "");
        fputc('\n', page->to);
}

void comparison_print(const struct comparison *c, const struct remarks *remarks, FILE *to)
{
        struct page page = page_on(to);
        struct table *table = mem_zalloc(sizeof(*table));

        if (!table)
                return;
        add_headings(table);
        add_spare_columns(table);
        for (size_t i = 0; i < c->n_modes; i++)
                add_mode(table, &c->modes[i]);
        print_title(c, &page);
        table_print(table, &page);
        fputc('\n', to);
        page_paragraph(&page, 0,
                "event loop: one thread that waits for many requests at once. wall: from the first request to the last response; +- 95 %%: 95 %% confidence interval of the median. latency: of one request, time in the queue not counted. in flight: mean, sum of latencies / wall. lag: mean time that received data waited for this program.");
        fputc('\n', to);
        remarks_print(remarks, &page);
        mem_free(table);
}

/* --- the object ------------------------------------------------------------------------------ */

static const struct {
        enum figure figure;
        const char *name;
        double per; /* of the unit that is shown */
} members[] = {
        { FIGURE_RATE, "requests_per_s", 1 },
        { FIGURE_LATENCY, "latency_mean_us", 1e3 },
        { FIGURE_LATENCY_P50, "latency_p50_us", 1e3 },
        { FIGURE_LATENCY_P99, "latency_p99_us", 1e3 },
        { FIGURE_CONNECT, "connect_mean_us", 1e3 },
        { FIGURE_SEND, "send_mean_us", 1e3 },
        { FIGURE_WAIT, "wait_mean_us", 1e3 },
        { FIGURE_LAG, "lag_mean_us", 1e3 },
        { FIGURE_RECEIVE, "receive_mean_us", 1e3 },
        { FIGURE_DECODE, "decode_mean_us", 1e3 },
        { FIGURE_IN_FLIGHT, "in_flight", 1 },
        { FIGURE_CONNS, "connections", 1 },
        { FIGURE_LOOKUPS, "lookups", 1 },
        { FIGURE_HANDSHAKES, "tls_handshakes", 1 },
        { FIGURE_RESUMED, "tls_resumed", 1 },
        { FIGURE_CPU, "cpu_us", 1e3 },
        { FIGURE_BUSY, "busy", 1 },
};

static json_t *estimate_object(const struct estimate *estimate, double per)
{
        return json_pack("{s:f, s:f, s:f}", "median", estimate->median / per, "low",
                estimate->low / per, "high", estimate->high / per);
}

static json_t *mode_object(const struct comparison *c, const struct mode *mode)
{
        json_t *walls = json_array();
        json_t *object = json_pack("{s:s, s:s, s:i, s:i, s:b}", "mode", mode->key, "name",
                mode->name, "threads", (int)mode->way.n_threads, "concurrency",
                (int)mode->way.concurrency, "keep_alive", !mode->way.no_reuse);

        for (unsigned round = 0; round < c->n_rounds; round++)
                json_array_append_new(walls, json_real(mode->figures[FIGURE_WALL][round] / 1e3));
        json_object_set_new(object, "wall_us", estimate_object(&mode->wall, 1e3));
        json_object_set_new(object, "speedup", estimate_object(&mode->speedup, 1));
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
                json_object_set_new(object, members[i].name,
                        json_real(mode->medians[members[i].figure] / members[i].per));
        json_object_set_new(object, "failed", json_integer((json_int_t)mode->n_failed));
        json_object_set_new(object, "answered_4xx_5xx", json_integer((json_int_t)mode->n_refused));
        json_object_set_new(object, "different", json_integer((json_int_t)mode->n_different));
        json_object_set_new(object, "walls_us", walls);
        return object;
}

/* Null where there is no round to tell it by. */
static json_t *same_work(const struct comparison *c)
{
        if (!c->n_rounds)
                return json_null();
        for (size_t i = 0; i < c->n_modes; i++)
                if (c->modes[i].n_different)
                        return json_false();
        return json_true();
}

static json_t *comparison_object(const struct comparison *c, const struct remarks *remarks)
{
        json_t *modes = json_array();
        json_t *object = json_pack("{s:I, s:I, s:I, s:i, s:b, s:o}", "requests",
                (json_int_t)c->n_requests, "listed", (json_int_t)c->n_listed, "left_out",
                (json_int_t)c->n_left_out, "rounds", (int)c->n_rounds, "complete",
                !c->was_interrupted, "same_work", same_work(c));

        for (size_t i = 0; i < c->n_modes && c->n_rounds; i++)
                json_array_append_new(modes, mode_object(c, &c->modes[i]));
        json_object_set_new(object, "modes", modes);
        json_object_set_new(object, "words", object_words(remarks));
        return object;
}

int comparison_print_json(const struct comparison *c, const struct remarks *remarks, FILE *to)
{
        return object_print(comparison_object(c, remarks), to);
}
