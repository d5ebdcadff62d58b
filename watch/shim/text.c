/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <string.h>

#define LONGEST  24  /* what is looked at: the preface */
#define COPY_MAX 512 /* what is longer the C library copies faster */

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* Those of RFC 9110, PATCH, and of WebDAV and caches what is in use. */
static const char *const methods[] = {
        "GET ",
        "POST ",
        "HEAD ",
        "PUT ",
        "DELETE ",
        "PATCH ",
        "OPTIONS ",
        "CONNECT ",
        "TRACE ",
        "PROPFIND ",
        "PROPPATCH ",
        "REPORT ",
        "MKCOL ",
        "COPY ",
        "MOVE ",
        "LOCK ",
        "UNLOCK ",
        "SEARCH ",
        "PURGE ",
        "QUERY ",
};

static enum text_kind kind_of(const char *text, size_t size)
{
        if (size >= 5 && text[0] == 'H' && memcmp(text, "HTTP/", 5) == 0)
                return TEXT_MESSAGE;
        if (size >= 5 && memcmp(text, "GET ", 4) == 0)
                return TEXT_MESSAGE;
        if (size >= 3 && text[0] == 0x16 && text[1] == 3)
                return TEXT_TLS;
        if (text[0] < 'C' || text[0] > 'U')
                return TEXT_NONE;
        if (size >= sizeof preface - 1 && memcmp(text, preface, sizeof preface - 1) == 0)
                return TEXT_H2;
        for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
                size_t length = strlen(methods[i]);

                if (text[0] == methods[i][0] && size > length &&
                        memcmp(text, methods[i], length) == 0)
                        return TEXT_MESSAGE;
        }
        return TEXT_NONE;
}

/*
 * As memcpy(), whose code a system call has put out of the caches: for what is as short as most
 * messages this is there sooner.
 */
static void copy(char *to, const char *from, size_t size)
{
        if (size > COPY_MAX) {
                memcpy(to, from, size);
                return;
        }
        for (; size >= 16; size -= 16, to += 16, from += 16)
                memcpy(to, from, 16);
        if (size & 8) {
                memcpy(to, from, 8);
                to += 8;
                from += 8;
        }
        for (size &= 7; size > 0; size--)
                *to++ = *from++;
}

void text_copy(void *to, const struct iovec *parts, size_t n, size_t size)
{
        char *at = to;

        for (size_t i = 0; i < n && size > 0; i++) {
                size_t part = parts[i].iov_len < size ? parts[i].iov_len : size;

                if (part == 0)
                        continue;
                copy(at, parts[i].iov_base, part);
                at += part;
                size -= part;
        }
}

enum text_kind text_kind_of(const struct iovec *parts, size_t n, size_t size)
{
        char start[LONGEST];

        if (size == 0 || n == 0)
                return TEXT_NONE;
        if (parts[0].iov_len >= LONGEST || parts[0].iov_len >= size)
                return kind_of(parts[0].iov_base,
                        parts[0].iov_len < size ? parts[0].iov_len : size);
        size = size < LONGEST ? size : LONGEST;
        text_copy(start, parts, n, size);
        return kind_of(start, size);
}
