/* SPDX-License-Identifier: MIT */
/*
 * The story of one request, for people whom it puzzles: -v and --trace
 *
 *      == 3: GET http://example.com/a
 *      * attempt 1 on new connection 1 to 192.0.2.1:80
 *      > GET /a HTTP/1.1
 *      > Host: example.com
 *      < HTTP/1.1 200 OK
 *      < Content-Length: 5
 *      * 200, 5 bytes in 12.3 ms: dns 1.2 ms, tcp 5 ms, wait 6 ms
 *
 * It is told when the request is over, in one piece: many run at the same time.
 */
#ifndef CLI_REPORT_STORY_H
#define CLI_REPORT_STORY_H

#include "../output/result_line.h"
#include <muster/error.h>
#include <stdio.h>

/* Zeroed is none. */
struct story {
        FILE *to[2];      /* NULL: none */
        const char *path; /* of the file; NULL: none, or standard output */
        bool is_new;      /* it was not there before */
        bool is_begun;    /* what it had is gone */
};

/*
 * `is_verbose`: to standard error. `path`: to this file, or "-", standard output; NULL: none. A file
 * keeps what it has until the run begins. MUSTER_E_RESOURCE with *error naming the file.
 */
int story_open(struct story *story, bool is_verbose, const char *path, struct muster_error *error);

/* The run begins: what the file had goes. MUSTER_E_RESOURCE with *error. */
int story_begin(struct story *story, struct muster_error *error);

static inline bool story_is_wanted(const struct story *story)
{
        return story->to[0] || story->to[1];
}

void story_tell(struct story *story, const struct result_line *line);

/*
 * MUSTER_E_RESOURCE with *error: not all of it could be written. A file that is new goes where the
 * run did not begin. Once closed it does nothing.
 */
int story_close(struct story *story, struct muster_error *error);

#endif
