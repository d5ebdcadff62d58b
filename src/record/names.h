/* SPDX-License-Identifier: MIT */
/*
 * Names: texts that come again and again, each kept once
 *
 * Numbered from 1 in the order in which they came first; there is a bound, as servers and users
 * choose the texts.
 */
#ifndef RECORD_NAMES_H
#define RECORD_NAMES_H

#include <base/arena.h>
#include <base/map.h>

struct names {
        struct map map;
        struct arena *arena; /* where the texts are; borrowed */
        struct name **by_number;
        size_t n, n_max;
        uint32_t last; /* number of the one that was asked for last; 0: none */
};

/* MUSTER_E_RESOURCE. */
int names_init(struct names *names, struct arena *arena, size_t n_max);
/* The texts stay in the arena. Zeroed is allowed; zeroed afterwards. */
void names_deinit(struct names *names);

/* The number of a text; 0 when it is not there and none is added any more, or memory is out. */
uint32_t names_number(struct names *names, struct muster_str text);

/* Text of a number; empty for 0. */
struct muster_str names_text(const struct names *names, uint32_t number);

/* The text as it is kept, or an empty one: see names_number(). */
struct muster_str names_keep(struct names *names, struct muster_str text);

/* A URL without its query. */
struct muster_str names_path_of(struct muster_str url);

#endif
