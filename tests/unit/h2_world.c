/* SPDX-License-Identifier: MIT */
#include "h2_world.h"

#include <base/error.h>

void world_open(struct h2_world *world, const struct h2_options *options)
{
        *world = (struct h2_world){ .now_ns = 1000, .h2 = h2_new(options) };
        assert_non_null(world->h2);
}

void world_close(struct h2_world *world)
{
        world->h2 = h2_free(world->h2);
        buf_deinit(&world->sent);
}

void world_begin(struct h2_world *world, struct exchange *exchange, const char *method,
        const char *path, bool has_body)
{
        struct url url = { 0 };
        struct buf text = { 0 };
        struct http_request request = { .method = str_of(method),
                .url = &url,
                .user_agent = str_of("test"),
                .has_body = has_body,
                .is_chunked = has_body };

        *exchange = (struct exchange){ 0 };
        buf_add_text(&text, "http://example.com");
        buf_add_text(&text, path);
        assert_int_equal(url_parse(&url, buf_str(&text), NULL, NULL), 0);
        assert_int_equal(h2_begin(world->h2, &request, exchange, &exchange->stream,
                                 &exchange->error),
                0);
        buf_deinit(&text);
        url_deinit(&url);
}

void world_get(struct h2_world *world, struct exchange *exchange)
{
        world_begin(world, exchange, "GET", "/", false);
}

void exchange_close(struct h2_world *world, struct exchange *exchange)
{
        if (exchange->stream)
                h2_end(world->h2, exchange->stream);
        exchange->stream = NULL;
        buf_deinit(&exchange->head);
        buf_deinit(&exchange->body);
}

/* --- events ---------------------------------------------------------------------------------- */

static void take_head(struct exchange *exchange, const struct http_head *head)
{
        assert_false(exchange->status);
        assert_int_equal(head->version, 20);
        exchange->status = head->status;
        exchange->has_body = head->has_body;
        exchange->has_length = head->has_length;
        exchange->length = head->length;
        assert_int_equal(buf_add_str(&exchange->head, head->raw), 0);
}

static void take_http(struct h2_world *world, struct exchange *exchange,
        const struct http_event *event)
{
        assert_false(exchange->is_done || exchange->has_failed);
        switch (event->kind) {
        case HTTP_INTERIM:
                exchange->n_interim++;
                assert_true(event->head.status < 200);
                return;
        case HTTP_HEAD:
                take_head(exchange, &event->head);
                return;
        case HTTP_BODY:
                assert_true(exchange->status && event->body.len);
                assert_int_equal(buf_add_str(&exchange->body, event->body), 0);
                if (!world->keeps_windows)
                        h2_consume(world->h2, exchange->stream, event->body.len);
                return;
        case HTTP_DONE:
                exchange->is_done = true;
                return;
        }
}

static void take_failure(struct exchange *exchange, const struct h2_event *event)
{
        assert_false(exchange->is_done || exchange->has_failed);
        exchange->has_failed = true;
        exchange->error = *event->error;
        exchange->code = event->code;
        exchange->is_unprocessed = event->is_unprocessed;
}

static void take_goaway(struct h2_world *world, const struct h2_event *event)
{
        world->n_goaway++;
        world->last_stream = event->last_stream;
        world->goaway_code = event->code;
        assert_true(event->said.len < sizeof(world->said));
        memcpy(world->said, event->said.at ? event->said.at : "", event->said.len);
        world->said[event->said.len] = '\0';
}

static void take(struct h2_world *world, const struct h2_event *event)
{
        switch (event->kind) {
        case H2_HTTP:
                assert_ptr_equal(((struct exchange *)event->user)->stream, event->stream);
                take_http(world, event->user, &event->http);
                return;
        case H2_FAILED:
                take_failure(event->user, event);
                return;
        case H2_SETTINGS:
                world->n_settings++;
                return;
        case H2_GOAWAY:
                take_goaway(world, event);
                return;
        case H2_PONG:
                world->n_pong++;
                world->rtt_ns = event->rtt_ns;
                return;
        }
}

/* The client must not keep pointers into what it was fed, so that is a copy which is freed. */
static int feed_once(struct h2_world *world, const char *at, size_t len)
{
        char *copy = mem_strndup(at, len);
        struct muster_str bytes = { copy, len };
        struct h2_event event;

        assert_non_null(copy);
        do {
                world->last = h2_next(world->h2, &bytes, world->now_ns, &event, &world->error);
                if (world->last == 0)
                        take(world, &event);
        } while (world->last == 0);
        assert_true(world->last < 0 || !bytes.len);
        mem_free(copy);
        return world->last;
}

int world_feed(struct h2_world *world, const void *at, size_t len)
{
        const char *bytes = at;
        size_t step = world->byte_by_byte ? 1 : len;
        int r = len ? 0 : feed_once(world, "", 0);

        for (size_t n = 0; n < len && r >= 0; n += step)
                r = feed_once(world, bytes + n, step);
        return r;
}

int world_pull(struct h2_world *world)
{
        int r = 0;
        size_t before;

        do {
                before = world->sent.len;
                r = h2_pull(world->h2, &world->sent, before + 1, world->now_ns, &world->error);
        } while (r == 0 && world->sent.len > before);
        if (r == 0)
                assert_int_equal(world_feed(world, "", 0), H2_MORE);
        return r;
}

/* --- expectations ---------------------------------------------------------------------------- */

void expect_response(const struct exchange *exchange, int status, const char *body)
{
        if (exchange->has_failed)
                fail_msg("it failed: %s", exchange->error.text);
        assert_int_equal(exchange->status, status);
        assert_true(str_is(buf_str(&exchange->body), body));
        assert_true(exchange->is_done);
}

void expect_failed(const struct exchange *exchange, enum muster_code code, const char *text)
{
        assert_true(exchange->has_failed);
        assert_false(exchange->is_done);
        assert_string_equal(exchange->error.text, text);
        assert_int_equal(exchange->error.code, code);
}
