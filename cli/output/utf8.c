/* SPDX-License-Identifier: MIT */
#include "utf8.h"

static bool is_continuation(unsigned char c)
{
        return (c & 0xc0) == 0x80;
}

/* The table of RFC 3629 section 4. */
size_t utf8_sequence(const char *text, size_t len)
{
        const unsigned char *at = (const unsigned char *)text;
        unsigned char c = at[0];

        if (c < 0x80)
                return 1;
        if (c < 0xc2 || c > 0xf4 || len < 2 || !is_continuation(at[1]))
                return 0;
        if (c < 0xe0)
                return 2;
        if ((c == 0xe0 && at[1] < 0xa0) || (c == 0xed && at[1] > 0x9f) ||
                (c == 0xf0 && at[1] < 0x90) || (c == 0xf4 && at[1] > 0x8f) || len < 3 ||
                !is_continuation(at[2]))
                return 0;
        if (c < 0xf0)
                return 3;
        return len >= 4 && is_continuation(at[3]) ? 4 : 0;
}

/* How many plain ASCII bytes, below 0x80, stand at the front: eight at a time. */
static size_t ascii_run(const char *at, size_t len)
{
        size_t n = 0;

        for (; n + 8 <= len; n += 8) {
                uint64_t word;

                memcpy(&word, at + n, 8);
                if (word & 0x8080808080808080u)
                        break;
        }
        while (n < len && (unsigned char)at[n] < 0x80)
                n++;
        return n;
}

bool utf8_is_valid(struct muster_str text)
{
        size_t at = ascii_run(text.at, text.len);

        while (at < text.len) {
                size_t n = utf8_sequence(text.at + at, text.len - at);

                if (!n)
                        return false;
                at += n;
                if (n == 1)
                        at += ascii_run(text.at + at, text.len - at);
        }
        return true;
}
