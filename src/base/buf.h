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
#include <assert.h>

struct buf {
        char *at;
        size_t len;
        size_t size; /* bytes allocated */
};

/* Release memory that is there; see buf_deinit(). */
void buf_release(struct buf *buf);

/* Release the memory. The buffer is empty again; this may be called twice. */
static inline void buf_deinit(struct buf *buf)
{
        assert(buf->at || !buf->size);
        if (buf->at)
                buf_release(buf);
}

/* The same for a secret: it is overwritten. Copies that were left behind by growing are not. */
void buf_wipe(struct buf *buf);

/* Allocate room for `more` bytes behind the end, which do not fit yet; see buf_reserve(). */
int buf_grow(struct buf *buf, size_t more);

/* Make sure that `more` bytes fit behind the end. Inline, as it is done for each piece of text. */
static inline int buf_reserve(struct buf *buf, size_t more)
{
        assert(buf->len <= buf->size);
        return buf->size - buf->len >= more ? 0 : buf_grow(buf, more);
}

/* Append. */
static inline int buf_add(struct buf *buf, const void *at, size_t len)
{
        assert(at || len == 0);
        if (len == 0)
                return 0;
        if (buf_reserve(buf, len) < 0)
                return MUSTER_E_RESOURCE;
        memcpy(buf->at + buf->len, at, len);
        buf->len += len;
        return 0;
}

static inline int buf_add_str(struct buf *buf, struct muster_str str)
{
        return buf_add(buf, str.at, str.len);
}

static inline int buf_add_text(struct buf *buf, const char *text)
{
        return buf_add(buf, text, strlen(text));
}

static inline int buf_add_char(struct buf *buf, char c)
{
        return buf_add(buf, &c, 1);
}

int buf_add_u64(struct buf *buf, uint64_t value);

/* Put a zero byte behind the end, not counted in `len`. */
int buf_terminate(struct buf *buf);

/* Drop `n` bytes from the front, moving the rest. */
void buf_drop_front(struct buf *buf, size_t n);

/* Empty it; release the memory when it is more than `keep_bytes`. */
static inline void buf_recycle(struct buf *buf, size_t keep_bytes)
{
        assert(buf->len <= buf->size);
        if (buf->size > keep_bytes)
                buf_release(buf);
        buf->len = 0;
}

static inline struct muster_str buf_str(const struct buf *buf)
{
        return (struct muster_str){ buf->at, buf->len };
}

#endif
