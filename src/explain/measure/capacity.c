/* SPDX-License-Identifier: MIT */
/*
 * Two things tell how many it is, and the larger counts.
 *
 * Little's law: with n under way at X answers a second, an answer takes n / X. A run begins with
 * one under way, then two, and so on. So there is an n for which those that began with no more than
 * n took less than that on average: the server had room for them. Where all answers take the same
 * this is the number. Where they differ it depends on the first few, which may all have been quick
 * ones.
 *
 * Where answers differ they overtake each other. A server takes up first what came first; so a
 * request that is answered later than one that came later had been taken up already. With n at a
 * time up to n - 1 can be overtaken at once. Where answers take the same none is.
 */
#include "capacity.h"

#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>
#include <math.h>

static size_t list_answers(const struct load *load, const struct facts *facts,
        struct sort_pair *pairs)
{
        const struct record *record = facts->record;
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++)
                if (load_is_answer(load, &record->attempts[i]))
                        pairs[n++].value = i;
        return n;
}

/* --- by Little's law ------------------------------------------------------------------------- */

/* The time of an attempt without opening its connection, which is not always done. */
static uint64_t service_ns(const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;

        return stamps->end_ns > stamps->send_start_ns ? stamps->end_ns - stamps->send_start_ns : 0;
}

static uint64_t by_littles_law(const struct load *load, const struct record *record,
        struct sort_pair *pairs, size_t n_pairs)
{
        double sum_ns = 0;
        size_t i = 0;

        for (size_t k = 0; k < n_pairs; k++)
                pairs[k].key = record->attempts[pairs[k].value].host_in_flight;
        sort_pairs(pairs, n_pairs);
        for (uint64_t n = 1; n < load->most; n++) {
                for (; i < n_pairs && pairs[i].key <= n; i++)
                        sum_ns += (double)service_ns(&record->attempts[pairs[i].value]);
                if (i >= AVERAGE_LEAST && (double)n >= load->full_per_s * sum_ns / (double)i / 1e9)
                        return n;
        }
        return load->most;
}

/* The server takes up one at a time. So it needs as many as are on their way meanwhile. */
static uint64_t by_pace(const struct load *load, const struct facts *facts)
{
        uint64_t n = 1 + whole_of(load->full_per_s * (double)facts->network.p50 / 1e9);

        return n > ONE_BY_ONE_LEAST ? n : ONE_BY_ONE_LEAST;
}

/* --- by who overtakes whom ------------------------------------------------------------------- */

/* Counts what is below a place: a Fenwick tree. */
static void count_at(uint32_t *tree, size_t n, size_t place)
{
        assert(place < n);
        for (size_t i = place + 1; i <= n; i += i & -i)
                tree[i]++;
}

static size_t count_below(const uint32_t *tree, size_t place)
{
        size_t sum = 0;

        for (size_t i = place; i > 0; i -= i & -i)
                sum += tree[i];
        return sum;
}

/* Sorts by sending and notes the places; then sorts by the answers. */
static void order_by_answer(const struct record *record, struct sort_pair *pairs, size_t n)
{
        for (size_t i = 0; i < n; i++)
                pairs[i].key = record->attempts[pairs[i].value].stamps.send_end_ns;
        sort_pairs(pairs, n);
        for (size_t i = 0; i < n; i++) {
                pairs[i].key = record->attempts[pairs[i].value].stamps.first_byte_kernel_ns;
                pairs[i].value = i;
        }
        sort_pairs(pairs, n);
}

/* How many were worked on at the moment of each answer: those that it overtook, and itself. */
static uint64_t by_overtaking(const struct record *record, struct sort_pair *pairs, size_t n,
        uint32_t *tree)
{
        order_by_answer(record, pairs, n);
        for (size_t i = 0; i < n; i++) {
                size_t place = pairs[i].value;

                pairs[i].key = place - count_below(tree, place) + 1;
                count_at(tree, n, place);
        }
        sort_pairs(pairs, n);
        assert(n > 0);
        return pairs[(size_t)((double)(n - 1) * OVERTAKEN)].key;
}

uint64_t capacity_of(const struct load *load, const struct facts *facts)
{
        const struct record *record = facts->record;
        struct sort_pair *pairs = mem_array(record->n_attempts, sizeof(*pairs));
        uint32_t *tree = mem_array(record->n_attempts + 1, sizeof(*tree));
        size_t n = pairs && tree ? list_answers(load, facts, pairs) : 0;
        uint64_t capacity = 0;

        if (n) {
                uint64_t by_order;

                capacity = load->is_paced ? by_pace(load, facts)
                                          : by_littles_law(load, record, pairs, n);
                by_order = by_overtaking(record, pairs, n, tree);
                capacity = whole_of(ceil((double)(by_order > capacity ? by_order : capacity) *
                                         HEADROOM));
        }
        mem_free(pairs);
        mem_free(tree);
        return capacity < load->most ? capacity : load->most;
}
