/* SPDX-License-Identifier: MIT */
/*
 * Two programs side by side, as a table and words, and as one JSON object
 */
#include "pair.h"

#include "../measure/object.h"
#include "../text/table.h"
#include <base/mem.h>
#include <math.h>

/* How far the interval reaches from the median, as a share of it. */
static double margin(const struct estimate *estimate)
{
        return fmax(estimate->high - estimate->median, estimate->median - estimate->low) /
               estimate->median;
}

static void add_row(struct table *table, const struct pair *pair, enum count count)
{
        char text[TABLE_CELL_MAX];

        table_row(table);
        table_cell(table, "%s", count_title(count));
        for (size_t i = 0; i < 2; i++) {
                count_text(count, pair->arms[i].medians[count], text, sizeof(text));
                table_cell(table, "%s", text);
        }
}

static void add_margins(struct table *table, const struct pair *pair)
{
        table_row(table);
        table_cell(table, "  +- 95 %%");
        for (size_t i = 0; i < 2; i++)
                table_cell(table, "%.1f %%", margin(&pair->arms[i].wall) * 100);
}

static void print_table(const struct pair *pair, const struct page *page)
{
        struct table *table = mem_zalloc(sizeof(*table));

        if (!table)
                return;
        table_row(table);
        table_bold(table);
        table_cell(table, "%s", "");
        table_cell(table, "A");
        table_cell(table, "B");
        for (int i = 0; i < N_COUNTS; i++) {
                if (pair->arms[0].medians[i] == 0 && pair->arms[1].medians[i] == 0)
                        continue;
                add_row(table, pair, (enum count)i);
                if (i == COUNT_WALL)
                        add_margins(table, pair);
        }
        table_print(table, page);
        mem_free(table);
}

void pair_print(const struct pair *pair, const struct remarks *remarks, FILE *to)
{
        struct page page = page_on(to);

        for (size_t i = 0; i < 2; i++)
                page_paragraph(&page, 0, "%s  %s%s%s%s", i ? "B" : "A", pair->arms[i].command,
                        *pair->arms[i].about ? " (" : "", pair->arms[i].about,
                        *pair->arms[i].about ? ")" : "");
        page_paragraph(&page, 0,
                "Medians of %u rounds in alternating order, after a warm-up round%s",
                pair->n_rounds, pair->was_interrupted ? " (interrupted)" : "");
        fputc('\n', to);
        print_table(pair, &page);
        fputc('\n', to);
        remarks_print(remarks, &page);
}

/* --- the object ------------------------------------------------------------------------------ */

static json_t *arm_object(const struct pair *pair, const struct pair_arm *arm)
{
        json_t *walls = json_array();
        json_t *object = json_pack("{s:s, s:s, s:i, s:i}", "command", arm->command, "about",
                arm->about, "bad_rounds", (int)arm->n_bad, "status", arm->status);

        json_object_set_new(object, "wall_interval_ns",
                json_pack("{s:f, s:f, s:f}", "median", arm->wall.median, "low", arm->wall.low,
                        "high", arm->wall.high));
        for (int i = 0; i < N_COUNTS; i++)
                json_object_set_new(object, count_name((enum count)i), json_real(arm->medians[i]));
        for (unsigned round = 0; round < pair->n_rounds; round++)
                json_array_append_new(walls, json_real(arm->of[COUNT_WALL][round]));
        json_object_set_new(object, "walls_ns", walls);
        json_object_set_new(object, "finding",
                *arm->finding ? json_string(arm->finding) : json_null());
        return object;
}

static json_t *sameness_value(enum sameness sameness)
{
        return sameness == SAMENESS_UNKNOWN ? json_null() : json_boolean(sameness == SAMENESS_YES);
}

int pair_print_json(const struct pair *pair, const struct remarks *remarks, FILE *to)
{
        json_t *programs = json_array();
        json_t *object = json_pack("{s:i, s:b}", "rounds", (int)pair->n_rounds, "complete",
                !pair->was_interrupted);

        for (size_t i = 0; i < 2 && pair->n_rounds; i++)
                json_array_append_new(programs, arm_object(pair, &pair->arms[i]));
        json_object_set_new(object, "programs", programs);
        json_object_set_new(object, "b_to_a",
                pair->n_rounds ? json_pack("{s:f, s:f, s:f}", "median", pair->ratio.median, "low",
                                         pair->ratio.low, "high", pair->ratio.high)
                               : json_null());
        json_object_set_new(object, "same_requests", sameness_value(pair_requests(pair)));
        json_object_set_new(object, "same_output", sameness_value(pair_output(pair)));
        json_object_set_new(object, "words", object_words(remarks));
        return object_print(object, to);
}
