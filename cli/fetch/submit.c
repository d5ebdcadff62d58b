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

/*
 * The request for an item: plain lines need one of their own only where options add something to
 * them.
 */
static int make_request(struct fetch *fetch, struct input_item *next)
{
        const struct fetch_options *options = &fetch->options;
        bool is_plain = !next->request;
        int r;

        if (!request_options_add_to_requests(&options->request) &&
                !process_is_wanted(&options->process) &&
                !body_files_wants_requests(&fetch->body_files) && !next->content_type)
                return 0;
        if (is_plain)
                next->request = request_options_make(&options->request, next->url);
        if (!next->request)
                return error_set_memory(&next->error, MUSTER_PHASE_QUEUE);
        r = request_options_apply(&options->request, next->request, is_plain, next->has_login,
                next->content_type, &next->error);
        if (r == 0 && body_files_wants_requests(&fetch->body_files))
                r = body_files_attach(&fetch->body_files, next->request, fetch->items.n_begun,
                        &next->error);
        if (r == 0)
                r = request_options_set(&options->request, next->request,
                        process_is_wanted(&options->process) && options->process.is_inline,
                        &next->error);
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

static void tell_warning(struct fetch *fetch, const struct input_item *next)
{
        char text[300];
        const char *warning = input_warning(&fetch->input, next, text, sizeof(text));

        if (!warning || fetch->options.is_silent)
                return;
        fetch_hide_progress(fetch);
        fprintf(stderr, "%s\n", warning);
}

static const char *url_of(const struct input_item *next)
{
        return next->request ? muster_request_url(next->request) : next->url;
}

static int accept_item(struct fetch *fetch, struct input_item *next)
{
        struct item *item = items_begin(&fetch->items);

        item->line = next->line;
        if ((next->id.len && !(item->id = mem_strndup(next->id.at, next->id.len))) ||
                (next->own.len && !(item->own = mem_strndup(next->own.at, next->own.len))))
                return error_set_memory(&fetch->error, MUSTER_PHASE_QUEUE);
        item->omits_headers = next->has_headers;
        item->omits_body = next->has_body || (next->url && options_have_body(fetch));
        tell_warning(fetch, next);
        if (account_input(&fetch->account, &fetch->input, next, &fetch->error) < 0)
                return fetch->error.code;
        if (!next->error.code &&
                body_files_reserve(&fetch->body_files, item, url_of(next), &next->error) < 0)
                next->request = muster_request_free(next->request);
        if (!next->error.code)
                make_request(fetch, next);
        if (next->error.code)
                return fail_item(fetch, item, &next->error);
        return submit_item(fetch, next, item);
}

int fetch_submit(struct fetch *fetch)
{
        int r = 0;

        fetch->input_waits = false;
        while (r == 0 && !fetch->input_has_ended && !items_are_full(&fetch->items)) {
                r = input_next(&fetch->input, &fetch->next, &fetch->error);
                if (r == INPUT_WAIT) {
                        fetch->input_waits = true;
                        return 0;
                }
                if (r != 0) {
                        /*
                         * What was read before is still done; that the rest could not be read is
                         * said at the end.
                         */
                        fetch->input_has_ended = true;
                        fetch->input_has_failed = r < 0;
                        return 0;
                }
                r = accept_item(fetch, &fetch->next);
        }
        return r;
}
