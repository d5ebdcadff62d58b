/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "utf8.h"

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

        if (utf8_is_valid(text))
                return json_add_utf8(to, text);
        while (text.len && r == 0) {
                size_t n = utf8_sequence(text.at, text.len);

                r = n ? buf_add(&mended, text.at, n) : buf_add_text(&mended, "\xef\xbf\xbd");
                text.at += n ? n : 1;
                text.len -= n ? n : 1;
        }
        if (r == 0)
                r = json_add_utf8(to, buf_str(&mended));
        buf_deinit(&mended);
        return r;
}
