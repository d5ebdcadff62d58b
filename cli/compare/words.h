/* SPDX-License-Identifier: MIT */
/*
 * What a comparison means, in words: paragraphs, and what they have in common
 */
#ifndef CLI_COMPARE_WORDS_H
#define CLI_COMPARE_WORDS_H

#include "difference.h"
#include <base/words.h>

/* Which of these two is faster cannot be told. */
void say_unclear(const struct mode *a, const struct mode *b, const struct estimate *ratio,
        struct remarks *remarks);

/* The loop with as much at once as there are threads: which is faster, and why? */
void say_threads(const struct comparison *c, struct remarks *remarks);

/*
 * The limits of the loop, ascending: does more help? Told up to the highest that surely does, and
 * what is known of those above it.
 */
void say_limits(const struct comparison *c, struct remarks *remarks);

/* As words_ns(). */
static inline struct words ns(double value)
{
        return words_ns((uint64_t)value);
}

/* "1.32", "48.3", "1480": as many digits as are worth reading. */
static inline struct words times(double value)
{
        struct words words;

        snprintf(words.text, sizeof(words.text), value < 999.5 ? "%.3g" : "%.0f", value);
        return words;
}

#endif
