/* SPDX-License-Identifier: MIT */
/*
 * A finding in the making
 *
 * A cause's rule fills it: evidence, remedy, prediction. Texts are its own, so it must not be
 * copied or moved.
 *
 * The title of the first finding begins the verdict: a clause that also stands alone, without a
 * full stop ("4 requests at a time were too few"); a full stop at its end is cut off there.
 */
#ifndef EXPLAIN_FINDING_H
#define EXPLAIN_FINDING_H

#include <base/words.h>
#include <explain/facts/facts.h>
#include <muster/explain.h>

#define FINDING_TEXT 400

struct finding {
        struct muster_finding shown; /* its strings point into the texts below */
        char title[FINDING_TEXT], remedy[FINDING_TEXT], option[FINDING_TEXT];
        char evidence[MUSTER_EVIDENCE_MAX][FINDING_TEXT];
        /* What ranks a finding that has no prediction, and makes one matter that has no gain. */
        uint64_t explained_ns;   /* wall time that it took, as far as can be told */
        uint64_t n_failed_by_it; /* requests that failed because of it */
};

/* All are like printf. A text that is too long is cut, and an evidence too many is dropped. */
__attribute__((format(printf, 2, 3))) void finding_title(struct finding *finding,
        const char *format, ...);
__attribute__((format(printf, 2, 3))) void finding_evidence(struct finding *finding,
        const char *format, ...);
__attribute__((format(printf, 2, 3))) void finding_remedy(struct finding *finding,
        const char *format, ...);
/* Options of muster fetch that carry it out: "--concurrency 64". */
__attribute__((format(printf, 2, 3))) void finding_option(struct finding *finding,
        const char *format, ...);

/*
 * The wall time that is expected with the remedy, and its range. UINT64_MAX (a replay that had no
 * memory): nothing is predicted.
 */
void finding_predict(struct finding *finding, uint64_t expected_ns, uint64_t low_ns,
        uint64_t high_ns);

/*
 * A prediction that exceeds the wall time by less than a simulation is off by becomes the wall
 * time: nothing changes.
 */
void finding_smooth(struct finding *finding, uint64_t wall_ns);

#endif
