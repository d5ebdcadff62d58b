/* SPDX-License-Identifier: MIT */
#include "cgroup.h"

#include <stdio.h>
#include <string.h>

bool cgroup_add_file(const char *path, char *text, size_t size)
{
        FILE *file = fopen(path, "re");
        size_t len = strlen(text), n;

        if (!file)
                return false;
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
        if (!cgroup_add_file("/proc/self/cgroup", text, sizeof(text)) ||
                !(at = strstr(text, "0::/")) || (at != text && at[-1] != '\n'))
                return;
        snprintf(path, size, "%.*s", (int)strcspn(at + 3, "\n"), at + 3);
}

/* In a container the mount point itself is often our group. */
uint64_t cgroup_least(const char *name, uint64_t (*limit_of)(const char *text))
{
        char group[512], path[640];
        uint64_t least = 0;

        find_group(group, sizeof(group));
        for (;;) {
                char text[128] = "", *slash;
                uint64_t n;

                snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", group, name);
                n = cgroup_add_file(path, text, sizeof(text)) ? limit_of(text) : 0;
                if (n && (!least || n < least))
                        least = n;
                slash = strrchr(group, '/');
                if (!slash)
                        return least;
                *slash = '\0';
        }
}
