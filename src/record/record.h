/* SPDX-License-Identifier: MIT */
/*
 * A run's record in memory
 *
 * What the tracer was told (core/trace.h), as arrays, and what the run was like. It comes from a
 * file (record_read()) or from what a client kept (record_of_client()); explain works on it and
 * changes nothing.
 *
 * All moments are ns since `run.start_ns`, which is chosen so that no moment is 0: a 0 still means
 * that it did not happen. Attempts are in the order of their numbers. Numbers of attempts may be
 * missing where rows were dropped or a ring kept only the newest: see record_attempt().
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "totals.h"
#include <core/trace.h>

#define RECORD_PATHS_MAX 1000

struct arena;
struct muster_client;

/* What the client was told to do; 0 where it was not. */
struct record_options {
        uint64_t concurrency, per_host, queue_size;
        double rate_per_s, rate_per_host_per_s;
        uint64_t queue_timeout_ns, connect_timeout_ns, read_timeout_ns, total_timeout_ns,
                deadline_ns;
        uint64_t idle_timeout_ns;
        uint64_t max_retries, retry_delay_ns;
        uint64_t workers, decode_threshold_bytes;
        bool no_redirects, no_decoding, discard_body, http_1_0, no_reuse;
};

struct record_run {
        char *version; /* of muster */
        char *command; /* a JSON array of its words; NULL: a program that uses the library */
        uint64_t wall_clock_ns; /* CLOCK_REALTIME at the start */
        uint64_t start_ns;      /* monotonic */
        uint64_t end_ns;        /* since then; of the last row when the run was cut off */
        bool is_complete;       /* it ended in an orderly way */
        bool is_going_on;       /* it did not, as somebody still writes the file */
        /* attempts that the writer could not keep up with, or that a ring let go */
        uint64_t n_dropped;
        uint64_t n_holes; /* of these, such that came between others that are there */
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
        /* of all requests, where the rows are only the newest; zeroed: they are all there are */
        struct totals totals;
        struct trace_attempt *attempts; /* `url` is not kept: see `paths` */
        size_t n_attempts;
        struct trace_conn *conns; /* by id; `remote` is set */
        size_t n_conns;
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
         * Origin and path of URLs, without query; trace_attempt.path is an index, from 1. The first
         * RECORD_PATHS_MAX that differ, 0 for others.
         */
        struct muster_str *paths;
        size_t n_paths;
        struct arena *text; /* what the strs above point into */
};

/*
 * Read a file. MUSTER_E_INPUT when it is no record that this version can read, MUSTER_E_RESOURCE;
 * *error says which, and what to do; *record is zeroed then.
 */
int record_read(struct record *record, const char *path, struct muster_error *error);

/*
 * A copy of what a client kept in memory so far. MUSTER_E_INPUT when it does not record,
 * MUSTER_E_INVALID in a function that the client called, MUSTER_E_RESOURCE; *record is zeroed then.
 */
int record_of_client(struct record *record, const struct muster_client *client);

/* Everything in it. Zeroed is allowed; zeroed afterwards. */
void record_deinit(struct record *record);

/* The attempt of this number, by binary search; NULL: not there, or number 0. */
const struct trace_attempt *record_attempt(const struct record *record, uint64_t number);
const struct trace_conn *record_conn(const struct record *record, uint64_t id);

/* The counter's growth; -1: not known. */
int64_t record_counter_growth(const struct record *record, const char *name);
/* Its value after the run; -1: not known. */
int64_t record_counter_after(const struct record *record, const char *name);

/*
 * For whoever fills one, when all rows are there: puts them in order, keeps only the last word
 * about each attempt, and lets go of origins that have a gap before them, with the numbers that
 * name them. Of several origins with the same key only the first is named.
 */
void record_settle(struct record *record);

#endif
