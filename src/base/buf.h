/* SPDX-License-Identifier: MIT */
/*
 * A growing run of bytes
 *
 * A zeroed buffer is empty and owns nothing. Functions that grow it return 0, or MUSTER_E_RESOURCE
 * and leave it as it was.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "str.h"

struct buf {
        char *at;
        size_t len;
        size_t size; /* bytes allocated */
};

/* Release the memory. The buffer is empty again; this may be called twice. */
void buf_deinit(struct buf *buf);

/* The same for a secret: it is overwritten. Copies that were left behind by growing are not. */
void buf_wipe(struct buf *buf);

/* Make sure that `more` bytes fit behind the end. */
int buf_reserve(struct buf *buf, size_t more);

/* Append. */
int buf_add(struct buf *buf, const void *at, size_t len);
int buf_add_str(struct buf *buf, struct muster_str str);
int buf_add_text(struct buf *buf, const char *text);
int buf_add_char(struct buf *buf, char c);
int buf_add_u64(struct buf *buf, uint64_t value);

/* Put a zero byte behind the end, not counted in `len`. */
int buf_terminate(struct buf *buf);

/* Drop `n` bytes from the front, moving the rest. */
void buf_drop_front(struct buf *buf, size_t n);

/* Empty it; release the memory when it is more than `keep_bytes`. */
void buf_recycle(struct buf *buf, size_t keep_bytes);

static inline struct muster_str buf_str(const struct buf *buf)
{
        return (struct muster_str){ buf->at, buf->len };
}

#endif
