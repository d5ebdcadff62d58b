/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include "../input/input.h"
#include "../input/method.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <poll.h>
#include <stdio.h>

struct batch_item {
        size_t at, len;                    /* of batch->text, where a zero byte follows */
        const struct input_format *format; /* that the text has; NULL: it is a URL */
};

/* --- reading --------------------------------------------------------------------------------- */

static const char *const no_texts[] = { NULL };
static const char *const standard_input[] = { "-", NULL };

static int refuse_unsafe(const char *what, struct muster_error *error)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "%s may change something on the server, and each request is made many times; only GET, HEAD and OPTIONS are allowed without --unsafe",
                what);
}

static int check_method(const struct input_item *item, struct muster_error *error)
{
        char what[60];

        if (!item->is_unsafe)
                return 0;
        snprintf(what, sizeof(what), "the method in line %llu", (unsigned long long)item->line);
        return refuse_unsafe(what, error);
}

static int make_room(struct batch *batch, struct muster_error *error)
{
        size_t size = batch->size ? batch->size * 2 : 1024;
        struct batch_item *items;

        if (batch->n < batch->size)
                return 0;
        items = mem_realloc(batch->items, size * sizeof(*items));
        if (!items)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        batch->items = items;
        batch->size = size;
        return 0;
}

static int add_text(struct batch *batch, struct muster_str text, const struct input_format *format,
        struct muster_error *error)
{
        size_t at = batch->text.len;
        int r = make_room(batch, error);

        if (r < 0)
                return r;
        if (text.len > BATCH_BYTES_MAX - at)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: the list is longer than %d MiB and has to fit into memory; use a part of it (head -n 100000)",
                        BATCH_BYTES_MAX >> 20);
        if (buf_add_str(&batch->text, text) < 0 || buf_add_char(&batch->text, '\0') < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        batch->items[batch->n++] = (struct batch_item){ at, text.len, format };
        return 0;
}

static int add_item(struct batch *batch, const struct input_item *item, bool allows_unsafe,
        struct muster_error *error)
{
        int r = allows_unsafe ? 0 : check_method(item, error);

        if (r < 0)
                return r;
        if (item->error.code) {
                if (batch->n_left_out++ == 0)
                        batch->left_out = item->error;
                return 0;
        }
        return item->url ? add_text(batch, str_of(item->url), NULL, error)
                         : add_text(batch, item->text, item->format, error);
}

/* `has_told`: each kind once, as input_warning() does it itself. */
static void tell_warnings(const struct batch *batch, struct input *input,
        const struct input_item *item, bool *has_told)
{
        char text[300];
        const char *warning = input_warning(input, item, text, sizeof(text));

        if (warning)
                fprintf(stderr, "%s\n", warning);
        if (*has_told)
                return;
        warning = request_options_warning(batch->options, input, item, text, sizeof(text));
        *has_told = warning;
        if (warning)
                fprintf(stderr, "%s\n", warning);
}

static int read_list(struct batch *batch, struct input *input, bool allows_unsafe,
        struct muster_error *error)
{
        struct input_item item = { 0 };
        bool has_told = false;
        int r;

        while ((r = input_next(input, &item, error)) != INPUT_END && r >= 0) {
                if (r == INPUT_WAIT) {
                        (void)poll(&(struct pollfd){ input->reader.fd, POLLIN, 0 }, 1, -1);
                        continue;
                }
                tell_warnings(batch, input, &item, &has_told);
                r = add_item(batch, &item, allows_unsafe, error);
                muster_request_free(item.request);
                if (r < 0)
                        break;
        }
        item.request = NULL;
        input_item_deinit(&item);
        return r < 0 ? r : 0;
}

static int check_some(const struct batch *batch, struct muster_error *error)
{
        if (batch->n)
                return 0;
        if (batch->n_left_out)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "no usable request in the input; first of %zu errors: %s",
                        batch->n_left_out, batch->left_out.text);
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "the input is empty; give URLs, -i FILE or a list on standard input");
}

int batch_read(struct batch *batch, const struct request_options *options, bool allows_unsafe,
        struct muster_error *error)
{
        const char *method = request_options_method(options);
        const char *const *urls = options->urls.n ? options->urls.list : no_texts;
        const char *const *files = options->files.n  ? options->files.list
                                   : options->urls.n ? no_texts
                                                     : standard_input;
        struct input input;
        int r;

        *batch = (struct batch){ .options = options };
        if (!allows_unsafe && !method_is_safe(method))
                return refuse_unsafe(method, error);
        input_init(&input, urls, files, &options->input);
        r = read_list(batch, &input, allows_unsafe, error);
        input_deinit(&input);
        return r < 0 ? r : check_some(batch, error);
}

void batch_tell_left_out(const struct batch *batch)
{
        if (batch->n_left_out)
                fprintf(stderr, "muster: left out %zu unusable input lines; first: %s\n",
                        batch->n_left_out, batch->left_out.text);
}

void batch_deinit(struct batch *batch)
{
        batch->items = mem_free(batch->items);
        buf_deinit(&batch->text);
        batch->n = batch->size = 0;
}

static void thin_out(struct batch *batch, size_t n)
{
        for (size_t i = 0; i < n; i++)
                batch->items[i] = batch->items[(size_t)((double)i * (double)batch->n / (double)n)];
}

int batch_resize(struct batch *batch, size_t n)
{
        assert(n >= 1 && batch->n >= 1);
        if (n > batch->size) {
                struct batch_item *items = mem_realloc(batch->items, n * sizeof(*items));

                if (!items)
                        return MUSTER_E_RESOURCE;
                batch->items = items;
                batch->size = n;
        }
        if (n < batch->n)
                thin_out(batch, n);
        for (size_t i = batch->n; i < n; i++)
                batch->items[i] = batch->items[i - batch->n];
        batch->n = n;
        return 0;
}

/* --- submitting ------------------------------------------------------------------------------ */

void batch_scratch_deinit(struct batch_scratch *scratch)
{
        buf_deinit(&scratch->url);
        buf_deinit(&scratch->id);
        buf_deinit(&scratch->own);
}

/*
 * What its line and the options say; none where that is a plain GET of a URL. Negative: it cannot
 * be made.
 */
static int make_request(const struct batch *batch, const struct batch_item *item,
        struct batch_scratch *scratch, struct muster_request **ret_request)
{
        struct muster_str text = { batch->text.at + item->at, item->len };
        struct input_item parsed = { .id = scratch->id, .own = scratch->own };
        int r = 0;

        if (!item->format && !request_options_add_to_requests(batch->options))
                return 0;
        if (item->format)
                r = item->format->parse(text, &scratch->url, &parsed);
        else
                parsed.request = request_options_make(batch->options, text.at);
        if (r == 0)
                r = parsed.request
                            ? request_options_apply(batch->options, parsed.request, !item->format,
                                      parsed.has_login, parsed.content_type, &parsed.error)
                            : MUSTER_E_RESOURCE;
        if (r == 0)
                r = request_options_set(batch->options, parsed.request, false, &parsed.error);
        scratch->id = parsed.id;
        scratch->own = parsed.own;
        scratch->id.len = scratch->own.len = 0;
        if (r < 0)
                parsed.request = muster_request_free(parsed.request);
        *ret_request = parsed.request;
        return r;
}

int batch_submit(const struct batch *batch, size_t i, struct muster_client *client,
        struct batch_scratch *scratch, void *userdata)
{
        const struct batch_item *item = &batch->items[i];
        struct muster_request *request = NULL;
        int r = make_request(batch, item, scratch, &request);

        if (r < 0)
                return r;
        if (!request)
                return muster_get(client, batch->text.at + item->at, userdata);
        muster_request_set_userdata(request, userdata);
        return muster_submit(client, request, NULL);
}
