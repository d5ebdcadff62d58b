/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a record's file: it is refused in words, or explained, and then both accounts add up
 * to the wall time exactly
 *
 * Few of the bytes of a database are what a record says; so half of the changes are made in SQL, to
 * one column of some rows.
 */
#include "fuzz.h"

#include <base/rand.h>
#include <fcntl.h>
#include <muster/explain.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
/* A function of libFuzzer; missing when a corpus is replayed. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* --- the file -------------------------------------------------------------------------------- */

static char path[] = "/tmp/muster-fuzz-XXXXXX";

static void remove_file(void)
{
        unlink(path);
}

/* The file, written again for each input. */
static void put_into_file(const uint8_t *data, size_t size)
{
        static bool is_there;
        int fd = is_there ? open(path, O_WRONLY | O_TRUNC) : mkstemp(path);

        FUZZ_CHECK(fd >= 0);
        if (!is_there)
                atexit(remove_file);
        is_there = true;
        FUZZ_CHECK(size == 0 || write(fd, data, size) == (ssize_t)size);
        close(fd);
}

/* --- reading it ------------------------------------------------------------------------------ */

static uint64_t sum_of(const struct muster_explanation *explanation, enum muster_account account)
{
        size_t n = muster_explanation_n_parts(explanation, account);
        uint64_t sum = 0;

        for (size_t i = 0; i < n; i++)
                sum += muster_explanation_part(explanation, account, i)->ns;
        return sum;
}

static void check_findings(const struct muster_explanation *explanation)
{
        const struct muster_finding *finding;

        for (size_t i = 0; (finding = muster_explanation_finding(explanation, i)); i++) {
                FUZZ_CHECK(finding->cause && finding->title[0] && finding->remedy);
                FUZZ_CHECK(finding->n_evidence <= MUSTER_EVIDENCE_MAX);
                FUZZ_CHECK(!finding->has_prediction ||
                           (finding->wall_low_ns <= finding->wall_ns &&
                                   finding->wall_ns <= finding->wall_high_ns));
        }
}

static void check(const struct muster_explanation *explanation)
{
        static const char *const figures[] = { "wall", "rate", "error.rate", "latency.p99",
                "network.p99.9", "server.mean", "queue.max", "concurrency.max" };
        struct muster_run run;
        double value;

        muster_explanation_run(explanation, &run, sizeof(run));
        FUZZ_CHECK(run.wall_ns > 0 && run.n_requests > 0);
        FUZZ_CHECK(sum_of(explanation, MUSTER_ACCOUNT_CHAIN) == run.kept_wall_ns);
        FUZZ_CHECK(sum_of(explanation, MUSTER_ACCOUNT_SHARES) == run.kept_wall_ns);
        FUZZ_CHECK(muster_explanation_verdict(explanation)[0]);
        for (size_t i = 0; muster_explanation_bound(explanation, i); i++)
                FUZZ_CHECK(muster_explanation_bound(explanation, i)->formula);
        for (size_t i = 0; i < LENGTH(figures); i++)
                FUZZ_CHECK(muster_explanation_figure(explanation, figures[i], &value) == 0);
        check_findings(explanation);
}

static void export_requests(void)
{
        struct muster_error error = { 0 };
        int fd = open("/dev/null", O_WRONLY);
        int r = muster_record_export(path, fd, &error);

        FUZZ_CHECK(r == 0 || (r == (int)error.code && error.text[0]));
        close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct muster_explanation *explanation = NULL;
        struct muster_error error = { 0 };
        int r;

        put_into_file(data, size);
        r = muster_explain_file(&explanation, path, &error);
        FUZZ_CHECK(r == 0 || (r == (int)error.code && error.text[0] && !explanation));
        if (r == 0)
                check(explanation);
        muster_explanation_free(explanation);
        export_requests();
        return 0;
}

/* --- changing it ----------------------------------------------------------------------------- */

static const char *const tables[] = { "attempt", "attempt", "attempt", "attempt", "conn", "turn",
        "sample", "lookup", "option", "counter", "run", "origin" };

/* "#" is the column, "?1" a number. */
static const char *const values[] = {
        "NULL",
        "0",
        "1",
        "-1",
        "?1",
        "-?1",
        "# + ?1",
        "# - ?1",
        "# * 2",
        "-#",
        "1 << (?1 % 63)",
        "(1 << (?1 % 63)) - 1",
        "9223372036854775807",
        "9e999",
        "-1e300",
        "1e-300",
        "'x'",
        "x'00ff'",
        "rowid",
        "rowid * ?1",
        "abs(random()) % (?1 + 1)",
};

static sqlite3 *open_bytes(const uint8_t *data, size_t size)
{
        unsigned char *copy = sqlite3_malloc64(size ? size : 1);
        sqlite3 *db = NULL;

        FUZZ_CHECK(copy && sqlite3_open(":memory:", &db) == SQLITE_OK);
        memcpy(copy, data, size);
        sqlite3_deserialize(db, "main", copy, (sqlite3_int64)size, (sqlite3_int64)size,
                SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
        return db;
}

/* The name of one of its columns, at random. False: there is no such table. */
static bool choose_column(sqlite3 *db, const char *table, struct rand *rand, char name[64])
{
        sqlite3_stmt *statement = NULL;
        bool is_there = false;

        if (sqlite3_prepare_v2(db,
                    "SELECT name FROM pragma_table_info(?1) LIMIT 1 OFFSET ?2 % "
                    "(SELECT max(count(*), 1) FROM pragma_table_info(?1))",
                    -1, &statement, NULL) == SQLITE_OK) {
                sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
                sqlite3_bind_int64(statement, 2, (sqlite3_int64)rand_up_to(rand, 1000));
                is_there = sqlite3_step(statement) == SQLITE_ROW;
                if (is_there)
                        snprintf(name, 64, "%s", (const char *)sqlite3_column_text(statement, 0));
        }
        sqlite3_finalize(statement);
        return is_there;
}

static void run(sqlite3 *db, const char *sql, struct rand *rand)
{
        sqlite3_stmt *statement = NULL;

        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK) {
                sqlite3_bind_int64(statement, 1,
                        (sqlite3_int64)(rand_next(rand) >> rand_up_to(rand, 63)));
                sqlite3_step(statement);
        }
        sqlite3_finalize(statement);
}

/* One value in all rows, or in one of so many. */
static void change(sqlite3 *db, struct rand *rand)
{
        const char *table = tables[rand_up_to(rand, LENGTH(tables) - 1)];
        const char *value = values[rand_up_to(rand, LENGTH(values) - 1)];
        unsigned every = 1 + (unsigned)(rand_up_to(rand, 1) * rand_up_to(rand, 40));
        char column[64], sql[600];
        int len;

        if (!choose_column(db, table, rand, column))
                return;
        len = snprintf(sql, sizeof(sql), "UPDATE OR IGNORE %s SET %s = ", table, column);
        for (; *value; value++)
                len += snprintf(sql + len, sizeof(sql) - (size_t)len, "%.*s",
                        *value == '#' ? (int)sizeof(column) : 1, *value == '#' ? column : value);
        snprintf(sql + len, sizeof(sql) - (size_t)len, " WHERE rowid %% %u = %u", every,
                (unsigned)rand_up_to(rand, every - 1));
        run(db, sql, rand);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
        struct rand rand;
        sqlite3_int64 new_size = 0;
        unsigned char *bytes;
        sqlite3 *db;

        rand_init(&rand, seed);
        if (rand_up_to(&rand, 3) == 0)
                return LLVMFuzzerMutate(data, size, max_size);
        db = open_bytes(data, size);
        for (uint64_t n = 1 + rand_up_to(&rand, 3); n; n--)
                change(db, &rand);
        bytes = sqlite3_serialize(db, "main", &new_size, 0);
        if (bytes && (size_t)new_size <= max_size) {
                memcpy(data, bytes, (size_t)new_size);
                size = (size_t)new_size;
        }
        sqlite3_free(bytes);
        sqlite3_close(db);
        return size;
}
