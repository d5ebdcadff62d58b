/* SPDX-License-Identifier: MIT */
#include "h1_outcome.h"

#include "unit.h"
#include <stdio.h>

static void say(struct h1_outcome *outcome, const char *word)
{
        size_t len = strlen(outcome->text);

        snprintf(outcome->text + len, sizeof(outcome->text) - len, "%s%s", len ? " " : "", word);
}

static void say_head(struct h1_outcome *outcome, const struct http_head *head)
{
        struct muster_str x = fields_find(&head->fields, "X");
        char word[64];

        snprintf(word, sizeof(word), "%d%s%s", head->status, head->keeps_alive ? "" : "c",
                head->has_body ? "" : "n");
        say(outcome, word);
        if (head->n_dropped) {
                snprintf(word, sizeof(word), "d%u", head->n_dropped);
                say(outcome, word);
        }
        snprintf(outcome->x, sizeof(outcome->x), "%.*s", x.at ? (int)x.len : 1, x.at ? x.at : "\a");
}

/* Returns false when there is nothing more to feed. */
static bool feed(struct h1_reader *reader, struct muster_str *in, struct h1_outcome *outcome)
{
        static struct h1_scratch scratch;
        struct muster_error error = { 0 };

        for (;;) {
                struct http_event event = { 0 };
                int r = h1_read_next(reader, &scratch, in, &event, &error);
                char word[16];

                if (r == H1_MORE) {
                        assert_int_equal(in->len, 0);
                        return true;
                }
                if (r < 0) {
                        assert_int_equal(error.code, r);
                        say(outcome, error.text);
                        return false;
                }
                switch (event.kind) {
                case HTTP_INTERIM:
                        snprintf(word, sizeof(word), "i %d", event.head.status);
                        say(outcome, word);
                        break;
                case HTTP_HEAD:
                        say_head(outcome, &event.head);
                        break;
                case HTTP_BODY:
                        assert_true(event.body.len > 0);
                        assert_true(outcome->body_len + event.body.len <= sizeof(outcome->body));
                        memcpy(outcome->body + outcome->body_len, event.body.at, event.body.len);
                        outcome->body_len += event.body.len;
                        break;
                case HTTP_DONE:
                        say(outcome, "done");
                        outcome->n_left = in->len;
                        return false;
                }
        }
}

void h1_outcome_of(const char *at, size_t len, size_t size, size_t cut, bool is_head,
        struct h1_outcome *outcome)
{
        struct h1_reader reader = { 0 };
        struct muster_error error = { 0 };
        size_t fed = 0;
        bool goes_on = true;

        memset(outcome, 0, sizeof(*outcome));
        h1_read_begin(&reader, is_head, 1024);
        while (fed < len && goes_on) {
                size_t n = cut && fed == 0 ? cut : size;
                char *piece;
                struct muster_str in;

                if (n > len - fed)
                        n = len - fed;
                /* A copy that ends where the piece ends, so that reading past it is found out. */
                piece = mem_alloc(n);
                memcpy(piece, at + fed, n);
                in = (struct muster_str){ piece, n };
                goes_on = feed(&reader, &in, outcome);
                fed += n;
                outcome->n_left += goes_on ? 0 : len - fed;
                mem_free(piece);
        }
        if (goes_on) {
                int r = h1_read_eof(&reader, &error);

                say(outcome, r == 0 ? "eof" : error.text);
        }
        h1_read_deinit(&reader);
}
