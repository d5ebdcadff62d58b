/* SPDX-License-Identifier: MIT */
/*
 * How many processors this process may use: those that it may run on (sched_getaffinity(2)), but no
 * more than the quota of its control group allows (cpu.max of version 2, cpu.cfs_quota_us of
 * version 1)
 */
#ifndef CORE_PROCESSORS_H
#define CORE_PROCESSORS_H

#include <stdint.h>

/* The number of processors, at least 1. */
unsigned processors_usable(void);

/* --- for tests: the parser ------------------------------------------------------------------- */

/* The processors that "QUOTA PERIOD" of cpu.max allows, rounded up; 0: no quota, or unreadable. */
uint64_t processors_of_quota(const char *text);

#endif
