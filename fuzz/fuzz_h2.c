/* SPDX-License-Identifier: MIT */
/*
 * A server's bytes for an HTTP/2 session with some open streams, one of them an upload
 *
 * The first byte says how the rest is cut into two pieces; frames that are fed in pieces must lead
 * to the same events as whole ones.
 */
#include "fuzz.h"

#include <base/buf.h>
#include <base/mem.h>
#include <http/h2.h>

#define N_STREAMS 4

struct outcome {
        int last;
        unsigned n_events, n_failed, n_done;
        size_t head_bytes, body_bytes;
};

struct exchange {
        struct h2_stream *stream;
        bool is_over;
};

struct run {
        struct h2 *h2;
        struct exchange exchanges[N_STREAMS];
        struct outcome outcome;
        struct buf out;
};

static void begin(struct run *run, const struct url *url)
{
        for (int i = 0; i < N_STREAMS; i++) {
                struct http_request request = {
                        .method = str_of(i == 1 ? "HEAD" : "POST"), .url = url, .has_body = i == 2
                };

                FUZZ_CHECK(h2_begin(run->h2, &request, &run->exchanges[i],
                                   &run->exchanges[i].stream, NULL) == 0);
        }
        h2_offer(run->h2, run->exchanges[2].stream, str_of("a body"), false);
}

static void pull(struct run *run)
{
        struct h2_stream *hungry;

        run->out.len = 0;
        (void)h2_pull(run->h2, &run->out, 65536, 1, NULL);
        while ((hungry = h2_next_hungry(run->h2)))
                h2_offer(run->h2, hungry, str_of("more"), false);
}

/* A stream has one end, and nothing behind it. */
static void take(struct run *run, const struct h2_event *event)
{
        struct exchange *exchange = event->user;

        run->outcome.n_events++;
        if (event->kind != H2_HTTP && event->kind != H2_FAILED)
                return;
        FUZZ_CHECK(exchange->stream == event->stream && !exchange->is_over);
        if (event->kind == H2_FAILED) {
                FUZZ_CHECK(event->error->code && event->error->text[0]);
                run->outcome.n_failed++;
        } else if (event->http.kind == HTTP_HEAD || event->http.kind == HTTP_INTERIM) {
                FUZZ_CHECK(event->http.head.status >= 100 && event->http.head.status < 1000);
                run->outcome.head_bytes += event->http.head.raw.len;
        } else if (event->http.kind == HTTP_BODY) {
                run->outcome.n_events--; /* pieces are as they come */
                run->outcome.body_bytes += event->http.body.len;
                h2_consume(run->h2, event->stream, event->http.body.len);
        }
        if (event->kind == H2_HTTP && event->http.kind != HTTP_DONE)
                return;
        exchange->is_over = true;
        run->outcome.n_done += event->kind == H2_HTTP;
        if (run->outcome.n_done % 2) {
                h2_end(run->h2, exchange->stream);
                exchange->stream = NULL;
        }
}

static void feed(struct run *run, const uint8_t *data, size_t size)
{
        char *copy = mem_strndup((const char *)data, size);
        struct muster_str bytes = { copy, size };
        struct muster_error error = { 0 };
        struct h2_event event;

        while ((run->outcome.last = h2_next(run->h2, &bytes, 1, &event, &error)) == 0)
                take(run, &event);
        FUZZ_CHECK(run->outcome.last == H2_MORE || error.code);
        mem_free(copy);
}

static struct outcome run_once(const uint8_t *data, size_t size, size_t cut)
{
        struct run run = { .h2 = h2_new(&(struct h2_options){ .head_bytes_max = 4096 }) };
        struct url url = { 0 };

        FUZZ_CHECK(run.h2 && url_parse(&url, str_of("http://example.com/"), NULL, NULL) == 0);
        begin(&run, &url);
        pull(&run);
        feed(&run, data, cut);
        if (run.outcome.last == H2_MORE)
                feed(&run, data + cut, size - cut);
        pull(&run);
        feed(&run, data, 0);
        (void)h2_eof(run.h2, NULL);
        h2_free(run.h2);
        buf_deinit(&run.out);
        url_deinit(&url);
        return run.outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct outcome whole, pieces;

        if (size < 2)
                return 0;
        whole = run_once(data + 1, size - 1, size - 1);
        pieces = run_once(data + 1, size - 1, data[0] % size);
        /*
         * What is wrong with a stream's field is told at once. If that was the last stream, nobody
         * looks at the rest of its field block any more, where a fault of the connection may be.
         */
        if (whole.last != pieces.last) {
                FUZZ_CHECK(whole.last < 0 && pieces.n_failed > whole.n_failed);
                return 0;
        }
        /* With the connection it is a matter of time how many streams have ended by themselves. */
        if (whole.last < 0)
                return 0;
        FUZZ_CHECK(whole.n_events == pieces.n_events && whole.head_bytes == pieces.head_bytes);
        FUZZ_CHECK(whole.n_failed == pieces.n_failed && whole.n_done == pieces.n_done);
        return 0;
}
