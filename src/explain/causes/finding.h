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
#include <explain/model/scatter.h>
#include <muster/explain.h>

#define FINDING_TEXT 400

struct finding {
        struct muster_finding shown; /* its strings point into the texts below */
        char title[FINDING_TEXT], remedy[FINDING_TEXT], option[FINDING_TEXT];
        char evidence[MUSTER_EVIDENCE_MAX][FINDING_TEXT];
        char file[FINDING_TEXT], function[FINDING_TEXT];
        /* What ranks a finding that has no prediction, and makes one matter that has no gain. */
        uint64_t explained_ns;   /* wall time that it took, as far as can be told */
        uint64_t n_failed_by_it; /* requests that failed because of it */
        bool is_needless;        /* it is about requests that need not have been made */
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

/* The line of a watched program that has to change, by the number of its site; 0: not known. */
void finding_site(struct finding *finding, const struct record *record, uint32_t site);

/*
 * The wall time that is expected with the remedy, and its range. UINT64_MAX (a replay that had no
 * memory): nothing is predicted.
 */
void finding_predict(struct finding *finding, uint64_t expected_ns, uint64_t low_ns,
        uint64_t high_ns);

/*
 * What every prediction passes through when its rule is done. A rule's range is of what is not
 * known of the remedy; it becomes at least as wide as runs of the same differ, so that no range is
 * without a width. A prediction that exceeds the wall time by less than a simulation is off by
 * becomes the wall time: nothing changes.
 */
void finding_settle(struct finding *finding, const struct scatter *scatter, uint64_t wall_ns);

/*
 * Makes the prediction one of a program's whole time: with that around its requests. What is before
 * them stays as it is but for how runs differ. Behind them it closes what it had opened, joins its
 * threads, or prints: with a remedy that may be nothing, or as much again.
 */
void finding_surround(struct finding *finding, const struct scatter *scatter,
        const struct facts *facts);

#endif
