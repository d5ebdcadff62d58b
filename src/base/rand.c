/* SPDX-License-Identifier: MIT */
#include "rand.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void rand_seed_bytes(void *at, size_t size)
{
        struct timespec now;
        struct rand fallback;

        assert(size > 0);
        if (getrandom(at, size, 0) == (ssize_t)size)
                return;
        /* Only a kernel older than 3.17 or a strict sandbox gets here; the clock must do then. */
        clock_gettime(CLOCK_MONOTONIC, &now);
        rand_init(&fallback, (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)at);
        for (size_t i = 0; i < size; i++)
                ((unsigned char *)at)[i] = (unsigned char)rand_next(&fallback);
}

void rand_init(struct rand *rand, uint64_t seed)
{
        rand->state = seed;
}

uint64_t rand_next(struct rand *rand)
{
        uint64_t z = rand->state += 0x9e3779b97f4a7c15u;

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
}

uint64_t rand_up_to(struct rand *rand, uint64_t max)
{
        uint64_t n = max + 1;
        uint64_t limit;

        if (n == 0)
                return rand_next(rand);
        /* Values past the last whole multiple of n would favour small remainders: draw again. */
        limit = UINT64_MAX - UINT64_MAX % n;
        for (;;) {
                uint64_t value = rand_next(rand);

                if (value < limit)
                        return value % n;
        }
}
