/* SPDX-License-Identifier: MIT */
/*
 * What a run has to keep to: --assert 'queue.p95<5ms'
 *
 * A figure, one of < <= > >=, and a value with the unit of that kind of figure: a duration, a rate,
 * a share, or a plain number. Read strictly and before anything is run; looked at when the run is
 * explained.
 */
#ifndef CLI_EXPLAIN_ASSERTION_H
#define CLI_EXPLAIN_ASSERTION_H

#include <base/words.h>
#include <muster/explain.h>
#include <stdio.h>

enum assertion_kind { ASSERTION_DURATION, ASSERTION_RATE, ASSERTION_SHARE, ASSERTION_NUMBER };

struct assertion {
        const char *text; /* as it was written; borrowed */
        char figure[40];  /* as muster_explanation_figure() takes it */
        enum assertion_kind kind;
        bool is_at_most, is_strict; /* < is both, >= is neither */
        double limit;               /* ns, a second, 0 to 1, or a number */
        /* Once it was looked at: */
        double actual;
        bool holds;
};

/* `text` is borrowed. MUSTER_E_INVALID with *error saying what there is. */
int assertion_parse(struct assertion *assertion, const char *text, struct muster_error *error);

/* Look: fills `actual` and `holds`. MUSTER_E_INVALID when the explanation has no such figure. */
int assertion_check(struct assertion *assertion, const struct muster_explanation *explanation);

/* "12.3 ms", "79.7/s", "0.5 %" of the kind of figure. */
struct words assertion_value(enum assertion_kind kind, double value);

/* --- several --------------------------------------------------------------------------------- */

struct assertions {
        struct assertion *list;
        size_t n;
};

/* As assertion_parse(), and MUSTER_E_RESOURCE. */
int assertions_add(struct assertions *assertions, const char *text, struct muster_error *error);
void assertions_deinit(struct assertions *assertions);

/* Look at all of them. False: not all hold. */
bool assertions_check(struct assertions *assertions, const struct muster_explanation *explanation);

/* Tell each with its actual value, a line each. */
void assertions_tell(const struct assertions *assertions, FILE *to);

#endif
