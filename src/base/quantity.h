/* SPDX-License-Identifier: MIT */
/*
 * Quantities: a number and its unit as people write them, such as 80ms, 1.5M, 100/s
 */
#ifndef BASE_QUANTITY_H
#define BASE_QUANTITY_H

#include "str.h"

struct quantity_unit {
        const char *name; /* "": a plain number; NULL ends a table. Case does not matter */
        double factor;
};

/* The number times the factor of its unit; never negative. False if the text is anything else. */
bool quantity_parse(struct muster_str text, const struct quantity_unit *units, double *ret_value);

#endif
