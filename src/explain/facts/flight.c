/* SPDX-License-Identifier: MIT */
#include "flight.h"

#include "life.h"
#include "sort.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>

/* Moments of one kind, sorted; and how far the sweep is. */
struct edges {
        uint64_t *at;
        size_t n, n_passed;
};

enum edge {
        EDGE_QUEUED, /* entered the queue */
        EDGE_UNQUEUED,
        EDGE_WAITED, /* began to wait for a slot that others had */
        EDGE_WAITED_NO_MORE,
        EDGE_SLOT,
        EDGE_END,
        N_EDGES,
};

struct flight {
        struct edges edges[N_EDGES];
        uint64_t last_submit_ns;
};

/* --- edges ----------------------------------------------------------------------------------- */

static int begin(struct flight *flight, size_t n_attempts)
{
        *flight = (struct flight){ 0 };
        for (size_t i = 0; i < N_EDGES; i++)
                if (!(flight->edges[i].at = mem_array(n_attempts, sizeof(uint64_t))))
                        return MUSTER_E_RESOURCE;
        return 0;
}

static void end(struct flight *flight)
{
        for (size_t i = 0; i < N_EDGES; i++)
                mem_free(flight->edges[i].at);
}

static void add(struct flight *flight, enum edge edge, uint64_t at_ns)
{
        struct edges *edges = &flight->edges[edge];

        assert(edge < N_EDGES && edges->n_passed == 0);
        edges->at[edges->n++] = at_ns;
}

/*
 * Did it wait for a slot? Also a request that was stopped before it had one; nobody has told what
 * it waited for.
 */
static bool waited_for_slot(const struct trace_attempt *attempt)
{
        if (attempt->code == MUSTER_E_CANCELLED && !attempt->stamps.slot_ns)
                return attempt->wait != TRACE_WAIT_RATE && attempt->wait != TRACE_WAIT_HOST_RATE &&
                       attempt->wait != TRACE_WAIT_REFUSED;
        return attempt->wait == TRACE_WAIT_SLOT || attempt->wait == TRACE_WAIT_HOST ||
               attempt->wait == TRACE_WAIT_SHARE || attempt->wait == TRACE_WAIT_STREAM ||
               attempt->wait == TRACE_WAIT_PROTOCOL;
}

static void add_attempt(struct flight *flight, const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;
        uint64_t left_ns = stamps->slot_ns ? stamps->slot_ns : stamps->end_ns;
        uint64_t due_ns = max_u64(stamps->start_ns, attempt->n == 1 ? attempt->planned_ns : 0);

        if (left_ns > stamps->start_ns) {
                add(flight, EDGE_QUEUED, stamps->start_ns);
                add(flight, EDGE_UNQUEUED, left_ns);
        }
        if (left_ns > due_ns && waited_for_slot(attempt)) {
                add(flight, EDGE_WAITED, due_ns);
                add(flight, EDGE_WAITED_NO_MORE, left_ns);
        }
        if (stamps->slot_ns) {
                add(flight, EDGE_SLOT, stamps->slot_ns);
                add(flight, EDGE_END, life_end_ns(attempt));
        }
        flight->last_submit_ns = max_u64(flight->last_submit_ns, life_submit_ns(attempt));
}

/* --- the sweep ------------------------------------------------------------------------------- */

static uint64_t next_moment(const struct flight *flight, uint64_t end_ns)
{
        uint64_t next = end_ns;

        for (size_t i = 0; i < N_EDGES; i++) {
                const struct edges *edges = &flight->edges[i];

                if (edges->n_passed < edges->n && edges->at[edges->n_passed] < next)
                        next = edges->at[edges->n_passed];
        }
        return next;
}

static void pass(struct flight *flight, uint64_t moment_ns)
{
        for (size_t i = 0; i < N_EDGES; i++) {
                struct edges *edges = &flight->edges[i];

                while (edges->n_passed < edges->n && edges->at[edges->n_passed] <= moment_ns)
                        edges->n_passed++;
        }
}

static uint64_t n_between(const struct flight *flight, enum edge from, enum edge to)
{
        assert(flight->edges[from].n_passed >= flight->edges[to].n_passed);
        return flight->edges[from].n_passed - flight->edges[to].n_passed;
}

static uint64_t n_in_flight(const struct flight *flight)
{
        return n_between(flight, EDGE_SLOT, EDGE_END);
}

/* How things stood from `at_ns` to `next_ns`. */
static void account(struct facts *facts, const struct flight *flight, uint64_t at_ns,
        uint64_t next_ns)
{
        uint64_t in_flight = n_in_flight(flight);
        bool is_full = facts->slots && in_flight >= facts->slots;

        assert(next_ns > at_ns && next_ns <= facts->end_ns);
        facts->max_in_flight = max_u64(facts->max_in_flight, in_flight);
        facts->mean_in_flight += (double)in_flight * (double)(next_ns - at_ns);
        if (is_full && n_between(flight, EDGE_WAITED, EDGE_WAITED_NO_MORE))
                facts->full_ns += next_ns - at_ns;
        if (!is_full && !n_between(flight, EDGE_QUEUED, EDGE_UNQUEUED) &&
                at_ns < flight->last_submit_ns)
                facts->starved_ns += next_ns - at_ns;
}

static void sweep(struct facts *facts, struct flight *flight)
{
        uint64_t at_ns = facts->start_ns;

        while (at_ns < facts->end_ns) {
                uint64_t next_ns;

                pass(flight, at_ns);
                next_ns = next_moment(flight, facts->end_ns);
                account(facts, flight, at_ns, next_ns);
                at_ns = next_ns;
        }
        facts->mean_in_flight /= (double)facts->wall_ns;
}

/*
 * Goes backwards from the end, taking slots back and undoing ends, until half of the slots are in
 * use.
 */
static void find_tail(struct facts *facts, const struct flight *flight)
{
        const struct edges *slots = &flight->edges[EDGE_SLOT], *ends = &flight->edges[EDGE_END];
        uint64_t most = facts->slots && facts->slots < facts->max_in_flight ? facts->slots
                                                                            : facts->max_in_flight;
        size_t n_slots = slots->n, n_ends = ends->n;

        assert(n_slots == n_ends); /* each slot is given back */
        facts->tail_from_ns = facts->start_ns;
        while (n_ends > 0) {
                uint64_t at_ns = ends->at[n_ends - 1];

                while (n_slots > 0 && slots->at[n_slots - 1] >= at_ns)
                        n_slots--;
                n_ends--;
                if (n_slots > n_ends && 2 * (n_slots - n_ends) >= most) {
                        facts->tail_from_ns = at_ns;
                        break;
                }
        }
        facts->tail_ns = facts->end_ns - facts->tail_from_ns;
}

int flight_measure(struct facts *facts)
{
        const struct record *record = facts->record;
        struct flight flight;
        int r = begin(&flight, record->n_attempts);

        assert(facts->wall_ns > 0 && !facts->max_in_flight);
        if (r == 0) {
                for (size_t i = 0; i < record->n_attempts; i++)
                        add_attempt(&flight, &record->attempts[i]);
                for (size_t i = 0; i < N_EDGES; i++)
                        sort_numbers(flight.edges[i].at, flight.edges[i].n);
                sweep(facts, &flight);
                find_tail(facts, &flight);
        }
        end(&flight);
        return r;
}
