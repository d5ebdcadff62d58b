/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF
 */
#ifndef CLI_OUTPUT_UTF8_H
#define CLI_OUTPUT_UTF8_H

#include <base/str.h>
#include <endian.h>

/*
 * The length of the character at the front of `len` bytes, at least one; 0 when it is none. Its
 * bytes are looked at together, with zeros behind the end: the rows of the table in section 4.
 */
static inline size_t utf8_sequence(const char *at, size_t len)
{
        uint32_t bytes = 0;

        if (len >= sizeof(bytes))
                memcpy(&bytes, at, sizeof(bytes));
        else
                memcpy(&bytes, at, len);
        bytes = be32toh(bytes);
        if (bytes < 0x80000000)
                return 1;
        if ((bytes & 0xe0c00000) == 0xc0800000)
                return bytes >= 0xc2800000 ? 2 : 0;
        if ((bytes & 0xf0c0c000) == 0xe0808000)
                return bytes >= 0xe0a08000 && (bytes & 0xffe00000) != 0xeda00000 ? 3 : 0;
        if ((bytes & 0xf8c0c0c0) == 0xf0808080)
                return bytes >= 0xf0908080 && bytes <= 0xf48fbfbf ? 4 : 0;
        return 0;
}

bool utf8_is_valid(struct muster_str text);

#endif
