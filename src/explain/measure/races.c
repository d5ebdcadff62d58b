/* SPDX-License-Identifier: MIT */
#include "races.h"

#include "conns.h"
#include <assert.h>
#include <base/map.h>
#include <base/mem.h>

/* --- one ------------------------------------------------------------------------------------- */

/* The first of a connection's tries, which stand together; n_tries: it has none. */
static size_t first_try(const struct record *record, uint64_t conn)
{
        size_t low = 0, high = record->n_tries;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (record->tries[middle].conn < conn)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static bool is_ipv6(const struct trace_try *try)
{
        return try->address.len && try->address.at[0] == '[';
}

static bool is_silent(const struct trace_try *try)
{
        return try->fate == TRACE_TRY_OVERTAKEN || try->fate == TRACE_TRY_TIMED_OUT ||
               try->fate == TRACE_TRY_UNREACHABLE;
}

static void judge(struct race *race, const struct trace_try *tries, size_t n)
{
        bool are_ipv6 = !is_ipv6(race->winner);

        for (size_t i = 0; i < n && &tries[i] != race->winner; i++) {
                const struct trace_try *try = &tries[i];

                if (try->fate == TRACE_TRY_DENIED || try->start_ns > race->winner->start_ns)
                        continue;
                are_ipv6 = are_ipv6 && is_ipv6(try);
                if (!race->first)
                        race->lost_ns = race->winner->start_ns - try->start_ns;
                if (!race->first || (is_silent(try) && !is_silent(race->first)))
                        race->first = try;
        }
        if (!race->first)
                return;
        race->fault = !is_silent(race->first) ? RACE_REFUSED
                      : are_ipv6              ? RACE_SILENT_IPV6
                                              : RACE_SILENT;
}

void race_of(struct race *race, const struct record *record, const struct trace_conn *conn)
{
        size_t from = first_try(record, conn->id), n = 0;

        *race = (struct race){ 0 };
        for (; from + n < record->n_tries && record->tries[from + n].conn == conn->id; n++)
                if (record->tries[from + n].fate == TRACE_TRY_CONNECTED && !race->winner)
                        race->winner = &record->tries[from + n];
        if (race->winner)
                judge(race, &record->tries[from], n);
}

uint32_t race_origin(const struct trace_conn *conn)
{
        return conn->proxy ? conn->proxy : conn->origin;
}

/* --- all of them ----------------------------------------------------------------------------- */

struct seen_text {
        struct map_node node;
        size_t n;
};

/* What is needed to count them. */
struct count {
        struct races *races;
        const struct record *record;
        enum race_fault fault;
        struct map addresses, names, all_names;
        struct seen_text *seen; /* three for each connection */
        size_t n_seen;
        uint64_t *connected_ns;
};

/* How often it was seen, this time included; 0: memory is out. */
static size_t note(struct count *count, struct map *map, struct muster_str text)
{
        struct map_node *node = map_find(map, text);
        struct seen_text *seen = node ? (struct seen_text *)(void *)node : NULL;

        if (!seen) {
                assert(count->n_seen < 3 * count->record->n_conns);
                seen = &count->seen[count->n_seen++];
                if (map_add(map, &seen->node, text) < 0)
                        return 0;
        }
        return ++seen->n;
}

static int add_race(struct count *count, const struct race *race, uint32_t origin)
{
        struct races *races = count->races;
        size_t n = note(count, &count->addresses, race->first->address);

        if (!n || !note(count, &count->names, origin_host(origin_key(count->record, origin))))
                return MUSTER_E_RESOURCE;
        if (n > races->n_first) {
                races->n_first = n;
                races->first = race->first;
                races->winner = race->winner;
        }
        races->are_all_ipv4 = (races->are_all_ipv4 || !races->n) && !is_ipv6(race->first);
        races->are_won_by_ipv6 = (races->are_won_by_ipv6 || !races->n) && is_ipv6(race->winner);
        count->connected_ns[races->n++] = race->winner->end_ns - race->winner->start_ns;
        races->lost_ns += race->lost_ns;
        if (origin <= count->record->n_origins)
                races->is_concerned[origin] = 1;
        return 0;
}

static int add_conn(struct count *count, const struct trace_conn *conn)
{
        uint32_t origin = race_origin(conn);
        struct race race;

        if (!conn->tcp_end_ns)
                return 0;
        count->races->n_conns++;
        if (!note(count, &count->all_names, origin_host(origin_key(count->record, origin))))
                return MUSTER_E_RESOURCE;
        race_of(&race, count->record, conn);
        return race.fault == count->fault ? add_race(count, &race, origin) : 0;
}

static int count_all(struct count *count)
{
        const struct record *record = count->record;
        struct races *races = count->races;
        int r = 0;

        map_init(&count->addresses);
        map_init(&count->names);
        map_init(&count->all_names);
        for (size_t i = 0; r == 0 && i < record->n_conns; i++)
                r = add_conn(count, &record->conns[i]);
        races->n_addresses = count->addresses.n;
        races->n_names = count->names.n;
        races->n_all_names = count->all_names.n;
        map_deinit(&count->addresses);
        map_deinit(&count->names);
        map_deinit(&count->all_names);
        if (r == 0)
                spread_of(&races->connected_ns, count->connected_ns, races->n);
        return r;
}

int races_of(struct races *races, const struct facts *facts, enum race_fault fault)
{
        const struct record *record = facts->record;
        struct count count = { .races = races, .record = record, .fault = fault };
        int r = MUSTER_E_RESOURCE;

        assert(fault != RACE_WON_AT_ONCE && fault < RACE_N_FAULTS);
        *races = (struct races){ 0 };
        if (!record->n_tries)
                return 0;
        races->is_concerned = mem_array(record->n_origins + 1, sizeof(*races->is_concerned));
        count.seen = mem_array(3 * record->n_conns, sizeof(*count.seen));
        count.connected_ns = mem_array(record->n_conns, sizeof(*count.connected_ns));
        if (races->is_concerned && count.seen && count.connected_ns)
                r = count_all(&count);
        mem_free(count.seen);
        mem_free(count.connected_ns);
        return r;
}

void races_deinit(struct races *races)
{
        races->is_concerned = mem_free(races->is_concerned);
}
