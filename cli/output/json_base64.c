/* SPDX-License-Identifier: MIT */
#include "json.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int json_add_base64(struct buf *to, struct muster_str bytes)
{
        const unsigned char *at = (const unsigned char *)bytes.at;
        int r = buf_reserve(to, bytes.len / 3 * 4 + 6);

        if (r < 0)
                return r;
        to->at[to->len++] = '"';
        for (size_t i = 0; i < bytes.len; i += 3) {
                size_t n = bytes.len - i;
                uint32_t bits = (uint32_t)at[i] << 16;

                if (n > 1)
                        bits |= (uint32_t)at[i + 1] << 8;
                if (n > 2)
                        bits |= at[i + 2];
                to->at[to->len++] = digits[bits >> 18];
                to->at[to->len++] = digits[bits >> 12 & 63];
                to->at[to->len++] = n > 1 ? digits[bits >> 6 & 63] : '=';
                to->at[to->len++] = n > 2 ? digits[bits & 63] : '=';
        }
        to->at[to->len++] = '"';
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
