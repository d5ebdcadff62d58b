/* SPDX-License-Identifier: MIT */
#include "utf8.h"

/* How many ASCII bytes stand at the front: 16 at a time, which compilers make one step of. */
static size_t ascii_run(const char *at, size_t len)
{
        size_t n = 0;

        for (; len - n >= 16; n += 16) {
                uint64_t words[2];

                memcpy(words, at + n, sizeof(words));
                if ((words[0] | words[1]) & 0x8080808080808080)
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
