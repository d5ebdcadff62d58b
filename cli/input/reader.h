/* SPDX-License-Identifier: MIT */
/*
 * Lines from a file, lazily; or rows, whose fields may have line ends within quotes
 *
 * A byte order mark at the front is left out.
 */
#ifndef CLI_INPUT_READER_H
#define CLI_INPUT_READER_H

#include <base/buf.h>

/* a request with a large body inline; more belongs into a file */
#define LINE_BYTES_MAX (8 * 1024 * 1024)

/*
 * Where in a row of fields the reading is (RFC 4180 section 2): a quote opens a field only at its
 * begin.
 */
enum reader_place { READER_AT_FIELD, READER_IN_FIELD, READER_IN_QUOTES, READER_BEHIND_QUOTE };

struct reader {
        int fd;
        char delimiter; /* of fields, for rows; 0: lines. May be set between two of them */
        enum reader_place place;
        bool has_begun;  /* past the byte order mark, or where it would be */
        bool is_regular; /* never has to be waited for */
        bool has_ended;
        bool is_skipping; /* within the rest of a line that was too long */
        struct buf buf;
        size_t at;                        /* of `buf`: where the next line begins */
        size_t scanned;                   /* no line end before here */
        uint64_t n_lines;                 /* up to the end of what was returned last */
        uint64_t line;                    /* where that began, from 1 */
        uint64_t bytes_read, bytes_total; /* total 0: not known */
};

#define READER_END      1 /* no more lines */
#define READER_WAIT     2 /* nothing is there yet: poll the descriptor */
#define READER_TOO_LONG 3 /* a line above LINE_BYTES_MAX; the rest of it is skipped */
/*
 * a quote of this row is closed nowhere, or not within LINE_BYTES_MAX; its first line alone is
 * passed over
 */
#define READER_QUOTED 4

/* Take over a descriptor. */
void reader_init(struct reader *reader, int take_fd);
void reader_deinit(struct reader *reader);

/*
 * The next line or row without its end, borrowed until the next call. Or a condition above, or
 * MUSTER_E_INPUT with errno in *ret_sys.
 */
int reader_next(struct reader *reader, struct muster_str *ret_line, int *ret_sys);

#endif
