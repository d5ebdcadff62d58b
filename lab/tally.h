/* SPDX-License-Identifier: MIT */
/*
 * Counts kept under a name: how often something was asked for, how fast
 */
#ifndef LAB_TALLY_H
#define LAB_TALLY_H

#include <base/map.h>

#define TALLIES_MAX 10000 /* names that clients may make up */

struct tally {
        struct map_node node;
        char *key;
        uint64_t n;
        uint64_t next_ns; /* tally_take(): when the next one would be on time */
};

struct tallies {
        struct map map;
};

void tallies_init(struct tallies *tallies);
void tallies_deinit(struct tallies *tallies);

/* The tally of that name, made if it is new. NULL: memory or TALLIES_MAX is out. */
struct tally *tallies_get(struct tallies *tallies, struct muster_str key);

/*
 * One more, if the rate allows it (the generic cell rate algorithm: `burst` at once, then evenly).
 * 0, or how long to wait until the next one is welcome, in nanoseconds; then it was not counted.
 */
uint64_t tally_take(struct tally *tally, double rate_per_s, double burst, uint64_t now_ns);

#endif
