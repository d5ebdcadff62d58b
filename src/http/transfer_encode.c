/* SPDX-License-Identifier: MIT */
#include "transfer_encode.h"

#include <assert.h>

#define LINE_MAX_LEN 76 /* RFC 2045 sections 6.7 and 6.8 */

static const char *const names[] = {
        [TRANSFER_7BIT] = "7bit",
        [TRANSFER_8BIT] = "8bit",
        [TRANSFER_BINARY] = "binary",
        [TRANSFER_BASE64] = "base64",
        [TRANSFER_QUOTED_PRINTABLE] = "quoted-printable",
};

#define N_ENCODINGS (sizeof(names) / sizeof(names[0]))

const char *transfer_encoding_name(enum transfer_encoding encoding)
{
        return names[encoding];
}

bool transfer_encoding_find(struct muster_str name, enum transfer_encoding *ret_encoding)
{
        for (size_t i = TRANSFER_NONE + 1; i < N_ENCODINGS; i++)
                if (str_is_nocase(name, names[i])) {
                        *ret_encoding = (enum transfer_encoding)i;
                        return true;
                }
        return false;
}

uint64_t transfer_encoded_bytes(enum transfer_encoding encoding, uint64_t n)
{
        uint64_t letters;

        if (n == 0 || n == UINT64_MAX)
                return n;
        if (encoding == TRANSFER_QUOTED_PRINTABLE)
                return UINT64_MAX;
        if (encoding != TRANSFER_BASE64)
                return n;
        letters = (n + 2) / 3 * 4;
        return letters + (letters - 1) / LINE_MAX_LEN * 2; /* a CRLF between lines */
}

/* --- base64 ---------------------------------------------------------------------------------- */

static int add_four(struct transfer_encoder *encoder, struct buf *to)
{
        static const char letters[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        unsigned n = encoder->n_held;
        uint32_t bits = 0;
        char four[4];

        assert(n >= 1 && n <= 3);
        for (unsigned i = 0; i < 3; i++)
                bits = bits << 8 | (i < n ? encoder->held[i] : 0u);
        for (unsigned i = 0; i < 4; i++)
                four[i] = i > n ? '=' : letters[bits >> (18 - 6 * i) & 63];
        if (encoder->column == LINE_MAX_LEN) {
                if (buf_add(to, "\r\n", 2) < 0)
                        return MUSTER_E_RESOURCE;
                encoder->column = 0;
        }
        encoder->column += 4;
        encoder->n_held = 0;
        return buf_add(to, four, 4);
}

static int encode_base64(struct transfer_encoder *encoder, struct muster_str bytes, bool is_last,
        struct buf *to)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < bytes.len; i++) {
                encoder->held[encoder->n_held++] = (unsigned char)bytes.at[i];
                if (encoder->n_held == 3)
                        r = add_four(encoder, to);
        }
        return r == 0 && is_last && encoder->n_held ? add_four(encoder, to) : r;
}

/* --- quoted-printable ------------------------------------------------------------------------ */

/* Does a line end stand at this place of the held bytes? The end of all counts as one. */
static bool ends_line(const struct transfer_encoder *encoder, unsigned at)
{
        if (at >= encoder->n_held)
                return true;
        return at + 1 < encoder->n_held && encoder->held[at] == '\r' &&
               encoder->held[at + 1] == '\n';
}

static bool needs_no_escape(const struct transfer_encoder *encoder)
{
        unsigned char c = encoder->held[0];

        if (c == ' ' || c == '\t')
                return !ends_line(encoder, 1); /* blanks at the end of a line get lost */
        return c > ' ' && c < 0x7f && c != '=';
}

static void drop_held(struct transfer_encoder *encoder, unsigned n)
{
        assert(n <= encoder->n_held);
        encoder->n_held -= n;
        for (unsigned i = 0; i < encoder->n_held; i++)
                encoder->held[i] = encoder->held[i + n];
}

/*
 * Write the first of the held bytes; the two behind it are known, or there are none. The last place
 * of a line is for a "=" that says the line goes on, unless it does not.
 */
static int add_quoted(struct transfer_encoder *encoder, struct buf *to)
{
        static const char digits[] = "0123456789ABCDEF";
        unsigned char c = encoder->held[0];
        char text[3] = { (char)c };
        unsigned len = 1;

        if (c == '\r' && encoder->n_held > 1 && encoder->held[1] == '\n') {
                drop_held(encoder, 2);
                encoder->column = 0;
                return buf_add(to, "\r\n", 2);
        }
        if (!needs_no_escape(encoder)) {
                len = 3;
                text[0] = '=';
                text[1] = digits[c >> 4];
                text[2] = digits[c & 15];
        }
        if (encoder->column + len + !ends_line(encoder, 1) > LINE_MAX_LEN) {
                if (buf_add(to, "=\r\n", 3) < 0)
                        return MUSTER_E_RESOURCE;
                encoder->column = 0;
        }
        encoder->column += len;
        drop_held(encoder, 1);
        return buf_add(to, text, len);
}

static int encode_quoted(struct transfer_encoder *encoder, struct muster_str bytes, bool is_last,
        struct buf *to)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < bytes.len; i++) {
                encoder->held[encoder->n_held++] = (unsigned char)bytes.at[i];
                if (encoder->n_held == 3)
                        r = add_quoted(encoder, to);
        }
        while (r == 0 && is_last && encoder->n_held)
                r = add_quoted(encoder, to);
        return r;
}

/* --- any ------------------------------------------------------------------------------------- */

static bool is_7bit(struct muster_str bytes)
{
        for (size_t i = 0; i < bytes.len; i++)
                if ((unsigned char)bytes.at[i] > 127)
                        return false;
        return true;
}

int transfer_encode(struct transfer_encoder *encoder, struct muster_str bytes, bool is_last,
        struct buf *to)
{
        switch (encoder->encoding) {
        case TRANSFER_7BIT:
                if (!is_7bit(bytes))
                        return TRANSFER_NOT_7BIT;
                return buf_add_str(to, bytes);
        case TRANSFER_NONE:
        case TRANSFER_8BIT:
        case TRANSFER_BINARY:
                return buf_add_str(to, bytes);
        case TRANSFER_BASE64:
                return encode_base64(encoder, bytes, is_last, to);
        case TRANSFER_QUOTED_PRINTABLE:
                return encode_quoted(encoder, bytes, is_last, to);
        }
        return 0;
}
