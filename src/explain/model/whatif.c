/* SPDX-License-Identifier: MIT */
#include "whatif.h"

#include <base/mem.h>
#include <explain/facts/life.h>
#include <explain/measure/conns.h>

struct keeping {
        const struct whatif *whatif;
        uint32_t *n_left; /* by origin: connections that may still be opened */
        size_t n_origins;
};

/* As many connections as were in use at once, among requests that may be under way now. */
static int count_needed(struct keeping *keeping, const struct facts *facts)
{
        uint64_t most = keeping->whatif->concurrency ? keeping->whatif->concurrency : UINT32_MAX;

        keeping->n_origins = facts->record->n_origins;
        keeping->n_left = conns_in_use(facts);
        if (!keeping->n_left)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i <= keeping->n_origins; i++)
                if (keeping->n_left[i] > most)
                        keeping->n_left[i] = (uint32_t)most;
        return 0;
}

/* How many of its connections a request would still have had to open. */
static uint32_t take(struct keeping *keeping, const struct replay_request *request)
{
        uint32_t *left =
                &keeping->n_left[request->origin <= keeping->n_origins ? request->origin : 0];
        uint32_t n = request->n_conns < *left ? request->n_conns : *left;

        *left -= n;
        return n;
}

static void scale(uint64_t *ns, uint32_t part, uint32_t whole)
{
        *ns = *ns / whole * part;
}

/* The others cost nothing, neither the way nor our own work. */
static void open_only(struct replay_request *request, const struct facts *facts, uint32_t n)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, request->last);
        uint64_t work_ns = conns_opening_work_ns(facts) + (conn ? conn->tls_work_ns : 0);

        work_ns *= request->n_conns - n;
        scale(&request->slot_ns[PART_DNS], n, request->n_conns);
        scale(&request->slot_ns[PART_TCP], n, request->n_conns);
        scale(&request->slot_ns[PART_TUNNEL], n, request->n_conns);
        scale(&request->slot_ns[PART_TLS], n, request->n_conns);
        request->loop_ns -= work_ns < request->loop_ns ? work_ns : request->loop_ns;
        request->n_conns = n;
}

/* What it took to connect stays, unless the last attempt did that itself. */
static void leave_last(struct replay_request *request, const struct facts *facts)
{
        const struct trace_attempt *last = request->last;
        uint64_t phase_ns[MUSTER_N_PHASES] = { 0 };

        attempt_phases(last, phase_ns);
        if (last->conn && !last->is_reused) {
                request->slot_ns[PART_DNS] = phase_ns[MUSTER_PHASE_DNS];
                request->slot_ns[PART_TCP] = phase_ns[MUSTER_PHASE_TCP];
                request->slot_ns[PART_TUNNEL] = phase_ns[MUSTER_PHASE_TUNNEL];
                request->slot_ns[PART_TLS] = phase_ns[MUSTER_PHASE_TLS];
                request->n_conns = 1;
        }
        request->slot_ns[PART_SEND] = phase_ns[MUSTER_PHASE_SEND];
        request->slot_ns[PART_EXPECT] = life_expect_ns(last);
        request->slot_ns[PART_NETWORK] = attempt_network_ns(facts->record, last);
        request->slot_ns[PART_SERVER] = attempt_server_ns(facts->record, last);
        request->slot_ns[PART_RECEIVE] = phase_ns[MUSTER_PHASE_RECEIVE];
        request->backoff_ns = 0;
        request->loop_ns /= request->n_attempts;
        request->n_attempts = 1;
}

static void change(struct replay_request *request, const struct facts *facts, void *argument)
{
        struct keeping *keeping = argument;
        const struct whatif *whatif = keeping->whatif;
        bool is_warm;

        if (!request->last)
                return;
        is_warm = request->last->is_reused;
        if (whatif->is_last_only && request->n_attempts > 1)
                leave_last(request, facts);
        if (whatif->keeps_conns && request->n_conns) {
                uint32_t n = take(keeping, request);

                is_warm = n < request->n_conns;
                open_only(request, facts, n);
        }
        if (whatif->change)
                whatif->change(request, facts, is_warm, whatif->argument);
}

uint64_t whatif_wall_ns(const struct whatif *whatif, const struct facts *facts)
{
        struct keeping keeping = { .whatif = whatif };
        struct replay replay;
        uint64_t wall_ns = UINT64_MAX;

        replay_init(&replay, facts);
        replay.change = change;
        replay.argument = &keeping;
        if (whatif->concurrency)
                replay.concurrency = whatif->concurrency;
        if (count_needed(&keeping, facts) == 0)
                wall_ns = replay_wall_ns(&replay, facts);
        mem_free(keeping.n_left);
        return wall_ns;
}
