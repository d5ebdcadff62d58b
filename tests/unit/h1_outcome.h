/* SPDX-License-Identifier: MIT */
/*
 * What the response reader makes of bytes, as text that tests compare
 */
#ifndef H1_OUTCOME_H
#define H1_OUTCOME_H

#include <http/h1_read.h>

#define OK_LINE "HTTP/1.1 200 OK\r\n"

/*
 * What came of a response, as text: "200 keep [body] done", "i103" for an interim one, "more" where the reader wants more, "error" with the
 * beginning of the error's text.
 */
struct h1_outcome {
        char text[512];
        char body[2048];
        size_t body_len;
        size_t n_left;
};

/* Feed the text in pieces of `size`, or in two when `cut` is set; then the end. */
void h1_outcome_of(const char *at, size_t len, size_t size, size_t cut, bool is_head,
                   struct h1_outcome *outcome);

#endif
