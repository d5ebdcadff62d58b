/* SPDX-License-Identifier: MIT */
/*
 * What recording costs by itself: attempts as a client tells them, a million by default, without a
 * client
 *
 *      record_rows FILE [ATTEMPTS]
 *
 * Prints nanoseconds an attempt: of the loop's thread, of the writer's, and of reading the file;
 * and the memory that reading took at most. The rows come faster than any client could tell them,
 * but with pauses, as a disk that cannot keep up would drop some.
 */
#include <base/clock.h>
#include <record/record.h>
#include <record/recorder.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define ROUND_ROWS 1000
#define PAUSE_US   1000

static struct trace_attempt attempt_of(uint64_t number, uint64_t start_ns, struct muster_str url)
{
        uint64_t at = start_ns + number * 15 * NS_PER_US;

        return (struct trace_attempt){
                .number = number,
                .request = number,
                .slot_from = number > 64 ? number - 64 : 0,
                .conn = 1 + number % 64,
                .submitted_ns = at,
                .stamps = { .start_ns = at,
                        .slot_ns = at + 900000,
                        .send_start_ns = at + 901000,
                        .send_end_ns = at + 910000,
                        .first_byte_kernel_ns = at + 1900000 + number % 1000,
                        .first_byte_read_ns = at + 1950000,
                        .last_byte_kernel_ns = at + 1900000 + number % 1000,
                        .last_byte_read_ns = at + 1950000,
                        .end_ns = at + 1965000,
                        .stage = MUSTER_PHASE_RECEIVE },
                .finished_ns = at + 1965000,
                .taken_ns = at + 1969000,
                .conn_idle_ns = 1000 + number % 5000,
                .wire_bytes = 100 + number % 5000,
                .body_bytes = 100 + number % 5000,
                .sent_bytes = 120,
                .origin = 1,
                .in_flight = 64,
                .host_in_flight = 64,
                .n_receives = 1,
                .n = 1,
                .status = 200,
                .stage = MUSTER_PHASE_RECEIVE,
                .wait = TRACE_WAIT_SLOT,
                .http_version = 11,
                .method = TRACE_METHOD_GET,
                .is_last = true,
                .is_reused = true,
                .is_safe = true,
                .is_plain = true,
                .url = url,
        };
}

/*
 * Trace ROUND_ROWS attempts; responses do not come in the order of the requests. Returns the CPU
 * time that this took.
 */
static uint64_t tell_round(struct tracer *tracer, uint64_t from, uint64_t start_ns)
{
        static struct trace_attempt rows[ROUND_ROWS];
        static char urls[ROUND_ROWS][64];
        uint64_t began_ns;

        for (uint64_t i = 0; i < ROUND_ROWS; i++) {
                int len =
                        snprintf(urls[i], sizeof(urls[i]), "http://127.0.0.1:8080/item/%u?id=%llu",
                                (unsigned)(i % 7), (unsigned long long)(from + i));

                rows[i] = attempt_of(from + (i ^ 3), start_ns,
                        (struct muster_str){ urls[i], (size_t)len });
        }
        began_ns = clock_ns_of(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < ROUND_ROWS; i++)
                tracer->ops->attempt(tracer, &rows[i]);
        return clock_ns_of(CLOCK_THREAD_CPUTIME_ID) - began_ns;
}

static int write_rows(const char *file, uint64_t n)
{
        const struct settings settings = { .concurrency = 64 };
        const struct clock clock = { 0 };
        struct muster_error error = { 0 };
        struct tracer *tracer;
        uint64_t loop_ns = 0, start_ns = clock_now(&clock);
        uint64_t process_ns, own_ns;
        int r;

        if (recorder_new(&tracer,
                    &(struct muster_record_options){ .file = file, .overwrite = true }, &settings,
                    &clock, &error) < 0) {
                fprintf(stderr, "%s\n", error.text);
                return 1;
        }
        process_ns = clock_ns_of(CLOCK_PROCESS_CPUTIME_ID);
        own_ns = clock_ns_of(CLOCK_THREAD_CPUTIME_ID);
        for (uint64_t from = 1; from <= n; from += ROUND_ROWS) {
                loop_ns += tell_round(tracer, from, start_ns);
                usleep(PAUSE_US);
        }
        tracer->ops->end(tracer);
        own_ns = clock_ns_of(CLOCK_THREAD_CPUTIME_ID) - own_ns;
        process_ns = clock_ns_of(CLOCK_PROCESS_CPUTIME_ID) - process_ns;
        r = recorder_outcome(tracer, &error);
        tracer->ops->free(tracer);
        if (r < 0)
                fprintf(stderr, "%s\n", error.text);
        printf("loop    %8.0f ns/attempt\n", (double)loop_ns / (double)n);
        printf("writer  %8.0f ns/attempt\n", (double)(process_ns - own_ns) / (double)n);
        return r < 0;
}

static int read_rows(const char *file)
{
        struct record record;
        struct muster_error error = { 0 };
        struct rusage usage;
        uint64_t began_ns = clock_monotonic();

        if (record_read(&record, file, &error) < 0) {
                fprintf(stderr, "%s\n", error.text);
                return 1;
        }
        getrusage(RUSAGE_SELF, &usage);
        printf("reader  %8.0f ns/attempt, %ld MiB\n",
                (double)(clock_monotonic() - began_ns) / (double)record.n_attempts,
                usage.ru_maxrss / 1024);
        record_deinit(&record);
        return 0;
}

int main(int argc, char **argv)
{
        uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;

        if (argc < 2 || !n)
                return 2;
        n = (n + ROUND_ROWS - 1) / ROUND_ROWS * ROUND_ROWS;
        return write_rows(argv[1], n) ? 1 : read_rows(argv[1]);
}
