/* SPDX-License-Identifier: MIT */
/*
 * Random numbers for jitter and tie-breaking, not for secrets
 */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

struct rand {
        uint64_t state;
};

/* Fill memory with random bytes from the kernel, which nobody can guess. */
void rand_seed_bytes(void *at, size_t size);

/* Start a sequence. The same seed gives the same sequence. */
void rand_init(struct rand *rand, uint64_t seed);

/* The next 64 bits (splitmix64). */
uint64_t rand_next(struct rand *rand);

/* A number from 0 to `max`, both included; all are equally likely. */
uint64_t rand_up_to(struct rand *rand, uint64_t max);

#endif
