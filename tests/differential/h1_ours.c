/* SPDX-License-Identifier: MIT */
/*
 * Responses from standard input, as our reader reads them: a line for each
 *
 * A response comes as "METHOD LENGTH\n" and its bytes; then the connection ends. The line has these,
 * with tabs between: how it ended (ok, closed, error), status, name:value,... and the body in
 * hexadecimal digits, whether it was untidy, and the error's text.
 */
#include <base/buf.h>
#include <base/mem.h>
#include <http/h1_read.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct outcome {
        const char *end;
        int status;
        bool is_dropped;
        struct buf fields, body;
        struct muster_error error;
};

static void add_hex(struct buf *to, struct muster_str text)
{
        char digits[3];

        for (size_t i = 0; i < text.len; i++) {
                snprintf(digits, sizeof(digits), "%02x", (unsigned char)text.at[i]);
                if (buf_add_text(to, digits) < 0)
                        abort();
        }
}

static void note_head(struct outcome *outcome, const struct http_head *head)
{
        outcome->status = head->status;
        outcome->is_dropped = head->n_dropped > 0;
        for (size_t i = 0; i < head->fields.n; i++) {
                add_hex(&outcome->fields, field_name(&head->fields, i));
                if (buf_add_char(&outcome->fields, ':') < 0)
                        abort();
                add_hex(&outcome->fields, field_value(&head->fields, i));
                if (buf_add_char(&outcome->fields, ',') < 0)
                        abort();
        }
}

static void read_response(struct muster_str in, bool is_head, struct outcome *outcome)
{
        static struct h1_scratch scratch;
        struct h1_reader reader = { 0 };
        struct http_event event = { .kind = HTTP_HEAD };
        int r = 0;

        h1_read_begin(&reader, is_head, 0);
        while (r == 0 && event.kind != HTTP_DONE) {
                r = h1_read_next(&reader, &scratch, &in, &event, &outcome->error);
                if (r == 0 && event.kind == HTTP_HEAD)
                        note_head(outcome, &event.head);
                if (r == 0 && event.kind == HTTP_BODY)
                        add_hex(&outcome->body, event.body);
        }
        if (r == H1_MORE)
                r = h1_read_eof(&reader, &outcome->error);
        outcome->end = r == 0 ? "ok" : r == MUSTER_E_CLOSED ? "closed" : "error";
        h1_read_deinit(&reader);
}

static void tell(const struct outcome *outcome)
{
        printf("%s\t%d\t%.*s\t%.*s\t%s\t%s\n", outcome->end, outcome->status,
                (int)outcome->fields.len, outcome->fields.len ? outcome->fields.at : "",
                (int)outcome->body.len, outcome->body.len ? outcome->body.at : "",
                outcome->is_dropped ? "dropped" : "", outcome->error.text);
}

int main(void)
{
        char method[8];
        size_t len;

        while (scanf("%7s %zu", method, &len) == 2 && getchar() == '\n') {
                struct outcome outcome = { 0 };
                char *bytes = mem_alloc(len ? len : 1);

                if (!bytes || fread(bytes, 1, len, stdin) != len)
                        return 1;
                read_response((struct muster_str){ bytes, len }, strcmp(method, "HEAD") == 0,
                        &outcome);
                tell(&outcome);
                buf_deinit(&outcome.fields);
                buf_deinit(&outcome.body);
                mem_free(bytes);
        }
        return 0;
}
