/* SPDX-License-Identifier: MIT */
/*
 * Control groups: what the kernel's files say that this process may use
 */
#ifndef CORE_CGROUP_H
#define CORE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Append a whole small file to `text`, zero-terminated. False if it is missing or empty. */
bool cgroup_add_file(const char *path, char *text, size_t size);

/*
 * The least limit that the file of this name has in our group of version 2 and its parents, as each
 * of them binds us. `limit_of` reads one; 0: none.
 */
uint64_t cgroup_least(const char *name, uint64_t (*limit_of)(const char *text));

#endif
