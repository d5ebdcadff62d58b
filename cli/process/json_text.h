/* SPDX-License-Identifier: MIT */
/*
 * JSON that came from elsewhere: is it, and on one line
 */
#ifndef CLI_PROCESS_JSON_TEXT_H
#define CLI_PROCESS_JSON_TEXT_H

#include <base/buf.h>

/* Where and why text is no JSON. */
struct json_flaw {
        int line, column; /* from 1 */
        char text[160];
};

/* Any value, and nothing behind it. */
bool json_text_is_valid(struct muster_str text, struct json_flaw *flaw);

/*
 * Append valid JSON without the white space between its tokens; the tokens stay as they are. 0 or
 * MUSTER_E_RESOURCE.
 */
int json_text_add_dense(struct buf *to, struct muster_str text);

#endif
