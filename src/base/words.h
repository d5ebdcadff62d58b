/* SPDX-License-Identifier: MIT */
/*
 * Figures in words: three significant digits, and the unit that suits them
 *
 * Each function returns a value that lives until the end of the statement, so no buffer is shared:
 * printf("it took %s", words_ns(ns).text).
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdint.h>

struct words {
        char text[64];
};

struct words words_ns(uint64_t ns); /* "850 us", "12.3 ms", "2.5 s", "1 min 14 s", "2 h 5 min" */
/* "150 to 300 ms", "850 ms to 1.2 s"; "150 ms" where both are the same in words. */
struct words words_range_ns(uint64_t low_ns, uint64_t high_ns);
struct words words_bytes(uint64_t bytes);            /* "1.2 MiB" */
struct words words_share(double part, double whole); /* "37 %" */
struct words words_count(uint64_t n);                /* "12,345" */
struct words words_rate(double per_s);               /* a rate a second: "12,345", "49.5", "0.25" */

/* "1 retry", "12 retries". */
struct words words_counted(uint64_t n, const char *one, const char *many);

#endif
