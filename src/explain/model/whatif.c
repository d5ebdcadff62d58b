/* SPDX-License-Identifier: MIT */
#include "whatif.h"

#include "together.h"
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/contention.h>
#include <explain/measure/handshakes.h>
#include <explain/measure/processors.h>

struct keeping {
        const struct whatif *whatif;
        uint32_t *n_left; /* by origin: connections that may still be opened */
        size_t n_origins;
        uint64_t alone_ns; /* of an answer beside which nobody shakes hands */
        /* What connections that are left, and our work, take at least; UINT64_MAX and 1: as it was. */
        uint64_t tcp_ns, tls_ns;
        double running;
        uint64_t least_work_ns; /* of ours for a request on a connection that is there */
};

/* As many connections as were in use at once, among requests that may be under way now. */
static int count_needed(struct keeping *keeping, const struct facts *facts)
{
        const struct whatif *whatif = keeping->whatif;
        uint64_t most = whatif->concurrency ? whatif->concurrency : UINT32_MAX;

        if (whatif->per_host)
                most = min_u64(most, whatif->per_host);
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

static bool are_most_spared(const struct keeping *keeping, const struct facts *facts)
{
        uint64_t n_left = 0;

        for (size_t i = 0; i <= keeping->n_origins; i++)
                n_left += keeping->n_left[i];
        return (double)n_left <= (double)facts->n_on_new_conn * MOST_OF_THEM;
}

/*
 * What an answer takes at the server when hardly any connections are opened beside it. At the least
 * what the quick ones took, as taking a connection in is work for a server, too; or what the quickest
 * one took, where even the quick ones waited beside handshakes. That is expected where answers had
 * to wait for this machine's processors; elsewhere what they took beside few handshakes, if that
 * differs. UINT64_MAX: it takes what it took.
 */
static uint64_t answer_alone_ns(const struct keeping *keeping, const struct facts *facts)
{
        struct contention contention;
        struct handshakes handshakes;
        struct processors processors;
        uint64_t quick_ns;

        if (!keeping->whatif->keeps_conns || !are_most_spared(keeping, facts) ||
                keeping->whatif->contention == WHATIF_CONTENTION_KEPT)
                return UINT64_MAX;
        handshakes_of(&handshakes, facts);
        quick_ns = handshakes.are_work ? facts->server.min : facts->server.p10;
        if (keeping->whatif->contention == WHATIF_CONTENTION_LEAST)
                return quick_ns;
        processors_of(&processors, facts);
        if (processors.busy >= PROCESSORS_FULL)
                return quick_ns;
        contention_of(&contention, facts);
        return contention.is_there ? contention.alone_ns : UINT64_MAX;
}

static bool measure_tcp(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = conn_tcp_ns(conn);
        return *ret_value > 0;
}

/* What the quick ones took to connect and to shake hands, and of our work what the thread ran. */
static void leave_least(struct keeping *keeping, const struct facts *facts)
{
        struct handshakes handshakes;
        struct spread tcp;

        keeping->tcp_ns = keeping->tls_ns = UINT64_MAX;
        keeping->running = 1;
        keeping->least_work_ns = UINT64_MAX;
        if (!keeping->whatif->keeps_conns ||
                keeping->whatif->contention != WHATIF_CONTENTION_LEAST ||
                !are_most_spared(keeping, facts))
                return;
        if (!facts->program && together_factor(facts, 2) < 1)
                keeping->least_work_ns = ENGINE_WORK_NS;
        measure_conns(&tcp, facts, measure_tcp);
        handshakes_of(&handshakes, facts);
        if (tcp.n)
                keeping->tcp_ns = tcp.p10;
        if (handshakes.n)
                keeping->tls_ns = handshakes.took_ns.p10;
        if (facts->thread_cpu_ns < facts->loop_busy_ns)
                keeping->running = (double)facts->thread_cpu_ns / (double)facts->loop_busy_ns;
}

static void take_least(const struct keeping *keeping, struct replay_request *request)
{
        uint64_t *slot_ns = request->slot_ns;

        slot_ns[PART_TCP] = min_u64(slot_ns[PART_TCP], keeping->tcp_ns);
        slot_ns[PART_TLS] = min_u64(slot_ns[PART_TLS], keeping->tls_ns);
        slot_ns[PART_SERVER] = min_u64(slot_ns[PART_SERVER], keeping->alone_ns);
        request->loop_ns = whole_of((double)request->loop_ns * keeping->running);
        /* What our work for a connection is to that for a request is known about; at best all is. */
        if (!request->n_conns)
                request->loop_ns = min_u64(request->loop_ns, keeping->least_work_ns);
}

static void scale(uint64_t *ns, uint32_t part, uint32_t whole)
{
        *ns = *ns / whole * part;
}

/* The others cost nothing, neither the way nor our own work. */
static void open_only(struct replay_request *request, const struct facts *facts, uint32_t n)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, request->last);
        uint64_t tls_work_ns = facts->program ? conns_tls_work_ns(facts)
                               : conn         ? conn->tls_work_ns
                                              : 0;
        uint64_t work_ns = conns_opening_work_ns(facts) + tls_work_ns;

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
                if (is_warm)
                        request->slot_ns[PART_SERVER] =
                                min_u64(request->slot_ns[PART_SERVER], keeping->alone_ns);
        }
        if (whatif->contention == WHATIF_CONTENTION_LEAST)
                take_least(keeping, request);
        if (whatif->change)
                whatif->change(request, facts, is_warm, whatif->argument);
}

static int set_up(struct keeping *keeping, struct replay *replay, const struct whatif *whatif,
        const struct facts *facts)
{
        int r;

        *keeping = (struct keeping){ .whatif = whatif };
        replay_init(replay, facts);
        replay->change = change;
        replay->argument = keeping;
        replay->is_alone = whatif->is_alone;
        replay->server_per_s = whatif->server_per_s;
        replay->all_at_once = whatif->all_at_once;
        if (whatif->concurrency)
                replay->concurrency = whatif->concurrency;
        if (whatif->per_host)
                replay->per_host = whatif->per_host;
        r = count_needed(keeping, facts);
        if (r < 0)
                return r;
        keeping->alone_ns = answer_alone_ns(keeping, facts);
        leave_least(keeping, facts);
        return 0;
}

uint64_t whatif_wall_ns(const struct whatif *whatif, const struct facts *facts)
{
        struct keeping keeping;
        struct replay replay;
        uint64_t wall_ns = UINT64_MAX;

        if (set_up(&keeping, &replay, whatif, facts) == 0)
                wall_ns = replay_wall_ns(&replay, facts);
        mem_free(keeping.n_left);
        return wall_ns;
}

static uint64_t wall_with_ns(const struct whatif *whatif, enum whatif_contention contention,
        const struct facts *facts)
{
        struct whatif other = *whatif;

        other.contention = contention;
        return whatif_wall_ns(&other, facts);
}

void whatif_range_of(struct replay_range *range, const struct whatif *whatif,
        const struct facts *facts)
{
        struct keeping keeping;
        struct replay replay;

        *range = (struct replay_range){ UINT64_MAX, UINT64_MAX, UINT64_MAX };
        if (set_up(&keeping, &replay, whatif, facts) == 0)
                replay_range_of(range, &replay, facts);
        mem_free(keeping.n_left);
        if (!whatif->keeps_conns || range->wall_ns == UINT64_MAX)
                return;
        range->low_ns =
                min_u64(range->low_ns, wall_with_ns(whatif, WHATIF_CONTENTION_LEAST, facts));
        range->high_ns =
                max_u64(range->high_ns, wall_with_ns(whatif, WHATIF_CONTENTION_KEPT, facts));
}
