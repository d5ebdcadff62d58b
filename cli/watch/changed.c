/* SPDX-License-Identifier: MIT */
#include "changed.h"

#include "../output/json.h"
#include "../text/table.h"
#include <base/error.h>
#include <base/mem.h>
#include <base/words.h>
#include <stdint.h>

#define SAME_SHARE 0.05 /* of the time: a difference that is none */

/* --- running it ------------------------------------------------------------------------------ */

static void look_at_before(struct changed *changed, const struct session *before)
{
        const struct muster_finding *finding =
                muster_explanation_finding(before->outcome.explanation, 0);

        changed->before = counts_of(before);
        changed->has_finding = finding;
        if (finding)
                changed->finding = *finding;
}

static void look_at_after(struct changed *changed, const struct session *after)
{
        const struct muster_finding *finding =
                muster_explanation_finding(after->outcome.explanation, 0);

        changed->after = counts_of(after);
        changed->was_interrupted = after->subject.was_interrupted;
        snprintf(changed->title, sizeof(changed->title), "%s", finding ? finding->title : "");
}

int changed_run(struct changed *changed, const char *command, const struct session *before,
        const struct parts *parts, const struct session_options *options,
        struct muster_error *error)
{
        const char *const argv[] = { "sh", "-c", command, NULL };
        struct session_options own = *options;
        struct session after;
        int r;

        *changed = (struct changed){ .command = command };
        look_at_before(changed, before);
        own.record = NULL;
        own.only_records = false;
        r = session_run(&after, (char **)(uintptr_t)argv, parts, &own, error);
        if (r == 0)
                r = session_read(&after, &own, error);
        else if (r == SUBJECT_NOT_RUN)
                r = error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "confirm: there is no shell to run it");
        if (r == 0)
                look_at_after(changed, &after);
        session_deinit(&after);
        return r;
}

/* --- what came of it ------------------------------------------------------------------------- */

static bool did_other_work(const struct changed *changed)
{
        return changed->before.of[COUNT_REQUESTS] != changed->after.of[COUNT_REQUESTS] ||
               changed->after.of[COUNT_FAILED] > changed->before.of[COUNT_FAILED] ||
               changed->after.of[COUNT_REFUSED] > changed->before.of[COUNT_REFUSED];
}

static const char *conclusion(const struct changed *changed)
{
        const struct muster_finding *finding = &changed->finding;
        double before = changed->before.of[COUNT_WALL], after = changed->after.of[COUNT_WALL];

        if (changed->was_interrupted)
                return "It was interrupted: nothing is proven";
        if (changed->after.status != changed->before.status)
                return "It ended with another status: nothing is proven";
        if (did_other_work(changed))
                return "It did not do the same requests with the same success: nothing is proven";
        if (after > before * (1 - SAME_SHARE))
                return after > before * (1 + SAME_SHARE) ? "The change made it slower"
                                                         : "The change gained nothing";
        if (!changed->has_finding || !finding->has_prediction)
                return "The change helps";
        if (after > (double)finding->wall_high_ns)
                return "The change helps, but less than predicted";
        if (after < (double)finding->wall_low_ns)
                return "The change helps more than predicted";
        return "The prediction was right: what was measured is within its range";
}

/* --- showing --------------------------------------------------------------------------------- */

static void print_table(const struct changed *changed, const struct page *page)
{
        struct table *table = mem_zalloc(sizeof(*table));
        char text[TABLE_CELL_MAX];

        if (!table)
                return;
        table_row(table);
        table_bold(table);
        table_cell(table, "%s", "");
        table_cell(table, "before");
        table_cell(table, "after");
        for (int i = 0; i < N_COUNTS; i++) {
                enum count count = (enum count)i;

                if (changed->before.of[i] == 0 && changed->after.of[i] == 0)
                        continue;
                table_row(table);
                table_cell(table, "  %s", count_title(count));
                count_text(count, changed->before.of[i], text, sizeof(text));
                table_cell(table, "%s", text);
                count_text(count, changed->after.of[i], text, sizeof(text));
                table_cell(table, "%s", text);
        }
        table_print(table, page);
        mem_free(table);
}

void changed_print(const struct changed *changed, const struct page *page)
{
        const struct muster_finding *finding = &changed->finding;
        char predicted[300] = "";

        page_heading(page, "After the change");
        page_paragraph(page, 2, "%s", changed->command);
        print_table(changed, page);
        if (changed->has_finding && finding->has_prediction)
                snprintf(predicted, sizeof(predicted), "predicted %s (%s), measured %s. ",
                        words_ns(finding->wall_ns).text,
                        words_range_ns(finding->wall_low_ns, finding->wall_high_ns).text,
                        words_ns((uint64_t)changed->after.of[COUNT_WALL]).text);
        page_paragraph(page, 2, "Wall time: %s%s.", predicted, conclusion(changed));
        if (*changed->title)
                page_paragraph(page, 2, "What is left: %s.", changed->title);
}

/* --- the object ------------------------------------------------------------------------------ */

static void add_counts(struct json_writer *w, const char *name, const struct counts *counts)
{
        char text[80];

        snprintf(text, sizeof(text), ",\"%s\":{\"status\":%d", name, counts->status);
        json_write(w, text);
        for (int i = 0; i < N_COUNTS; i++) {
                snprintf(text, sizeof(text), ",\"%s\":%.12g", count_name((enum count)i),
                        counts->of[i]);
                json_write(w, text);
        }
        json_write(w, "}");
}

int changed_json(const struct changed *changed, struct buf *to)
{
        const struct muster_finding *finding = &changed->finding;
        struct json_writer w = { to, 0 };
        char text[160];

        json_write(&w, "\"changed\":{\"command\":");
        json_write_string(&w, str_of(changed->command));
        add_counts(&w, "before", &changed->before);
        add_counts(&w, "after", &changed->after);
        json_write(&w, ",\"predicted_s\":");
        if (changed->has_finding && finding->has_prediction) {
                snprintf(text, sizeof(text), "{\"expected\":%.9g,\"low\":%.9g,\"high\":%.9g}",
                        (double)finding->wall_ns / 1e9, (double)finding->wall_low_ns / 1e9,
                        (double)finding->wall_high_ns / 1e9);
                json_write(&w, text);
        } else {
                json_write(&w, "null");
        }
        json_write(&w, ",\"conclusion\":");
        json_write_string(&w, str_of(conclusion(changed)));
        json_write(&w, "}");
        return w.r;
}
