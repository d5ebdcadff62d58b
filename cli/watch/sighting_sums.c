/* SPDX-License-Identifier: MIT */
/*
 * What was seen from outside, in numbers
 */
#include "sighting.h"

#include <base/mem.h>
#include <base/minmax.h>
#include <muster/error.h>
#include <stdlib.h>
#include <string.h>

struct values {
        uint64_t *list;
        size_t n;
};

/* All that is collected, one list of each. */
struct collected {
        struct values connect, life, lookup, rtt, opened, closed;
};

static int compare_values(const void *a, const void *b)
{
        const uint64_t *one = a, *other = b;

        return *one < *other ? -1 : *one > *other;
}

static void sort(struct values *values)
{
        if (values->n)
                qsort(values->list, values->n, sizeof(*values->list), compare_values);
}

static uint64_t median(const struct values *values)
{
        return values->n ? values->list[(values->n - 1) / 2] : 0;
}

static uint64_t most(const struct values *values)
{
        return values->n ? values->list[values->n - 1] : 0;
}

static void put(struct values *values, uint64_t value)
{
        values->list[values->n++] = value;
}

/* --- how many at once ------------------------------------------------------------------------ */

static size_t most_at_once(const struct values *opened, const struct values *closed)
{
        size_t most_open = 0, n_closed = 0;

        for (size_t i = 0; i < opened->n; i++) {
                while (n_closed < closed->n && closed->list[n_closed] < opened->list[i])
                        n_closed++;
                most_open = max_u64(most_open, i + 1 - n_closed);
        }
        return most_open;
}

/* --- how many addresses ---------------------------------------------------------------------- */

static int compare_addresses(const void *a, const void *b)
{
        return memcmp(a, b, sizeof(union sighted_address));
}

static size_t count_addresses(union sighted_address *addresses, size_t n)
{
        size_t n_different = n > 0;

        if (n)
                qsort(addresses, n, sizeof(*addresses), compare_addresses);
        for (size_t i = 1; i < n; i++)
                n_different += compare_addresses(&addresses[i - 1], &addresses[i]) != 0;
        return n_different;
}

/* --- adding up ------------------------------------------------------------------------------- */

static void add(struct sighted_sums *sums, struct collected *all, const struct sighted_conn *conn)
{
        if (conn->is_lookup) {
                sums->n_lookups++;
                if (conn->answered_ns)
                        put(&all->lookup, conn->answered_ns - conn->opened_ns);
                return;
        }
        sums->n_conns++;
        sums->n_failed += conn->sys != 0;
        sums->n_sent += conn->n_sent;
        sums->n_received += conn->n_received;
        sums->n_retransmits += conn->n_retransmits;
        sums->n_segments_sent += conn->n_segments_sent;
        sums->n_exchanges += conn->n_exchanges;
        sums->n_single += conn->n_exchanges == 1;
        sums->n_closed_by_server += sighted_was_left(conn);
        if (!conn->connected_ns)
                return;
        put(&all->connect, conn->connected_ns - conn->opened_ns);
        put(&all->life, max_u64(conn->last_ns, conn->connected_ns) - conn->opened_ns);
        put(&all->opened, conn->opened_ns);
        put(&all->closed, max_u64(conn->last_ns, conn->connected_ns));
        if (conn->min_rtt_us)
                put(&all->rtt, conn->min_rtt_us);
}

static bool allocate(struct collected *all, size_t n)
{
        struct values *const lists[] = { &all->connect, &all->life, &all->lookup, &all->rtt,
                &all->opened, &all->closed };
        bool is_good = true;

        for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
                lists[i]->list = mem_array(n + 1, sizeof(uint64_t));
                is_good = is_good && lists[i]->list;
        }
        return is_good;
}

static void finish(struct sighted_sums *sums, struct collected *all)
{
        sort(&all->connect);
        sort(&all->life);
        sort(&all->lookup);
        sort(&all->rtt);
        sort(&all->opened);
        sort(&all->closed);
        sums->connect_p50_ns = median(&all->connect);
        sums->connect_max_ns = most(&all->connect);
        sums->life_p50_ns = median(&all->life);
        sums->lookup_p50_ns = median(&all->lookup);
        sums->lookup_max_ns = most(&all->lookup);
        sums->rtt_p50_us = (uint32_t)median(&all->rtt);
        sums->most_open = most_at_once(&all->opened, &all->closed);
}

int sightings_sum(const struct sightings *seen, struct sighted_sums *ret_sums)
{
        struct sighted_sums sums = { .n_lost = seen->n_lost, .refused = seen->refused };
        union sighted_address *addresses = mem_array(seen->n_conns + 1, sizeof(*addresses));
        struct collected all = { 0 };
        bool is_good = allocate(&all, seen->n_conns) && addresses;
        size_t n = 0;

        for (size_t i = 0; is_good && i < seen->n_conns; i++) {
                add(&sums, &all, &seen->conns[i]);
                if (!seen->conns[i].is_lookup)
                        addresses[n++] = seen->conns[i].address;
        }
        for (size_t i = 0; i < seen->n_processes; i++)
                sums.n_processes += seen->processes[i].is_outside;
        if (is_good) {
                finish(&sums, &all);
                sums.n_addresses = count_addresses(addresses, n);
                *ret_sums = sums;
        }
        mem_free(all.connect.list);
        mem_free(all.life.list);
        mem_free(all.lookup.list);
        mem_free(all.rtt.list);
        mem_free(all.opened.list);
        mem_free(all.closed.list);
        mem_free(addresses);
        return is_good ? 0 : MUSTER_E_RESOURCE;
}
