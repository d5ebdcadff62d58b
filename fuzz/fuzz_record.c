/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a record's file: it is refused in words, or explained, and then both accounts add up
 * to the wall time exactly
 *
 * Few of the bytes of a database are what a record says; so half of the changes are made in SQL, to
 * one column of some rows.
 *
 * Nearly all of the time went into SQLite's many small allocations, each with a stack trace for
 * AddressSanitizer. While fuzzing, it takes its memory from lists of free blocks, without locks, and
 * one database in memory is changed again and again. A replay is as it is in the program.
 */
#include "fuzz.h"

#include <base/rand.h>
#include <fcntl.h>
#include <muster/explain.h>
#include <record/row.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
/* A function of libFuzzer; missing when a corpus is replayed. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* --- SQLite's memory -------------------------------------------------------------------------- */

#define HEAP_BYTES (256 << 20)
#define N_SIZES    32

/* In front of each block; a free one is in the list of its size, which is a power of two. */
union block {
        struct {
                union block *next;
                unsigned size; /* its exponent */
        } of;
        max_align_t alignment;
};

static char *heap;
static size_t heap_used;
static union block *free_blocks[N_SIZES];

static void *block_take(int bytes)
{
        unsigned size = 5;
        union block *block;

        while ((size_t)1 << size < (size_t)bytes + sizeof(*block))
                size++;
        block = free_blocks[size];
        if (block) {
                free_blocks[size] = block->of.next;
                return block + 1;
        }
        if (HEAP_BYTES - heap_used < (size_t)1 << size)
                return NULL;
        block = (union block *)(void *)(heap + heap_used);
        heap_used += (size_t)1 << size;
        block->of.size = size;
        return block + 1;
}

static void block_free(void *at)
{
        union block *block = (union block *)at - 1;

        block->of.next = free_blocks[block->of.size];
        free_blocks[block->of.size] = block;
}

static int block_size(void *at)
{
        return at ? (1 << ((union block *)at - 1)->of.size) - (int)sizeof(union block) : 0;
}

static void *block_resize(void *at, int bytes)
{
        void *larger;

        if (bytes <= block_size(at))
                return at;
        larger = block_take(bytes);
        if (!larger)
                return NULL;
        memcpy(larger, at, (size_t)block_size(at));
        block_free(at);
        return larger;
}

static int block_round_up(int bytes)
{
        return (bytes + 15) & ~15;
}

static int heap_open(void *data)
{
        (void)data;
        heap = mmap(NULL, HEAP_BYTES, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        return heap == MAP_FAILED ? SQLITE_NOMEM : SQLITE_OK;
}

static void heap_close(void *data)
{
        (void)data;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        static const sqlite3_mem_methods methods = { block_take, block_free, block_resize,
                block_size, block_round_up, heap_open, heap_close, NULL };

        (void)argc, (void)argv;
        FUZZ_CHECK(sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) == SQLITE_OK);
        FUZZ_CHECK(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
        FUZZ_CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
        return 0;
}

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

/* The tables that are no rows of a trace. */
static const struct {
        const char *name;
        const char *const columns[8];
} others[] = {
        { "run", { "version", "command", "wall_clock_ns", "start_ns", "end_ns", "is_complete",
                         "dropped" } },
        { "option", { "name", "value" } },
        { "counter", { "name", "before", "after" } },
};

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

/* The same connection for all: with other bytes in it. */
static sqlite3 *open_bytes(const uint8_t *data, size_t size)
{
        unsigned char *copy = sqlite3_malloc64(size ? size : 1);
        static sqlite3 *db;

        FUZZ_CHECK(copy && (db || sqlite3_open(":memory:", &db) == SQLITE_OK));
        memcpy(copy, data, size);
        sqlite3_deserialize(db, "main", copy, (sqlite3_int64)size, (sqlite3_int64)size,
                SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
        return db;
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

/* A table and one of its columns, mostly of attempts; "number PRIMARY KEY" is a number. */
static void choose(struct rand *rand, const char **ret_table, const char **ret_column)
{
        size_t n = 0, i = rand_up_to(rand, 2) ? ROW_ATTEMPT
                                              : rand_up_to(rand, ROW_N_KINDS + LENGTH(others) - 1);

        if (i < ROW_N_KINDS) {
                n = rand_up_to(rand, row_types[i]->n_columns - !row_types[i]->text_column);
                *ret_table = row_types[i]->table;
                *ret_column = n < row_types[i]->n_columns ? row_types[i]->columns[n]
                                                          : row_types[i]->text_column;
                return;
        }
        i -= ROW_N_KINDS;
        while (others[i].columns[n])
                n++;
        *ret_table = others[i].name;
        *ret_column = others[i].columns[rand_up_to(rand, n - 1)];
}

/* One value in all rows, or in one of so many. */
static void change(sqlite3 *db, struct rand *rand)
{
        const char *value = values[rand_up_to(rand, LENGTH(values) - 1)];
        unsigned every = 1 + (unsigned)(rand_up_to(rand, 1) * rand_up_to(rand, 40));
        const char *table, *column;
        char sql[600];
        int len, width;

        choose(rand, &table, &column);
        width = (int)strcspn(column, " ");
        len = snprintf(sql, sizeof(sql), "UPDATE OR IGNORE %s SET %.*s = ", table, width, column);
        for (; *value; value++)
                len += snprintf(sql + len, sizeof(sql) - (size_t)len, "%.*s",
                        *value == '#' ? width : 1, *value == '#' ? column : value);
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
        return size;
}
