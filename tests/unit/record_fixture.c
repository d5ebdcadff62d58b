/* SPDX-License-Identifier: MIT */
#include "record_fixture.h"

#include "row_gaps.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- files ----------------------------------------------------------------------------------- */

static char directory[] = "/tmp/muster-record-XXXXXX";

const char *file_of(const char *name)
{
        static char path[128];

        snprintf(path, sizeof(path), "%s/%s", directory, name);
        return path;
}

const char *fresh_file(void)
{
        unlink(file_of("run.db-journal"));
        unlink(file_of("run.db"));
        return file_of("run.db");
}

int make_directory(void **state)
{
        (void)state;
        return mkdtemp(directory) ? 0 : -1;
}

int remove_directory(void **state)
{
        char command[128];

        (void)state;
        snprintf(command, sizeof(command), "rm -rf '%s'", directory);
        return system(command);
}

void write_file(const char *path, const void *bytes, size_t len)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, len), len);
        close(fd);
}

size_t read_whole(const char *path, char **ret_bytes)
{
        int fd = open(path, O_RDONLY);
        struct stat status;

        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &status), 0);
        *ret_bytes = malloc((size_t)status.st_size + 1);
        assert_int_equal(read(fd, *ret_bytes, (size_t)status.st_size), status.st_size);
        close(fd);
        return (size_t)status.st_size;
}

/* --- rows ------------------------------------------------------------------------------------ */

struct trace_attempt full_attempt(uint64_t number)
{
        uint64_t at = number * NS_PER_S;

        return (struct trace_attempt){
                .number = number,
                .request = number + 1,
                .slot_from = number + 2,
                .conn = number + 3,
                .stamps = { .start_ns = at,
                        .slot_ns = at + 10,
                        .dns_end_ns = at + 30,
                        .tcp_end_ns = at + 60,
                        .tunnel_end_ns = at + 80,
                        .tls_end_ns = at + 100,
                        .send_start_ns = at + 110,
                        .expect_start_ns = at + 120,
                        .expect_end_ns = at + 130,
                        .send_end_ns = at + 150,
                        .acked_ns = at + 170,
                        .first_byte_kernel_ns = at + 210,
                        .first_byte_read_ns = at + 280,
                        .last_byte_kernel_ns = at + 290,
                        .last_byte_read_ns = at + 295,
                        .end_ns = at + 360,
                        .decode_ns = 7,
                        .stage = MUSTER_PHASE_RECEIVE },
                .process_end_ns = at + 500,
                .worker_decode_ns = 11,
                .finished_ns = at + 501,
                .taken_ns = at + 650,
                .submitted_ns = at - 40,
                .planned_ns = at - 45,
                .conn_idle_ns = 12,
                .wire_bytes = 13,
                .body_bytes = 14,
                .sent_bytes = 15,
                .retry_after_ns = 16,
                .gap_ns = 21,
                .gap_bytes = 22,
                .origin = 1,
                .in_flight = 17,
                .host_in_flight = 18,
                .n_receives = 19,
                .n = 1,
                .status = 503,
                .code = MUSTER_E_STATUS,
                .engine = 2,
                .stream = 31,
                .n_sharing = 4,
                .sys = 20,
                .stage = MUSTER_PHASE_RECEIVE,
                .wait = TRACE_WAIT_HOST_RATE,
                .outcome = TRACE_FAILED,
                .http_version = 11,
                .method = TRACE_METHOD_HEAD,
                .withheld = TRACE_WITHHELD_UNSAFE,
                .is_last = true,
                .is_reused = true,
                .is_unheard = true,
                .is_safe = true,
                .is_plain = true,
                .is_encoded = true,
                .is_acked_at_once = true,
                .has_fields = true,

                .url = BYTES("http://h/p?q"),
        };
}

struct trace_attempt usual_attempt(uint64_t number)
{
        struct trace_attempt attempt = full_attempt(number);

        attempt.submitted_ns = attempt.stamps.start_ns;
        attempt.planned_ns = attempt.process_end_ns = 0;
        attempt.stamps.dns_end_ns = attempt.stamps.tcp_end_ns = 0;
        attempt.stamps.tunnel_end_ns = attempt.stamps.tls_end_ns = 0;
        attempt.stamps.expect_start_ns = attempt.stamps.expect_end_ns = 0;
        attempt.is_unheard = false;
        attempt.stamps.acked_ns = attempt.stamps.decode_ns = attempt.worker_decode_ns = 0;
        attempt.stamps.last_byte_kernel_ns = attempt.stamps.first_byte_kernel_ns;
        attempt.stamps.last_byte_read_ns = attempt.stamps.first_byte_read_ns;
        attempt.finished_ns = attempt.stamps.end_ns;
        attempt.retry_after_ns = 0;
        attempt.gap_ns = attempt.gap_bytes = 0;
        attempt.is_acked_at_once = false;
        attempt.body_bytes = attempt.wire_bytes;
        attempt.host_in_flight = attempt.in_flight;
        attempt.sys = 0;
        attempt.stream = attempt.n_sharing = 0;
        attempt.engine = 1;
        return attempt;
}

struct trace_conn full_conn(uint64_t id)
{
        uint64_t at = id * NS_PER_S;

        return (struct trace_conn){ .id = id,
                .origin = 1,
                .opened_ns = at,
                .dns_end_ns = at + 1,
                .tcp_end_ns = at + 3,
                .tunnel_end_ns = at + 4,
                .tls_end_ns = at + 6,
                .closed_ns = at + 10,
                .n_attempts = 2,
                .n_addresses = 3,
                .family = 6,
                .closer = TRACE_CLOSED_BY_AGE,
                .proxy = 2,
                .is_tls = true,
                .is_resumed = true,
                .had_ticket = true,
                .tls_work_ns = 4,
                .rtt_us = 5,
                .min_rtt_us = 6,
                .n_retransmits = 7,
                .cwnd = 8,
                .delivery_rate = 9,
                .rwnd_limited_us = 10,
                .sndbuf_limited_us = 11,
                .busy_us = 12,
                .bytes_received = 13,
                .engine = 2,
                .n_out_of_order = 14,
                .max_rtt_us = 15,
                .remote = BYTES("[::1]:443") };
}

struct trace_try full_try(void)
{
        return (struct trace_try){ .conn = 3,
                .start_ns = 4,
                .end_ns = 7,
                .n = 2,
                .sys = 111,
                .fate = TRACE_TRY_REFUSED,
                .address = BYTES("192.0.2.1:80") };
}

struct trace_lookup full_lookup(void)
{
        return (struct trace_lookup){ .start_ns = 5,
                .end_ns = 9,
                .code = MUSTER_E_RESOLVE,
                .n_addresses = 3,
                .name = BYTES("h.test") };
}

struct trace_turn full_turn(void)
{
        return (struct trace_turn){ .start_ns = 7,
                .end_ns = 22,
                .work_ns = { 1, 2, 3, 4, 5 },
                .thread_cpu_ns = 6,
                .culprit = 8,
                .engine = 3,
                .run_delay_ns = 9,
                .n_forced = 10,
                .n_major_faults = 11,
                .late_ns = 12 };
}

struct trace_sample full_sample(uint64_t at_ns)
{
        return (struct trace_sample){ .at_ns = at_ns,
                .n_in_flight = 1,
                .n_queued = 2,
                .n_processing = 3,
                .n_held = 4,
                .is_full = true,
                .n_submitted = 5,
                .n_attempts = 6,
                .n_conns_opened = 7,
                .n_lookups = 8,
                .n_turns = 9,
                .wait_ns = 10,
                .work_ns = { 11, 12, 13, 14, 15 },
                .thread_cpu_ns = 16,
                .process_cpu_ns = 17,
                .engine = 4,
                .n_open_conns = 18,
                .run_delay_ns = 19,
                .n_forced = 20 };
}

struct trace_origin full_origin(void)
{
        return (struct trace_origin){ .number = 1, .key = BYTES("http://h:80") };
}

union any_row full_row(enum row_kind kind)
{
        union any_row row;

        memset(&row, 0, sizeof(row));
        switch (kind) {
        case ROW_ORIGIN:
                row.origin = full_origin();
                break;
        case ROW_ATTEMPT:
                row.attempt = full_attempt(3);
                break;
        case ROW_CONN:
                row.conn = full_conn(3);
                break;
        case ROW_TRY:
                row.try = full_try();
                break;
        case ROW_LOOKUP:
                row.lookup = full_lookup();
                break;
        case ROW_TURN:
                row.turn = full_turn();
                break;
        case ROW_SAMPLE:
                row.sample = full_sample(3);
                break;
        case ROW_N_KINDS:
                break;
        }
        return row;
}

void assert_rows_equal(enum row_kind kind, const void *a, const void *b)
{
        union any_row one, other;

        memcpy(&one, a, row_types[kind]->size);
        memcpy(&other, b, row_types[kind]->size);
        if (row_text(kind, &one))
                *row_text(kind, &one) = *row_text(kind, &other) = (struct muster_str){ 0 };
        if (kind == ROW_ATTEMPT) {
                one.attempt.path = other.attempt.path = 0;
                one.attempt.url_digest = other.attempt.url_digest = 0;
        }
        row_clear_gaps(kind, &one);
        row_clear_gaps(kind, &other);
        assert_memory_equal(&one, &other, row_types[kind]->size);
}

/* --- a recorder without a client ------------------------------------------------------------- */

int fixture_try_start(struct record_fixture *f, const char *file, bool overwrite, uint64_t keep)
{
        const struct settings settings = { .concurrency = 4,
                .rate_per_s = 2.5,
                .read_timeout_ns = 30 * NS_PER_S,
                .total_timeout_ns = UINT64_MAX,
                .no_redirects = true };
        const struct muster_record_options options = {
                .file = file, .overwrite = overwrite, .keep = keep, .command = "[\"muster\"]"
        };

        *f = (struct record_fixture){ .clock = { .is_manual = true, .manual_ns = T0 + 1 } };
        return recorder_new(&f->tracer, &options, &settings, &f->clock, &f->error);
}

void fixture_start(struct record_fixture *f, const char *file, uint64_t keep)
{
        if (fixture_try_start(f, file, false, keep) < 0)
                fail_msg("%s", f->error.text);
}

int fixture_end(struct record_fixture *f)
{
        f->clock.manual_ns = T0 + 100 * NS_PER_S;
        f->tracer->ops->end(f->tracer);
        return recorder_outcome(f->tracer, &f->error);
}

void fixture_stop(struct record_fixture *f)
{
        f->tracer->ops->free(f->tracer);
}

/* A moment of the run as the clock has it. */
static void to_clock(enum row_kind kind, void *row)
{
        for (size_t i = 0; i < row_types[kind]->n_moments; i++) {
                uint64_t *moment = (void *)((char *)row + row_types[kind]->moments[i]);

                if (*moment)
                        *moment += T0;
        }
}

void fixture_tell(struct record_fixture *f, enum row_kind kind, union any_row row)
{
        const struct tracer_ops *ops = f->tracer->ops;

        to_clock(kind, &row);
        switch (kind) {
        case ROW_ORIGIN:
                ops->origin(f->tracer, &row.origin);
                return;
        case ROW_ATTEMPT:
                ops->attempt(f->tracer, &row.attempt);
                return;
        case ROW_CONN:
                ops->conn(f->tracer, &row.conn);
                return;
        case ROW_TRY:
                ops->try(f->tracer, &row.try);
                return;
        case ROW_LOOKUP:
                ops->lookup(f->tracer, &row.lookup);
                return;
        case ROW_TURN:
                ops->turn(f->tracer, &row.turn);
                return;
        case ROW_SAMPLE:
                ops->sample(f->tracer, &row.sample);
                return;
        case ROW_N_KINDS:
                return;
        }
}

void fixture_tell_attempt(struct record_fixture *f, struct trace_attempt attempt)
{
        fixture_tell(f, ROW_ATTEMPT, (union any_row){ .attempt = attempt });
}

void fixture_tell_all(struct record_fixture *f, unsigned n, unsigned n_paths)
{
        char url[64];

        for (int kind = 0; kind < ROW_N_KINDS; kind++)
                if (kind != ROW_ATTEMPT)
                        fixture_tell(f, (enum row_kind)kind, full_row((enum row_kind)kind));
        for (unsigned i = 1; i <= n; i++) {
                struct trace_attempt attempt = full_attempt(i);

                snprintf(url, sizeof(url), "http://h/%u?%u", i % n_paths, i);
                attempt.request = i;
                attempt.url = str_of(url);
                fixture_tell_attempt(f, attempt);
        }
}

void read_ok(struct record *record, const char *path)
{
        struct muster_error error = { 0 };

        if (record_read(record, path, &error) < 0)
                fail_msg("%s", error.text);
}

void make_record(unsigned n)
{
        struct record_fixture f;

        fixture_start(&f, fresh_file(), 0);
        fixture_tell_all(&f, n, 7);
        assert_int_equal(fixture_end(&f), 0);
        fixture_stop(&f);
}

void execute(const char *path, const char *sql)
{
        sqlite3 *db;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
                fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        sqlite3_close(db);
}

double query(const char *path, const char *sql)
{
        sqlite3 *db;
        sqlite3_stmt *statement;
        double value;

        assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
                fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        value = sqlite3_column_double(statement, 0);
        sqlite3_finalize(statement);
        sqlite3_close(db);
        return value;
}

void expect_refusal(const char *path, const char *words)
{
        struct record record;
        struct muster_error error = { 0 };

        memset(&record, 0xff, sizeof(record));
        assert_int_equal(record_read(&record, path, &error), MUSTER_E_INPUT);
        assert_int_equal(error.code, MUSTER_E_INPUT);
        if (!strstr(error.text, words) || !strstr(error.text, path))
                fail_msg("\"%s\" lacks \"%s\"", error.text, words);
        assert_null(record.attempts);
        record_deinit(&record);
}
