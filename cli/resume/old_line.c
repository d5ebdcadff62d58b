/* SPDX-License-Identifier: MIT */
#include "old_line.h"

#include <jansson.h>

/* --- JSON, of which nothing is known --------------------------------------------------------- */

/* A place in the text. Reading past its end gives NUL, which no value has. */
struct cursor {
        const char *at, *end;
};

static char peek(const struct cursor *cursor)
{
        return cursor->at < cursor->end ? *cursor->at : '\0';
}

static bool take(struct cursor *cursor, char c)
{
        if (peek(cursor) != c)
                return false;
        cursor->at++;
        return true;
}

static void skip_blanks(struct cursor *cursor)
{
        while (peek(cursor) == ' ' || peek(cursor) == '\t')
                cursor->at++;
}

/* An odd number of them escapes what follows. */
static bool is_escaped(const char *begin, const char *at)
{
        size_t n = 0;

        while (at > begin && at[-1] == '\\') {
                at--;
                n++;
        }
        return n % 2;
}

/* With its quotes. Most of a line is strings, so they are searched, not read. */
static bool take_string(struct cursor *cursor, struct muster_str *ret_string)
{
        const char *begin = cursor->at, *at = begin + 1;

        if (peek(cursor) != '"')
                return false;
        while ((at = memchr(at, '"', (size_t)(cursor->end - at)))) {
                if (!is_escaped(begin + 1, at)) {
                        *ret_string = (struct muster_str){ begin, (size_t)(at + 1 - begin) };
                        cursor->at = at + 1;
                        return true;
                }
                at++;
        }
        return false;
}

/* An object or a list, with what is in it. */
static bool take_nested(struct cursor *cursor, struct muster_str *ret_value)
{
        const char *begin = cursor->at;
        struct muster_str unused;
        size_t depth = 0;

        while (cursor->at < cursor->end) {
                char c = *cursor->at;

                if (c == '"') {
                        if (!take_string(cursor, &unused))
                                return false;
                        continue;
                }
                cursor->at++;
                depth += c == '{' || c == '[';
                if ((c == '}' || c == ']') && --depth == 0) {
                        *ret_value = (struct muster_str){ begin, (size_t)(cursor->at - begin) };
                        return true;
                }
        }
        return false;
}

/* A number, true, false or null. */
static bool take_word(struct cursor *cursor, struct muster_str *ret_value)
{
        const char *begin = cursor->at;

        while (cursor->at < cursor->end && !strchr(" \t,}]\"", *cursor->at))
                cursor->at++;
        *ret_value = (struct muster_str){ begin, (size_t)(cursor->at - begin) };
        return ret_value->len;
}

static bool take_value(struct cursor *cursor, struct muster_str *ret_value)
{
        char c = peek(cursor);

        if (c == '"')
                return take_string(cursor, ret_value);
        return c == '{' || c == '[' ? take_nested(cursor, ret_value) : take_word(cursor, ret_value);
}

/* Where a member begins, its name with quotes, and its value. */
static bool take_member(struct cursor *cursor, struct muster_str *ret_name,
        struct muster_str *ret_value)
{
        skip_blanks(cursor);
        if (!take_string(cursor, ret_name))
                return false;
        skip_blanks(cursor);
        if (!take(cursor, ':'))
                return false;
        skip_blanks(cursor);
        if (!take_value(cursor, ret_value))
                return false;
        skip_blanks(cursor);
        return true;
}

bool old_text_add(struct buf *to, struct muster_str string)
{
        json_t *value;
        bool is_good;

        if (string.len < 2 || string.at[0] != '"')
                return false;
        if (!str_has_char(string, '\\'))
                return buf_add(to, string.at + 1, string.len - 2) == 0;
        value = json_loadb(string.at, string.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        is_good = json_is_string(value) &&
                  buf_add(to, json_string_value(value), json_string_length(value)) == 0;
        json_decref(value);
        return is_good;
}

/* --- members --------------------------------------------------------------------------------- */

enum seen { SEEN_N = 1, SEEN_METHOD = 2, SEEN_URL = 4, SEEN_OK = 8, SEEN_ERROR = 16 };
#define SEEN_ALL (SEEN_N | SEEN_METHOD | SEEN_URL | SEEN_OK | SEEN_ERROR)

static bool is_string(struct muster_str value)
{
        return value.at[0] == '"';
}

static bool is_null_or_string(struct muster_str value)
{
        return is_string(value) || str_is(value, "null");
}

static struct muster_str string_or_none(struct muster_str value)
{
        return is_string(value) ? value : (struct muster_str){ 0 };
}

/* 16 hexadecimal digits in quotes. */
static bool read_digest(struct muster_str value, uint64_t *ret_digest)
{
        uint64_t digest = 0;

        if (value.len != 18 || !is_string(value))
                return false;
        for (size_t i = 1; i < 17; i++) {
                int digit = char_hex(value.at[i]);

                if (digit < 0)
                        return false;
                digest = digest << 4 | (unsigned)digit;
        }
        *ret_digest = digest;
        return true;
}

/* Is it the error of a request that somebody stopped? */
static bool is_cancelled(struct muster_str error)
{
        struct cursor cursor = { error.at, error.at + error.len };
        struct muster_str name, value;

        if (!take(&cursor, '{'))
                return false;
        do {
                if (!take_member(&cursor, &name, &value))
                        return false;
                if (str_is(name, "\"code\""))
                        return str_is(value, "\"cancelled\"");
        } while (take(&cursor, ','));
        return false;
}

static bool read_ok(struct old_line *line, struct muster_str value)
{
        if (!str_is(value, "true") && !str_is(value, "false"))
                return false;
        if (line->kind != OLD_CANCELLED) /* its error may stand before */
                line->kind = str_is(value, "true") ? OLD_SUCCEEDED : OLD_FAILED;
        return true;
}

static bool read_number(struct muster_str value, uint64_t least, uint64_t *ret_number)
{
        uint64_t number;

        if (!str_to_u64(value, &number) || number < least)
                return false;
        *ret_number = number;
        return true;
}

/* False: no line of ours has such a value. */
static bool read_member(struct old_line *line, struct muster_str name, struct muster_str value,
        unsigned *seen)
{
        if (str_is(name, "\"n\"")) {
                *seen |= SEEN_N;
                return read_number(value, 1, &line->n);
        }
        if (str_is(name, "\"method\"")) {
                *seen |= SEEN_METHOD;
                line->method = string_or_none(value);
                return is_null_or_string(value);
        }
        if (str_is(name, "\"url\"")) {
                *seen |= SEEN_URL;
                line->url = string_or_none(value);
                return is_null_or_string(value);
        }
        if (str_is(name, "\"ok\"")) {
                *seen |= SEEN_OK;
                return read_ok(line, value);
        }
        if (str_is(name, "\"error\"")) {
                *seen |= SEEN_ERROR;
                if (is_cancelled(value))
                        line->kind = OLD_CANCELLED;
                return true;
        }
        if (str_is(name, "\"digest\""))
                return read_digest(value, &line->digest);
        if (str_is(name, "\"status\""))
                return read_number(value, 0, &line->status);
        if (str_is(name, "\"body_file\"")) {
                line->body_file = string_or_none(value);
                return is_string(value);
        }
        if (str_is(name, "\"body_bytes\""))
                return read_number(value, 0, &line->body_bytes);
        return true;
}

bool old_line_read(struct old_line *line, struct muster_str text, bool wants_body)
{
        struct cursor cursor = { text.at, text.at + text.len };
        struct muster_str name, value;
        bool is_in_our_order = false;
        unsigned seen = 0;

        *line = (struct old_line){ 0 };
        if (!text.len || text.at[text.len - 1] != '}' || str_has_char(text, '\0') ||
                !take(&cursor, '{'))
                return false;
        do {
                if (!take_member(&cursor, &name, &value) || !read_member(line, name, value, &seen))
                        return false;
                is_in_our_order |= seen == SEEN_N;
                if (seen == SEEN_ALL && is_in_our_order && !wants_body)
                        return true;
        } while (take(&cursor, ','));
        return seen == SEEN_ALL && take(&cursor, '}') && cursor.at == cursor.end;
}

bool old_line_is_torn(struct muster_str tail)
{
        static const char begin[] = "{\"n\":";
        size_t n = tail.len < sizeof(begin) - 1 ? tail.len : sizeof(begin) - 1;
        size_t zeros = 0;

        while (zeros < tail.len && tail.at[zeros] == '\0')
                zeros++;
        return zeros == tail.len || memcmp(tail.at, begin, n) == 0;
}
