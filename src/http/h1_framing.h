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
        H1_CLOSE, /* at the end of the connection */
};

/*
 * Fill in what the head's fields say of its body: has_length, length, has_body, is_in_doubt,
 * keeps_alive. `is_head`: the request was a HEAD. MUSTER_E_PROTOCOL with *error where a body may
 * end in two places; where there is none (HEAD, 1xx, 204, 304), that only is in doubt.
 */
int h1_framing_read(struct http_head *head, bool is_head, enum h1_framing *ret_framing,
        struct muster_error *error);

/* May such a response have a body at all? Not that of a HEAD, nor 1xx, 204 and 304. */
bool h1_has_body(int status, bool is_head);

/* Is that Content-Length or Transfer-Encoding, but for what is no letter? */
bool h1_is_like_framing(struct muster_str name);

/*
 * Does one of these two names stand somewhere in the text, whatever that is no letter stands
 * between?
 */
bool h1_names_framing(struct muster_str text);

#endif
