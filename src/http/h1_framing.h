/* SPDX-License-Identifier: MIT */
/*
 * Where a response's body ends (RFC 9112 section 6.3)
 */
#ifndef HTTP_H1_FRAMING_H
#define HTTP_H1_FRAMING_H

#include "h1_read.h"

enum h1_framing {
        H1_NO_BODY,
        H1_CHUNKED,
        H1_LENGTH,
        H1_CLOSE, /* the connection's end is the body's */
};

/*
 * Fill in what the head's fields say about the body: has_length, length, has_body, is_in_doubt,
 * keeps_alive. `is_head`: the request was a HEAD. MUSTER_E_PROTOCOL with *error if the body may end
 * in two places. A response without a body (HEAD, 1xx, 204, 304) only becomes is_in_doubt then.
 */
int h1_framing_read(struct http_head *head, bool is_head, enum h1_framing *ret_framing,
        struct muster_error *error);

/* Can such a response have a body? Not the response to a HEAD, nor 1xx, 204 and 304. */
bool h1_has_body(int status, bool is_head);

/* Are the letters of this name those of Content-Length or Transfer-Encoding? */
bool h1_is_like_framing(struct muster_str name);

/* Do the letters of the text contain one of these two names? */
bool h1_names_framing(struct muster_str text);

#endif
