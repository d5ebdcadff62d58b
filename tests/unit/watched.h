/* SPDX-License-Identifier: MIT */
/*
 * Records of programs that were watched, without a program
 *
 *      struct record record;
 *
 *      make(&record, &(struct record_maker){ ... });
 *      watch(&record, "aiohttp", "asyncio");
 *      watched_client(&record, 100);
 *      ...
 *      record_deinit(&record);
 *
 * Each attempt gets a call from line 12 of fetch.py, site 1; nothing is known of what the record's
 * client was set to. Texts are constants.
 */
#ifndef TESTS_UNIT_WATCHED_H
#define TESTS_UNIT_WATCHED_H

#include "causes.h"
#include <base/mem.h>
#include <base/str.h>

#define WATCHED_FILE "/home/me/fetch.py"

static inline void *one_more_row(void *rows, size_t n, size_t size)
{
        void *more = mem_realloc(rows, (n + 1) * size);

        assert_non_null(more);
        return more;
}

#define ADD_ROW(rows, n, ...)                                                                      \
        do {                                                                                       \
                (rows) = one_more_row((rows), (n), sizeof(*(rows)));                               \
                (rows)[(n)++] = __VA_ARGS__;                                                       \
        } while (0)

/* Returns its number. */
static inline uint32_t watched_site(struct record *record, uint32_t line, const char *function)
{
        struct programs *programs = &record->programs;

        ADD_ROW(programs->sites, programs->n_sites,
                (struct program_site){ str_of(WATCHED_FILE), str_of(function), line });
        return (uint32_t)programs->n_sites;
}

/* A client, made at line 40 with this limit, which makes all requests. */
static inline void watched_client(struct record *record, uint32_t limit)
{
        struct programs *programs = &record->programs;

        ADD_ROW(programs->clients, programs->n_clients,
                (struct program_client){ .process = 1,
                        .library = str_first(programs->processes[0].libraries, 20),
                        .site = watched_site(record, 40, "main"),
                        .limit = limit,
                        .n_requests = record->n_attempts });
        for (size_t i = 0; i < programs->n_calls; i++)
                programs->calls[i].client = (uint32_t)programs->n_clients;
}

/* loop "": it has none. */
static inline void watch(struct record *record, const char *library, const char *loop)
{
        struct programs *programs = &record->programs;

        record->run.options = (struct record_options){ 0 };
        ADD_ROW(programs->processes, programs->n_processes,
                (struct program_process){ .pid = 100,
                        .exe = str_of("/usr/bin/python3"),
                        .words = str_of("python3 fetch.py"),
                        .language = str_of("Python 3.11.7"),
                        .libraries = str_of(library),
                        .loop = str_of(loop) });
        watched_site(record, 12, "fetch");
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                ADD_ROW(programs->calls, programs->n_calls,
                        (struct program_call){ .attempt = attempt->number,
                                .process = 1,
                                .site = 1,
                                .queued_ns = attempt->stamps.slot_ns - attempt->stamps.start_ns });
        }
}

/* A line holds the loop for so long, from then on. */
static inline void watched_hold(struct record *record, uint64_t start_ns, uint64_t ns,
        enum program_hold_kind kind, const char *name, uint32_t site)
{
        ADD_ROW(record->programs.holds, record->programs.n_holds,
                (struct program_hold){ .process = 1,
                        .engine = 1,
                        .kind = (uint8_t)kind,
                        .start_ns = start_ns,
                        .end_ns = start_ns + ns,
                        .cpu_ns = kind == PROGRAM_HOLD_COMPUTES ? ns : 0,
                        .site = site,
                        .name = str_of(name) });
}

/* Requests are made only when the semaphore, or a thread, is free. */
static inline void watched_await(struct record *record)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                attempt->submitted_ns = attempt->stamps.start_ns = attempt->stamps.slot_ns;
                attempt->wait = TRACE_WAIT_NONE;
                attempt->slot_from = 0;
        }
}

/* By any of the rules of that name. */
static inline bool watched_is_found(const struct record *record, const struct cause *causes,
        const char *name, struct finding *finding)
{
        (void)cause_named(causes, name);
        for (const struct cause *cause = causes; cause->name; cause++)
                if (strcmp(cause->name, name) == 0 && cause_is_found(record, cause, name, finding))
                        return true;
        return false;
}

static inline void assert_line(const struct finding *finding, unsigned line)
{
        assert_non_null(finding->shown.file);
        assert_string_equal(finding->shown.file, WATCHED_FILE);
        assert_int_equal(finding->shown.line, line);
}

#endif
