/* SPDX-License-Identifier: MIT */
/*
 * What is finished: result lines, in the order asked for, and what else is made of a result
 */
#include "fetch.h"

#include "../interrupt.h"
#include <base/error.h>
#include <base/str.h>
#include <stdio.h>
#include <string.h>

static void add_processed(struct result_line *line, const struct processed *processed)
{
        if (!processed)
                return;
        line->json = buf_str(&processed->json);
        line->processed = buf_str(&processed->value);
        line->processed_is_base64 = processed->is_base64;
}

/*
 * A file is whole: what came of a response that broke off, or could not be decoded to its end,
 * becomes none. Whole is also one that could not be worked on, and the body of a status that counts
 * as an error; but with --fail nobody wants that.
 */
static bool has_body_to_keep(const struct fetch *fetch, const struct muster_result *result)
{
        const struct muster_error *error = muster_result_error(result);

        if (!error)
                return muster_result_status(result);
        return error->code == MUSTER_E_PROCESS ||
               (error->code == MUSTER_E_STATUS && fetch->options.request.client.fail_with_body);
}

static bool is_dropped_by_fail(const struct fetch *fetch, const struct muster_result *result)
{
        const struct muster_error *error = muster_result_error(result);

        return error && error->code == MUSTER_E_STATUS &&
               !fetch->options.request.client.fail_with_body;
}

/*
 * What the library calls its caller is, for people, what they pressed. `own` is for an error with
 * other words.
 */
static const struct muster_error *error_of(const struct item *item, struct muster_error *own)
{
        const struct muster_error *error =
                item->error ? item->error : muster_result_error(item->result);

        if (!error || error->code != MUSTER_E_CANCELLED)
                return error;
        *own = *error;
        snprintf(own->text, sizeof(own->text), "cancelled: by %s", interrupt_name());
        return own;
}

/* A body that could not be kept is said beside what failed before it. */
static const struct muster_error *join_errors(struct muster_error *body_error,
        const struct muster_error *before)
{
        struct muster_error both;

        if (!before)
                return body_error;
        both = *before;
        error_add_text(&both, str_of("; "));
        error_add_text(&both, str_of(body_error->text));
        *body_error = both;
        return body_error;
}

/* The end of a load run came before it was begun: there is nothing to tell of it. */
static bool is_unstarted(const struct fetch *fetch, const struct item *item)
{
        return fetch->load.is_on && item->result && load_is_unstarted(item->result);
}

static void count_load(struct fetch *fetch, const struct item *item,
        const struct muster_error *error)
{
        if (fetch->load.is_on && item->result && !(error && error->code == MUSTER_E_CANCELLED))
                load_add(&fetch->load, item->result, error);
}

static int write_item(struct fetch *fetch, struct item *item)
{
        struct muster_error cancelled, body_error = { 0 };
        struct buf body_file = { 0 };
        struct result_line line = { .n = item->n,
                .line = item->line,
                .id = str_of(item->id),
                .own = str_of(item->own),
                .omits_headers = item->omits_headers,
                .omits_body = item->omits_body,
                .digest = item->digest,
                .result = item->result,
                .error = error_of(item, &cancelled),
                .leaves_body_out = fetch->options.body_place == BODY_NONE,
                .has_plan = fetch_options_have_rate(&fetch->options) };
        int r = 0;

        if (is_unstarted(fetch, item)) {
                items_written(&fetch->items, item);
                return 0;
        }
        if (item->result)
                add_processed(&line, process_result(item->result));
        if (fetch->body_files.is_there && item->result && has_body_to_keep(fetch, item->result)) {
                if (body_files_name(&fetch->body_files, item, &body_file, &body_error) == 0)
                        line.body_file = body_file.at;
                else
                        line.error = join_errors(&body_error, line.error);
        }
        line.leaves_body_out |= fetch->body_files.is_there;
        if (item->result)
                line.leaves_body_out |= is_dropped_by_fail(fetch, item->result);
        report_add(&fetch->report, item->result, line.error);
        count_load(fetch, item, line.error);
        if (story_is_wanted(&fetch->story)) {
                fetch_hide_progress(fetch);
                story_tell(&fetch->story, &line);
        }
        if (!fetch->options.leaves_lines_out)
                r = output_add(&fetch->output, &line, &fetch->error);
        if (fetch->resume.is_there)
                resume_wrote(&fetch->resume, item->n);
        if (r == OUTPUT_FULL)
                r = fetch_flush(fetch);
        buf_deinit(&body_file);
        items_written(&fetch->items, item);
        return r;
}

static bool is_done(const struct item *item)
{
        return item->result || item->error;
}

/* An item has its result: write it now, or in its place with --in-order. */
int fetch_item_done(struct fetch *fetch, struct item *item)
{
        int r = 0;

        if (!fetch->options.in_order)
                return write_item(fetch, item);
        while (r == 0 && (item = items_oldest(&fetch->items)) && is_done(item))
                r = write_item(fetch, item);
        return r;
}

int fetch_take(struct fetch *fetch)
{
        struct muster_result *result;
        int r = 0;

        while (r == 0 && !fetch_output_stalls(fetch) && (result = muster_take(fetch->client))) {
                struct item *item = muster_result_userdata(result);

                fetch->n_outstanding--;
                item->result = result;
                r = fetch_item_done(fetch, item);
        }
        return r;
}
