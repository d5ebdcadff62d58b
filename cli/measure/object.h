/* SPDX-License-Identifier: MIT */
/*
 * The JSON object of a measurement: what those of compare and sweep have in common
 */
#ifndef CLI_MEASURE_OBJECT_H
#define CLI_MEASURE_OBJECT_H

#include "remarks.h"
#include <jansson.h>

/* The paragraphs, in an array. NULL: memory is out. */
json_t *object_words(const struct remarks *remarks);

/* On one line; NULL is an object for which there was no memory. MUSTER_E_RESOURCE. */
int object_print(json_t *take_object, FILE *to);

#endif
