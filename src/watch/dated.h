/* SPDX-License-Identifier: MIT */
/*
 * Things by what has to be the same, and by when they were
 *
 * What a program's hooks tell and what was seen at its sockets are two accounts of one thing. Each
 * account is listed with a key, such as a digest of process and URL, and a moment, and sorted:
 * then those that can belong together stand together, in the order of time.
 */
#ifndef WATCH_DATED_H
#define WATCH_DATED_H

#include <stddef.h>
#include <stdint.h>

struct dated {
        uint64_t key;
        uint64_t at_ns;
        uint32_t number; /* which one it is */
};

struct dated_list {
        struct dated *list;
        size_t n;
};

/* With room for `n_max`, and none yet. MUSTER_E_RESOURCE. */
int dated_init(struct dated_list *dated, size_t n_max);
void dated_deinit(struct dated_list *dated);

static inline void dated_add(struct dated_list *dated, uint64_t key, uint64_t at_ns,
        uint32_t number)
{
        dated->list[dated->n++] = (struct dated){ key, at_ns, number };
}

/* By key, then by moment, then by number. */
void dated_sort(struct dated_list *dated);

/* The first of this key at this moment or later: it, or where it would stand. Sorted. */
size_t dated_first(const struct dated_list *dated, uint64_t key, uint64_t at_ns);

#endif
