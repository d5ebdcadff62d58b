/* SPDX-License-Identifier: MIT */
/*
 * Input on its way into the client: an item gets its place in the ring, a request of its own where
 * it needs one, and is submitted
 *
 * An item that cannot even be asked for is done at once, with an error of its own; the others go
 * on.
 */
#include "fetch.h"

#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>

static int fail_item(struct fetch *fetch, struct item *item, const struct muster_error *error)
{
        item->error = mem_alloc(sizeof(*error));
        if (!item->error)
                return error_set_memory(&fetch->error, MUSTER_PHASE_QUEUE);
        *item->error = *error;
        return fetch_item_done(fetch, item);
}

/* What tells the request from others with its method and URL. */
static int take_digest(const struct fetch *fetch, struct input_item *next, struct item *item)
{
        int r = muster_request_digest(next->request, fetch->client, &item->digest);

        return r < 0 ? error_set_memory(&next->error, MUSTER_PHASE_QUEUE) : 0;
}

/*
 * The request for an item: plain lines need one of their own only where options add something to
 * them.
 */
static int make_request(struct fetch *fetch, struct input_item *next, struct item *item)
{
        const struct fetch_options *options = &fetch->options;
        bool is_plain = !next->request;
        int r;

        if (!request_options_add_to_requests(&options->request) &&
                !process_is_wanted(&options->process) &&
                !body_files_wants_requests(&fetch->body_files) && !next->content_type)
                return next->request ? take_digest(fetch, next, item) : 0;
        if (is_plain)
                next->request = request_options_make(&options->request, next->url);
        if (!next->request)
                return error_set_memory(&next->error, MUSTER_PHASE_QUEUE);
        r = request_options_apply(&options->request, next->request, is_plain, next->has_login,
                next->content_type, &next->error);
        if (r == 0 && body_files_wants_requests(&fetch->body_files))
                r = body_files_attach(&fetch->body_files, next->request, item->n, &next->error);
        if (r == 0)
                r = request_options_set(&options->request, next->request,
                        process_is_wanted(&options->process) && options->process.is_inline,
                        &next->error);
        if (r == 0)
                r = take_digest(fetch, next, item);
        if (r < 0)
                next->request = muster_request_free(next->request);
        else if (process_is_wanted(&options->process))
                process_attach(&fetch->process, next->request);
        return r;
}

static int submit_item(struct fetch *fetch, struct input_item *next, struct item *item)
{
        int r;

        if (next->request) {
                muster_request_set_userdata(next->request, item);
                r = muster_submit(fetch->client, next->request, NULL);
                next->request = NULL;
        } else {
                r = muster_get(fetch->client, next->url, item);
        }
        if (r < 0)
                return error_set_memory(&fetch->error, MUSTER_PHASE_QUEUE);
        fetch->n_outstanding++;
        return 0;
}

/* A body that every plain line is given. */
static bool options_have_body(const struct fetch *fetch)
{
        return body_options_have_body(&fetch->options.request.body);
}

static void tell(struct fetch *fetch, const char *warning)
{
        if (!warning || fetch->options.is_silent || !stderr_has_room())
                return;
        fetch_hide_progress(fetch);
        fprintf(stderr, "%s\n", warning);
}

static void tell_warnings(struct fetch *fetch, const struct input_item *next)
{
        char text[300];
        const char *warning;

        tell(fetch, input_warning(&fetch->input, next, text, sizeof(text)));
        if (fetch->has_told_left_out)
                return;
        warning = request_options_warning(&fetch->options.request, &fetch->input, next, text,
                sizeof(text));
        fetch->has_told_left_out = warning;
        tell(fetch, warning);
}

static const char *url_of(const struct input_item *next)
{
        return next->request ? muster_request_url(next->request) : next->url;
}

/* What an item holds until its line is written; and its request, or next->error. */
static int prepare_item(struct fetch *fetch, struct input_item *next, struct item *item)
{
        item->n = fetch->input.n_items;
        item->line = next->line;
        if ((next->id.len && !(item->id = mem_strndup(next->id.at, next->id.len))) ||
                (next->own.len && !(item->own = mem_strndup(next->own.at, next->own.len))))
                return error_set_memory(&fetch->error, MUSTER_PHASE_QUEUE);
        if (fetch->body_files.is_there &&
                buf_add_str(&item->sent_files, buf_str(&next->sent_files)) < 0)
                return error_set_memory(&fetch->error, MUSTER_PHASE_QUEUE);
        item->omits_headers = next->has_headers;
        item->omits_body = next->has_body || (next->url && options_have_body(fetch));
        tell_warnings(fetch, next);
        if (account_input(&fetch->account, &fetch->input, next, &fetch->error) < 0)
                return fetch->error.code;
        if (!next->error.code &&
                body_files_reserve(&fetch->body_files, item, url_of(next), &next->error) < 0)
                next->request = muster_request_free(next->request);
        if (!next->error.code)
                make_request(fetch, next, item);
        return 0;
}

static int pass_or_do(struct fetch *fetch, const struct resume_item *met)
{
        int r = resume_meet(&fetch->resume, met, &fetch->error);

        fetch->report.n_resumed = fetch->resume.n_standing;
        fetch->report.n_resumed_failed = fetch->resume.n_standing_failed;
        fetch->report.n_missing = fetch->resume.n_missing;
        return r;
}

/* As resume_meet(), with fetch->error; 0 where the run goes on with no other. */
static int meet_old_result(struct fetch *fetch, const struct input_item *next,
        const struct item *item)
{
        struct resume_item met = { .n = item->n,
                .line = item->line,
                .input = fetch->input.file,
                .method = next->request ? muster_request_method(next->request) : "GET",
                .digest = item->digest,
                .why_none = next->error.text };

        if (!fetch->resume.is_there)
                return 0;
        if (!next->error.code)
                met.url = str_of(url_of(next));
        return pass_or_do(fetch, &met);
}

/* RESUME_STANDS: it needs nothing. */
static int accept_item(struct fetch *fetch, struct input_item *next)
{
        struct item held = { 0 }, *item;
        int r = prepare_item(fetch, next, &held);

        if (r == 0)
                r = meet_old_result(fetch, next, &held);
        if (r != 0) {
                next->request = muster_request_free(next->request);
                item_deinit(&held);
                return r;
        }
        item = items_begin(&fetch->items, &held);
        if (next->error.code)
                return fail_item(fetch, item, &next->error);
        return submit_item(fetch, next, item);
}

/* The first one was read before the run began. */
static int read_item(struct fetch *fetch)
{
        if (!fetch->has_next)
                return input_next(&fetch->input, &fetch->next, &fetch->error);
        fetch->has_next = false;
        return 0;
}

/*
 * What was read before is still done; that the rest could not be read, or is not what it was when
 * the run began, is said at the end.
 */
static void end_input(struct fetch *fetch, int r)
{
        if (r == INPUT_END && fetch->resume.is_there)
                r = resume_end_of_list(&fetch->resume, fetch->input.n_items, &fetch->error);
        fetch->input_has_ended = true;
        fetch->input_has_failed = r < 0;
}

#define PASSED_MAX 1024 /* at a time: requests in flight must not wait for a long list */

int fetch_submit(struct fetch *fetch)
{
        unsigned n_passed = 0;
        int r = 0;

        fetch->input_waits = fetch->is_passing = false;
        while (r == 0 && !fetch->input_has_ended && !items_are_full(&fetch->items)) {
                if (n_passed == PASSED_MAX) {
                        fetch->is_passing = true;
                        return 0;
                }
                r = read_item(fetch);
                if (r == INPUT_WAIT) {
                        fetch->input_waits = true;
                        return 0;
                }
                if (r != 0) {
                        end_input(fetch, r);
                        return 0;
                }
                r = accept_item(fetch, &fetch->next);
                if (r == RESUME_STANDS) {
                        n_passed++;
                        r = 0;
                } else if (r == MUSTER_E_INPUT) {
                        end_input(fetch, r);
                        return 0;
                }
        }
        return r;
}
