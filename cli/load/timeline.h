/* SPDX-License-Identifier: MIT */
/*
 * A time line of constant size: what was planned for each span of time, and how it went
 *
 * The spans are equally long. When a request is behind the last one, pairs of spans become one, and
 * the rest is free again; so an hour takes no more memory than a second.
 */
#ifndef CLI_LOAD_TIMELINE_H
#define CLI_LOAD_TIMELINE_H

#include <base/hist.h>
#include <stdbool.h>

#define TIMELINE_SPANS_MAX 128

struct span {
        uint64_t n;              /* requests */
        uint64_t n_failed;       /* of these have an error */
        uint64_t n_refused;      /* or were answered 4xx or 5xx */
        uint64_t open_ns;        /* from their planned start to their end, added up */
        uint64_t service_max_ns; /* the longest from its start to its end */
        struct hist latency;     /* from the plan, of those without an error */
};

struct timeline {
        uint64_t begin_ns, width_ns;
        unsigned n; /* spans up to the last one that has a request */
        struct span *spans;
};

/* What is known of one request. */
struct timed {
        uint64_t planned_ns, start_ns, end_ns;
        bool has_failed, is_refused;
};

/* `expected_ns`: how long it will be, 0: not known. MUSTER_E_RESOURCE. */
int timeline_init(struct timeline *timeline, uint64_t begin_ns, uint64_t expected_ns);
void timeline_deinit(struct timeline *timeline);

void timeline_add(struct timeline *timeline, const struct timed *timed);

/* Add a request to one span; and all of `other`. */
void span_add(struct span *span, const struct timed *timed);
void span_merge(struct span *span, const struct span *other);

/*
 * The slots with which nobody would have waited for one, at the worst time: by Little's law starts a
 * second times latency. From the plan that counts the backlog of slots that were too few for long,
 * too; but so many are not needed as if each request took what the longest one took in its slot.
 * Spans with few requests say nothing.
 */
double timeline_slots_needed(const struct timeline *timeline);

#endif
