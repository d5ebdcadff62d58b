/* SPDX-License-Identifier: MIT */
/*
 * Amounts as people read them
 */
#ifndef CLI_AMOUNT_H
#define CLI_AMOUNT_H

#include <stdint.h>

/* A duration in the unit that suits it, three digits or so: "120 us", "12.3 ms", "2.51 s", "3.5 min". Returns `text`. */
const char *amount_ns(uint64_t ns, char text[24]);

/* "1.2 MiB". Returns `text`. */
const char *amount_bytes(uint64_t n, char text[24]);

/* With commas: "1,234,567". Returns `text`. */
const char *amount_count(uint64_t n, char text[32]);

#endif
