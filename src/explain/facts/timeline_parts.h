/* SPDX-License-Identifier: MIT */
/*
 * The answers of one host, as the parts of its time line are found from them; for timeline*.c only
 */
#ifndef EXPLAIN_TIMELINE_PARTS_H
#define EXPLAIN_TIMELINE_PARTS_H

#include "sort.h"
#include "timeline.h"

struct answers {
        const struct facts *facts;
        const struct record *record;
        uint32_t origin;
        size_t n;
        struct sort_pair *order; /* when each was asked for, and its attempt's index */
        uint64_t *waits;         /* in that order, how long each took */
        uint64_t *sorted;        /* the same, ascending */
        uint64_t *moments;       /* at which something came, ascending */
        size_t n_moments;
        uint32_t *n_quick; /* by path: answers that took no longer than three of four */
};

static inline const struct trace_attempt *answers_at(const struct answers *answers, size_t i)
{
        return &answers->record->attempts[answers->order[i].value];
}

void timeline_find_pauses(struct timeline *timeline, const struct answers *answers);

/* MUSTER_E_RESOURCE. */
int timeline_find_cold(struct timeline *timeline, const struct answers *answers);

#endif
