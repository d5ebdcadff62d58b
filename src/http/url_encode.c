/* SPDX-License-Identifier: MIT */
#include "url_encode.h"

__extension__ const uint8_t url_encode_sets[256] = {
        [0x00 ... 0x20] = ENCODE_QUERY | ENCODE_PATH | ENCODE_USERINFO,
        [0x7f ... 0xff] = ENCODE_QUERY | ENCODE_PATH | ENCODE_USERINFO,
        ['"'] = ENCODE_QUERY | ENCODE_PATH | ENCODE_USERINFO,
        ['#'] = ENCODE_QUERY | ENCODE_PATH | ENCODE_USERINFO,
        ['<'] = ENCODE_QUERY | ENCODE_PATH | ENCODE_USERINFO,
        ['>'] = ENCODE_QUERY | ENCODE_PATH | ENCODE_USERINFO,
        ['\''] = ENCODE_QUERY,
        ['?'] = ENCODE_PATH | ENCODE_USERINFO,
        ['^'] = ENCODE_PATH | ENCODE_USERINFO,
        ['`'] = ENCODE_PATH | ENCODE_USERINFO,
        ['{'] = ENCODE_PATH | ENCODE_USERINFO,
        ['}'] = ENCODE_PATH | ENCODE_USERINFO,
        ['/'] = ENCODE_USERINFO,
        [':'] = ENCODE_USERINFO,
        [';'] = ENCODE_USERINFO,
        ['='] = ENCODE_USERINFO,
        ['@'] = ENCODE_USERINFO,
        ['['] = ENCODE_USERINFO,
        ['\\'] = ENCODE_USERINFO,
        [']'] = ENCODE_USERINFO,
        ['|'] = ENCODE_USERINFO,
};

int url_add_encoded(struct muster_str part, unsigned set, struct buf *to)
{
        static const char hex[] = "0123456789ABCDEF";
        int r = buf_reserve(to, part.len * 3);

        if (r < 0)
                return r;
        for (size_t i = 0; i < part.len; i++) {
                unsigned char c = (unsigned char)part.at[i];

                if (url_encode_sets[c] & set) {
                        to->at[to->len++] = '%';
                        to->at[to->len++] = hex[c >> 4];
                        to->at[to->len++] = hex[c & 15];
                } else {
                        to->at[to->len++] = (char)c;
                }
        }
        return 0;
}

int url_add_decoded(struct muster_str part, struct buf *to)
{
        int r = buf_reserve(to, part.len);

        if (r < 0)
                return r;
        for (size_t i = 0; i < part.len; i++) {
                int high = i + 2 < part.len ? char_hex(part.at[i + 1]) : -1;
                int low = i + 2 < part.len ? char_hex(part.at[i + 2]) : -1;

                if (part.at[i] == '%' && high >= 0 && low >= 0) {
                        to->at[to->len++] = (char)(high << 4 | low);
                        i += 2;
                } else {
                        to->at[to->len++] = part.at[i];
                }
        }
        return 0;
}
