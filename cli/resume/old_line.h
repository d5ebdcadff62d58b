/* SPDX-License-Identifier: MIT */
/*
 * A line of an output that another run left
 *
 * It may be anything: a line of ours, one that somebody's program wrote anew with its members in
 * another order, one that a power cut filled with zeros, a poem. So nothing is taken for valid.
 * What is wanted stands at the front of our own lines, and reading ends there; of the rest, which
 * may be a large body, it is only seen that no byte is zero, and that it ends as a line does.
 */
#ifndef CLI_RESUME_OLD_LINE_H
#define CLI_RESUME_OLD_LINE_H

#include <base/buf.h>

enum old_line_kind { OLD_NONE, OLD_SUCCEEDED, OLD_FAILED, OLD_CANCELLED };

/* Texts are borrowed from the line, a string in its quotes, with its escapes. */
struct old_line {
        uint64_t n; /* from 1 */
        enum old_line_kind kind;
        struct muster_str method, url; /* strings; `at` NULL: it had no request */
        uint64_t digest;               /* 0: none */
        uint64_t status;               /* of the response; 0: none */
        struct muster_str body_file;   /* a string; `at` NULL: none, or not asked for */
        uint64_t body_bytes;
};

/* `wants_body`: read what it says of its body's file as well. False: it is not a result line. */
bool old_line_read(struct old_line *line, struct muster_str text, bool wants_body);

/* Append what a string of JSON stands for. False: it is none, or memory is out. */
bool old_text_add(struct buf *to, struct muster_str string);

/* Can these bytes, which end nowhere, be what is left of a line of ours? */
bool old_line_is_torn(struct muster_str tail);

#endif
