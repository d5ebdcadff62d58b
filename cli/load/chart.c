/* SPDX-License-Identifier: MIT */
#include "chart.h"

#include <base/clock.h>
#include <base/mem.h>
#include <base/words.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HISTOGRAM_ROWS  14
#define TIMELINE_ROWS   20
#define LEFT_COLUMNS    44 /* of what stands before a bar, at most */
#define BAR_COLUMNS_MAX 60
#define BAR_COLUMNS_MIN 10

bool chart_has_blocks(void)
{
        static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const char *value = getenv(names[i]);

                if (value && *value)
                        return strcasestr(value, "UTF-8") || strcasestr(value, "UTF8");
        }
        return false;
}

void chart_bar(double value, double most, unsigned columns, bool has_blocks,
        char bar[CHART_BAR_BYTES])
{
        static const char *const parts[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
        unsigned steps = has_blocks ? 8 : 1;
        double wanted = most > 0 ? value / most * columns * steps : 0;
        unsigned n = wanted > 0 ? (unsigned)ceil(wanted - 1e-9) : 0;
        size_t len = 0;

        bar[0] = '\0';
        if (n > columns * steps)
                n = columns * steps;
        for (unsigned i = 0; i < n / steps && len + 8 < CHART_BAR_BYTES; i++)
                len += strlen(strcpy(bar + len, has_blocks ? "█" : "#"));
        if (n % steps)
                strcpy(bar + len, parts[n % steps]);
}

static unsigned bar_columns(const struct page *page)
{
        unsigned width = page->terminal ? page->terminal : page->width;

        if (width < LEFT_COLUMNS + BAR_COLUMNS_MIN)
                return BAR_COLUMNS_MIN;
        return width - LEFT_COLUMNS > BAR_COLUMNS_MAX ? BAR_COLUMNS_MAX : width - LEFT_COLUMNS;
}

static void put_bar(const struct page *page, double value, double most)
{
        char bar[CHART_BAR_BYTES];

        chart_bar(value, most, bar_columns(page), chart_has_blocks(), bar);
        if (page->has_colour)
                fputs("\033[36m", page->to);
        fputs(bar, page->to);
        if (page->has_colour)
                fputs("\033[0m", page->to);
}

/* --- the histogram --------------------------------------------------------------------------- */

struct row {
        uint64_t to, n; /* latencies up to this; how many */
};

/* Rows whose borders grow by the same factor, from the least latency to the greatest. */
static unsigned make_rows(const struct fine_hist *hist, struct row rows[HISTOGRAM_ROWS])
{
        double least = hist->min ? (double)hist->min : 1;
        double factor = pow((double)hist->max / least, 1.0 / HISTOGRAM_ROWS);
        struct fine_hist_bucket bucket;
        unsigned n = factor < 1.02 ? 1 : HISTOGRAM_ROWS, i = 0;
        size_t at = 0;

        for (unsigned k = 0; k < n; k++)
                rows[k] = (struct row){ .to = (uint64_t)(least * pow(factor, k + 1)) };
        rows[n - 1].to = hist->max;
        while (fine_hist_next(hist, &at, &bucket)) {
                while (i + 1 < n && bucket.from > rows[i].to)
                        i++;
                rows[i].n += bucket.n;
        }
        return n;
}

void chart_histogram(const struct fine_hist *hist, const struct page *page)
{
        struct row rows[HISTOGRAM_ROWS];
        uint64_t most = 0;
        unsigned n;

        if (!hist->n)
                return;
        n = make_rows(hist, rows);
        for (unsigned i = 0; i < n; i++)
                if (rows[i].n > most)
                        most = rows[i].n;
        page_heading(page, "requests by latency");
        for (unsigned i = 0; i < n; i++) {
                fprintf(page->to, "up to %9s %9s %7s  ", words_ns(rows[i].to).text,
                        words_count(rows[i].n).text,
                        rows[i].n ? words_share((double)rows[i].n, (double)hist->n).text : "");
                put_bar(page, (double)rows[i].n, (double)most);
                fputc('\n', page->to);
        }
}

/* --- the time line --------------------------------------------------------------------------- */

/* So many spans make a row. */
static unsigned spans_a_row(const struct timeline *timeline)
{
        return (timeline->n + TIMELINE_ROWS - 1) / TIMELINE_ROWS;
}

static void put_row(const struct page *page, const struct span *span, uint64_t at_ns,
        uint64_t width_ns, uint64_t most_ns)
{
        uint64_t n_bad = span->n_failed + span->n_refused;
        uint64_t p99_ns = hist_quantile(&span->latency, 0.99);

        fprintf(page->to, "%6.*f s %7s/s %9s %9s  ", width_ns < NS_PER_S, (double)at_ns / 1e9,
                words_rate((double)span->n * 1e9 / (double)width_ns).text,
                span->latency.n ? words_ns(hist_quantile(&span->latency, 0.5)).text : "-",
                span->latency.n ? words_ns(p99_ns).text : "-");
        put_bar(page, (double)p99_ns, (double)most_ns);
        if (n_bad)
                fprintf(page->to, "%s%s bad", span->latency.n ? " " : "", words_count(n_bad).text);
        fputc('\n', page->to);
}

void chart_timeline(const struct timeline *timeline, bool has_plan, const struct page *page)
{
        unsigned each = spans_a_row(timeline), n_rows = 0;
        struct span *rows = mem_array(TIMELINE_ROWS, sizeof(*rows));
        uint64_t most_ns = 0;

        if (!rows || timeline->n < 2) {
                mem_free(rows);
                return;
        }
        for (unsigned i = 0; i < timeline->n; i++) {
                span_merge(&rows[i / each], &timeline->spans[i]);
                n_rows = i / each + 1;
        }
        for (unsigned i = 0; i < n_rows; i++)
                if (hist_quantile(&rows[i].latency, 0.99) > most_ns)
                        most_ns = hist_quantile(&rows[i].latency, 0.99);
        page_heading(page, "over time");
        page_bold(page, true);
        fprintf(page->to, "%8s %9s %9s %9s\n", "from", has_plan ? "planned" : "started", "p50",
                "p99");
        page_bold(page, false);
        for (unsigned i = 0; i < n_rows; i++)
                put_row(page, &rows[i], i * each * timeline->width_ns, each * timeline->width_ns,
                        most_ns);
        mem_free(rows);
}
