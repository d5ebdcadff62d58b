/* SPDX-License-Identifier: MIT */
#include "json.h"

/* --- UTF-8 ----------------------------------------------------------------------------------- */

static bool is_continuation(unsigned char c)
{
        return (c & 0xc0) == 0x80;
}

/* The length of the sequence at the front, 0 when it is none (the table of RFC 3629 section 4). */
static size_t sequence_length(const unsigned char *at, size_t len)
{
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

bool json_is_utf8(struct muster_str text)
{
        size_t at = ascii_run(text.at, text.len);

        while (at < text.len) {
                size_t n = sequence_length((const unsigned char *)text.at + at, text.len - at);

                if (!n)
                        return false;
                at += n;
                if (n == 1)
                        at += ascii_run(text.at + at, text.len - at);
        }
        return true;
}

/* --- strings --------------------------------------------------------------------------------- */

/*
 * What stands behind the backslash, 'u' for \u00xx, 0 where nothing is escaped. DEL is, for the
 * sake of terminals.
 */
static char escape_of(unsigned char c)
{
        switch (c) {
        case '"':
        case '\\':
                return (char)c;
        case '\b':
                return 'b';
        case '\f':
                return 'f';
        case '\n':
                return 'n';
        case '\r':
                return 'r';
        case '\t':
                return 't';
        }
        return c < 0x20 || c == 0x7f ? 'u' : 0;
}

/* Has any of these eight bytes to be escaped: below 0x20, a quote, a backslash, or DEL? */
static bool has_escape(uint64_t word)
{
        const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
        uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\'),
                 del = word ^ (ones * 0x7f);
        uint64_t found = (word - ones * 0x20) & ~word;

        found |= (quote - ones) & ~quote;
        found |= (backslash - ones) & ~backslash;
        found |= (del - ones) & ~del;
        return found & high;
}

static size_t plain_run(const char *at, size_t len)
{
        size_t n = 0;

        for (; n + 8 <= len; n += 8) {
                uint64_t word;

                memcpy(&word, at + n, 8);
                if (has_escape(word))
                        break;
        }
        while (n < len && !escape_of((unsigned char)at[n]))
                n++;
        return n;
}

static void put_escape(struct buf *to, unsigned char c)
{
        static const char hex[] = "0123456789abcdef";
        char escape = escape_of(c);

        to->at[to->len++] = '\\';
        to->at[to->len++] = escape;
        if (escape != 'u')
                return;
        to->at[to->len++] = '0';
        to->at[to->len++] = '0';
        to->at[to->len++] = hex[c >> 4];
        to->at[to->len++] = hex[c & 15];
}

int json_add_utf8(struct buf *to, struct muster_str text)
{
        int r = buf_reserve(to, text.len + 2);

        if (r < 0)
                return r;
        to->at[to->len++] = '"';
        while (text.len) {
                size_t n = plain_run(text.at, text.len);

                memcpy(to->at + to->len, text.at, n);
                to->len += n;
                text.at += n;
                text.len -= n;
                if (!text.len)
                        break;
                r = buf_reserve(to, text.len + 8);
                if (r < 0)
                        return r;
                put_escape(to, (unsigned char)text.at[0]);
                text.at++;
                text.len--;
        }
        to->at[to->len++] = '"';
        return 0;
}

int json_add_string(struct buf *to, struct muster_str text)
{
        struct buf mended = { 0 };
        int r = 0;

        if (json_is_utf8(text))
                return json_add_utf8(to, text);
        while (text.len && r == 0) {
                size_t n = sequence_length((const unsigned char *)text.at, text.len);

                r = n ? buf_add(&mended, text.at, n) : buf_add_text(&mended, "\xef\xbf\xbd");
                text.at += n ? n : 1;
                text.len -= n ? n : 1;
        }
        if (r == 0)
                r = json_add_utf8(to, buf_str(&mended));
        buf_deinit(&mended);
        return r;
}

/* --- base64 ---------------------------------------------------------------------------------- */

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

/* --- piece by piece -------------------------------------------------------------------------- */

void json_write(struct json_writer *w, const char *text)
{
        if (w->r == 0)
                w->r = buf_add_text(w->to, text);
}

void json_write_u64(struct json_writer *w, uint64_t value)
{
        if (w->r == 0)
                w->r = buf_add_u64(w->to, value);
}

void json_write_string(struct json_writer *w, struct muster_str text)
{
        if (w->r == 0)
                w->r = json_add_string(w->to, text);
}
