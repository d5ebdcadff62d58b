/* SPDX-License-Identifier: MIT */
/*
 * A run's record in memory
 *
 * The rows that the tracer received (core/trace.h), as arrays, and facts about the run. A record
 * comes from a file (record_read()) or from a client's memory (record_of_client()). Explain reads
 * it and changes nothing.
 *
 * All moments are ns since `run.start_ns`, which is chosen so that no moment is 0: 0 still means
 * "did not happen". Attempts are ordered by number. Numbers may be missing if rows were dropped, or
 * if a ring kept only the newest: see record_attempt().
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "program.h"
#include "totals.h"
#include <core/trace.h>

#define RECORD_PATHS_MAX 1000

struct arena;
struct muster_client;

/* The client's options; 0: not set. */
struct record_options {
        uint64_t concurrency, per_host, queue_size;
        double rate_per_s, rate_per_host_per_s;
        double rate_from_per_s; /* the ramp to rate_per_s begins with this */
        uint64_t rate_ramp_ns;  /* how long it takes */
        uint64_t queue_timeout_ns, connect_timeout_ns, read_timeout_ns, total_timeout_ns,
                deadline_ns;
        uint64_t idle_timeout_ns;
        uint64_t max_retries, retry_delay_ns;
        uint64_t workers, decode_threshold_bytes;
        bool no_redirects, no_decoding, discard_body, http_1_0, no_reuse;
        unsigned input;  /* enum muster_input: where the program has its requests from */
        unsigned output; /* enum muster_output: where the program writes its results to */
};

struct record_run {
        char *version; /* of muster */
        char *command; /* its words as a JSON array; NULL: a program that uses the library */
        uint64_t wall_clock_ns; /* CLOCK_REALTIME at the start */
        uint64_t start_ns;      /* monotonic */
        uint64_t end_ns;        /* since start_ns; the last row's moment if the run was cut off */
        bool is_complete;       /* the run ended normally */
        bool is_going_on;       /* somebody still writes the file */
        /* attempts that were too many for the writer, or that a ring dropped */
        uint64_t n_dropped;
        uint64_t n_holes; /* of these, those that came between attempts that are there */
        struct record_options options;
};

/*
 * A counter of this process or machine, before and after the run: names as in counters.h,
 * "tcp.syn_retransmits".
 */
struct record_counter {
        char name[40];
        int64_t before, after; /* -1: could not be read */
};

struct record {
        struct record_run run;
        /*
         * totals over all requests, if the rows are only the newest; zeroed: the rows are complete
         */
        struct totals totals;
        struct trace_attempt *attempts; /* without `url`: see `paths` */
        size_t n_attempts;
        struct trace_conn *conns; /* by id; `remote` is set */
        size_t n_conns;
        /*
         * by connection, then in their order; `address` is set. None in a record of version 1:
         * see has_tries
         */
        struct trace_try *tries;
        size_t n_tries;
        bool has_tries;               /* false: which addresses were tried is not known */
        struct trace_lookup *lookups; /* by start; `name` is set */
        size_t n_lookups;
        struct trace_turn *turns; /* by start */
        size_t n_turns;
        struct trace_sample *samples; /* by moment */
        size_t n_samples;
        struct trace_origin *origins; /* by number, from 1: origins[0] is number 1 */
        size_t n_origins;
        struct record_counter *counters;
        size_t n_counters;
        /*
         * Origins and paths of URLs, without query. trace_attempt.path is an index from 1; only the
         * first RECORD_PATHS_MAX different ones are kept, and 0 stands for others.
         */
        struct muster_str *paths;
        size_t n_paths;
        struct programs programs; /* that were watched; zeroed: our own client made the requests */
        struct arena *text;       /* holds the texts of all rows */
};

/*
 * Read a file. MUSTER_E_INPUT: it is no record that this version can read. MUSTER_E_RESOURCE.
 * *error says why and what to do; *record is zeroed then.
 */
int record_read(struct record *record, const char *path, struct muster_error *error);

/*
 * Copy what a client has kept in memory so far. MUSTER_E_INPUT: the client does not record.
 * MUSTER_E_INVALID: called from a function that the client called. MUSTER_E_RESOURCE. *record is
 * zeroed then.
 */
int record_of_client(struct record *record, const struct muster_client *client);

/* Release everything in a record. Zeroed is allowed; zeroed afterwards. */
void record_deinit(struct record *record);

/* The attempt with this number, by binary search; NULL if there is none, as for number 0. */
const struct trace_attempt *record_attempt(const struct record *record, uint64_t number);
const struct trace_conn *record_conn(const struct record *record, uint64_t id);

/* A counter's growth; -1: not known. */
int64_t record_counter_growth(const struct record *record, const char *name);
/* A counter's value after the run; -1: not known. */
int64_t record_counter_after(const struct record *record, const char *name);

/*
 * Complete a record that has all its rows. Puts them in order, keeps only the last row of each
 * attempt, and drops origins behind a gap, with the numbers that refer to them. Of several origins
 * with one key only the first is referred to.
 */
void record_settle(struct record *record);

#endif
