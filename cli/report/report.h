/* SPDX-License-Identifier: MIT */
/*
 * What a run looked like: counted while it runs, told as a progress line and as a summary at the
 * end
 */
#ifndef CLI_REPORT_REPORT_H
#define CLI_REPORT_REPORT_H

#include "../text/layout.h"
#include "answers.h"
#include <base/error.h>
#include <base/hist.h>
#include <muster/muster.h>

#define REPORT_N_CODES (1 - MUSTER_E_LOWEST) /* of enum muster_code, by their negative */

struct report {
        uint64_t start_ns;
        uint64_t first_ns, last_ns; /* first request submitted, last result taken; 0: none */
        /*
         * Done are: those that succeeded (2xx or 3xx), those that failed (they have an error), and
         * refusals (a status of 400 and above).
         */
        uint64_t n_done, n_succeeded, n_failed;
        /* items whose results an earlier run left, those of them that failed, and those without one */
        bool is_resumed;
        uint64_t n_resumed, n_resumed_failed, n_missing;
        uint64_t n_cancelled;   /* neither done nor failed: somebody stopped the run */
        struct answers answers; /* of those done */
        uint64_t n_codes[REPORT_N_CODES];
        char *examples[REPORT_N_CODES]; /* the first error's text of each code, with its URL */
        uint64_t phase_ns[MUSTER_N_PHASES];
        uint64_t body_bytes, wire_bytes;
        /*
         * Slot to last byte of those without an error: without queue, back-off, processing and
         * delivery.
         */
        struct hist request_ns;
        struct hist queue_ns;
        bool has_plan;            /* there is a rate: */
        struct hist from_plan_ns; /* planned start to result, of the same */
};

void report_init(struct report *report);
void report_deinit(struct report *report);

/*
 * A request is over. `result` NULL: its input could not be read. `error` NULL: it did not fail,
 * whatever its status.
 */
void report_add(struct report *report, const struct muster_result *result,
        const struct muster_error *error);

/* Answered with a status that is no success, where that is not counted as a failure. */
static inline uint64_t report_n_refused(const struct report *report)
{
        return report->n_done - report->n_succeeded - report->n_failed;
}

/* What all requests took, slot to last byte, failed ones included. */
uint64_t report_request_ns(const struct report *report);

/* --- progress -------------------------------------------------------------------------------- */

#define PROGRESS_BYTES_MAX 256 /* with a NUL; so wide a terminal has room for all of it */

struct progress {
        uint64_t n_done, n_refused, n_failed, n_in_flight; /* refused: answered 4xx or 5xx */
        double elapsed_s;
        double hold_s; /* that a server asks to wait, while nothing else is done */
        double share;  /* of the input that is done; negative: not known */
};

/* As many pieces of the line as fit into so many columns. */
void progress_words(const struct progress *progress, unsigned columns,
        char text[PROGRESS_BYTES_MAX]);

/* Refresh the one line on standard error, which is a terminal. `share` as above. */
void progress_show(const struct report *report, const struct muster_client_stats *stats,
        double share);
void progress_clear(void);

/* --- summary --------------------------------------------------------------------------------- */

/* Its first part, what came of the requests; and its last, where the time went. */
void summary_print_outcome(const struct report *report, const struct page *page);
void summary_print_work(const struct report *report, const struct muster_client_stats *stats,
        const char *verdict, const struct page *page);

/* `verdict`: what it comes to; "": not known. */
void summary_print(const struct report *report, const struct muster_client_stats *stats,
        const char *verdict, const struct page *page);

#endif
