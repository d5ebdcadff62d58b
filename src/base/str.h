/* SPDX-License-Identifier: MIT */
/*
 * Borrowed text
 *
 * struct muster_str is a pointer and a length; these are the few things that are done with it.
 * Letters are ASCII letters whatever the locale (RFC 9110 section 5.1 and its kin).
 */
#ifndef BASE_STR_H
#define BASE_STR_H

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

/* Equal, but for the case of ASCII letters. */
bool str_eq_nocase(struct muster_str a, struct muster_str b);

static inline bool str_is(struct muster_str a, const char *text)
{
        return str_eq(a, str_of(text));
}

static inline bool str_is_nocase(struct muster_str a, const char *text)
{
        return str_eq_nocase(a, str_of(text));
}

/* Its first `len` bytes, all of it when it is shorter; its `at` is not NULL. */
static inline struct muster_str str_first(struct muster_str a, size_t len)
{
        return (struct muster_str){ a.at ? a.at : "", a.len < len ? a.len : len };
}

bool str_starts(struct muster_str a, const char *prefix);

static inline bool str_has_char(struct muster_str a, char c)
{
        return a.len && memchr(a.at, c, a.len);
}

/* Does `what` stand anywhere in it? */
bool str_has(struct muster_str a, const char *what);

/* Without the spaces and tabs at both ends. */
struct muster_str str_trim(struct muster_str a);

/*
 * Cut off and return what stands before the first `separator`, all of it when there is none. False
 * at the end.
 */
bool str_split(struct muster_str *rest, char separator, struct muster_str *ret_part);

/*
 * Decimal digits only, nothing else, no sign, fits 64 bits: else false, and *ret_value is left
 * alone.
 */
bool str_to_u64(struct muster_str a, uint64_t *ret_value);

/*
 * Levenshtein's distance: how many characters to add, drop or change to make `b` of `a`. 64 for
 * texts of 64 characters and more.
 */
unsigned str_distance(struct muster_str a, struct muster_str b);

#endif
