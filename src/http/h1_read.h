/* SPDX-License-Identifier: MIT */
/*
 * Response reader for HTTP/1 (RFC 9112)
 *
 * Turns bytes into events; it knows no socket. The caller points `in` at received bytes and asks
 * for the next event until H1_MORE. Then all of `in` is consumed, and the reader has copied what it
 * still needs. A head that arrives whole is parsed in place; only a split one is gathered in the
 * reader's own buffer. Body bytes are borrowed from `in`: use them before feeding again.
 *
 *      HEAD ─┬─▶ FIXED ────────────────────┐
 *       ▲    ├─▶ SIZE ⇄ DATA ─▶ TRAILER ───┼─▶ DONE      a chunk size may be split anywhere
 *      1xx   └─▶ UNTIL_CLOSE ──────────────┘             any state ─▶ error: do not reuse the connection
 *
 * The reader is strict where two readers could see the end of a response in different places. These
 * are MUSTER_E_PROTOCOL, with the rule named: Content-Length beside Transfer-Encoding, lengths that
 * differ, signs and blanks in sizes, line ends of chunks other than CRLF, NUL, a Transfer-Encoding
 * other than chunked. It is lenient where other clients are and where the RFC says so: a bare LF
 * ends a line (section 2.2), and see h1_untidy.h. tests/unit/test_h1_variants.c has what other
 * clients accepted when they were tried.
 */
#ifndef HTTP_H1_READ_H
#define HTTP_H1_READ_H

#include "event.h"

/* the default cap, which curl has as well; a longer head is broken or hostile */
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
        struct buf kept; /* the part received so far of a split head, trailer or chunk line */
        size_t scanned;  /* how far `kept` was searched for the head's end */
        uint64_t left;   /* of the body or chunk */
        size_t head_bytes_max;
        unsigned n_interim;
        bool is_head; /* the request's method was HEAD: no body whatever the fields say */
        /*
         * set it after h1_read_begin(): the method was CONNECT, so a 2xx has no body whatever the
         * fields say (RFC 9110 section 9.3.6)
         */
        bool is_connect;
        bool is_of_proxy; /* set it then, too: it is a proxy that sends the response, say errors */
        bool keeps_alive;
        bool is_in_doubt;   /* an interim response was in doubt */
        bool kept_is_stale; /* the last event borrowed `kept`: empty it before the next */
};

/*
 * Memory for the fields of a head. One is enough for a loop: it is used from one call to the next.
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
 * Set *ret_event to the next event, and move `in` past the bytes that it used. H1_MORE: feed more.
 * MUSTER_E_PROTOCOL, _TOO_LARGE, _RESOURCE with *error: do not use the connection again.
 */
int h1_read_next(struct h1_reader *reader, struct h1_scratch *scratch, struct muster_str *in,
        struct http_event *ret_event, struct muster_error *error);

/*
 * The peer ended its side. 0: that ends the body, which counts as HTTP_DONE. MUSTER_E_CLOSED with
 * *error saying what is incomplete ("after 3 of 10 bytes of the body").
 */
int h1_read_eof(struct h1_reader *reader, struct muster_error *error);

/*
 * How many of the next bytes are body as it is, once all input is consumed: what is left of a
 * Content-Length. 0: none, or not known (a head, chunks, a body that ends with the connection).
 */
uint64_t h1_read_body_left(const struct h1_reader *reader);

/* Skip `n` of these bytes, at most all: they were received without passing through the reader. */
void h1_read_skip_body(struct h1_reader *reader, uint64_t n);

/* Has any byte of a response been seen since h1_read_begin()? */
bool h1_read_has_begun(const struct h1_reader *reader);

#endif
