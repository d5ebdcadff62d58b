/* SPDX-License-Identifier: MIT */
/*
 * A client that records: what it tells is what its results tell, in memory and in the file alike;
 * and misuse is answered
 */
#include "fixture.h"

#include "../unit/row_gaps.h"

#include <base/mem.h>
#include <record/record.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/tmp/muster-flow-XXXXXX";
static char file[64];

static int make_directory(void **state)
{
        (void)state;
        if (!mkdtemp(directory))
                return -1;
        snprintf(file, sizeof(file), "%s/run.db", directory);
        return 0;
}

static int remove_directory(void **state)
{
        (void)state;
        unlink(file);
        return rmdir(directory);
}

static struct script_answer mixed(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        if (path_is(head, "/redirect"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 302 F\r\nLocation: /end\r\nContent-Length: 0\r\n\r\n"
                };
        if (path_is(head, "/busy"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
                };
        if (path_is(head, "/closes"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno", .closes = true
                };
        if (path_is(head, "/hangs"))
                return (struct script_answer){ 0 };
        return (struct script_answer){ .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes",
                .delay_ns = 20 * NS_PER_MS };
}

static void start(struct fixture *f, bool with_file)
{
        struct muster_error error = { 0 };

        fixture_start(f,
                &(struct muster_client_options){
                        .concurrency = 2, .max_retries = 1, .total_timeout_ms = 5000 },
                mixed);
        if (muster_record(f->client,
                    &(struct muster_record_options){
                            .file = with_file ? file : NULL, .overwrite = true },
                    &error) < 0)
                fail_msg("%s", error.text);
}

static void get(struct fixture *f, const char *path)
{
        assert_int_equal(muster_get(f->client, script_url(&f->server, path), NULL), 0);
}

static void submit_all(struct fixture *f)
{
        static const char *const paths[] = { "/a", "/redirect", "/busy?x=1", "/closes", "/hangs",
                "/b", "/b" };

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
                get(f, paths[i]);
        assert_int_equal(muster_get(f->client, "nonsense:", NULL), 0);
}

static void take_all(struct fixture *f)
{
        struct muster_result *result;

        while ((result = muster_next(f->client)))
                muster_result_free(result);
}

static const char *path_of(const struct record *record, const struct trace_attempt *attempt)
{
        return attempt->path ? record->paths[attempt->path - 1].at : "";
}

/* Texts are in each record, and paths numbered, on their own. */
static void assert_attempts_equal(const struct record *records[2], size_t i)
{
        struct trace_attempt a = records[0]->attempts[i], b = records[1]->attempts[i];

        assert_string_equal(path_of(records[0], &a), path_of(records[1], &b));
        a.path = b.path = 0;
        a.url = b.url = (struct muster_str){ 0 };
        row_clear_gaps(ROW_ATTEMPT, &a);
        row_clear_gaps(ROW_ATTEMPT, &b);
        assert_memory_equal(&a, &b, sizeof(a));
}

static void assert_conns_equal(struct trace_conn a, struct trace_conn b)
{
        assert_string_equal(a.remote.at, b.remote.at);
        a.remote = b.remote = (struct muster_str){ 0 };
        row_clear_gaps(ROW_CONN, &a);
        row_clear_gaps(ROW_CONN, &b);
        assert_memory_equal(&a, &b, sizeof(a));
}

static void test_file_and_memory_agree(void **state)
{
        struct fixture f;
        struct record memory, written;
        struct muster_error error = { 0 };

        (void)state;
        start(&f, true);
        submit_all(&f);
        take_all(&f);
        assert_int_equal(muster_record_end(f.client, &error), 0);
        assert_int_equal(record_of_client(&memory, f.client), 0);
        if (record_read(&written, file, &error) < 0)
                fail_msg("%s", error.text);
        assert_int_equal(memory.n_attempts, written.n_attempts);
        assert_true(memory.n_attempts > 8);
        for (size_t i = 0; i < memory.n_attempts; i++)
                assert_attempts_equal((const struct record *[]){ &memory, &written }, i);
        assert_int_equal(memory.n_conns, written.n_conns);
        for (size_t i = 0; i < memory.n_conns; i++)
                assert_conns_equal(memory.conns[i], written.conns[i]);
        assert_int_equal(memory.n_samples, written.n_samples);
        assert_memory_equal(memory.samples, written.samples,
                memory.n_samples * sizeof(*memory.samples));
        assert_int_equal(memory.n_paths, written.n_paths);
        assert_memory_equal(&memory.run.options, &written.run.options, sizeof(memory.run.options));
        assert_int_equal(memory.run.end_ns, written.run.end_ns);
        record_deinit(&memory);
        record_deinit(&written);
        fixture_stop(&f);
}

/* Its attempts as the caller saw them, those of the record beside them. */
static void check_result(const struct muster_result *result, const struct record *record,
        uint64_t *number)
{
        uint64_t phase_ns[MUSTER_N_PHASES] = { 0 };
        const struct trace_attempt *last = NULL;
        uint64_t previous_end_ns = 0;

        for (unsigned n = 1; n <= muster_result_n_attempts(result); n++) {
                do
                        last = record_attempt(record, ++*number);
                while (last && last->request != muster_result_id(result));
                assert_non_null(last);
                assert_int_equal(last->n, n);
                if (previous_end_ns)
                        phase_ns[MUSTER_PHASE_BACKOFF] += last->stamps.start_ns - previous_end_ns;
                attempt_add_phases(&last->stamps, phase_ns);
                previous_end_ns = last->stamps.end_ns;
        }
        if (!last)
                return; /* it never was an attempt */
        assert_true(last->is_last);
        assert_int_equal(last->status, muster_result_status(result));
        assert_int_equal(last->code, code_of(result));
        phase_ns[MUSTER_PHASE_DELIVER] += last->taken_ns - last->finished_ns;
        for (int i = 0; i < MUSTER_N_PHASES; i++)
                assert_int_equal(phase_ns[i], muster_result_phase_ns(result, (enum muster_phase)i));
        assert_int_equal(last->taken_ns - last->submitted_ns, muster_result_total_ns(result));
}

static void test_record_tells_what_results_tell(void **state)
{
        struct fixture f;
        struct muster_result *results[8];
        struct record record;

        (void)state;
        start(&f, false);
        submit_all(&f);
        for (int i = 0; i < 8; i++)
                results[i] = next_result(&f);
        for (int i = 0; i < 8; i++) {
                uint64_t number = 0;

                /* A result that is given back is told of: only then is all of it known. */
                assert_int_equal(record_of_client(&record, f.client), 0);
                check_result(results[i], &record, &number);
                record_deinit(&record);
                muster_result_free(results[i]);
        }
        assert_int_equal(record_of_client(&record, f.client), 0);
        for (size_t i = 0; i < record.n_attempts; i++) {
                const struct trace_attempt *attempt = &record.attempts[i];
                const struct trace_attempt *giver = record_attempt(&record, attempt->slot_from);

                assert_true(attempt->in_flight <= 2);
                assert_true(!attempt->slot_from || giver->stamps.end_ns <= attempt->stamps.slot_ns);
                assert_true(attempt->stamps.end_ns <= record.run.end_ns);
        }
        record_deinit(&record);
        fixture_stop(&f);
}

static void test_what_was_not_taken_is_recorded(void **state)
{
        struct fixture f;
        struct record record;
        struct muster_error error = { 0 };

        (void)state;
        start(&f, true);
        get(&f, "/a");
        get(&f, "/hangs");
        while (muster_wait(f.client, 100) != 0)
                ;
        fixture_stop(&f); /* nobody ended the recording, nobody took anything */
        if (record_read(&record, file, &error) < 0)
                fail_msg("%s", error.text);
        assert_true(record.run.is_complete);
        assert_int_equal(record.n_attempts, 2);
        assert_int_equal(record.attempts[0].status, 200);
        assert_int_equal(record.attempts[0].taken_ns, 0);
        assert_int_equal(record.attempts[1].code, MUSTER_E_CANCELLED);
        assert_int_equal(record.n_conns, 2);
        record_deinit(&record);
}

static void test_what_was_recorded_outlives_the_recording(void **state)
{
        struct fixture f;
        struct record record;

        (void)state;
        start(&f, false);
        get(&f, "/a");
        take_all(&f);
        assert_int_equal(record_of_client(&record, f.client), 0); /* so far */
        assert_int_equal(record.n_attempts, 1);
        record_deinit(&record);
        assert_int_equal(muster_record_end(f.client, NULL), 0);
        assert_int_equal(muster_record_end(f.client, NULL), 0);
        get(&f, "/b");
        take_all(&f);
        assert_int_equal(record_of_client(&record, f.client), 0);
        assert_int_equal(record.n_attempts, 1); /* what came after the end is not in it */
        record_deinit(&record);
        fixture_stop(&f);
}

static void expect_refusal(struct muster_client *client, const char *path, enum muster_code code,
        const char *words)
{
        struct muster_error error = { 0 };

        assert_int_equal(muster_record(client, &(struct muster_record_options){ .file = path },
                                 &error),
                code);
        assert_int_equal(error.code, code);
        if (!strstr(error.text, words))
                fail_msg("%s", error.text);
        assert_int_equal(muster_record(client, &(struct muster_record_options){ .file = path },
                                 NULL),
                code);
}

static void test_misuse(void **state)
{
        struct fixture f;
        struct record record;

        (void)state;
        expect_refusal(NULL, NULL, MUSTER_E_INVALID, "the client is NULL");
        assert_int_equal(muster_record_end(NULL, NULL), MUSTER_E_INVALID);
        fixture_start(&f, NULL, mixed);
        assert_int_equal(record_of_client(&record, f.client), MUSTER_E_INPUT);
        assert_int_equal(muster_record_end(f.client, NULL), 0);
        expect_refusal(f.client, "", MUSTER_E_INVALID, "empty");
        expect_refusal(f.client, "/no/such/folder/run.db", MUSTER_E_RESOURCE, "No such file");
        assert_int_equal(muster_record(f.client, NULL, NULL),
                0); /* nothing of that was in the way */
        expect_refusal(f.client, NULL, MUSTER_E_INVALID, "already");
        assert_int_equal(muster_record_end(f.client, NULL), 0);
        expect_refusal(f.client, NULL, MUSTER_E_INVALID, "already");
        fixture_stop(&f);
        fixture_start(&f, NULL, mixed);
        get(&f, "/a");
        expect_refusal(f.client, NULL, MUSTER_E_INVALID, "before the first request");
        take_all(&f);
        fixture_stop(&f);
}

/* Whatever is in the error before: a call tells of itself. */
static void test_error_of_this_call(void **state)
{
        struct muster_error error = { .code = MUSTER_E_TLS, .text = "tls: of yesterday" };
        struct fixture f;

        (void)state;
        assert_int_equal(muster_record(NULL, NULL, &error), MUSTER_E_INVALID);
        assert_int_equal(error.code, MUSTER_E_INVALID);
        assert_int_equal(muster_record_end(NULL, &error), MUSTER_E_INVALID);
        fixture_start(&f, NULL, mixed);
        assert_int_equal(muster_record(f.client,
                                 &(struct muster_record_options){ .file = "/no/such/x.db" },
                                 &error),
                MUSTER_E_RESOURCE);
        assert_int_equal(error.code, MUSTER_E_RESOURCE);
        assert_int_equal(muster_record(f.client, NULL, &error), 0);
        assert_int_equal(error.code, MUSTER_OK);
        error.code = MUSTER_E_TLS;
        assert_int_equal(muster_record_end(f.client, &error), 0);
        assert_int_equal(error.code, MUSTER_OK);
        fixture_stop(&f);
}

/*
 * Whatever else a later version's options have is not looked at, and what an earlier version's lack
 * is 0.
 */
static void test_options_of_other_versions(void **state)
{
        struct {
                struct muster_record_options known;
                char more[64];
        } later = { .known = { .size = sizeof(later), .keep = 3 } };
        struct muster_record_options earlier = { .size = sizeof(size_t), .file = "/no/such/x.db" };
        struct fixture f;
        struct record record;

        (void)state;
        memset(later.more, 0xff, sizeof(later.more));
        fixture_start(&f, NULL, mixed);
        assert_int_equal(muster_record(f.client, &later.known, NULL), 0);
        for (int i = 0; i < 5; i++)
                get(&f, "/a");
        take_all(&f);
        assert_int_equal(record_of_client(&record, f.client), 0);
        assert_int_equal(record.n_attempts, 3);
        record_deinit(&record);
        fixture_stop(&f);
        fixture_start(&f, NULL, mixed);
        assert_int_equal(muster_record(f.client, &earlier, NULL), 0);
        fixture_stop(&f);
}

struct caller {
        struct muster_client *client;
        int record, end, copy;
};

static int call_back(struct muster_result *result, void *argument)
{
        struct caller *caller = argument;
        struct record record;

        (void)result;
        caller->record = muster_record(caller->client, NULL, NULL);
        caller->end = muster_record_end(caller->client, NULL);
        caller->copy = record_of_client(&record, caller->client);
        return 0;
}

/* A process function runs while the client goes on: it may not look into it. */
static void test_functions_that_the_client_calls(void **state)
{
        struct muster_request *request;
        struct caller caller;
        struct fixture f;

        (void)state;
        start(&f, false);
        caller = (struct caller){ .client = f.client };
        request = muster_request_new("GET", script_url(&f.server, "/a"));
        muster_request_set_process(request, call_back, &caller);
        assert_int_equal(muster_submit(f.client, request, NULL), 0);
        take_all(&f);
        assert_int_equal(caller.record, MUSTER_E_INVALID);
        assert_int_equal(caller.end, MUSTER_E_INVALID);
        assert_int_equal(caller.copy, MUSTER_E_INVALID);
        fixture_stop(&f);
}

/* The recording ends in the middle of things; what was under way goes on, untold. */
static void test_end_with_requests_under_way(void **state)
{
        struct fixture f;
        struct record record;
        struct muster_error error = { 0 };

        (void)state;
        start(&f, true);
        for (int i = 0; i < 6; i++)
                get(&f, "/a");
        expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(muster_record_end(f.client, &error), 0);
        for (int i = 0; i < 5; i++)
                expect_result(&f, MUSTER_OK, 200);
        get(&f, "/b");
        expect_result(&f, MUSTER_OK, 200);
        if (record_read(&record, file, &error) < 0)
                fail_msg("%s", error.text);
        assert_in_range(record.n_attempts, 1, 2);
        assert_int_equal(record.n_conns, 2); /* as they stood */
        for (size_t i = 0; i < record.n_conns; i++)
                assert_int_equal(record.conns[i].closer, TRACE_CLOSED_BY_END);
        record_deinit(&record);
        fixture_stop(&f);
}

/* Two clients record, each its own. */
static void test_two_clients(void **state)
{
        struct fixture f[2];
        struct record records[2];
        char other[80];

        (void)state;
        snprintf(other, sizeof(other), "%s/other.db", directory);
        for (int i = 0; i < 2; i++) {
                fixture_start(&f[i], NULL, mixed);
                assert_int_equal(muster_record(f[i].client,
                                         &(struct muster_record_options){
                                                 .file = i ? other : file, .overwrite = true },
                                         NULL),
                        0);
        }
        for (int n = 0; n < 3; n++) {
                for (int i = 0; i < 2; i++)
                        for (int k = 0; k <= i; k++)
                                get(&f[i], "/a");
                for (int i = 0; i < 2; i++)
                        for (int k = 0; k <= i; k++)
                                expect_result(&f[i], MUSTER_OK, 200);
        }
        for (int i = 0; i < 2; i++) {
                fixture_stop(&f[i]);
                assert_int_equal(record_read(&records[i], i ? other : file, NULL), 0);
                assert_int_equal(records[i].n_attempts, i ? 6 : 3);
                assert_int_equal(records[i].attempts[0].number, 1);
                record_deinit(&records[i]);
        }
        unlink(other);
}

/* What only the program knows is in the record as it told it last: in the file and in memory. */
static void test_what_the_program_counts(void **state)
{
        struct record records[2];
        struct fixture f;

        (void)state;
        fixture_start(&f, NULL, mixed);
        assert_int_equal(muster_record_count(f.client, MUSTER_PROGRAM_STOPS, 1), MUSTER_E_INVALID);
        assert_int_equal(muster_record(f.client,
                                 &(struct muster_record_options){
                                         .size = sizeof(struct muster_record_options),
                                         .file = file,
                                         .overwrite = true,
                                         .output = MUSTER_OUTPUT_PIPE },
                                 NULL),
                0);
        get(&f, "/a");
        expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(muster_record_count(f.client, MUSTER_PROGRAM_STOPS, 1), 0);
        assert_int_equal(muster_record_count(f.client, MUSTER_PROGRAM_STOPS, 3), 0);
        assert_int_equal(muster_record_count(f.client, MUSTER_PROGRAM_WORKERS, 2), 0);
        assert_int_equal(muster_record_count(f.client, MUSTER_PROGRAM_BODIES, 30), 0);
        assert_int_equal(muster_record_count(f.client, MUSTER_PROGRAM_BODIES_US, 400), 0);
        assert_int_equal(muster_record_count(f.client, MUSTER_PROGRAM_WORKERS_FULL_US, 5000), 0);
        assert_int_equal(muster_record_count(f.client, (enum muster_program_counter)99, 3),
                MUSTER_E_INVALID);
        assert_int_equal(muster_record_end(f.client, NULL), 0);
        assert_int_equal(muster_record_count(f.client, MUSTER_PROGRAM_STOPS, 4), MUSTER_E_INVALID);
        assert_int_equal(record_of_client(&records[0], f.client), 0);
        assert_int_equal(record_read(&records[1], file, NULL), 0);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(records[i].run.options.output, MUSTER_OUTPUT_PIPE);
                assert_int_equal(record_counter_growth(&records[i], "process.stops"), 3);
                assert_int_equal(record_counter_growth(&records[i], "output.stalled_us"), -1);
                assert_int_equal(record_counter_growth(&records[i], "workers.number"), 2);
                assert_int_equal(record_counter_growth(&records[i], "workers.bodies"), 30);
                assert_int_equal(record_counter_growth(&records[i], "workers.busy_us"), 400);
                assert_int_equal(record_counter_growth(&records[i], "workers.full_us"), 5000);
                record_deinit(&records[i]);
        }
        fixture_stop(&f);
}

/* Whatever memory there is, requests are performed as without a recording. */
static int run_with_little_memory(long fail_after)
{
        struct fixture f;
        struct muster_result *result;
        struct record record;
        int n_results = 0, has_failed;

        fixture_start(&f, &(struct muster_client_options){ .concurrency = 2 }, mixed);
        mem_fail_after(fail_after);
        (void)muster_record(f.client,
                &(struct muster_record_options){ .file = file, .overwrite = true }, NULL);
        mem_fail_after(-1);
        for (int i = 0; i < 5; i++)
                get(&f, "/a");
        while ((result = muster_next(f.client))) {
                n_results += code_of(result) == 0;
                muster_result_free(result);
        }
        assert_int_equal(n_results, 5);
        mem_fail_after(fail_after);
        if (record_of_client(&record, f.client) == 0)
                assert_int_equal(record.n_attempts, 5);
        record_deinit(&record);
        has_failed = mem_has_failed();
        mem_fail_after(-1);
        fixture_stop(&f);
        return has_failed;
}

static void test_memory_out(void **state)
{
        (void)state;
        for (long n = 0; run_with_little_memory(n); n++)
                assert_true(n < 1000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_file_and_memory_agree),
                cmocka_unit_test(test_what_the_program_counts),
                cmocka_unit_test(test_record_tells_what_results_tell),
                cmocka_unit_test(test_what_was_not_taken_is_recorded),
                cmocka_unit_test(test_what_was_recorded_outlives_the_recording),
                cmocka_unit_test(test_misuse),
                cmocka_unit_test(test_error_of_this_call),
                cmocka_unit_test(test_options_of_other_versions),
                cmocka_unit_test(test_functions_that_the_client_calls),
                cmocka_unit_test(test_end_with_requests_under_way),
                cmocka_unit_test(test_two_clients),
                cmocka_unit_test(test_memory_out),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
