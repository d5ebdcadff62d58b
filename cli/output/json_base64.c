/* SPDX-License-Identifier: MIT */
#include "json.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Four digits for three bytes, of which the last ones may be missing. */
static void put_digits(char *to, const unsigned char *from, size_t n)
{
        uint32_t bits = (uint32_t)from[0] << 16;

        if (n > 1)
                bits |= (uint32_t)from[1] << 8;
        if (n > 2)
                bits |= from[2];
        to[0] = digits[bits >> 18];
        to[1] = digits[bits >> 12 & 63];
        to[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
        to[3] = n > 2 ? digits[bits & 63] : '=';
}

int json_add_base64(struct buf *to, struct muster_str bytes)
{
        const unsigned char *at = (const unsigned char *)bytes.at;
        size_t n_whole = bytes.len / 3, n_rest = bytes.len % 3;
        char *out;

        if (buf_reserve(to, (n_whole + 1) * 4 + 2) < 0)
                return MUSTER_E_RESOURCE;
        out = to->at + to->len;
        *out++ = '"';
        for (size_t i = 0; i < n_whole; i++, at += 3, out += 4)
                put_digits(out, at, 3);
        if (n_rest) {
                put_digits(out, at, n_rest);
                out += 4;
        }
        *out++ = '"';
        to->len = (size_t)(out - to->at);
        return 0;
}

int json_decode_base64(struct buf *to, struct muster_str text)
{
        uint32_t bits = 0;
        unsigned n_bits = 0;
        size_t len = text.len;
        int r;

        if (len % 4 != 0)
                return MUSTER_E_INPUT;
        for (int i = 0; i < 2 && len && text.at[len - 1] == '='; i++)
                len--;
        r = buf_reserve(to, len);
        if (r < 0)
                return r;
        for (size_t i = 0; i < len; i++) {
                const char *digit = text.at[i] ? strchr(digits, text.at[i]) : NULL;

                if (!digit)
                        return MUSTER_E_INPUT;
                bits = bits << 6 | (uint32_t)(digit - digits);
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        to->at[to->len++] = (char)(bits >> n_bits);
                        bits &= (1u << n_bits) - 1;
                }
        }
        return bits ? MUSTER_E_INPUT : 0; /* left-over bits must be zero */
}
