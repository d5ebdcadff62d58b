/* SPDX-License-Identifier: MIT */
#include "processors.h"

#include "cgroup.h"
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#define PROCESSORS_MAX 1024

uint64_t processors_of_quota(const char *text)
{
        unsigned long long quota, period, n;

        if (sscanf(text, "%llu %llu", &quota, &period) != 2 || !quota || !period)
                return 0;
        n = (quota + period - 1) / period;
        return n < PROCESSORS_MAX ? n : PROCESSORS_MAX;
}

static uint64_t quota_of_version_1(void)
{
        char text[128] = "";

        if (!cgroup_add_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", text, sizeof(text)) ||
                text[0] == '-')
                return 0;
        return cgroup_add_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", text, sizeof(text))
                       ? processors_of_quota(text)
                       : 0;
}

static unsigned n_allowed(void)
{
        cpu_set_t set;
        long n;

        if (sched_getaffinity(0, sizeof(set), &set) == 0)
                return (unsigned)CPU_COUNT(&set);
        n = sysconf(_SC_NPROCESSORS_ONLN);
        return n < 1 ? 1 : n > PROCESSORS_MAX ? PROCESSORS_MAX : (unsigned)n;
}

unsigned processors_usable(void)
{
        unsigned n = n_allowed();
        uint64_t quota = cgroup_least("cpu.max", processors_of_quota);

        if (!quota)
                quota = quota_of_version_1();
        if (quota && quota < n)
                n = (unsigned)quota;
        return n ? n : 1;
}
