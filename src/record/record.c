/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <base/arena.h>
#include <base/map.h>
#include <base/mem.h>
#include <stdlib.h>
#include <string.h>

void record_deinit(struct record *record)
{
        mem_free(record->run.version);
        mem_free(record->run.command);
        mem_free(record->attempts);
        mem_free(record->conns);
        mem_free(record->tries);
        mem_free(record->lookups);
        mem_free(record->turns);
        mem_free(record->samples);
        mem_free(record->origins);
        mem_free(record->counters);
        mem_free(record->paths);
        programs_deinit(&record->programs);
        arena_free(record->text);
        *record = (struct record){ 0 };
}

/* --- finding --------------------------------------------------------------------------------- */

static int compare_numbers(uint64_t a, uint64_t b)
{
        return a < b ? -1 : a > b;
}

static int compare_with_attempt(const void *number, const void *attempt)
{
        return compare_numbers(*(const uint64_t *)number,
                ((const struct trace_attempt *)attempt)->number);
}

static int compare_with_conn(const void *id, const void *conn)
{
        return compare_numbers(*(const uint64_t *)id, ((const struct trace_conn *)conn)->id);
}

const struct trace_attempt *record_attempt(const struct record *record, uint64_t number)
{
        uint64_t first = record->n_attempts ? record->attempts[0].number : 0;

        if (!first || number < first)
                return NULL;
        /* If no number is missing, it is here. */
        if (number - first < record->n_attempts &&
                record->attempts[number - first].number == number)
                return &record->attempts[number - first];
        return bsearch(&number, record->attempts, record->n_attempts, sizeof(*record->attempts),
                compare_with_attempt);
}

const struct trace_conn *record_conn(const struct record *record, uint64_t id)
{
        uint64_t first = record->n_conns ? record->conns[0].id : 0;

        if (!first || id < first)
                return NULL;
        if (id - first < record->n_conns && record->conns[id - first].id == id)
                return &record->conns[id - first];
        return bsearch(&id, record->conns, record->n_conns, sizeof(*record->conns),
                compare_with_conn);
}

static const struct record_counter *counter_named(const struct record *record, const char *name)
{
        for (size_t i = 0; i < record->n_counters; i++)
                if (strcmp(record->counters[i].name, name) == 0)
                        return &record->counters[i];
        return NULL;
}

int64_t record_counter_growth(const struct record *record, const char *name)
{
        const struct record_counter *counter = counter_named(record, name);

        if (!counter || counter->before < 0 || counter->after < counter->before)
                return -1;
        return counter->after - counter->before;
}

int64_t record_counter_after(const struct record *record, const char *name)
{
        const struct record_counter *counter = counter_named(record, name);

        return counter ? counter->after : -1;
}

/* --- order ----------------------------------------------------------------------------------- */

/* Of two rows of one attempt, the one that ends its request comes second. */
static int compare_attempts(const void *a, const void *b)
{
        const struct trace_attempt *one = a, *other = b;

        if (one->number != other->number)
                return compare_numbers(one->number, other->number);
        return (int)one->is_last - (int)other->is_last;
}

static int compare_origins(const void *a, const void *b)
{
        return compare_numbers(((const struct trace_origin *)a)->number,
                ((const struct trace_origin *)b)->number);
}

static int compare_conns(const void *a, const void *b)
{
        return compare_numbers(((const struct trace_conn *)a)->id,
                ((const struct trace_conn *)b)->id);
}

static int compare_tries(const void *a, const void *b)
{
        const struct trace_try *one = a, *other = b;

        if (one->conn != other->conn)
                return compare_numbers(one->conn, other->conn);
        if (one->start_ns != other->start_ns)
                return compare_numbers(one->start_ns, other->start_ns);
        return compare_numbers(one->n, other->n);
}

static int compare_lookups(const void *a, const void *b)
{
        return compare_numbers(((const struct trace_lookup *)a)->start_ns,
                ((const struct trace_lookup *)b)->start_ns);
}

static int compare_turns(const void *a, const void *b)
{
        return compare_numbers(((const struct trace_turn *)a)->start_ns,
                ((const struct trace_turn *)b)->start_ns);
}

static int compare_samples(const void *a, const void *b)
{
        return compare_numbers(((const struct trace_sample *)a)->at_ns,
                ((const struct trace_sample *)b)->at_ns);
}

/*
 * Sort rows unless they are in order, as they mostly are: sorting would take as much memory again.
 */
static void sort(void *rows, size_t n, size_t size, int (*compare)(const void *, const void *))
{
        const char *row = rows;

        for (size_t i = 1; i < n; i++, row += size)
                if (compare(row, row + size) > 0) {
                        qsort(rows, n, size, compare);
                        return;
                }
}

static void drop_first_words(struct record *record)
{
        struct trace_attempt *attempts = record->attempts;
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                if (i + 1 < record->n_attempts && attempts[i + 1].number == attempts[i].number)
                        continue;
                if (n != i)
                        attempts[n] = attempts[i];
                n++;
        }
        record->n_attempts = n;
}

static void drop_origins_behind_gap(struct record *record)
{
        size_t n = 0;

        while (n < record->n_origins && record->origins[n].number == n + 1)
                n++;
        record->n_origins = n;
        for (size_t i = 0; i < record->n_attempts; i++)
                if (record->attempts[i].origin > n)
                        record->attempts[i].origin = 0;
        for (size_t i = 0; i < record->n_conns; i++)
                if (record->conns[i].origin > n)
                        record->conns[i].origin = 0;
}

struct seen_origin {
        struct map_node node; /* by its key */
        uint32_t number;
};

/* The first number with the same key; the origin's own if memory is out. */
static uint32_t first_number(struct map *map, struct seen_origin *seen, struct muster_str key)
{
        struct map_node *node = map_find(map, key);

        if (node)
                return ((struct seen_origin *)(void *)node)->number;
        (void)map_add(map, &seen->node, key);
        return seen->number;
}

/* The first numbers, by number; NULL if all keys differ, or memory is out. */
static uint32_t *first_numbers(const struct record *record, struct seen_origin *seen)
{
        uint32_t *firsts = mem_array(record->n_origins + 1, sizeof(*firsts));
        bool are_all_first = true;
        struct map map;

        map_init(&map);
        for (uint32_t i = 0; firsts && i < record->n_origins; i++) {
                seen[i].number = i + 1;
                firsts[i + 1] = first_number(&map, &seen[i], record->origins[i].key);
                are_all_first = are_all_first && firsts[i + 1] == i + 1;
        }
        map_deinit(&map);
        return are_all_first ? mem_free(firsts) : firsts;
}

/*
 * Unite origins with the same key. A client forgets unused origins, and one that is used again gets
 * another number. Without memory they stay apart.
 */
static void unite_origins(struct record *record)
{
        struct seen_origin *seen = mem_array(record->n_origins, sizeof(*seen));
        uint32_t *firsts = seen ? first_numbers(record, seen) : NULL;

        for (size_t i = 0; firsts && i < record->n_attempts; i++)
                record->attempts[i].origin = firsts[record->attempts[i].origin];
        for (size_t i = 0; firsts && i < record->n_conns; i++)
                record->conns[i].origin = firsts[record->conns[i].origin];
        mem_free(firsts);
        mem_free(seen);
}

void record_settle(struct record *record)
{
        sort(record->origins, record->n_origins, sizeof(*record->origins), compare_origins);
        sort(record->attempts, record->n_attempts, sizeof(*record->attempts), compare_attempts);
        sort(record->conns, record->n_conns, sizeof(*record->conns), compare_conns);
        sort(record->tries, record->n_tries, sizeof(*record->tries), compare_tries);
        sort(record->lookups, record->n_lookups, sizeof(*record->lookups), compare_lookups);
        sort(record->turns, record->n_turns, sizeof(*record->turns), compare_turns);
        sort(record->samples, record->n_samples, sizeof(*record->samples), compare_samples);
        drop_first_words(record);
        drop_origins_behind_gap(record);
        unite_origins(record);
}
