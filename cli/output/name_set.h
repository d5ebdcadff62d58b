/* SPDX-License-Identifier: MIT */
/*
 * Name set: which names were given in this run
 *
 * Of a name only a keyed hash of 64 bits is kept, so that a million of them take 16 MiB. That two
 * different ones are taken for the same happens in one of some thirty million runs of a million
 * names, and then it is an error where none had to be: nothing is lost.
 */
#ifndef CLI_OUTPUT_NAME_SET_H
#define CLI_OUTPUT_NAME_SET_H

#include <base/map.h>

/* Zeroed is empty. */
struct name_set {
        struct map key;  /* its seed */
        uint64_t *slots; /* hashes; 0: free */
        size_t n_slots;  /* a power of two, or 0 */
        size_t n;
};

void name_set_deinit(struct name_set *set);

#define NAME_SET_HAS_IT 1

/* Add a name. NAME_SET_HAS_IT: it was there. MUSTER_E_RESOURCE. */
int name_set_add(struct name_set *set, struct muster_str name);

#endif
