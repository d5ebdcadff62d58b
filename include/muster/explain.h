/* SPDX-License-Identifier: MIT */
/*
 * Explain: why a batch took as long as it did, what to change, and what that would gain
 *
 *      struct muster_explanation *explanation;
 *      muster_explain_file(&explanation, "run.db", NULL);
 *      puts(muster_explanation_verdict(explanation));
 *      muster_explanation_free(explanation);
 *
 * Everything that these functions return belongs to the explanation.
 */
#ifndef MUSTER_EXPLAIN_H
#define MUSTER_EXPLAIN_H

#include <muster/record.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster_explanation;

/*
 * Read a record and explain it. MUSTER_E_INPUT if it is not a record or is empty,
 * MUSTER_E_RESOURCE; *error has the reason.
 */
MUSTER_PUBLIC int muster_explain_file(struct muster_explanation **ret_explanation, const char *path,
        struct muster_error *error);

/*
 * Explain what a client has recorded in memory, usually after its last result was taken. Errors as
 * above.
 */
MUSTER_PUBLIC int muster_explain_client(struct muster_explanation **ret_explanation,
        struct muster_client *client, struct muster_error *error);

/* NULL is allowed. Returns NULL. */
MUSTER_PUBLIC struct muster_explanation *muster_explanation_free(struct muster_explanation
                *explanation);

/* One sentence, with its full stop: what limited the run and what to do. */
MUSTER_PUBLIC const char *muster_explanation_verdict(const struct muster_explanation *explanation);

/* The run in numbers. */
struct muster_run {
        /*
         * Times, rates and counts are of all requests, even if the record has only the newest: see
         * n_kept.
         */
        /* first submit to last result; of programs that were watched, first start to last end */
        uint64_t wall_ns;
        uint64_t n_requests, n_failed, n_attempts, n_retries, n_redirects;
        uint64_t n_conns_opened; /* established: a refused one does not count */
        uint64_t wire_bytes;
        uint64_t concurrency;
        double mean_in_flight; /* slots in use, mean from first submit to last result */
        double requests_per_s; /* in that time */
        uint64_t latency_p50_ns, latency_p99_ns,
                latency_mean_ns; /* slot to last byte, of requests kept without an error; 0: none */
        uint64_t process_cpu_ns; /* of the whole process, over the run; 0: not known */
        uint64_t n_dropped;      /* attempts that the record does not have */
        bool is_complete;        /* the recording was ended, not cut off */
        const char *command;     /* a JSON array; NULL: not known */
        uint64_t n_cancelled;    /* of n_failed: cancelled by the caller */
        /* requests that may change something: not GET, HEAD or OPTIONS, or with a body */
        uint64_t n_unsafe;
        bool is_going_on; /* not complete because it is still being recorded */
        /* n_requests are these three and n_failed: */
        uint64_t n_succeeded;  /* without an error, and a status below 400 */
        uint64_t n_4xx, n_5xx; /* such a status without an error; n_5xx: 500 and above */
        /* requests that are in the record: accounts, bounds and findings are about these */
        uint64_t n_kept;
        uint64_t kept_wall_ns; /* their wall_ns */
        /* of wall_ns, the watched program before its first request and after its last response */
        uint64_t startup_ns, ending_ns;
};
MUSTER_PUBLIC void muster_explanation_run(const struct muster_explanation *explanation,
        struct muster_run *ret_run, size_t size);

/*
 * Where the wall time went, in two accounts that each add up to kept_wall_ns exactly. The chain
 * goes back from the last result and says what each moment waited for; of overlapping requests only
 * the one that the end depended on counts. The shares divide each moment among the requests under
 * way, by what each was doing.
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

/* Lower bounds of the wall time, one per resource, the largest first; NULL beyond the last. */
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
        MUSTER_GRADE_B, /* a time with only one known cause: 40 ms, 1 s, 5 s */
        MUSTER_GRADE_C, /* likely; only an experiment proves it */
};

#define MUSTER_EVIDENCE_MAX 6

/* One cause of slowness. */
struct muster_finding {
        const char *cause; /* "concurrency-too-low": stable */
        enum muster_grade grade;
        const char *title; /* what limited the run: one sentence */
        size_t n_evidence;
        const char *evidence[MUSTER_EVIDENCE_MAX]; /* one line each, with figures */
        const char *remedy;                        /* what to do: one sentence */
        /*
         * the remedy as options of muster fetch: "--concurrency 64", or "without --http1.0" for an
         * option to remove; NULL: the remedy is not an option
         */
        const char *option;
        /* this machine or program was the limit: the run says little about the server */
        bool is_client;
        bool has_prediction;
        uint64_t wall_ns;                   /* expected wall time with the remedy */
        uint64_t wall_low_ns, wall_high_ns; /* between these */
        bool is_best_case; /* wall_ns is the best case: wall_high_ns is much more */
        /*
         * where a watched program has to change: a path, a line from 1, and a function; NULL and 0:
         * it is no line of it, or is not known
         */
        const char *file, *function;
        unsigned line;
};

/* The largest predicted gain first; NULL beyond the last, at most five. */
MUSTER_PUBLIC const struct muster_finding *
muster_explanation_finding(const struct muster_explanation *explanation, size_t index);

/*
 * What many requests failed by, where no finding is about it: how many, by what, at which host, and
 * what kept them from being retried. It is no cause of slowness: `cause` is "failures", and nothing
 * is predicted. NULL: fewer than a tenth failed, or a finding says it.
 */
MUSTER_PUBLIC const struct muster_finding *
muster_explanation_failures(const struct muster_explanation *explanation);

/*
 * A figure by name. Of the run: "wall", "rate", "error.rate", "requests", "failed", "retries",
 * "redirects", "connects", "concurrency.mean", "concurrency.max". Of durations: NAME.mean, .min,
 * .max or a quantile, .p50, .p95, .p99.9; NAME is "latency" (as in struct muster_run), a phase as
 * muster_phase_name() has it, one of the halves of "wait", "network" and "server", or "service",
 * the time for which an attempt holds its slot. Times are in ns, rates per second, shares 0 to 1.
 * Returns 0 with the figure in *ret_value: NAN if there was nothing to measure, such as the latency
 * when every request failed. MUSTER_E_INVALID: no such figure; MUSTER_E_RESOURCE.
 */
MUSTER_PUBLIC int muster_explanation_figure(const struct muster_explanation *explanation,
        const char *name, double *ret_value);

/*
 * What was seen of the programs of a record that `muster watch` made, all in all. Durations are
 * sums; 0 means none, or not known. They are about the whole of the watching, whatever a record
 * keeps.
 */
struct muster_watched {
        uint64_t n_processes, n_hosts;
        uint64_t n_lookups, lookups_ns;         /* names looked up */
        uint64_t n_handshakes, n_resumed;       /* of TLS; of these, those that resumed a session */
        uint64_t n_clients;                     /* sessions, clients, agents of a library */
        uint64_t n_queued, queued_ns;           /* requests that waited for their library's limit */
        uint64_t n_contexts, contexts_ns;       /* certificates loaded for TLS */
        uint64_t n_held, held_ns, held_most_ns; /* one callback held a loop */
        uint64_t lock_waited_ns;                /* threads waited for the interpreter's lock */
        uint64_t cpu_ns;                        /* of the processes that ended by themselves */
        uint64_t n_lost;                        /* rows of hooks that were too many */
};

/* MUSTER_E_INPUT: no program was watched. */
MUSTER_PUBLIC int muster_explanation_watched(const struct muster_explanation *explanation,
        struct muster_watched *ret_watched, size_t size);

/* What could not be seen of a process: bits. */
enum muster_unseen {
        MUSTER_UNSEEN_TLS = 1,      /* what it says under TLS */
        MUSTER_UNSEEN_URING = 2,    /* calls by io_uring */
        MUSTER_UNSEEN_STAMPS = 4,   /* when the kernel had an answer */
        MUSTER_UNSEEN_ALL = 8,      /* it is static, or set-uid */
        MUSTER_UNSEEN_HOOK = 16,    /* what its interpreter knows */
        MUSTER_UNSEEN_DROPPED = 32, /* its log was full, or torn */
        MUSTER_UNSEEN_REQUESTS = 64 /* what it asked and was answered: only its connections were */
};

/* One of them. Texts are "" where they are not known. */
struct muster_process {
        int32_t pid, ppid;
        uint64_t start_ns, end_ns; /* since the watching began */
        uint64_t cpu_ns;           /* 0: not known */
        unsigned n_threads;        /* that made requests or waited in a loop */
        unsigned unseen;           /* enum muster_unseen */
        uint64_t n_requests;
        const char *words;     /* its command, parted by blanks */
        const char *language;  /* "Python 3.11.7" */
        const char *libraries; /* "aiohttp 3.9.1, uvloop 0.19.0" */
        const char *loop;      /* "asyncio" */
};

/* In the order in which they began; NULL beyond the last. */
MUSTER_PUBLIC const struct muster_process *
muster_explanation_process(const struct muster_explanation *explanation, size_t index);

#ifdef __cplusplus
}
#endif

#endif
