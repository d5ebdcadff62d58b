/* SPDX-License-Identifier: MIT */
/*
 * A small value for each number of an input item
 *
 * Most numbers up to the highest are there, so it is a table, in pieces that are made when a number
 * in them comes: a million values of four bytes take 4 MiB, and a single wild number no more than
 * one piece. Values are zero at first.
 */
#ifndef CLI_RESUME_BY_NUMBER_H
#define CLI_RESUME_BY_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define BY_NUMBER_MAX UINT32_MAX /* of a list; the table of pieces takes 8 MiB then */

/* Zeroed but for `size` is empty. */
struct by_number {
        size_t size; /* of a value */
        void **pieces;
        size_t n_pieces;
};

/* The value of a number, NULL: it is none yet. */
void *by_number_find(const struct by_number *table, uint64_t n);

/* The same, made where it is not there. NULL: memory is out, or n is above BY_NUMBER_MAX. */
void *by_number_get(struct by_number *table, uint64_t n);

/*
 * The first value at *n or behind it whose piece is there, with its number in *n. NULL: there is
 * none.
 */
void *by_number_next(const struct by_number *table, uint64_t *n);

void by_number_deinit(struct by_number *table);

#endif
