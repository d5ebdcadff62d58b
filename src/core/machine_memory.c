/* SPDX-License-Identifier: MIT */
#include "machine_memory.h"

#include "cgroup.h"
#include <base/minmax.h>
#include <stdio.h>
#include <unistd.h>

#define LIMIT_FILE_1  "/sys/fs/cgroup/memory/memory.limit_in_bytes"
#define UNKNOWN_BYTES (UINT64_C(1) << 30) /* if the system does not say how much there is */

uint64_t machine_memory_of_limit(const char *text)
{
        unsigned long long bytes;

        return sscanf(text, "%llu", &bytes) == 1 ? bytes : 0;
}

static uint64_t bytes_of_machine(void)
{
        long n_pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);

        if (n_pages < 1 || page_bytes < 1)
                return UNKNOWN_BYTES;
        return (uint64_t)n_pages * (uint64_t)page_bytes;
}

/* Without a limit, version 1 says a number that no machine has. */
uint64_t machine_memory_bytes(void)
{
        uint64_t bytes = bytes_of_machine();
        uint64_t limit = cgroup_least("memory.max", machine_memory_of_limit);
        char text[128] = "";

        if (limit)
                bytes = min_u64(bytes, limit);
        if (cgroup_add_file(LIMIT_FILE_1, text, sizeof(text)) &&
                (limit = machine_memory_of_limit(text)))
                bytes = min_u64(bytes, limit);
        return bytes;
}
