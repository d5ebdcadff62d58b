/* SPDX-License-Identifier: MIT */
/*
 * What tests of the record need: a folder for files, rows in which every member has a value of its
 * own, and a recorder that is told rows without a client, on a manual clock
 */
#ifndef TESTS_UNIT_RECORD_FIXTURE_H
#define TESTS_UNIT_RECORD_FIXTURE_H

#include "unit.h"

#include <base/rand.h>
#include <record/record.h>
#include <record/recorder.h>
#include <record/row.h>

/* From 0 to n - 1. */
static inline uint64_t below(struct rand *rand, uint64_t n)
{
        return rand_up_to(rand, n - 1);
}

#define T0 (1000 * NS_PER_S) /* of the clock; rows say moments since then */

/* --- files ----------------------------------------------------------------------------------- */

/* Of a group of tests. */
int make_directory(void **state);
int remove_directory(void **state);

/* A path in that directory, in a static buffer. */
const char *file_of(const char *name);
/* "run.db" in it, which is not there. */
const char *fresh_file(void);

void write_file(const char *path, const void *bytes, size_t len);
/* Returns how many bytes there are; to be freed by free(). */
size_t read_whole(const char *path, char **ret_bytes);

/* Of a database: carry out statements; the first column of the first row. */
void execute(const char *path, const char *sql);
double query(const char *path, const char *sql);

/* --- rows ------------------------------------------------------------------------------------ */

/* A row of any kind. */
union any_row {
        struct trace_origin origin;
        struct trace_attempt attempt;
        struct trace_conn conn;
        struct trace_try try;
        struct trace_lookup lookup;
        struct trace_turn turn;
        struct trace_sample sample;
};

/*
 * Every member has a value of its own, and moments come one after the other, from `number` seconds
 * on.
 */
union any_row full_row(enum row_kind kind);
struct trace_attempt full_attempt(uint64_t number);
struct trace_conn full_conn(uint64_t id);
struct trace_try full_try(void);
struct trace_lookup full_lookup(void);
struct trace_turn full_turn(void);
struct trace_sample full_sample(uint64_t at_ns);
struct trace_origin full_origin(void);

/* As most attempts are: one of many on a kept connection, answered in one piece. */
struct trace_attempt usual_attempt(uint64_t number);

/* But for their texts, which are told apart by where they are. */
void assert_rows_equal(enum row_kind kind, const void *a, const void *b);

/* --- a recorder without a client ------------------------------------------------------------- */

struct record_fixture {
        struct clock clock;
        struct tracer *tracer;
        struct muster_error error;
};

/* `file` may be NULL; as recorder_new(). */
int fixture_try_start(struct record_fixture *f, const char *file, bool overwrite, uint64_t keep);
void fixture_start(struct record_fixture *f, const char *file, uint64_t keep);

/* Rows, with moments of the run. */
void fixture_tell(struct record_fixture *f, enum row_kind kind, union any_row row);
void fixture_tell_attempt(struct record_fixture *f, struct trace_attempt attempt);
/* One row of each kind, and `n` attempts with URLs of `n_paths` paths. */
void fixture_tell_all(struct record_fixture *f, unsigned n, unsigned n_paths);

/* The run ends after 100 s. Returns the outcome, its words in f->error. */
int fixture_end(struct record_fixture *f);
void fixture_stop(struct record_fixture *f);

/* All of that, in fresh_file(). */
void make_record(unsigned n);
void read_ok(struct record *record, const char *path);

/* It is refused, for a reason with these words. */
void expect_refusal(const char *path, const char *words);

#endif
