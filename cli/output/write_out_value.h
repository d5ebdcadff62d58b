/* SPDX-License-Identifier: MIT */
/*
 * The variables of -w: what each is of a result
 *
 * Names and meanings are curl's. Times are seconds from when the request got its first slot, and so
 * do not include the wait for it, which is %{time_queue}. They are sums over all attempts.
 */
#ifndef CLI_OUTPUT_WRITE_OUT_VALUE_H
#define CLI_OUTPUT_WRITE_OUT_VALUE_H

#include "json.h"
#include "result_line.h"

enum write_out_kind {
        WRITE_OUT_TEXT,   /* in %{json} a string, or null where it is empty */
        WRITE_OUT_NUMBER, /* a number as it is written */
        WRITE_OUT_JSON,   /* JSON already, and not in %{json} */
};

struct write_out_variable {
        const char *name; /* NULL ends the table */
        enum write_out_kind kind;
        int (*add)(struct buf *to, const struct result_line *line);
};

extern const struct write_out_variable write_out_variables[];

/* NULL: there is no such variable. */
const struct write_out_variable *write_out_variable_find(struct muster_str name);

#endif
