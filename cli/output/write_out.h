/* SPDX-License-Identifier: MIT */
/*
 * A result as text of the user's own making: -w, with curl's variables
 *
 *      "%{http_code} %{time_total} %{url}\n"  ──▶  200 0.012345 http://example.com/
 *
 * The format is cut into pieces once: text, a variable, or a field of the response's header. What
 * cannot be known here is an error when the format is read, not an empty place in each line.
 */
#ifndef CLI_OUTPUT_WRITE_OUT_H
#define CLI_OUTPUT_WRITE_OUT_H

#include "result_line.h"
#include <muster/error.h>

struct write_out_piece;

/* Zeroed is none. */
struct write_out {
        struct write_out_piece *pieces;
        size_t n;
        struct buf text; /* that pieces point into */
};

/*
 * Read a format; "@FILE" reads it from a file, "@-" from standard input. MUSTER_E_INVALID with
 * *error naming the variable and those that there are; MUSTER_E_INPUT, MUSTER_E_RESOURCE.
 */
int write_out_parse(struct write_out *format, const char *spec, struct muster_error *error);
void write_out_deinit(struct write_out *format);

static inline bool write_out_is_wanted(const struct write_out *format)
{
        return format->pieces;
}

/* Append what the format makes of a result. MUSTER_E_RESOURCE: nothing was appended. */
int write_out_add(struct buf *to, const struct write_out *format, const struct result_line *line);

#endif
