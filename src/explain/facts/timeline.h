/* SPDX-License-Identifier: MIT */
/*
 * The time line of a host: when it answered, and how long it took, from its first answer to its last
 *
 * Medians over a whole run hide what is not steady. Two things show in their order:
 *
 *      pauses   nothing came for a while, although several requests were under way; all of them
 *               stood still together and went on together
 *
 *          1 ━━━━╸     ╺━━━━          One that is slow by itself leaves the others alone. Where
 *          2 ━━╸       ╺━━━━━━        several are slow by themselves they are so at any time, so
 *          3 ━━━━━━╸ ╌╌╌╌╺━━          that by chance some answer falls into any such gap; how
 *            ────────▶ pause ◀────    unlikely it is that none does is what is asked.
 *
 *      a cold start   the first answers took far longer than the others, with as many under way:
 *               one change, from slow to steady
 *
 * An answer's time is from the last byte of the request to the first of the response: opening
 * connections is no part of it.
 */
#ifndef EXPLAIN_TIMELINE_H
#define EXPLAIN_TIMELINE_H

#include "facts.h"

#define TIMELINE_HOSTS_MAX  16 /* those with most attempts */
#define TIMELINE_PAUSES_MAX 64 /* the longest: more say nothing more */

struct timeline_pause {
        uint64_t begin_ns, end_ns;
        size_t n_waiting; /* requests that were under way from about its begin to its end */
};

struct timeline_cold {
        size_t n, n_rest;             /* answers; 0: it was not cold */
        uint64_t p50_ns, rest_p50_ns; /* middle answers */
        uint64_t until_ns;            /* when the last of the cold ones came */
        uint64_t last_slot_ns;        /* of the cold ones: none that began later was cold */
        uint64_t cost_ns;   /* from the first one asked for to then, less what one takes */
        size_t n_new_later; /* of the rest, on connections that were opened for them */
};

/* One host's. */
struct timeline {
        uint32_t origin;
        size_t n;        /* answers */
        uint64_t p50_ns; /* the middle one */
        /* In the order of time. */
        struct timeline_pause pauses[TIMELINE_PAUSES_MAX];
        size_t n_pauses, n_waited; /* pauses; requests that they held up, together */
        uint64_t paused_ns;        /* pauses together */
        uint64_t every_ns;         /* from begin to begin, where that is even; 0: it is not */
        struct timeline_cold cold;
};

struct timelines {
        size_t n;
        struct timeline *hosts; /* in the order of facts->hosts */
};

/* For facts_measure(), which needs hosts and turns for it. MUSTER_E_RESOURCE. */
int timelines_new(struct timelines **ret_timelines, const struct facts *facts);
struct timelines *timelines_free(struct timelines *timelines); /* NULL is allowed; returns NULL */

/*
 * Of the wall time, what pauses and the cold start of one host took, at the host where it is most:
 * then other answers say little of how it takes more.
 */
uint64_t timelines_unsteady_ns(const struct facts *facts);

/* ... and so much that nothing is to be said of the others before that. */
bool timelines_are_unsteady(const struct facts *facts);

/* Of an attempt's host; NULL: it has none. */
const struct timeline *timeline_of(const struct facts *facts, const struct trace_attempt *attempt);

/* For how much of its wait its host stood still. */
uint64_t timeline_paused_ns(const struct facts *facts, const struct trace_attempt *attempt);

/* Was it one of the cold ones? */
bool timeline_is_cold(const struct facts *facts, const struct trace_attempt *attempt);

#endif
