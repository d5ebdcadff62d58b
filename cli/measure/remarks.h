/* SPDX-License-Identifier: MIT */
/*
 * What a measurement says, in sentences
 */
#ifndef CLI_MEASURE_REMARKS_H
#define CLI_MEASURE_REMARKS_H

#include "../text/layout.h"

#define REMARKS_MAX 24

/* Zeroed: none. */
struct remarks {
        char *list[REMARKS_MAX]; /* a paragraph each */
        size_t n;
        bool is_out_of_memory;
};

/* Add a paragraph; without memory it is left out, and that is noted. */
__attribute__((format(printf, 2, 3))) void remarks_add(struct remarks *remarks, const char *format,
        ...);
void remarks_deinit(struct remarks *remarks);

/* Wrapped, each behind a dash. */
void remarks_print(const struct remarks *remarks, const struct page *page);

#endif
