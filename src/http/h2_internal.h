/* SPDX-License-Identifier: MIT */
/*
 * What the files of the HTTP/2 session share
 *
 *      h2.c          the session, streams, requests
 *      h2_request.c  a request's head as nghttp2 wants it
 *      h2_template.c the head of an earlier request
 *      h2_receive.c  bytes in, a frame at a time, into news
 *      h2_head.c     a field block into a head
 *      h2_news.c     news into events
 *      h2_send.c     frames and bodies out
 *      h2_window.c   how much a server may send
 *      h2_error.c    what went wrong, in words
 *      h2_pool.c     nghttp2's memory
 *
 * nghttp2 tells what it finds by callbacks. They only note it: as flags of the stream or the
 * session ("news"), which h2_next() turns into events before it feeds nghttp2 the next bytes. It
 * feeds at most one frame, so that one head, one piece of a body and one detail of an error at a
 * time are enough, and nothing needs a queue.
 */
#ifndef HTTP_H2_INTERNAL_H
#define HTTP_H2_INTERNAL_H

#include "h2.h"
#include "h2_pool.h"

#include <base/list.h>
#include <nghttp2/nghttp2.h>

/* What a stream has to tell, in this order. */
enum {
        NEWS_HEAD = 1,
        NEWS_BODY = 2,
        NEWS_DONE = 4,
        NEWS_FAILED = 8,
};

/* What the session has to tell. */
enum {
        NEWS_SETTINGS = 1,
        NEWS_GOAWAY = 2,
        NEWS_PONG = 4,
};

/* Why a stream failed. */
enum h2_failure {
        H2_NOT_FAILED,
        H2_RESET_BY_SERVER,
        H2_ABOVE_GOAWAY,
        H2_MALFORMED, /* `words` */
        H2_HEAD_TOO_LARGE,
        H2_TOO_MANY_FIELDS,
        H2_TOO_MANY_INTERIM,
        H2_NOT_SENT,  /* nghttp2 could not send it */
        H2_WITHDRAWN, /* not sent yet, and more than the server allows */
};

struct h2_stream {
        void *user;
        int32_t id;
        unsigned news;
        struct list link;        /* in h2->streams, or h2->spare */
        struct list news_link;   /* in h2->ready */
        struct list hungry_link; /* in h2->hungry */

        bool is_sent, is_sent_whole;
        bool has_begun; /* something of the response came */
        bool has_head;  /* the final one */
        bool is_done;   /* all of the response came */
        bool is_closed; /* nghttp2 has forgotten it */
        bool is_head;   /* the method is HEAD */
        unsigned n_interim;
        enum h2_failure failure;
        uint32_t code;

        struct buf head;         /* the request's fields, or those that are its own; until sent */
        size_t head_bytes;       /* of all fields */
        struct muster_str piece; /* of the request's body, what is left of it */
        bool is_last_piece;
        bool is_deferred; /* nghttp2 does not ask for the body until it is told to */

        uint32_t window_bytes;
        uint32_t unread_bytes; /* received, and not consumed by the reader */
        uint32_t owed_bytes;   /* consumed, and not told to the server yet */
        uint64_t epoch_ns;     /* what was consumed since then is counted: h2_window.c */
        uint64_t epoch_bytes;
};

/* Fields of requests, all of them and the caller's own, and bytes of a template. */
#define H2_TEMPLATE_FIELDS_MAX 24
#define H2_TEMPLATE_PARTS_MAX  (9 + 2 * 16)
#define H2_TEMPLATE_BYTES_MAX  4096

/* The head of an earlier request, and what it was made from. */
struct h2_template {
        struct muster_str parts[H2_TEMPLATE_PARTS_MAX];
        nghttp2_nv fields[H2_TEMPLATE_FIELDS_MAX];
        size_t n_parts, n_fields; /* 0: there is none */
        struct buf text;          /* of both */
};

/* A head as it is received. */
struct h2_head {
        int32_t stream_id;
        struct h2_stream *stream; /* NULL: nobody's any more */
        struct buf raw;
        struct field *fields;
        size_t n_fields, fields_size;
        int status;
        bool has_length, ends_stream;
        uint64_t length;
};

struct h2 {
        nghttp2_session *session;
        struct h2_pool pool; /* its memory */
        struct h2_options options;
        struct list streams;
        struct list ready;  /* streams with news */
        struct list hungry; /* streams that want a piece */
        struct list spare;  /* ended streams, to be used again */
        unsigned n_open, n_spare;
        struct h2_stream *found; /* by h2_find() last; NULL: none */
        uint32_t peer_max;       /* streams that the server allows */
        uint64_t now_ns;

        unsigned news;
        bool has_goaway, is_shut;
        int32_t last_stream; /* of GOAWAY */
        uint32_t goaway_code;
        struct buf goaway_said;
        bool awaits_ack;  /* of our SETTINGS */
        bool is_pinging;  /* h2_ping() was called */
        bool awaits_pong; /* and its frame was pulled */
        uint64_t settings_sent_ns, ping_sent_ns, pong_rtt_ns, rtt_ns;

        bool was_recognised; /* it is an HTTP/2 server */
        /* the frame that is being received */
        unsigned char frame_head[9];
        unsigned n_frame_head;
        size_t frame_left;       /* of its payload */
        bool was_told;           /* a callback said that the frame is valid */
        bool was_useful;         /* it brought a response on */
        size_t block_bytes;      /* of the field block so far, in frames */
        uint64_t idle_frames_ns; /* when the bucket of idle frames will be empty */
        uint64_t n_answers;      /* idle frames that may come, as we sent what they answer */
        uint64_t late_bytes;     /* of bodies, for streams that are over */
        uint64_t late_bytes_max; /* more the windows of those did not allow */

        struct h2_template template;
        struct h2_head head;
        struct h2_stream *piece_of; /* whose `piece` is */
        struct muster_str piece;    /* of a body, borrowed from what was fed */

        struct buf out;   /* frames pulled from nghttp2 ahead of h2_pull() */
        struct buf *pull; /* where frames go now */
        bool is_peeking;  /* look what nghttp2 sends but bodies */

        char words[100];           /* why something was malformed; "": unknown */
        struct muster_error error; /* of the stream whose failure was told last */
        struct muster_error fatal; /* of the connection; code 0: none */
};

static inline struct h2_stream *stream_of_link(struct list *link)
{
        return LIST_OWNER(link, struct h2_stream, link);
}

/* --- h2.c ------------------------------------------------------------------------------------ */

/* The stream of that number, if it is still the caller's; else NULL. */
struct h2_stream *h2_find(struct h2 *h2, int32_t id);

/* --- h2_request.c ---------------------------------------------------------------------------- */

/* The places of the pseudo-fields, which come first (RFC 9113 section 8.3). */
enum { H2_METHOD, H2_SCHEME, H2_AUTHORITY, H2_PATH, H2_N_PSEUDO };

/* As many as a request can have; the setters of the library allow fewer. */
#define H2_REQUEST_FIELDS_MAX 512

/* Write the fields to `text`, and where they are to `nva`. As h2_begin(). */
int h2_request_fields(const struct http_request *request, struct buf *text,
        nghttp2_nv nva[H2_REQUEST_FIELDS_MAX], size_t *ret_n, struct muster_error *error);

/* --- h2_template.c --------------------------------------------------------------------------- */

/* Would the request's head be the template's, but for the path? */
bool h2_template_fits(const struct h2_template *template, const struct http_request *request);

/* Write the path to `text`, and where all fields are to `nva`. MUSTER_E_RESOURCE. */
int h2_template_use(const struct h2_template *template, const struct http_request *request,
        struct buf *text, nghttp2_nv nva[H2_REQUEST_FIELDS_MAX], size_t *ret_n);

/* Make the template of a request, whose fields were written. Nothing may refer to it. */
void h2_template_make(struct h2_template *template, const struct http_request *request,
        const nghttp2_nv *nva, size_t n);

void h2_template_deinit(struct h2_template *template);

/* --- h2_receive.c ---------------------------------------------------------------------------- */

void h2_receive_callbacks(nghttp2_session_callbacks *callbacks);

/* Feed nghttp2 up to the end of a frame. As h2_next(). */
int h2_feed(struct h2 *h2, struct muster_str *bytes);

/* --- h2_head.c ------------------------------------------------------------------------------- */

void h2_head_begin(struct h2_head *head, int32_t stream_id, struct h2_stream *stream);
void h2_head_deinit(struct h2_head *head);

/* 0, H2_HEAD_TOO_LARGE, H2_TOO_MANY_FIELDS, H2_MALFORMED (the status), MUSTER_E_RESOURCE. */
int h2_head_add(struct h2_head *head, size_t bytes_max, struct muster_str name,
        struct muster_str value);
int h2_head_end(struct h2_head *head);

/* Borrowed until the next head begins. */
void h2_head_get(const struct h2_head *head, bool is_head, struct http_head *ret_head);

/* --- h2_news.c ------------------------------------------------------------------------------- */

/* Note something about a stream. */
void h2_stream_news(struct h2 *h2, struct h2_stream *stream, unsigned news);
void h2_stream_fail(struct h2 *h2, struct h2_stream *stream, enum h2_failure failure,
        uint32_t code);

/* Is there news? Set the event. */
bool h2_take_news(struct h2 *h2, struct h2_event *ret_event);

/* --- h2_send.c ------------------------------------------------------------------------------- */

void h2_send_callbacks(nghttp2_session_callbacks *callbacks);

/* The body of a stream, for nghttp2. */
nghttp2_data_provider h2_body_provider(void);

/*
 * See what nghttp2 has to say to the server, bodies apart, and keep it for h2_pull(). It resets
 * streams and ends the connection without telling us otherwise.
 */
int h2_peek(struct h2 *h2);

/* --- h2_window.c ----------------------------------------------------------------------------- */

void h2_window_begin(struct h2 *h2, struct h2_stream *stream);
void h2_measured_rtt(struct h2 *h2, uint64_t rtt_ns);

/* --- h2_error.c ------------------------------------------------------------------------------ */

/* Set h2->error for a stream that has failed. */
void h2_stream_error(struct h2 *h2, const struct h2_stream *stream);

/* The connection has failed. Returns the code of h2->fatal, which is set unless it was already. */
int h2_fail_memory(struct h2 *h2);
int h2_fail_nghttp2(struct h2 *h2, int nghttp2_code);
int h2_fail_unsent(struct h2 *h2);
int h2_fail_stranger(struct h2 *h2);
int h2_fail_goaway(struct h2 *h2, uint32_t code, struct muster_str reason);

/* Hand the connection's failure to the caller. */
int h2_fatal(const struct h2 *h2, struct muster_error *error);

#endif
