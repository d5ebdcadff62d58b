/* SPDX-License-Identifier: MIT */
#include "processors.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROCESSORS_MAX 1024

unsigned processors_of_quota(const char *text)
{
        unsigned long long quota, period, n;

        if (sscanf(text, "%llu %llu", &quota, &period) != 2 || !quota || !period)
                return 0;
        n = (quota + period - 1) / period;
        return n < PROCESSORS_MAX ? (unsigned)n : PROCESSORS_MAX;
}

/* Append a whole small file to `text`. False if it is missing or empty. */
static int add_file(const char *path, char *text, size_t size)
{
        FILE *file = fopen(path, "re");
        size_t len = strlen(text), n;

        if (!file)
                return 0;
        n = fread(text + len, 1, size - len - 1, file);
        fclose(file);
        text[len + n] = '\0';
        return n > 0;
}

/* Find the path of our control group of version 2, from the line "0::/PATH". */
static void find_group(char *path, size_t size)
{
        char text[4096] = "";
        const char *at;

        path[0] = '\0';
        if (!add_file("/proc/self/cgroup", text, sizeof(text)) || !(at = strstr(text, "0::/")) ||
                (at != text && at[-1] != '\n'))
                return;
        snprintf(path, size, "%.*s", (int)strcspn(at + 3, "\n"), at + 3);
}

/*
 * The least quota of our group and its parents, as each of them binds us. In a container the mount
 * point itself is often our group.
 */
static unsigned quota_of_group(void)
{
        char group[512], path[640];
        unsigned least = 0;

        find_group(group, sizeof(group));
        for (;;) {
                char text[128] = "", *slash;
                unsigned n;

                snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.max", group);
                n = add_file(path, text, sizeof(text)) ? processors_of_quota(text) : 0;
                if (n && (!least || n < least))
                        least = n;
                slash = strrchr(group, '/');
                if (!slash)
                        return least;
                *slash = '\0';
        }
}

static unsigned quota_of_version_1(void)
{
        char text[128] = "";

        if (!add_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", text, sizeof(text)) || text[0] == '-')
                return 0;
        return add_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", text, sizeof(text))
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
        unsigned n = n_allowed(), quota = quota_of_group();

        if (!quota)
                quota = quota_of_version_1();
        if (quota && quota < n)
                n = quota;
        return n ? n : 1;
}
