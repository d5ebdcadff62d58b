/* SPDX-License-Identifier: MIT */
/*
 * A result as one line of JSON
 */
#ifndef CLI_OUTPUT_RESULT_LINE_H
#define CLI_OUTPUT_RESULT_LINE_H

#include <base/buf.h>
#include <muster/result.h>

/* What the line says beside the result. */
struct result_line {
        uint64_t n;                         /* counts input items from 1 */
        uint64_t line;                      /* in its file; 0: not from a file */
        struct muster_str id;               /* JSON; empty: none */
        struct muster_str own;              /* JSON: the caller's own members; empty: none */
        bool omits_headers, omits_body;     /* the request has such of its own */
        uint64_t digest;                    /* of what else was asked; 0: nothing */
        const struct muster_result *result; /* NULL: there was no request, only `error` */
        const struct muster_error *error;   /* NULL: it succeeded */
        const char *body_file;              /* NULL: none was written */
        bool leaves_body_out;
        bool has_plan;               /* there is a rate: say when it was to start */
        struct muster_str json;      /* the body as a value on one line; empty: as a string */
        struct muster_str processed; /* what was made of the body, as JSON; empty: nothing */
        bool processed_is_base64;
};

/* Append the line with its end. MUSTER_E_RESOURCE: nothing was appended. */
int result_line_add(struct buf *to, const struct result_line *line);

#endif
