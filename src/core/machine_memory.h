/* SPDX-License-Identifier: MIT */
/*
 * Memory of the machine, as far as this process may use it
 */
#ifndef CORE_MACHINE_MEMORY_H
#define CORE_MACHINE_MEMORY_H

#include <stdint.h>

/*
 * Bytes that this process may use, by the machine and by the limits of its control group (memory.max
 * of version 2, memory.limit_in_bytes of version 1); at least one.
 */
uint64_t machine_memory_bytes(void);

/* The limit that the text of such a file says; 0: none. */
uint64_t machine_memory_of_limit(const char *text);

#endif
