/* SPDX-License-Identifier: MIT */
/*
 * The answers of one host, as load.c judges them
 *
 * load.c          those that had few others there, and those that had many
 * load_order.c    the order in which they came
 * load_peak.c     how many a second, and whether there are more with fewer out
 */
#ifndef EXPLAIN_LOAD_ANSWERS_H
#define EXPLAIN_LOAD_ANSWERS_H

#include "load.h"

struct answers {
        struct load *load;
        const struct facts *facts;
        const struct record *record;
        uint64_t *few, *many;
        uint64_t *slots; /* when each began */
        uint64_t *ends;  /* when each was over */
        size_t n_ends;
        uint64_t last_slot_ns;
        uint64_t alone_sum_ns;
        size_t n_alone;
        uint64_t *truly_few; /* of few: those that had no more company while they waited */
        size_t n_truly_few;
};

/* So many out are many, where that was the most. */
uint64_t load_many_at_least(uint64_t most);

/* Do they come one by one, a few at a time, or in a row? Uses the memory of `few` and `many`. */
void load_judge_order(struct answers *answers);
/* Sets the paces: with all slots in use, and the best one with fewer. */
void load_watch_the_end(struct answers *answers);

#endif
