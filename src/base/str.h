/* SPDX-License-Identifier: MIT */
/*
 * Borrowed text
 *
 * Functions on struct muster_str, a pointer and a length. Letters are ASCII letters whatever the
 * locale (RFC 9110 section 5.1 and its kin).
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <assert.h>
#include <muster/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* printf("%.*s", STR_ARGS(s)) */
#define STR_ARGS(s) ((int)(s).len), ((s).at)

static inline struct muster_str str_of(const char *text)
{
        return (struct muster_str){ text, text ? strlen(text) : 0 };
}

static inline char char_lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool char_is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit, -1 for any other character. */
int char_hex(char c);

static inline bool str_eq(struct muster_str a, struct muster_str b)
{
        return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* The same for texts of one length; see str_eq_nocase(). */
bool str_same_letters(const char *a, const char *b, size_t len);

/*
 * Equal, ignoring the case of ASCII letters. A field that is looked for by its name mostly differs
 * from others in length.
 */
static inline bool str_eq_nocase(struct muster_str a, struct muster_str b)
{
        return a.len == b.len && str_same_letters(a.at, b.at, a.len);
}

static inline bool str_is(struct muster_str a, const char *text)
{
        return str_eq(a, str_of(text));
}

static inline bool str_is_nocase(struct muster_str a, const char *text)
{
        return str_eq_nocase(a, str_of(text));
}

/* The first `len` bytes, or the whole text if it is shorter; `at` is never NULL. */
static inline struct muster_str str_first(struct muster_str a, size_t len)
{
        return (struct muster_str){ a.at ? a.at : "", a.len < len ? a.len : len };
}

/* The text behind its first `n` bytes, of which it must have so many. `at` may be NULL. */
static inline struct muster_str str_after(struct muster_str a, size_t n)
{
        assert(n <= a.len);
        return n ? (struct muster_str){ a.at + n, a.len - n }
                 : a; /* NULL + 0 is not defined in C */
}

bool str_starts(struct muster_str a, const char *prefix);

static inline bool str_has_char(struct muster_str a, char c)
{
        return a.len && memchr(a.at, c, a.len);
}

/* Does the text contain `what`? */
bool str_has(struct muster_str a, const char *what);

/* Where the first control character is, below 0x20 or 0x7f; the text's length if it has none. */
size_t str_find_control(struct muster_str a);

static inline bool char_is_blank(char c)
{
        return c == ' ' || c == '\t';
}

/* The text without spaces and tabs at its ends. */
static inline struct muster_str str_trim(struct muster_str a)
{
        while (a.len && char_is_blank(a.at[0])) {
                a.at++;
                a.len--;
        }
        while (a.len && char_is_blank(a.at[a.len - 1]))
                a.len--;
        return a;
}

/*
 * Cut off the text before the first `separator`, or all of it if there is none. False at the end.
 */
bool str_split(struct muster_str *rest, char separator, struct muster_str *ret_part);

/*
 * Parse decimal digits: no sign, nothing else. False if it is not a number of 64 bits; *ret_value
 * is left alone then.
 */
bool str_to_u64(struct muster_str a, uint64_t *ret_value);

/*
 * Levenshtein distance: how many characters to add, drop or change to turn `a` into `b`. 64 if
 * either text has 64 characters or more.
 */
unsigned str_distance(struct muster_str a, struct muster_str b);

#endif
