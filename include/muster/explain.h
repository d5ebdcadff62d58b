/* SPDX-License-Identifier: MIT */
/*
 * Explain: why a batch took as long as it did, what to change, and what that would gain
 *
 *      struct muster_explanation *explanation;
 *      muster_explain_file(&explanation, "run.db", NULL);
 *      puts(muster_explanation_verdict(explanation));
 *      muster_explanation_free(explanation);
 *
 * All that these functions return is borrowed from the explanation.
 */
#ifndef MUSTER_EXPLAIN_H
#define MUSTER_EXPLAIN_H

#include <muster/record.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster_explanation;

/*
 * Read a record and explain it. MUSTER_E_INPUT when it is no record or nothing was recorded,
 * MUSTER_E_RESOURCE; *error says it.
 */
MUSTER_PUBLIC int muster_explain_file(struct muster_explanation **ret_explanation, const char *path,
        struct muster_error *error);

/*
 * Explain what a client recorded in memory so far, usually after its last result was taken. As
 * above.
 */
MUSTER_PUBLIC int muster_explain_client(struct muster_explanation **ret_explanation,
        struct muster_client *client, struct muster_error *error);

/* NULL is allowed. Returns NULL. */
MUSTER_PUBLIC struct muster_explanation *muster_explanation_free(struct muster_explanation
                *explanation);

/* One sentence that can be acted upon; with its full stop. */
MUSTER_PUBLIC const char *muster_explanation_verdict(const struct muster_explanation *explanation);

/* The run in numbers. */
struct muster_run {
        /*
         * Times, rates and counts are of all requests, also where the record has only the newest:
         * see n_kept.
         */
        uint64_t wall_ns; /* first submit to last result */
        uint64_t n_requests, n_failed, n_attempts, n_retries, n_redirects;
        uint64_t n_conns_opened; /* that came about: one that was refused is none */
        uint64_t wire_bytes;
        uint64_t concurrency;
        double mean_in_flight; /* slots in use, mean over the wall time */
        double requests_per_s;
        uint64_t latency_p50_ns, latency_p99_ns,
                latency_mean_ns; /* slot to last byte, of requests kept without an error; 0: none */
        uint64_t process_cpu_ns; /* of the whole process, over the run; 0: not known */
        uint64_t n_dropped;      /* attempts that the record does not have */
        bool is_complete;        /* the run ended in an orderly way */
        const char *command;     /* a JSON array; NULL: not told */
        uint64_t n_cancelled;    /* of those that failed: somebody stopped the run */
        /* requests that may change something: not GET, HEAD or OPTIONS, or with a body */
        uint64_t n_unsafe;
        bool is_going_on; /* it is not complete as it is still being recorded */
        /* n_requests are these three and n_failed: */
        uint64_t n_succeeded;  /* without an error, and a status below 400 */
        uint64_t n_4xx, n_5xx; /* without an error, and yet such an answer; n_5xx: 500 and above */
        /* requests that are in the record: accounts, bounds and findings are about these */
        uint64_t n_kept;
        uint64_t kept_wall_ns; /* their wall_ns */
};
MUSTER_PUBLIC void muster_explanation_run(const struct muster_explanation *explanation,
        struct muster_run *ret_run, size_t size);

/*
 * Where the wall time went. Two ways to tell, each adds up to kept_wall_ns exactly: the chain:
 * walking back from the last result, what each moment waited for (of overlapping requests only what
 * the end depended on); the shares: each moment is divided among the requests that were under way,
 * by what they were doing.
 */
enum muster_account { MUSTER_ACCOUNT_CHAIN, MUSTER_ACCOUNT_SHARES };

struct muster_part {
        const char *name;    /* "server", "queue": a constant */
        const char *meaning; /* half a sentence: a constant */
        uint64_t ns;
};
MUSTER_PUBLIC size_t muster_explanation_n_parts(const struct muster_explanation *explanation,
        enum muster_account account);
/* The largest first; NULL beyond the last. */
MUSTER_PUBLIC const struct muster_part *muster_explanation_part(const struct muster_explanation
                                                                        *explanation,
        enum muster_account account, size_t index);

/* What the run could not have been faster than, by one resource each: the largest first. */
struct muster_bound {
        const char *name;    /* "slots": a constant */
        const char *formula; /* "200 requests x 50 ms / 4 at a time" */
        uint64_t ns;
};
MUSTER_PUBLIC const struct muster_bound *muster_explanation_bound(const struct muster_explanation
                                                                          *explanation,
        size_t index);

enum muster_grade {
        MUSTER_GRADE_A, /* counted: no room for doubt */
        MUSTER_GRADE_B, /* a time that only one thing takes: 40 ms, 1 s, 5 s */
        MUSTER_GRADE_C, /* likely; only an experiment proves it */
};

#define MUSTER_EVIDENCE_MAX 6

/* One cause of slowness. */
struct muster_finding {
        const char *cause; /* "concurrency-too-low": stable */
        enum muster_grade grade;
        const char *title; /* what is the matter: one sentence */
        size_t n_evidence;
        const char *evidence[MUSTER_EVIDENCE_MAX]; /* one line each, with figures */
        const char *remedy;                        /* what to do: one sentence */
        /*
         * the remedy as options of muster fetch: "--concurrency 64", or "without --http1.0" for one
         * to leave away; NULL: it is none
         */
        const char *option;
        /* this machine or program was the limit: the run says little about the server */
        bool is_client;
        bool has_prediction;
        uint64_t wall_ns;                   /* expected wall time with the remedy */
        uint64_t wall_low_ns, wall_high_ns; /* between these */
        bool is_best_case; /* wall_high_ns is so much more than wall_ns that this is no promise */
};

/* The largest predicted gain first; NULL beyond the last, at most five. */
MUSTER_PUBLIC const struct muster_finding *
muster_explanation_finding(const struct muster_explanation *explanation, size_t index);

/*
 * A figure by name. Of the run: "wall", "rate", "error.rate", "requests", "failed", "retries",
 * "redirects", "connects", "concurrency.mean", "concurrency.max". Of durations: NAME.mean, .min,
 * .max or a quantile, .p50, .p95, .p99.9; NAME is "latency" (as in struct muster_run), a phase as
 * muster_phase_name() has it, one of the halves of "wait", "network" and "server", or "service",
 * the time for which an attempt holds its slot. Times in ns, rates a second, shares 0 to 1. 0: it
 * is in *ret_value, which is NAN where there was nothing to measure, as the latency where every
 * request failed. MUSTER_E_INVALID: no such figure; MUSTER_E_RESOURCE.
 */
MUSTER_PUBLIC int muster_explanation_figure(const struct muster_explanation *explanation,
        const char *name, double *ret_value);

#ifdef __cplusplus
}
#endif

#endif
