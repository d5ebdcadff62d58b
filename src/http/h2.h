/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2 session, the client's side (RFC 9113)
 *
 * Bytes in, events out, bytes to send pulled. It knows no socket and no clock: the caller gives the
 * time. nghttp2 does frames, field blocks and the rules of streams; what is here turns that into
 * events to be asked for one by one, bounds what a server can make us do, and sizes windows.
 *
 *      h2_begin ───▶ ┌─────────┐ ◀── bytes ── h2_next ──▶ events: heads, pieces of bodies, ends
 *      h2_offer ───▶ │ session │
 *      h2_consume ─▶ └─────────┘ ── frames ──▶ h2_pull ──▶ bytes to send
 *
 * A turn of the caller is: h2_next() until H2_MORE, then h2_pull() and send until nothing is left.
 * In between it begins requests, hands over pieces of uploads and says what its readers have used.
 *
 * A stream is the caller's from h2_begin() until h2_end(), however it went. After its last event
 * (HTTP_DONE or H2_FAILED) only h2_end() is left to do. An error of a stream is an event. A
 * negative return value is the end of the whole connection: ask h2_is_unprocessed() about each
 * stream and end it, send what h2_pull() still gives, and close.
 */
#ifndef HTTP_H2_H
#define HTTP_H2_H

#include "event.h"
#include "request_head.h"

/* --- limits ---------------------------------------------------------------------------------- */

/*
 * Streams before the server's first SETTINGS say how many it wants. Less than 100 is not advised to
 * servers (RFC 9113 section 6.5.2); what is too many is refused unprocessed.
 */
#define H2_STREAMS_ASSUMED 100

/* Streams at once on one connection if the server sets no limit; each takes memory on both sides */
#define H2_STREAMS_MAX 1000

/*
 * A stream's window as it begins. TCP's slow start needs seven round trips until it sends as much
 * in one; until then the window has grown.
 */
#define H2_STREAM_WINDOW_BYTES (1024 * 1024)

/*
 * The most that a stream's window grows to: 1 Gbit/s at 100 ms are 12.5 MB. It is also what a
 * reader that stops may find waiting, so it is not larger than that needs.
 */
#define H2_STREAM_WINDOW_BYTES_MAX (16 * 1024 * 1024)

/*
 * The connection's window. What has been received counts as consumed at once, so it bounds only
 * what is on its way, no memory: 5 Gbit/s at 100 ms.
 */
#define H2_WINDOW_BYTES (64 * 1024 * 1024)

/*
 * Idle frames, which bring no response on: SETTINGS, PING, PRIORITY, WINDOW_UPDATE, DATA and
 * CONTINUATION without content or of padding alone, frames of unknown types and of streams that are
 * over. So many may come at once, and so many a second. Each frame that does bring one on makes up for one, and an
 * upload for all. Servers send a few a second; a flood takes processor time for nothing (RFC 9113
 * section 10.5).
 */
#define H2_IDLE_FRAMES_MAX   1000
#define H2_IDLE_FRAMES_PER_S 100

/*
 * Idle frames that are answers to a frame of ours, and so come on top of those. A server may reset
 * its stream for each frame of DATA on a stream that it has ended (RFC 9113 section 5.1), and there
 * are as many on their way as its windows allow; it gives both windows back. A stream that we reset
 * may be answered all the same, by HEADERS, DATA and trailers.
 */
#define H2_ANSWERS_TO_DATA  3
#define H2_ANSWERS_TO_RESET 3

/*
 * Frames that are written and not pulled, as the server does not read: answers to its PING and
 * SETTINGS. One that does not read for so long is broken or hostile.
 */
#define H2_UNSENT_BYTES_MAX (256 * 1024)

/* What is kept of the reason that GOAWAY gives; it is for people. */
#define H2_GOAWAY_SAID_MAX 200

/*
 * CONTINUATION frames of one head, beside those that a head as large as allowed needs in frames of
 * 16 KiB: some servers write smaller ones. nghttp2 by itself takes 8, which is less than our cap for
 * heads needs.
 */
#define H2_CONTINUATIONS_SPARE 64

/* An encoded field block cannot sensibly be longer than this beside the cap for decoded heads. */
#define H2_FIELD_BLOCK_BYTES_SPARE (64 * 1024)

/* --- session --------------------------------------------------------------------------------- */

struct h2;
struct h2_stream;

/* Zero is the default. */
struct h2_options {
        size_t head_bytes_max;     /* as h1_read_begin(): H1_HEAD_BYTES_MAX */
        uint32_t streams_max;      /* H2_STREAMS_MAX */
        uint32_t window_bytes;     /* H2_STREAM_WINDOW_BYTES: a stream's as it begins */
        uint32_t window_bytes_max; /* H2_STREAM_WINDOW_BYTES_MAX */
};

/*
 * Make a session for a new connection; the first h2_pull() gives its preface. `options` may be
 * NULL. NULL if memory is out.
 */
struct h2 *h2_new(const struct h2_options *options);

/* Free the session and all streams. Returns NULL. */
struct h2 *h2_free(struct h2 *h2);

/*
 * How many more requests may be begun now: what the server allows beside those that are open. 0
 * after GOAWAY, h2_shutdown() and when the stream numbers are used up; see h2_is_closing().
 */
unsigned h2_room(const struct h2 *h2);

/* How many may be open at once, by what the server has told and our own bound. */
unsigned h2_allowed(const struct h2 *h2);

/* Will there never be room again? The connection is of no use once its last stream has ended. */
bool h2_is_closing(const struct h2 *h2);

/* How many streams are open, those included whose RST_STREAM has not been pulled. */
unsigned h2_n_open(const struct h2 *h2);

/* The smallest round trip measured on this connection (SETTINGS, PING); 0: none yet. */
uint64_t h2_rtt_ns(const struct h2 *h2);

/* --- requests -------------------------------------------------------------------------------- */

/*
 * Begin a request; needs h2_room(). Everything in it is borrowed during the call. What belongs to
 * an HTTP/1 connection (RFC 9113 section 8.2.2) is left out, Host becomes :authority, and
 * credentials are marked as never to be indexed. With request->has_body the body follows by
 * h2_offer(). MUSTER_E_INVALID, MUSTER_E_TOO_LARGE, MUSTER_E_RESOURCE with *error: nothing was
 * begun, and the connection is as before.
 */
int h2_begin(struct h2 *h2, const struct http_request *request, void *user,
        struct h2_stream **ret_stream, struct muster_error *error);

/* Its number, in the order of beginning: 1, 3, 5, ... */
uint32_t h2_stream_id(const struct h2_stream *stream);
void *h2_stream_user(const struct h2_stream *stream);

/* Has the head of the request been pulled? */
bool h2_is_sent(const struct h2_stream *stream);

/* Have all bytes of the request been pulled, its body included? */
bool h2_is_sent_whole(const struct h2_stream *stream);

/* How many bytes its fields have before they are compressed, names and values. */
size_t h2_head_bytes(const struct h2_stream *stream);

/* Has anything of a response been received? */
bool h2_has_begun(const struct h2_stream *stream);

/*
 * Is it certain that the server has done nothing about this request: it was not sent, refused
 * (REFUSED_STREAM), or is above the last stream of GOAWAY (RFC 9113 section 8.7)? It can be sent
 * again on another connection, whatever its method is.
 */
bool h2_is_unprocessed(const struct h2 *h2, const struct h2_stream *stream);

/*
 * ... because it is above the last stream of a GOAWAY that has one: the server takes the requests
 * before it, and no more on this connection?
 */
bool h2_is_left_over(const struct h2 *h2, const struct h2_stream *stream);

/*
 * The next piece of a body, borrowed until the stream is hungry again, or ended. The previous one
 * must be used up. It may be empty if it is the last.
 */
void h2_offer(struct h2 *h2, struct h2_stream *stream, struct muster_str borrow_piece,
        bool is_last);

/*
 * A stream that wants its next piece: what was offered is in the frames that were pulled, and both
 * windows have room. NULL: none. It is told once; offer a piece at any later time.
 */
struct h2_stream *h2_next_hungry(struct h2 *h2);

/* Tell it again: there was nothing to offer, and now there is. */
void h2_set_hungry(struct h2 *h2, struct h2_stream *stream);

/*
 * The reader has used `n` bytes of the response's body: the server may send as many more. As long
 * as that is not said a stream stops, and no other does.
 */
void h2_consume(struct h2 *h2, struct h2_stream *stream, size_t n);

/*
 * Forget a stream. Unless both sides are through with it the server is told (RST_STREAM, CANCEL).
 * There are no events of it any more.
 */
void h2_end(struct h2 *h2, struct h2_stream *stream);

/* --- bytes ----------------------------------------------------------------------------------- */

enum h2_event_kind {
        H2_HTTP,   /* `http`: a part of the stream's response */
        H2_FAILED, /* the stream is over without a whole response: `error` */
        /*
         * The server's SETTINGS: h2_room() may be another. Requests that are too many now, and were
         * not sent, fail as unprocessed, but for those whose body is offered piece by piece.
         */
        H2_SETTINGS,
        H2_GOAWAY, /* no new requests here; those above its last stream fail one by one */
        H2_PONG,   /* the answer to h2_ping() */
};

struct h2_event {
        enum h2_event_kind kind;
        struct h2_stream *stream; /* HTTP, FAILED */
        void *user;               /* of the stream */
        struct http_event http;   /* HTTP: as it says there */
        /*
         * FAILED: MUSTER_E_CLOSED if the server ended it, _PROTOCOL, _TOO_LARGE if we did; borrowed
         * until the next call
         */
        const struct muster_error *error;
        uint32_t code;        /* FAILED, GOAWAY: the error code (RFC 9113 section 7) */
        bool is_unprocessed;  /* FAILED: as h2_is_unprocessed() */
        uint32_t last_stream; /* GOAWAY */
        struct muster_str
                said;    /* GOAWAY: the server's reason, may be empty; escape it to show it */
        uint64_t rtt_ns; /* PONG */
};

#define H2_MORE 1

/*
 * Set *ret_event to the next event, and move `bytes` past what it used. H2_MORE: all is used; feed
 * more. May be called without bytes. Negative with *error: the connection has failed.
 */
int h2_next(struct h2 *h2, struct muster_str *bytes, uint64_t now_ns, struct h2_event *ret_event,
        struct muster_error *error);

/*
 * Append frames to send to `to`, until that has `bytes_max` or a frame more. Ask for hungry streams
 * and events (h2_next() without bytes) afterwards. Negative with *error: the connection has failed.
 */
int h2_pull(struct h2 *h2, struct buf *to, size_t bytes_max, uint64_t now_ns,
        struct muster_error *error);

/* Is there anything to pull? */
bool h2_wants_send(const struct h2 *h2);

/*
 * The server sends no more. 0: no stream was open. MUSTER_E_CLOSED with *error saying what the
 * server did; the connection has failed.
 */
int h2_eof(struct h2 *h2, struct muster_error *error);

/* Ask for an answer, to learn whether the server is there; one at a time. MUSTER_E_RESOURCE. */
int h2_ping(struct h2 *h2);

/* Say goodbye (GOAWAY): begin no more requests, and close when it has been pulled and sent. */
int h2_shutdown(struct h2 *h2);

/* "REFUSED_STREAM": the name of an error code (RFC 9113 section 7). */
const char *h2_code_name(uint32_t code);

#endif
