/* SPDX-License-Identifier: MIT */
/*
 * Lines from a file, lazily
 */
#ifndef CLI_INPUT_READER_H
#define CLI_INPUT_READER_H

#include <base/buf.h>

#define LINE_BYTES_MAX                                                                             \
        (8 * 1024 * 1024) /* a request with a large body inline; more belongs into a file */

struct reader {
        int fd;
        bool is_regular; /* never has to be waited for */
        bool has_ended;
        bool is_skipping; /* within the rest of a line that was too long */
        struct buf buf;
        size_t at;      /* of `buf`: where the next line begins */
        size_t scanned; /* no line end before here */
        uint64_t n_lines;
        uint64_t bytes_read, bytes_total; /* total 0: not known */
};

#define READER_END      1 /* no more lines */
#define READER_WAIT     2 /* nothing is there yet: poll the descriptor */
#define READER_TOO_LONG 3 /* a line above LINE_BYTES_MAX; the rest of it is skipped */

/* Take over a descriptor. */
void reader_init(struct reader *reader, int take_fd);
void reader_deinit(struct reader *reader);

/* The next line without its end, borrowed until the next call. Or a condition above, or MUSTER_E_INPUT with errno in *ret_sys. */
int reader_next(struct reader *reader, struct muster_str *ret_line, int *ret_sys);

#endif
