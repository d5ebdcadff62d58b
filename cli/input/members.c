/* SPDX-License-Identifier: MIT */
/*
 * The text is valid, so few things have to be known of it: where strings end, and how deep brackets
 * are nested.
 */
#include "members.h"

#include <jansson.h>
#include <stdlib.h>

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_end(char c)
{
        return c == ',' || c == '}' || c == ']' || is_space(c);
}

/* The length of the string at the front, with its quotes. */
static size_t string_length(struct muster_str text)
{
        size_t n = 1;

        while (n < text.len && text.at[n] != '"')
                n += text.at[n] == '\\' ? 2 : 1;
        return n < text.len ? n + 1 : text.len;
}

static size_t nested_length(struct muster_str text)
{
        size_t depth = 0, n = 0;

        while (n < text.len) {
                char c = text.at[n];

                if (c == '"') {
                        n += string_length(str_after(text, n));
                        continue;
                }
                n++;
                depth += c == '{' || c == '[';
                if ((c == '}' || c == ']') && --depth == 0)
                        break;
        }
        return n;
}

static size_t value_length(struct muster_str text)
{
        size_t n = 0;

        if (!text.len)
                return 0;
        if (text.at[0] == '"')
                return string_length(text);
        if (text.at[0] == '{' || text.at[0] == '[')
                return nested_length(text);
        while (n < text.len && !is_end(text.at[n]))
                n++;
        return n;
}

static struct muster_str take_front(struct muster_str *rest, size_t n)
{
        struct muster_str part = { rest->at, n };

        *rest = str_after(*rest, n);
        return part;
}

/* White space, and what stands between names and values. */
static void skip(struct muster_str *rest)
{
        while (rest->len && (is_space(rest->at[0]) || rest->at[0] == '{' || rest->at[0] == ',' ||
                                    rest->at[0] == ':'))
                take_front(rest, 1);
}

bool members_next(struct muster_str *rest, struct member *ret_member)
{
        skip(rest);
        if (!rest->len || rest->at[0] != '"')
                return false;
        ret_member->name = take_front(rest, value_length(*rest));
        ret_member->name.at++;
        ret_member->name.len -= 2;
        /* Not skip(): the value may be an object. */
        while (rest->len && (is_space(rest->at[0]) || rest->at[0] == ':'))
                take_front(rest, 1);
        ret_member->value = take_front(rest, value_length(*rest));
        return true;
}

bool member_is(const struct member *member, const char *name)
{
        json_t *value;
        bool is_same;

        if (!str_has_char(member->name, '\\'))
                return str_is(member->name, name);
        value = json_loadb(member->name.at - 1, member->name.len + 2,
                JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        is_same = json_is_string(value) &&
                  str_is((struct muster_str){ json_string_value(value), json_string_length(value) },
                          name);
        json_decref(value);
        return is_same;
}

/* --- numbers --------------------------------------------------------------------------------- */

static size_t n_digits(struct muster_str text, size_t at)
{
        size_t n = 0;

        while (at + n < text.len && char_is_digit(text.at[at + n]))
                n++;
        return n;
}

/* The length of the number at the front (RFC 8259 section 6), 0 where there is none. */
static size_t number_length(struct muster_str text)
{
        size_t n = text.len && text.at[0] == '-' ? 1 : 0, whole = n_digits(text, n), part;

        if (!whole || (whole > 1 && text.at[n] == '0'))
                return 0;
        n += whole;
        if (n < text.len && text.at[n] == '.') {
                part = n_digits(text, n + 1);
                if (!part)
                        return 0;
                n += 1 + part;
        }
        if (n < text.len && (text.at[n] == 'e' || text.at[n] == 'E')) {
                size_t sign = n + 1 < text.len && strchr("+-", text.at[n + 1]) ? 1 : 0;

                part = n_digits(text, n + 1 + sign);
                if (!part)
                        return 0;
                n += 1 + sign + part;
        }
        return n;
}

void members_blank_numbers(char *text, size_t len)
{
        for (size_t at = 0; at < len;) {
                struct muster_str rest = { text + at, len - at };
                size_t n = text[at] == '"' ? string_length(rest)
                           : at && !is_end(text[at - 1]) && !strchr("[:", text[at - 1])
                                   ? 0
                                   : number_length(rest);

                if (n && text[at] != '"') {
                        memset(text + at, ' ', n);
                        text[at] = '0';
                }
                at += n ? n : 1;
        }
}
