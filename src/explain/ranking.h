/* SPDX-License-Identifier: MIT */
/*
 * From all that may be the matter to a handful
 *
 * Every cause is asked. A finding is not worth a line if it gains less than LINE_SHARE of the wall
 * time, or less than anybody notices; unless it took as much of the time and no
 * remedy is known to gain it, or requests failed by it. What many requests failed by comes first;
 * where nearly all failed it is told alone, as other rules presume answers. Then comes a limit of
 * this machine or program that matters, as the run says little about the server then; and then the
 * largest gain; of two that are about as large, what is surer. Of a record with holes no cause is asked: rules would take the holes for times in
 * which nothing was done.
 */
#ifndef EXPLAIN_RANKING_H
#define EXPLAIN_RANKING_H

#include <explain/causes/finding.h>

#define RANKING_MOST 5

struct ranking {
        struct finding **findings; /* the first one is what the verdict is about */
        size_t n;
        /* What many requests failed by, where no finding says it; NULL: few did. */
        struct finding *failures;
};

/*
 * MUSTER_E_RESOURCE; ranking_deinit() in any case. Zeroed is allowed there, and zeroed afterwards.
 */
int ranking_make(struct ranking *ranking, const struct facts *facts);
void ranking_deinit(struct ranking *ranking);

/*
 * Nanoseconds of the wall time that a finding is about: what its remedy gains, or what it took, or
 * the failed requests' part.
 */
uint64_t ranking_worth_ns(const struct finding *finding, const struct facts *facts);

/* Is `one` told before `other`? */
bool ranking_is_before(const struct finding *one, const struct finding *other,
        const struct facts *facts);

/* Did so many requests fail by it that this comes before what would make the others faster? */
bool ranking_fails_run(const struct finding *finding, const struct facts *facts);

#endif
