/* SPDX-License-Identifier: MIT */
/*
 * How requests came in
 *
 * When a request was submitted can have depended on earlier results or not, and what a run waited
 * for depends on that:
 *   - the client was full, so that a result had to be taken first;
 *   - the program goes on when it has a result: one request at a time, or a batch when the one
 *     before is done. Known by this: most
 *     submissions that come after a result come right after it;
 *   - else it came when it came, as lines of input do.
 */
#ifndef EXPLAIN_INTAKE_H
#define EXPLAIN_INTAKE_H

#include "facts.h"
#include "sort.h"

enum intake_why {
        INTAKE_INPUT,  /* it was there from then on, whatever else went on */
        INTAKE_ROOM,   /* there was no room before */
        INTAKE_RESULT, /* the program did something else before: a result came, it went on */
};

struct intake {
        /* moments at which results were taken; value: index of the attempt */
        struct sort_pair *takes;
        size_t n_takes;
        uint8_t *why; /* enum intake_why, by index of a request's first attempt */
        bool follows; /* the program goes on when it has results */
};

/* For facts_measure(), which needs start_ns, wall_ns and by_request for it. MUSTER_E_RESOURCE. */
int intake_init(struct intake **ret_intake, const struct facts *facts);
struct intake *intake_free(struct intake *intake); /* NULL is allowed; returns NULL */

/* Why this attempt's request was not submitted before; of its first attempt. */
enum intake_why intake_why(const struct facts *facts, const struct trace_attempt *first);

/* Whose result was taken last at that moment or before; NULL: none. */
const struct trace_attempt *intake_taken_before(const struct facts *facts, uint64_t moment_ns);

#endif
