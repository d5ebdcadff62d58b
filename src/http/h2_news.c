/* SPDX-License-Identifier: MIT */
#include "h2_internal.h"

#include <assert.h>

void h2_stream_news(struct h2 *h2, struct h2_stream *stream, unsigned news)
{
        assert(list_is_linked(&stream->link));
        stream->news |= news;
        if (!list_is_linked(&stream->news_link))
                list_push_back(&h2->ready, &stream->news_link);
}

void h2_stream_fail(struct h2 *h2, struct h2_stream *stream, enum h2_failure failure, uint32_t code)
{
        if (stream->is_done || stream->failure)
                return;
        stream->failure = failure;
        stream->code = code;
        h2_stream_news(h2, stream, NEWS_FAILED);
}

/* --- the session's --------------------------------------------------------------------------- */

static void session_event(struct h2 *h2, struct h2_event *event)
{
        event->stream = NULL;
        event->user = NULL;
        if (h2->news & NEWS_SETTINGS) {
                h2->news &= ~(unsigned)NEWS_SETTINGS;
                event->kind = H2_SETTINGS;
        } else if (h2->news & NEWS_GOAWAY) {
                h2->news &= ~(unsigned)NEWS_GOAWAY;
                event->kind = H2_GOAWAY;
                event->last_stream = (uint32_t)h2->last_stream;
                event->code = h2->goaway_code;
                event->said = buf_str(&h2->goaway_said);
        } else {
                h2->news &= ~(unsigned)NEWS_PONG;
                event->kind = H2_PONG;
                event->rtt_ns = h2->pong_rtt_ns;
        }
}

/* --- a stream's ------------------------------------------------------------------------------ */

static void head_event(struct h2 *h2, struct h2_stream *stream, struct http_event *event)
{
        assert(h2->head.stream_id == stream->id);
        event->kind = h2->head.status < 200 ? HTTP_INTERIM : HTTP_HEAD;
        h2_head_get(&h2->head, stream->is_head, &event->head);
}

static void body_event(struct h2 *h2, struct http_event *event)
{
        assert(h2->piece_of && h2->piece.len);
        h2->piece_of = NULL;
        event->kind = HTTP_BODY;
        event->body = h2->piece;
}

static void failed_event(struct h2 *h2, struct h2_stream *stream, struct h2_event *event)
{
        h2_stream_error(h2, stream);
        event->kind = H2_FAILED;
        event->error = &h2->error;
        event->code = stream->code;
        event->is_unprocessed = h2_is_unprocessed(h2, stream);
}

static void stream_event(struct h2 *h2, struct h2_stream *stream, struct h2_event *event)
{
        unsigned news = stream->news & -stream->news;

        assert(news != NEWS_BODY || h2->piece_of == stream);
        stream->news &= ~news;
        if (!stream->news)
                list_remove(&stream->news_link);
        event->kind = H2_HTTP;
        event->stream = stream;
        event->user = stream->user;
        if (news == NEWS_HEAD)
                head_event(h2, stream, &event->http);
        else if (news == NEWS_BODY)
                body_event(h2, &event->http);
        else if (news == NEWS_DONE)
                event->http.kind = HTTP_DONE;
        else
                failed_event(h2, stream, event);
}

bool h2_take_news(struct h2 *h2, struct h2_event *ret_event)
{
        struct list *link;

        if (h2->news) {
                session_event(h2, ret_event);
                return true;
        }
        link = list_first(&h2->ready);
        if (!link)
                return false;
        stream_event(h2, LIST_OWNER(link, struct h2_stream, news_link), ret_event);
        return true;
}
