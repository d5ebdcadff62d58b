/* SPDX-License-Identifier: MIT */
#include "h2_internal.h"

#include "h1_read.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/minmax.h>

/* Ended streams that are kept to be used again: as many as usually run at once. */
#define SPARE_MAX 128

/* What of a spare stream's text is kept; usual heads are shorter. */
#define SPARE_HEAD_BYTES 1024

/* --- session --------------------------------------------------------------------------------- */

static nghttp2_session *new_session(struct h2 *h2, nghttp2_option *option,
        nghttp2_session_callbacks *callbacks)
{
        nghttp2_mem mem = h2_pool_functions(&h2->pool);
        nghttp2_session *session = NULL;

        h2_receive_callbacks(callbacks);
        h2_send_callbacks(callbacks);
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_peer_max_concurrent_streams(option, H2_STREAMS_ASSUMED);
#ifdef HAVE_MAX_CONTINUATIONS
        nghttp2_option_set_max_continuations(option,
                H2_CONTINUATIONS_SPARE + h2->options.head_bytes_max / 16384);
#endif
        /* the callers bound their fields; this is only not to be in their way */
        nghttp2_option_set_max_send_header_block_length(option, 16 * 1024 * 1024);
        if (nghttp2_session_client_new3(&session, callbacks, h2, option, &mem) != 0)
                return NULL;
        return session;
}

static int make_session(struct h2 *h2)
{
        nghttp2_option *option = NULL;
        nghttp2_session_callbacks *callbacks = NULL;

        if (nghttp2_option_new(&option) == 0 && nghttp2_session_callbacks_new(&callbacks) == 0)
                h2->session = new_session(h2, option, callbacks);
        nghttp2_option_del(option);
        nghttp2_session_callbacks_del(callbacks);
        return h2->session ? 0 : MUSTER_E_RESOURCE;
}

/*
 * RFC 9218 section 2.1: we send no priorities of RFC 7540, which spares nghttp2 a tree of streams.
 */
static int submit_settings(struct h2 *h2)
{
        const nghttp2_settings_entry settings[] = {
                { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
                { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, h2->options.window_bytes },
                { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)h2->options.head_bytes_max },
                { NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
        };

        if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
                    sizeof(settings) / sizeof(settings[0])) != 0 ||
                nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                        H2_WINDOW_BYTES) != 0)
                return MUSTER_E_RESOURCE;
        return 0;
}

static void set_options(struct h2 *h2, const struct h2_options *options)
{
        if (options)
                h2->options = *options;
        if (!h2->options.head_bytes_max)
                h2->options.head_bytes_max = H1_HEAD_BYTES_MAX;
        if (!h2->options.streams_max)
                h2->options.streams_max = H2_STREAMS_MAX;
        if (!h2->options.window_bytes)
                h2->options.window_bytes = H2_STREAM_WINDOW_BYTES;
        if (!h2->options.window_bytes_max)
                h2->options.window_bytes_max = H2_STREAM_WINDOW_BYTES_MAX;
        h2->options.head_bytes_max = min_size(h2->options.head_bytes_max, UINT32_MAX);
        h2->peer_max = H2_STREAMS_ASSUMED;
}

struct h2 *h2_new(const struct h2_options *options)
{
        struct h2 *h2 = mem_zalloc(sizeof(*h2));

        if (!h2)
                return NULL;
        h2_pool_init(&h2->pool);
        list_init(&h2->streams);
        list_init(&h2->ready);
        list_init(&h2->hungry);
        list_init(&h2->spare);
        set_options(h2, options);
        return make_session(h2) < 0 || submit_settings(h2) < 0 ? h2_free(h2) : h2;
}

static void free_streams(struct list *streams)
{
        struct list *link;

        while ((link = list_pop(streams))) {
                struct h2_stream *stream = stream_of_link(link);

                buf_deinit(&stream->head);
                mem_free(stream);
        }
}

struct h2 *h2_free(struct h2 *h2)
{
        if (!h2)
                return NULL;
        if (!h2->pool.was_out)
                nghttp2_session_del(h2->session);
        h2_pool_deinit(&h2->pool);
        free_streams(&h2->streams);
        free_streams(&h2->spare);
        h2_template_deinit(&h2->template);
        h2_head_deinit(&h2->head);
        buf_deinit(&h2->goaway_said);
        buf_deinit(&h2->out);
        return mem_free(h2);
}

bool h2_is_closing(const struct h2 *h2)
{
        return h2->has_goaway || h2->is_shut || h2->fatal.code ||
               nghttp2_session_get_next_stream_id(h2->session) > INT32_MAX;
}

unsigned h2_allowed(const struct h2 *h2)
{
        return h2->peer_max < h2->options.streams_max ? h2->peer_max : h2->options.streams_max;
}

unsigned h2_room(const struct h2 *h2)
{
        unsigned max = h2_allowed(h2);

        return h2_is_closing(h2) || h2->n_open >= max ? 0 : max - h2->n_open;
}

unsigned h2_n_open(const struct h2 *h2)
{
        return h2->n_open;
}

uint64_t h2_rtt_ns(const struct h2 *h2)
{
        return h2->rtt_ns;
}

int h2_ping(struct h2 *h2)
{
        if (h2->is_pinging)
                return 0;
        if (nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL) != 0)
                return MUSTER_E_RESOURCE;
        h2->is_pinging = true;
        return 0;
}

int h2_shutdown(struct h2 *h2)
{
        if (h2->is_shut || h2->fatal.code)
                return 0;
        h2->is_shut = true;
        return nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL,
                       0) == 0
                       ? 0
                       : MUSTER_E_RESOURCE;
}

/* --- streams --------------------------------------------------------------------------------- */

struct h2_stream *h2_find(struct h2 *h2, int32_t id)
{
        /* Frames of a stream mostly come and go together. */
        if (!h2->found || h2->found->id != id)
                h2->found = nghttp2_session_get_stream_user_data(h2->session, id);
        return h2->found;
}

static struct h2_stream *take_spare(struct h2 *h2)
{
        struct list *link = list_pop(&h2->spare);
        struct h2_stream *stream;
        struct buf head;

        if (!link)
                return mem_zalloc(sizeof(*stream));
        h2->n_spare--;
        stream = stream_of_link(link);
        head = stream->head;
        head.len = 0;
        *stream = (struct h2_stream){ .head = head };
        return stream;
}

static void give_back(struct h2 *h2, struct h2_stream *stream)
{
        assert(!list_is_linked(&stream->link));
        if (h2->n_spare == SPARE_MAX) {
                buf_deinit(&stream->head);
                mem_free(stream);
                return;
        }
        buf_recycle(&stream->head, SPARE_HEAD_BYTES);
        list_push_front(&h2->spare, &stream->link);
        h2->n_spare++;
}

static int write_head(struct h2 *h2, struct h2_stream *stream, const struct http_request *request,
        nghttp2_nv nva[H2_REQUEST_FIELDS_MAX], size_t *ret_n, struct muster_error *error)
{
        int r;

        if (h2_template_fits(&h2->template, request)) {
                r = h2_template_use(&h2->template, request, &stream->head, nva, ret_n);
                return r < 0 ? error_set_memory(error, MUSTER_PHASE_SEND) : 0;
        }
        r = h2_request_fields(request, &stream->head, nva, ret_n, error);
        if (r == 0 && nghttp2_session_get_outbound_queue_size(h2->session) == 0)
                h2_template_make(&h2->template, request, nva, *ret_n);
        return r;
}

static int submit_request(struct h2 *h2, struct h2_stream *stream,
        const struct http_request *request, struct muster_error *error)
{
        nghttp2_nv nva[H2_REQUEST_FIELDS_MAX];
        nghttp2_data_provider body = h2_body_provider();
        size_t n;
        int r = write_head(h2, stream, request, nva, &n, error);

        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                stream->head_bytes += nva[i].namelen + nva[i].valuelen;
        stream->id = nghttp2_submit_request(h2->session, NULL, nva, n,
                request->has_body ? &body : NULL, stream);
        assert(stream->id > 0 || stream->id == NGHTTP2_ERR_NOMEM);
        return stream->id > 0 ? 0 : error_set_memory(error, MUSTER_PHASE_SEND);
}

int h2_begin(struct h2 *h2, const struct http_request *request, void *user,
        struct h2_stream **ret_stream, struct muster_error *error)
{
        struct h2_stream *stream;
        int r;

        assert(h2_room(h2) > 0);
        stream = take_spare(h2);
        if (!stream)
                return error_set_memory(error, MUSTER_PHASE_SEND);
        stream->user = user;
        stream->is_head = str_is(request->method, "HEAD");
        stream->is_last_piece = !request->has_body;
        r = submit_request(h2, stream, request, error);
        if (r < 0) {
                give_back(h2, stream);
                return r;
        }
        h2_window_begin(h2, stream);
        list_push_back(&h2->streams, &stream->link);
        h2->n_open++;
        *ret_stream = stream;
        return 0;
}

void h2_end(struct h2 *h2, struct h2_stream *stream)
{
        assert(list_is_linked(&stream->link));
        if (!stream->is_closed) {
                /* Without memory the server goes on for nothing. */
                int r = nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                        NGHTTP2_CANCEL);

                (void)nghttp2_session_set_stream_user_data(h2->session, stream->id, NULL);
                /* What was not sent takes no room, although nghttp2 closes it only at its turn. */
                h2->n_open -= r == 0 && !stream->is_sent;
        }
        if (h2->piece_of == stream)
                h2->piece_of = NULL;
        if (h2->head.stream == stream)
                h2->head.stream = NULL;
        if (h2->found == stream)
                h2->found = NULL;
        list_remove(&stream->news_link);
        list_remove(&stream->hungry_link);
        list_remove(&stream->link);
        give_back(h2, stream);
}

uint32_t h2_stream_id(const struct h2_stream *stream)
{
        return (uint32_t)stream->id;
}

void *h2_stream_user(const struct h2_stream *stream)
{
        return stream->user;
}

bool h2_is_sent(const struct h2_stream *stream)
{
        return stream->is_sent;
}

bool h2_is_sent_whole(const struct h2_stream *stream)
{
        return stream->is_sent_whole;
}

size_t h2_head_bytes(const struct h2_stream *stream)
{
        return stream->head_bytes;
}

bool h2_has_begun(const struct h2_stream *stream)
{
        return stream->has_begun;
}

bool h2_is_unprocessed(const struct h2 *h2, const struct h2_stream *stream)
{
        return !stream->is_sent || (h2->has_goaway && stream->id > h2->last_stream) ||
               (stream->failure == H2_RESET_BY_SERVER && stream->code == NGHTTP2_REFUSED_STREAM);
}

bool h2_is_left_over(const struct h2 *h2, const struct h2_stream *stream)
{
        return h2->has_goaway && h2->last_stream > 0 && stream->id > h2->last_stream;
}
