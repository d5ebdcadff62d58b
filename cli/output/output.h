/* SPDX-License-Identifier: MIT */
/*
 * Where result lines go: a file or standard output, through one large buffer
 *
 * Whole lines only: a line that does not fit any more goes out with the next flush, and where the
 * disk is full what was written of one is cut off again. A file that was there before keeps what it
 * has until there is a line to be written: a run that cannot begin takes nobody's results away.
 */
#ifndef CLI_OUTPUT_OUTPUT_H
#define CLI_OUTPUT_OUTPUT_H

#include "result_line.h"
#include "write_out.h"

#define OUTPUT_FLUSH_BYTES (128 * 1024)

struct output {
        const char *path;               /* NULL: standard output */
        const struct write_out *format; /* NULL: lines of JSON */
        int fd;
        bool is_terminal;
        bool is_file;  /* a regular one, and ours: it can be cut */
        bool is_new;   /* it was not there before */
        bool is_begun; /* what it had is gone */
        struct buf buf;
        uint64_t n_added;   /* lines */
        uint64_t n_written; /* lines that the kernel has, whole */
        uint64_t n_bytes;   /* that it has */
        uint64_t whole_at;  /* of these, up to the end of the last whole line */
};

/*
 * `borrow_format`: what is made of each result, instead of a line of JSON; NULL: none.
 * MUSTER_E_RESOURCE with *error naming the file.
 */
int output_open(struct output *output, const char *path, const struct write_out *borrow_format,
        struct muster_error *error);

/* Add a line. OUTPUT_FULL: it was added, and it is time to flush. MUSTER_E_RESOURCE with *error. */
#define OUTPUT_FULL 1
int output_add(struct output *output, const struct result_line *line, struct muster_error *error);

/*
 * Hand to the kernel what is there. MUSTER_E_RESOURCE with *error saying how many lines were
 * written before.
 */
int output_flush(struct output *output, struct muster_error *error);

/* Is it that file? */
bool output_is(const struct output *output, const char *path);

/* Flush and close. As output_flush(). */
int output_close(struct output *output, struct muster_error *error);

/* Nothing is to be written: close it as it was before. Once closed this does nothing. */
void output_abandon(struct output *output);

/* Is all that was printed on standard output (stdio's) written? MUSTER_E_RESOURCE with *error. */
int output_end_page(struct muster_error *error);

#endif
