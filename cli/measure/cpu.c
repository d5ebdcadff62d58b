/* SPDX-License-Identifier: MIT */
#include "cpu.h"

#include <base/clock.h>
#include <stdio.h>

/* The second number of schedstat (Documentation/scheduler/sched-stats.rst). */
static uint64_t run_delay_ns(void)
{
        FILE *file = fopen("/proc/thread-self/schedstat", "re");
        unsigned long long used, delayed;
        int n;

        if (!file)
                return 0;
        n = fscanf(file, "%llu %llu", &used, &delayed);
        fclose(file);
        return n == 2 ? delayed : 0;
}

struct cpu cpu_now(void)
{
        return (struct cpu){ clock_ns_of(CLOCK_THREAD_CPUTIME_ID), run_delay_ns() };
}
