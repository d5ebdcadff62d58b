/* SPDX-License-Identifier: MIT */
/*
 * A head that is not well-formed, read as other clients read it
 *
 * Real servers fold lines, put blanks into names and control characters into values. None of that
 * is anybody's error but the server's, and where it has nothing to do with where the response ends,
 * it is no reason to refuse what came whole:
 *
 *      folded lines (obs-fold, RFC 9112 section 5.2)   become one line, each fold one space
 *      a name that is no token, a line without colon   the line is dropped, with what is folded to it, and counted
 *      a bare CR in a value                            becomes a space (RFC 9112 section 2.2)
 *      other control characters in a value             stay
 *
 * Refused is what others read in different ways: NUL, a fold before the first field, a status line
 * among the fields, a bare CR in what is no field; and whatever is not well-formed and could be
 * Content-Length or Transfer-Encoding. A response without a body ends with its head all the same:
 * there these are dropped like the others, and the connection is not used again.
 */
#ifndef HTTP_H1_UNTIDY_H
#define HTTP_H1_UNTIDY_H

#include "h1_read.h"

/*
 * Parse the head of a response for which h1_head_parse() answered H1_UNTIDY. `text` is written to,
 * and the fields point into it. MUSTER_E_PROTOCOL, MUSTER_E_TOO_LARGE with *error.
 */
int h1_untidy_parse(char *text, size_t len, bool is_head, struct h1_scratch *scratch,
        struct http_head *ret_head, struct muster_error *error);

/* May a line that is not well-formed be passed over in a trailer, where no field is of use? */
bool h1_untidy_is_harmless(struct muster_str line);

#endif
