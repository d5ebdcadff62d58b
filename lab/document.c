/* SPDX-License-Identifier: MIT */
#include "document.h"

#include <stdio.h>

#define LEVEL            "{\"child\":"
#define OPEN             "{\"items\":["
#define CLOSE            "],\"padding\":\""
#define RECORD_BYTES_MAX 96

static size_t print_record(char *text, uint64_t i)
{
        return (size_t)snprintf(text, RECORD_BYTES_MAX,
                "%s{\"id\":%llu,\"name\":\"item %llu\",\"price\":%llu.%02llu,\"tags\":[\"a\",\"b\"]}",
                i ? "," : "", (unsigned long long)i, (unsigned long long)i,
                (unsigned long long)(i % 1000), (unsigned long long)(i * 7 % 100));
}

static int add_padding(struct buf *to, uint64_t n)
{
        int r = buf_reserve(to, n);

        if (r < 0)
                return r;
        memset(to->at + to->len, ' ', n);
        to->len += n;
        return 0;
}

int document_make(uint64_t n_bytes, unsigned depth, struct buf *to)
{
        /* behind the padding: its quote and a brace for each level */
        uint64_t frame =
                (uint64_t)(depth - 1) * strlen(LEVEL) + strlen(OPEN) + strlen(CLOSE) + 1 + depth;
        uint64_t left;
        int r;

        if (n_bytes < frame)
                return MUSTER_E_INVALID;
        left = n_bytes - frame;
        r = buf_reserve(to, n_bytes);
        for (unsigned i = 1; i < depth && r == 0; i++)
                r = buf_add_text(to, LEVEL);
        if (r == 0)
                r = buf_add_text(to, OPEN);
        for (uint64_t i = 0; r == 0; i++) {
                char record[RECORD_BYTES_MAX];
                size_t len = print_record(record, i);

                if (len > left)
                        break;
                left -= len;
                r = buf_add(to, record, len);
        }
        if (r == 0)
                r = buf_add_text(to, CLOSE);
        if (r == 0)
                r = add_padding(to, left);
        if (r == 0)
                r = buf_add_char(to, '"');
        for (unsigned i = 0; i < depth && r == 0; i++)
                r = buf_add_char(to, '}');
        return r;
}

/* The length of the UTF-8 sequence that `text` begins with, 0 when it is none (RFC 3629). */
static size_t sequence_length(struct muster_str text)
{
        static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        unsigned char first = (unsigned char)text.at[0];
        size_t len = first < 0x80                    ? 1
                     : first >= 0xc2 && first < 0xe0 ? 2
                     : (first & 0xf0) == 0xe0        ? 3
                     : first >= 0xf0 && first < 0xf5 ? 4
                                                     : 0;
        unsigned value = first & (0x7fu >> (len > 1 ? len : 0));

        if (!len || len > text.len)
                return 0;
        for (size_t i = 1; i < len; i++) {
                if (((unsigned char)text.at[i] & 0xc0) != 0x80)
                        return 0;
                value = value << 6 | ((unsigned char)text.at[i] & 0x3fu);
        }
        return len == 1 || (value >= least[len] && value < 0x110000 &&
                                   (value < 0xd800 || value > 0xdfff))
                       ? len
                       : 0;
}

int document_add_string(struct buf *to, struct muster_str text)
{
        int r = buf_add_char(to, '"');

        while (text.len && r == 0) {
                unsigned char c = (unsigned char)text.at[0];
                size_t len = sequence_length(text);
                char escaped[8];

                if (!len) {
                        r = buf_add_text(to, "\xef\xbf\xbd");
                        len = 1;
                } else if (c < 0x20 || c == '"' || c == '\\') {
                        snprintf(escaped, sizeof(escaped), "\\u%04x", c);
                        r = buf_add_text(to, escaped);
                } else {
                        r = buf_add(to, text.at, len);
                }
                text = str_after(text, len);
        }
        return r == 0 ? buf_add_char(to, '"') : r;
}
