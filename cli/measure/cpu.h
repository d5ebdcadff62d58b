/* SPDX-License-Identifier: MIT */
/*
 * How busy a thread was
 *
 * What it did, and for how long it would have done something had a processor been free (the
 * scheduler's run delay): both are this machine's share of the time, and no server's.
 */
#ifndef CLI_MEASURE_CPU_H
#define CLI_MEASURE_CPU_H

#include <stdint.h>

struct cpu {
        uint64_t used_ns;
        /* ready, but no processor was; 0 also where the kernel does not tell */
        uint64_t delayed_ns;
};

/* Of the calling thread, since it began. */
struct cpu cpu_now(void);

static inline struct cpu cpu_since(struct cpu now, struct cpu start)
{
        return (struct cpu){ now.used_ns - start.used_ns, now.delayed_ns - start.delayed_ns };
}

#endif
