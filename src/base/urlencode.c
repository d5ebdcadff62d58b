/* SPDX-License-Identifier: MIT */
#include "urlencode.h"

/* RFC 3986 section 2.3 */
static bool is_unreserved(char c)
{
        char lower = char_lower(c);

        return (lower >= 'a' && lower <= 'z') || char_is_digit(c) || c == '-' || c == '.' ||
               c == '_' || c == '~';
}

static int add_encoded(struct buf *to, struct muster_str text, bool has_plus)
{
        static const char hex[] = "0123456789ABCDEF";
        int r = text.len <= SIZE_MAX / 3 ? buf_reserve(to, text.len * 3) : MUSTER_E_RESOURCE;

        if (r < 0)
                return r;
        for (size_t i = 0; i < text.len; i++) {
                unsigned char c = (unsigned char)text.at[i];

                if (is_unreserved((char)c) || (c == ' ' && has_plus)) {
                        to->at[to->len++] = c == ' ' ? '+' : (char)c;
                } else {
                        to->at[to->len++] = '%';
                        to->at[to->len++] = hex[c >> 4];
                        to->at[to->len++] = hex[c & 15];
                }
        }
        return 0;
}

int urlencode_add(struct buf *to, struct muster_str text)
{
        return add_encoded(to, text, true);
}

int percent_add(struct buf *to, struct muster_str text)
{
        return add_encoded(to, text, false);
}
