/* SPDX-License-Identifier: MIT */
/*
 * The small parts of reading JSON: bytes in, where it goes on out
 *
 * Text ends with a zero byte, which no function passes: it is neither blank, digit nor part of a
 * string.
 */
#ifndef MUSTER_PYTHON_JSON_SCAN_H
#define MUSTER_PYTHON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The grammar's numbers (RFC 8259 section 6). */
struct scan_number {
        bool is_bad;   /* it breaks off */
        bool is_whole; /* neither a fraction nor an exponent */
        bool is_negative;
        size_t n_digits;  /* of the fraction, too; leading zeros are none */
        uint64_t digits;  /* the first 19, as a number */
        int64_t exponent; /* of 10, if there are no more than 19 digits */
};

static inline bool scan_is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static inline const char *scan_blanks(const char *at)
{
        while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
                at++;
        return at;
}

/* The first byte that is a quotation mark, a backslash, a control character or not UTF-8. */
const char *scan_string(const char *at, const char *end);

/* \uXXXX; false: it is none. */
bool scan_unit(const char *at, uint32_t *ret_unit);

/* Up to 4 bytes; halves of a pair as if they were characters. Returns where it ends. */
char *scan_put_utf8(char *to, uint32_t character);

const char *scan_number(const char *at, struct scan_number *ret_number);

/* The double next to it, whatever the locale is. */
double scan_real(const char *at, const struct scan_number *number);

/* A place for a name among JSON_SLOTS. */
unsigned scan_slot(const char *at, size_t len);

#endif
