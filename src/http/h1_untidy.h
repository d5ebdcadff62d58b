/* SPDX-License-Identifier: MIT */
/*
 * Heads that are not well-formed, read as other clients read them
 *
 * Real servers fold lines, and put blanks into names and control characters into values. If that
 * does not change where the response ends, it is no reason to refuse the response:
 *
 *      folded lines (obs-fold, RFC 9112 section 5.2)   become one line, each fold one space
 *      a name that is no token, a line without colon   the line is dropped, with what is folded to it, and counted
 *      a bare CR in a value                            becomes a space (RFC 9112 section 2.2)
 *      other control characters in a value             stay
 *
 * Text that clients read in different ways is refused: NUL, a fold before the first field, a status
 * line among the fields, a bare CR in a line that is not a field, and anything malformed that could be
 * Content-Length or Transfer-Encoding. A response without a body ends with its head in any case:
 * there the latter are dropped like other lines, and the connection is not used again.
 */
#ifndef HTTP_H1_UNTIDY_H
#define HTTP_H1_UNTIDY_H

#include "h1_read.h"

/*
 * Parse a head for which h1_head_parse() returned H1_UNTIDY. This changes `text`, and the fields
 * point into it. MUSTER_E_PROTOCOL, MUSTER_E_TOO_LARGE with *error.
 */
int h1_untidy_parse(char *text, size_t len, bool is_head, struct h1_scratch *scratch,
        struct http_head *ret_head, struct muster_error *error);

/* May a malformed line of a trailer be ignored? */
bool h1_untidy_is_harmless(struct muster_str line);

#endif
