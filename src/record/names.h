/* SPDX-License-Identifier: MIT */
/*
 * Names: recurring texts, each kept once
 *
 * Texts are numbered from 1 in the order in which they first came. Their number is bounded, as
 * servers and users choose them.
 */
#ifndef RECORD_NAMES_H
#define RECORD_NAMES_H

#include <base/arena.h>
#include <base/map.h>

struct names {
        struct map map;
        struct arena *arena; /* holds the texts; borrowed */
        struct name **by_number;
        size_t n, n_max;
        uint32_t last; /* the number asked for last; 0: none */
};

/* MUSTER_E_RESOURCE. */
int names_init(struct names *names, struct arena *arena, size_t n_max);
/* The texts stay in the arena. Zeroed is allowed; zeroed afterwards. */
void names_deinit(struct names *names);

/* The number of a text; 0 if it is new and there is no room or memory for it. */
uint32_t names_number(struct names *names, struct muster_str text);

/* The text of a number; empty for 0. */
struct muster_str names_text(const struct names *names, uint32_t number);

/* The kept copy of a text, or an empty text: see names_number(). */
struct muster_str names_keep(struct names *names, struct muster_str text);

/* The URL without its query. */
struct muster_str names_path_of(struct muster_str url);

/* A number that other texts hardly ever have; never 0. */
uint64_t names_digest_of(struct muster_str text);

#endif
