/* SPDX-License-Identifier: MIT */
/*
 * Strings: checked, escaped and copied in one pass
 *
 * Bodies of megabytes go through here, and the short texts of each result line. A step of 16 bytes
 * is copied first and looked at then: mostly all of them are plain, and it is done. Else its
 * characters are written again, one at a time, from a table, so that text with many quotes and line
 * ends costs no branch for each of them.
 */
#include "json.h"

#include "utf8.h"

/* A register of SSE2 or NEON; the compiler finds something for every other machine. */
#define STEP 16
typedef signed char step __attribute__((vector_size(STEP)));
typedef unsigned char unsigned_step __attribute__((vector_size(STEP)));

/*
 * What one step may need beyond the length of its text: a quote before and behind, six bytes for
 * each of its characters, and the rest of the last row that was copied from the table.
 */
#define STEP_ROOM (2 + STEP * 5 + 8)

/* How an ASCII character is written. Rows are copied whole, as 8 bytes are one store. */
struct spelling {
        char text[7];
        unsigned char len;
};

#define HEX(digit) ((digit) < 10 ? '0' + (digit) : 'a' + (digit)-10)
#define CODE(c)                                                                                    \
        {                                                                                          \
                { '\\', 'u', '0', '0', HEX((c) >> 4), HEX((c)&15) }, 6                             \
        }
#define NAMED(c)                                                                                   \
        {                                                                                          \
                { '\\', c }, 2                                                                     \
        }
#define PLAIN(c)                                                                                   \
        {                                                                                          \
                { c }, 1                                                                           \
        }
#define PLAIN4(c)  PLAIN(c), PLAIN((c) + 1), PLAIN((c) + 2), PLAIN((c) + 3)
#define PLAIN16(c) PLAIN4(c), PLAIN4((c) + 4), PLAIN4((c) + 8), PLAIN4((c) + 12)

/* RFC 8259 section 7; and DEL, for the sake of terminals. */
static const struct spelling spellings[128] = { CODE(0), CODE(1), CODE(2), CODE(3), CODE(4),
        CODE(5), CODE(6), CODE(7), NAMED('b'), NAMED('t'), NAMED('n'), CODE(11), NAMED('f'),
        NAMED('r'), CODE(14), CODE(15), CODE(16), CODE(17), CODE(18), CODE(19), CODE(20), CODE(21),
        CODE(22), CODE(23), CODE(24), CODE(25), CODE(26), CODE(27), CODE(28), CODE(29), CODE(30),
        CODE(31), PLAIN(' '), PLAIN('!'), NAMED('"'), PLAIN('#'), PLAIN4('$'), PLAIN4('('),
        PLAIN4(','), PLAIN16('0'), PLAIN16('@'), PLAIN4('P'), PLAIN4('T'), PLAIN4('X'), NAMED('\\'),
        PLAIN(']'), PLAIN('^'), PLAIN('_'), PLAIN16('`'), PLAIN4('p'), PLAIN4('t'), PLAIN4('x'),
        PLAIN('|'), PLAIN('}'), PLAIN('~'), CODE(0x7f) };

/* Is any of its bytes other than zero? */
static bool has_any(step bytes)
{
        uint64_t halves[2];

        memcpy(halves, &bytes, sizeof(halves));
        return halves[0] | halves[1];
}

/* Is there anything else in it than ASCII characters that stand for themselves? */
static bool has_special(step bytes)
{
        /* Bytes have a sign, so that one comparison finds what is below ' ', DEL and above. */
        step one_more = (step)((unsigned_step)bytes + 1);

        return has_any((one_more <= ' ') | (bytes == '"') | (bytes == '\\'));
}

static bool copy_if_plain(char *to, const char *from)
{
        step bytes;

        memcpy(&bytes, from, STEP);
        memcpy(to, &bytes, STEP);
        return !has_special(bytes);
}

/* Half of a step or more: its first bytes and its last ones, which may overlap. */
static bool copy_short_if_plain(char *to, struct muster_str text)
{
        size_t last_at = text.len - STEP / 2;
        char ends[STEP];
        step bytes;

        memcpy(ends, text.at, STEP / 2);
        memcpy(ends + STEP / 2, text.at + last_at, STEP / 2);
        memcpy(to, ends, STEP / 2);
        memcpy(to + last_at, ends + STEP / 2, STEP / 2);
        memcpy(&bytes, ends, STEP);
        return !has_special(bytes);
}

/* Copy what is plain, as far as whole steps go or to the end; returns its length. */
static size_t copy_plain(char *to, struct muster_str text)
{
        size_t n = 0;

        while (text.len - n >= STEP) {
                if (!copy_if_plain(to + n, text.at + n))
                        return n;
                n += STEP;
        }
        /* The last step overlaps the one before it, in which all is plain, too. */
        if (n == text.len || (n ? copy_if_plain(to + text.len - STEP, text.at + text.len - STEP)
                                : text.len >= STEP / 2 && copy_short_if_plain(to, text)))
                return text.len;
        return n;
}

/* Write a step of ASCII characters; returns how long they have become. */
static size_t spell(char *to, const char *from)
{
        size_t len = 0;

        for (int i = 0; i < STEP; i++) {
                const struct spelling *spelling = &spellings[(unsigned char)from[i]];

                memcpy(to + len, spelling, sizeof(*spelling));
                len += spelling->len;
        }
        return len;
}

static bool is_ascii(const char *at)
{
        step bytes;

        memcpy(&bytes, at, STEP);
        return !has_any(bytes < 0);
}

static void drop_front(struct muster_str *text, size_t n)
{
        *text = str_after(*text, n);
}

/* Steps of ASCII characters, as many as there are. */
static int add_steps(struct buf *to, struct muster_str *text)
{
        for (;;) {
                size_t n = copy_plain(to->at + to->len, *text);

                to->len += n;
                drop_front(text, n);
                if (text->len < STEP || !is_ascii(text->at))
                        return 0;
                if (buf_reserve(to, text->len + STEP_ROOM) < 0)
                        return MUSTER_E_RESOURCE;
                to->len += spell(to->at + to->len, text->at);
                drop_front(text, STEP);
        }
}

/*
 * A character that is no ASCII, `n` bytes of it at the front; 0: it is none, and U+FFFD stands for
 * a byte of it. Returns its length; `to` has room for four bytes.
 */
static size_t copy_sequence(char *to, const char *from, size_t n)
{
        static const char replacement[] = "\xef\xbf\xbd";

        if (n == 0)
                return copy_sequence(to, replacement, 3);
        /* Not memcpy(), which would be called for a length that is not known. */
        to[0] = from[0];
        to[1] = from[1];
        if (n > 2)
                to[2] = from[2];
        if (n > 3)
                to[3] = from[3];
        return n;
}

/* Character by character, about a step of them. `mends`: bytes that are no characters, too. */
static int add_characters(struct buf *to, struct muster_str *text, bool mends)
{
        const char *at = text->at, *end = at + text->len;
        const char *step_end = text->len < STEP ? end : at + STEP;
        char *out;

        if (buf_reserve(to, text->len + STEP_ROOM) < 0)
                return MUSTER_E_RESOURCE;
        out = to->at + to->len;
        while (at < step_end) {
                const struct spelling *spelling = &spellings[*at & 0x7f];
                size_t n;

                if ((unsigned char)*at < 0x80) {
                        memcpy(out, spelling, sizeof(*spelling));
                        out += spelling->len;
                        at++;
                        continue;
                }
                n = utf8_sequence(at, (size_t)(end - at));
                if (!n && !mends)
                        return JSON_NOT_UTF8;
                out += copy_sequence(out, at, n);
                at += n ? n : 1;
        }
        to->len = (size_t)(out - to->at);
        drop_front(text, (size_t)(at - text->at));
        return 0;
}

static int add_string(struct buf *to, struct muster_str text, bool mends)
{
        size_t before = to->len;
        int r = buf_reserve(to, text.len + STEP_ROOM);

        if (r < 0)
                return r;
        to->at[to->len++] = '"';
        while (text.len && r == 0) {
                r = add_steps(to, &text);
                if (r == 0 && text.len)
                        r = add_characters(to, &text, mends);
        }
        if (r != 0) {
                to->len = before;
                return r;
        }
        to->at[to->len++] = '"';
        return 0;
}

int json_add_utf8(struct buf *to, struct muster_str text)
{
        return add_string(to, text, false);
}

int json_add_string(struct buf *to, struct muster_str text)
{
        return add_string(to, text, true);
}
