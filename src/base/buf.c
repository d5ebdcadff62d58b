/* SPDX-License-Identifier: MIT */
#include "buf.h"

#include "mem.h"
#include <assert.h>

void buf_release(struct buf *buf)
{
        mem_free(buf->at);
        *buf = (struct buf){ 0 };
}

void buf_wipe(struct buf *buf)
{
        if (buf->at)
                explicit_bzero(buf->at, buf->size);
        buf_deinit(buf);
}

int buf_grow(struct buf *buf, size_t more)
{
        size_t need, size;
        char *at;

        assert(buf->len <= buf->size && buf->size - buf->len < more);
        if (__builtin_add_overflow(buf->len, more, &need))
                return MUSTER_E_RESOURCE;
        size = buf->size ? buf->size : 64;
        while (size < need)
                if (__builtin_mul_overflow(size, 2u, &size))
                        size = need;
        at = mem_realloc(buf->at, size);
        if (!at)
                return MUSTER_E_RESOURCE;
        buf->at = at;
        buf->size = size;
        return 0;
}

/* Two digits a step: text made of results has many numbers. */
int buf_add_u64(struct buf *buf, uint64_t value)
{
        static const char pairs[] = "00010203040506070809"
                                    "10111213141516171819"
                                    "20212223242526272829"
                                    "30313233343536373839"
                                    "40414243444546474849"
                                    "50515253545556575859"
                                    "60616263646566676869"
                                    "70717273747576777879"
                                    "80818283848586878889"
                                    "90919293949596979899";
        char digits[20];
        size_t at = sizeof(digits);

        for (; value >= 10; value /= 100) {
                at -= 2;
                memcpy(digits + at, pairs + value % 100 * 2, 2);
        }
        if (value || at == sizeof(digits))
                digits[--at] = (char)('0' + value);
        return buf_add(buf, digits + at, sizeof(digits) - at);
}

int buf_terminate(struct buf *buf)
{
        int r = buf_reserve(buf, 1);

        if (r < 0)
                return r;
        buf->at[buf->len] = '\0';
        return 0;
}

void buf_drop_front(struct buf *buf, size_t n)
{
        assert(n <= buf->len);
        buf->len -= n;
        if (buf->len)
                memmove(buf->at, buf->at + n, buf->len);
}
