/* SPDX-License-Identifier: MIT */
/*
 * Where result lines go: a file or standard output, through one large buffer
 *
 * Whole lines only: a line that does not fit any more goes out with the next flush.
 */
#ifndef CLI_OUTPUT_OUTPUT_H
#define CLI_OUTPUT_OUTPUT_H

#include "result_line.h"

#define OUTPUT_FLUSH_BYTES (128 * 1024)

struct output {
        const char *path; /* NULL: standard output */
        int fd;
        bool is_terminal;
        struct buf buf;
        uint64_t n_added;   /* lines */
        uint64_t n_written; /* lines that the kernel has, whole */
};

/* MUSTER_E_RESOURCE with *error naming the file. */
int output_open(struct output *output, const char *path, struct muster_error *error);

/* Add a line. OUTPUT_FULL: it was added, and it is time to flush. MUSTER_E_RESOURCE with *error. */
#define OUTPUT_FULL 1
int output_add(struct output *output, const struct result_line *line, struct muster_error *error);

/* Hand to the kernel what is there. MUSTER_E_RESOURCE with *error saying how many lines were written before. */
int output_flush(struct output *output, struct muster_error *error);

/* Flush and close. As output_flush(). */
int output_close(struct output *output, struct muster_error *error);

/* Is all that was printed on standard output (stdio's) written? MUSTER_E_RESOURCE with *error. */
int output_end_page(struct muster_error *error);

#endif
