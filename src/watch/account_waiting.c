/* SPDX-License-Identifier: MIT */
/*
 * Who was in flight, and who waited for whom
 *
 * One sweep over all beginnings and ends. A request that waited for its pool had its slot from the
 * one of the same client that ended last before; one that did not, in a thread where nothing else
 * was under way, came after the one that ended last in its thread.
 */
#include "account.h"
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <stdlib.h>

#define WAITED_NS (20 * NS_PER_US) /* less is the library's own work */
#define GIVEN_NS  NS_PER_MS        /* a library notes the end of a request a little later */

enum edge_kind { EDGE_END, EDGE_START, EDGE_SLOT };

struct edge {
        uint64_t at_ns;
        uint32_t attempt; /* index */
        uint8_t kind;     /* enum edge_kind */
};

struct sweep {
        struct account *account;
        struct edge *edges;
        size_t n;
        /* the attempt that ended last, by number; and how many are under way */
        uint32_t *last_by_client, *last_by_thread;
        uint32_t *n_by_origin, *n_by_thread;
        uint32_t n_in_flight;
        uint32_t *calls; /* by attempt: its call's number */
};

/* Ends come first: what they free can be used at the same moment. */
static int compare_edges(const void *a, const void *b)
{
        const struct edge *one = a, *other = b;

        if (one->at_ns != other->at_ns)
                return one->at_ns < other->at_ns ? -1 : 1;
        if (one->kind != other->kind)
                return one->kind < other->kind ? -1 : 1;
        return one->attempt < other->attempt ? -1 : one->attempt > other->attempt;
}

static const struct call *call_of(const struct sweep *sweep, uint32_t attempt)
{
        return watched_call(sweep->account->all, sweep->calls[attempt]);
}

static uint32_t client_of(const struct sweep *sweep, const struct call *call)
{
        return call->hook ? watched_request(sweep->account->all, call->hook)->client : 0;
}

static void list_edges(struct sweep *sweep)
{
        const struct record *record = sweep->account->record;

        for (uint32_t i = 0; i < record->n_attempts; i++) {
                const struct attempt *stamps = &record->attempts[i].stamps;
                uint64_t slot_ns = stamps->slot_ns, slot_at = slot_ns;

                sweep->edges[sweep->n++] = (struct edge){ stamps->start_ns, i, EDGE_START };
                if (!slot_ns)
                        continue;
                if (call_of(sweep, i)->queued_ns >= WAITED_NS)
                        slot_at = clamp_u64(stamps->end_ns, slot_ns, slot_ns + GIVEN_NS);
                sweep->edges[sweep->n++] = (struct edge){ slot_at, i, EDGE_SLOT };
                /* It ends behind its beginning, also one that took no time. */
                sweep->edges[sweep->n++] =
                        (struct edge){ max_u64(stamps->end_ns, slot_at + 1), i, EDGE_END };
        }
        qsort(sweep->edges, sweep->n, sizeof(*sweep->edges), compare_edges);
}

/* --- waits ------------------------------------------------------------------------------------ */

/* Which limit of its client was reached? Where none is known, it was the one of all. */
static enum trace_wait wait_of(const struct sweep *sweep, const struct call *call,
        const struct trace_attempt *row)
{
        uint32_t number = client_of(sweep, call);
        const struct program_client *client =
                number ? rows_at(&sweep->account->all->clients, number - 1) : NULL;

        if (client && client->per_host &&
                (!client->limit || client->per_host < client->limit ||
                        row->host_in_flight >= client->per_host))
                return TRACE_WAIT_HOST;
        return TRACE_WAIT_SLOT;
}

static bool can_give(const struct record *record, uint32_t giver, const struct trace_attempt *row)
{
        return giver && giver != row->number &&
               record->attempts[giver - 1].stamps.slot_ns < row->stamps.slot_ns;
}

static void note_slot(struct sweep *sweep, uint32_t attempt)
{
        struct record *record = sweep->account->record;
        struct trace_attempt *row = &record->attempts[attempt];
        const struct call *call = call_of(sweep, attempt);
        uint32_t giver = sweep->last_by_client[client_of(sweep, call)];

        row->in_flight = ++sweep->n_in_flight;
        row->host_in_flight = ++sweep->n_by_origin[row->origin];
        if (call->queued_ns < WAITED_NS)
                return;
        row->wait = wait_of(sweep, call, row);
        if (can_give(record, giver, row))
                row->slot_from = giver;
}

static void note_start(struct sweep *sweep, uint32_t attempt)
{
        struct trace_attempt *row = &sweep->account->record->attempts[attempt];
        uint32_t thread = call_of(sweep, attempt)->thread;

        if (!sweep->n_by_thread[thread]++ && call_of(sweep, attempt)->queued_ns < WAITED_NS &&
                thread)
                row->slot_from = sweep->last_by_thread[thread];
}

static void note_end(struct sweep *sweep, uint32_t attempt)
{
        const struct trace_attempt *row = &sweep->account->record->attempts[attempt];
        const struct call *call = call_of(sweep, attempt);

        sweep->n_in_flight -= sweep->n_in_flight > 0;
        sweep->n_by_origin[row->origin] -= sweep->n_by_origin[row->origin] > 0;
        sweep->n_by_thread[call->thread] -= sweep->n_by_thread[call->thread] > 0;
        sweep->last_by_client[client_of(sweep, call)] = (uint32_t)row->number;
        sweep->last_by_thread[call->thread] = (uint32_t)row->number;
}

/* --- all of it -------------------------------------------------------------------------------- */

static void go_through(struct sweep *sweep)
{
        for (size_t i = 0; i < sweep->n; i++) {
                const struct edge *edge = &sweep->edges[i];

                switch ((enum edge_kind)edge->kind) {
                case EDGE_START:
                        note_start(sweep, edge->attempt);
                        break;
                case EDGE_SLOT:
                        note_slot(sweep, edge->attempt);
                        break;
                case EDGE_END:
                        note_end(sweep, edge->attempt);
                        break;
                }
        }
}

static bool begin(struct sweep *sweep)
{
        const struct watched *all = sweep->account->all;
        const struct record *record = sweep->account->record;

        sweep->edges = mem_array(record->n_attempts * 3, sizeof(*sweep->edges));
        sweep->last_by_client = mem_array(all->clients.n + 1, sizeof(uint32_t));
        sweep->last_by_thread = mem_array(all->threads.n + 1, sizeof(uint32_t));
        sweep->n_by_thread = mem_array(all->threads.n + 1, sizeof(uint32_t));
        sweep->n_by_origin = mem_array(record->n_origins + 1, sizeof(uint32_t));
        sweep->calls = mem_array(record->n_attempts, sizeof(uint32_t));
        return sweep->edges && sweep->last_by_client && sweep->last_by_thread &&
               sweep->n_by_thread && sweep->n_by_origin && sweep->calls;
}

static void end(struct sweep *sweep)
{
        mem_free(sweep->edges);
        mem_free(sweep->last_by_client);
        mem_free(sweep->last_by_thread);
        mem_free(sweep->n_by_thread);
        mem_free(sweep->n_by_origin);
        mem_free(sweep->calls);
}

int account_waiting(struct account *account)
{
        struct sweep sweep = { .account = account };
        bool is_good;

        if (!account->record->n_attempts)
                return 0;
        is_good = begin(&sweep);
        if (is_good) {
                for (uint32_t i = 1; i <= account->all->calls.n; i++)
                        if (account->attempts[i])
                                sweep.calls[account->attempts[i] - 1] = i;
                list_edges(&sweep);
                go_through(&sweep);
        }
        end(&sweep);
        return is_good ? 0 : MUSTER_E_RESOURCE;
}
