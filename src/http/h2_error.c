/* SPDX-License-Identifier: MIT */
#include "h2_internal.h"

#include "h1_error.h"
#include "h1_read.h"
#include <assert.h>
#include <base/error.h>

const char *h2_code_name(uint32_t code)
{
        return nghttp2_http2_strerror(code);
}

/* --- a stream -------------------------------------------------------------------------------- */

static int set(struct h2 *h2, enum muster_code code, const char *what, const char *detail,
        const char *end)
{
        return error_set(&h2->error, code, MUSTER_PHASE_RECEIVE, 0, "%s%s%s", what, detail, end);
}

/* nghttp2 says nothing about what is wrong with a body. */
static const char *words_of(const struct h2 *h2, const struct h2_stream *stream)
{
        if (h2->words[0])
                return h2->words;
        return stream->has_head ? "the body is longer or shorter than its head says"
                                : "a body before the final head";
}

static void malformed(struct h2 *h2, const struct h2_stream *stream)
{
        if (stream->code == NGHTTP2_PROTOCOL_ERROR)
                set(h2, MUSTER_E_PROTOCOL,
                        "protocol: the HTTP/2 response is malformed: ", words_of(h2, stream), "");
        else
                set(h2, MUSTER_E_PROTOCOL,
                        "protocol: the server broke the rules of HTTP/2 on this stream: ",
                        h2_code_name(stream->code), "");
}

void h2_stream_error(struct h2 *h2, const struct h2_stream *stream)
{
        const char *name = h2_code_name(stream->code);
        bool is_unprocessed = h2_is_unprocessed(h2, stream);

        error_clear(&h2->error);
        switch (stream->failure) {
        case H2_NOT_FAILED:
                break;
        case H2_RESET_BY_SERVER:
                set(h2, MUSTER_E_CLOSED, "closed: the server reset the HTTP/2 stream: ", name,
                        is_unprocessed ? " (it has not processed the request)" : "");
                return;
        case H2_ABOVE_GOAWAY:
                set(h2, MUSTER_E_CLOSED,
                        "closed: the server is closing the HTTP/2 connection (GOAWAY, ",
                        h2_code_name(h2->goaway_code), ") and has not processed the request");
                return;
        case H2_MALFORMED:
                malformed(h2, stream);
                return;
        case H2_HEAD_TOO_LARGE:
                error_set(&h2->error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_RECEIVE, 0,
                        "too_large: the head has more than %zu bytes (max_header_bytes)",
                        h2->options.head_bytes_max);
                return;
        case H2_TOO_MANY_FIELDS:
                error_set(&h2->error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_RECEIVE, 0,
                        "too_large: the head has more than %d fields", H1_FIELDS_MAX);
                return;
        case H2_TOO_MANY_INTERIM:
                error_set(&h2->error, MUSTER_E_PROTOCOL, MUSTER_PHASE_RECEIVE, 0,
                        "protocol: more than %d interim responses (1xx)", H1_INTERIM_MAX);
                return;
        case H2_NOT_SENT:
                set(h2, MUSTER_E_CLOSED,
                        "closed: the request could not be sent on this HTTP/2 connection", "", "");
                return;
        case H2_WITHDRAWN:
                set(h2, MUSTER_E_CLOSED,
                        "closed: the server allows fewer requests at a time on its HTTP/2 connection, and this one was not sent yet",
                        "", "");
                return;
        }
        assert(false);
}

/* --- the connection -------------------------------------------------------------------------- */

int h2_fail_memory(struct h2 *h2)
{
        return error_set_memory(&h2->fatal, MUSTER_PHASE_RECEIVE);
}

int h2_fail_nghttp2(struct h2 *h2, int nghttp2_code)
{
        /* Our callbacks fail only for want of memory. */
        if (nghttp2_code == NGHTTP2_ERR_NOMEM || nghttp2_code == NGHTTP2_ERR_CALLBACK_FAILURE)
                return h2_fail_memory(h2);
        return error_set(&h2->fatal, MUSTER_E_PROTOCOL, MUSTER_PHASE_RECEIVE, 0,
                "protocol: the HTTP/2 connection is unusable: %s", nghttp2_strerror(nghttp2_code));
}

int h2_fail_unsent(struct h2 *h2)
{
        return error_set(&h2->fatal, MUSTER_E_PROTOCOL, MUSTER_PHASE_SEND, 0,
                "protocol: the server asks for answers on the HTTP/2 connection and does not read them: more than %d bytes wait",
                H2_UNSENT_BYTES_MAX);
}

int h2_fail_stranger(struct h2 *h2)
{
        struct muster_str bytes = { (const char *)h2->frame_head, sizeof(h2->frame_head) };

        if (str_starts(bytes, "HTTP/1."))
                return error_set(&h2->fatal, MUSTER_E_PROTOCOL, MUSTER_PHASE_RECEIVE, 0,
                        "protocol: the server does not speak HTTP/2 here, but HTTP/1; use --http1.1");
        return h1_protocol_error(&h2->fatal, "the server does not speak HTTP/2; it began with",
                bytes);
}

int h2_fail_goaway(struct h2 *h2, uint32_t code, struct muster_str reason)
{
        if (!reason.len)
                reason = str_of(h2->words);
        return error_set(&h2->fatal, MUSTER_E_PROTOCOL, MUSTER_PHASE_RECEIVE, 0,
                "protocol: the server broke the rules of HTTP/2: %s%s%.*s", h2_code_name(code),
                reason.len ? ", " : "", STR_ARGS(str_first(reason, 120)));
}

int h2_fatal(const struct h2 *h2, struct muster_error *error)
{
        if (error && !error->code)
                *error = h2->fatal;
        return (int)h2->fatal.code;
}

int h2_eof(struct h2 *h2, struct muster_error *error)
{
        if (h2->fatal.code)
                return h2_fatal(h2, error);
        if (list_is_empty(&h2->streams))
                return 0;
        error_set(&h2->fatal, MUSTER_E_CLOSED, MUSTER_PHASE_RECEIVE, 0,
                "closed: the server ended the HTTP/2 connection %s%s%s, before the response was complete",
                h2->has_goaway ? "after GOAWAY (" : "without GOAWAY",
                h2->has_goaway ? h2_code_name(h2->goaway_code) : "", h2->has_goaway ? ")" : "");
        return h2_fatal(h2, error);
}
