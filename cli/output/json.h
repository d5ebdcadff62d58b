/* SPDX-License-Identifier: MIT */
/*
 * JSON text, written straight into a buffer
 *
 * A result line is written for each request, so this is fast: json_string.c. Functions answer 0 or
 * MUSTER_E_RESOURCE.
 */
#ifndef CLI_OUTPUT_JSON_H
#define CLI_OUTPUT_JSON_H

#include <base/buf.h>

/* A string with its quotes. What is not UTF-8 becomes U+FFFD, byte by byte. */
int json_add_string(struct buf *to, struct muster_str text);

/* A string with its quotes. JSON_NOT_UTF8: it is none, and `to` is as it was. */
#define JSON_NOT_UTF8 1
int json_add_utf8(struct buf *to, struct muster_str text);

/* A string in base64 (RFC 4648 section 4). */
int json_add_base64(struct buf *to, struct muster_str bytes);

/* Append what base64 text stands for. MUSTER_E_INPUT when it is none. */
int json_decode_base64(struct buf *to, struct muster_str text);

/*
 * For text that is written piece by piece: the first failure is kept, and what is added after it
 * does no harm.
 */
struct json_writer {
        struct buf *to;
        int r;
};

/* As it is. Inline, as most of it is constant: its length is known then. */
static inline void json_write(struct json_writer *w, const char *text)
{
        if (w->r == 0)
                w->r = buf_add_text(w->to, text);
}

void json_write_u64(struct json_writer *w, uint64_t value);
void json_write_string(struct json_writer *w, struct muster_str text);

#endif
