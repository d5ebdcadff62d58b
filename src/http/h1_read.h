/* SPDX-License-Identifier: MIT */
/*
 * Response reader for HTTP/1 (RFC 9112)
 *
 * Turns bytes into events and keeps no socket. The caller points `in` at what it has and asks for
 * the next event until told that there is no more (H1_MORE): then all of `in` is consumed, and what
 * the reader needs of it later it has kept itself. A head that arrived whole is parsed where it
 * lies; only one that is split is gathered in the reader's own buffer. Body bytes are borrowed from
 * `in`: use them before feeding again.
 *
 *      HEAD ─┬─▶ FIXED ────────────────────┐
 *       ▲    ├─▶ SIZE ⇄ DATA ─▶ TRAILER ───┼─▶ DONE      a chunk size may be split anywhere
 *      1xx   └─▶ UNTIL_CLOSE ──────────────┘             any state ─▶ error: do not reuse the connection
 *
 * Strict where leniency is a hole, because a response's end could be seen in two places:
 * Content-Length beside Transfer-Encoding, several lengths that differ, signs and blanks in sizes,
 * line ends of chunks other than CRLF, NUL, a Transfer-Encoding other than chunked: all are
 * MUSTER_E_PROTOCOL with the rule named. Lenient where other clients are, and where the RFC tells
 * to be: a bare LF ends a line (section 2.2), and h1_untidy.h. What was seen when these clients
 * were tried stands in tests/unit/test_h1_variants.c.
 */
#ifndef HTTP_H1_READ_H
#define HTTP_H1_READ_H

#include "event.h"

/* the default cap: what curl allows; more is broken or hostile */
#define H1_HEAD_BYTES_MAX (300 * 1024)
#define H1_FIELDS_MAX     512  /* fields in one head; servers send 10 to 40 */
#define H1_INTERIM_MAX    32   /* 1xx responses before the final one */
#define H1_CHUNK_LINE_MAX 4096 /* chunk size with its extensions */

enum h1_read_state {
        H1_AT_HEAD,
        H1_AT_FIXED,
        H1_AT_SIZE,
        H1_AT_DATA,
        H1_AT_DATA_END,
        H1_AT_TRAILER,
        H1_AT_UNTIL_CLOSE,
        H1_AT_DONE,
        H1_AT_ERROR,
};

/* One for a connection; zeroed then h1_read_begin(). */
struct h1_reader {
        enum h1_read_state state;
        struct buf kept; /* a split head, trailer or chunk line so far */
        size_t scanned;  /* of `kept`: no end of head before here */
        uint64_t left;   /* of the body or chunk */
        size_t head_bytes_max;
        unsigned n_interim;
        bool is_head; /* the request's method was HEAD: no body whatever the fields say */
        bool keeps_alive;
        bool is_in_doubt;   /* an interim response was */
        bool kept_is_stale; /* `kept` was handed out with the last event: empty it first */
};

/*
 * Where the fields of a head are put: one for a loop, as it is used only inside a call and until
 * the next.
 */
struct h1_scratch {
        struct field fields[H1_FIELDS_MAX];
};

#define H1_MORE 1

/* Expect a response. `head_bytes_max` 0: H1_HEAD_BYTES_MAX. */
void h1_read_begin(struct h1_reader *reader, bool is_head, size_t head_bytes_max);

/* Release the buffer; may be called twice. */
void h1_read_deinit(struct h1_reader *reader);

/*
 * The next event in *ret_event, advancing `in` past what was used. H1_MORE: feed more.
 * MUSTER_E_PROTOCOL, _TOO_LARGE, _RESOURCE with *error: the connection is of no more use.
 */
int h1_read_next(struct h1_reader *reader, struct h1_scratch *scratch, struct muster_str *in,
        struct http_event *ret_event, struct muster_error *error);

/*
 * The peer ended its side. 0: that was the end of a body that is delimited by it: HTTP_DONE.
 * MUSTER_E_CLOSED with *error saying what was incomplete otherwise ("after 3 of 10 bytes of the
 * body").
 */
int h1_read_eof(struct h1_reader *reader, struct muster_error *error);

/*
 * How many bytes come next that are the body as it is: what is left of a Content-Length, once all
 * input is consumed. 0: they are not, or nobody knows (a head, chunks, a body that ends with the
 * connection).
 */
uint64_t h1_read_body_left(const struct h1_reader *reader);

/* So many of them, at most all, went to their place without passing through here. */
void h1_read_skip_body(struct h1_reader *reader, uint64_t n);

/* Has any byte of a response been seen since h1_read_begin()? */
bool h1_read_has_begun(const struct h1_reader *reader);

#endif
