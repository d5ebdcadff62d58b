/* SPDX-License-Identifier: MIT */
/*
 * Quantities as people write them: 80ms, 10k, 20mbit, 5%, 100/s
 *
 * All of the text must be the quantity. False when it is none; the result is left alone then.
 */
#ifndef LAB_QUANTITY_H
#define LAB_QUANTITY_H

#include <base/str.h>

/*
 * "250us", "80ms", "1.5s", "2m", "1h"; a plain number is seconds, as curl has it. At most 30 days.
 */
bool quantity_duration(struct muster_str text, uint64_t *ret_ns);

/* "10", "10k", "10M", "1G" (case does not matter): bytes, powers of 1024, as curl has it. */
bool quantity_size(struct muster_str text, uint64_t *ret_bytes);

/*
 * "64kbit", "20mbit", "1gbit", "100bit": bits a second, powers of 1000, as tc(8) has it. Above 0.
 */
bool quantity_bit_rate(struct muster_str text, uint64_t *ret_bits_per_s);

/* "100/s", "30/m"; a plain number is a second's. Above 0. */
bool quantity_rate(struct muster_str text, double *ret_per_s);

/* "5%", "0.5%", or a fraction: "0.05". From 0 to 1. */
bool quantity_share(struct muster_str text, double *ret_share);

/* A number from `min` to `max`. */
bool quantity_count(struct muster_str text, uint64_t min, uint64_t max, uint64_t *ret_count);

/* A number that may have a fraction and is not negative. */
bool quantity_number(struct muster_str text, double *ret_number);

#endif
