/* SPDX-License-Identifier: MIT */
/*
 * What the response reader makes of bytes, as text that tests compare
 */
#ifndef H1_OUTCOME_H
#define H1_OUTCOME_H

#include <http/h1_read.h>

#define OK_LINE "HTTP/1.1 200 OK\r\n"

/*
 * What came of a response, as text: "200 done", or "200cn d1 eof": c, the connection is not used
 * again; n, there is no body; d1, one line was dropped. "i 103" is an interim response. An error is
 * its text.
 */
struct h1_outcome {
        char text[512];
        char x[64]; /* the value of the field X; a bell where there is none */
        char body[2048];
        size_t body_len;
        size_t n_left;
};

/* Feed the text in pieces of `size`, or in two when `cut` is set; then the end. */
void h1_outcome_of(const char *at, size_t len, size_t size, size_t cut, bool is_head,
        struct h1_outcome *outcome);

#endif
