/* SPDX-License-Identifier: MIT */
#include "life.h"

#include "turns.h"
#include <assert.h>
#include <base/clock.h>
#include <base/minmax.h>
#include <explain/judgement.h>
#include <string.h>

uint64_t life_expect_ns(const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;

        return stamps->expect_start_ns && stamps->expect_end_ns > stamps->expect_start_ns
                       ? stamps->expect_end_ns - stamps->expect_start_ns
                       : 0;
}

uint64_t life_end_ns(const struct trace_attempt *attempt)
{
        return max_u64(attempt->stamps.end_ns, attempt->stamps.slot_ns);
}

uint64_t life_process_end_ns(const struct trace_attempt *attempt)
{
        return max_u64(attempt->process_end_ns, life_end_ns(attempt));
}

/* The loop counts what it processes itself, and not what the workers do. */
enum part life_process_part(const struct record *record)
{
        size_t n = record->n_samples;

        if (n && record->samples[n - 1].work_ns[TRACE_WORK_PROCESS])
                return PART_LOOP_PROCESS;
        return PART_PROCESS;
}

uint64_t life_submit_ns(const struct trace_attempt *attempt)
{
        return attempt->submitted_ns ? attempt->submitted_ns : attempt->stamps.start_ns;
}

uint64_t life_first_ns(const struct trace_attempt *attempt)
{
        uint64_t first = life_submit_ns(attempt);

        if (attempt->stamps.start_ns)
                first = min_u64(first, attempt->stamps.start_ns);
        if (attempt->stamps.slot_ns)
                first = min_u64(first, attempt->stamps.slot_ns);
        return first;
}

uint64_t life_last_ns(const struct trace_attempt *attempt)
{
        uint64_t last = max_u64(life_process_end_ns(attempt), life_first_ns(attempt));

        return max_u64(last, max_u64(attempt->finished_ns, attempt->taken_ns));
}

/* --- phases ---------------------------------------------------------------------------------- */

void attempt_phases(const struct trace_attempt *attempt, uint64_t phase_ns[MUSTER_N_PHASES])
{
        struct attempt stamps = attempt->stamps;

        memset(phase_ns, 0, MUSTER_N_PHASES * sizeof(phase_ns[0]));
        stamps.end_ns = max_u64(stamps.end_ns, stamps.start_ns);
        if ((unsigned)stamps.stage >= MUSTER_N_PHASES)
                stamps.stage = MUSTER_PHASE_RECEIVE;
        attempt_add_phases(&stamps, phase_ns);
}

/* --- there and back -------------------------------------------------------------------------- */

static uint64_t way_ns(const struct record *record, const struct trace_attempt *attempt,
        uint64_t wait_ns)
{
        const struct attempt *stamps = &attempt->stamps;
        const struct trace_conn *conn = record_conn(record, attempt->conn);
        uint64_t way = conn ? conn->min_rtt_us * NS_PER_US : 0;

        if (conn && conn->n_retransmits && stamps->acked_ns > stamps->send_end_ns &&
                stamps->acked_ns - stamps->send_end_ns >= RTO_MIN_NS)
                way = stamps->acked_ns - stamps->send_end_ns;
        return min_u64(way, wait_ns);
}

static uint64_t wait_of(const struct trace_attempt *attempt)
{
        uint64_t phase_ns[MUSTER_N_PHASES];

        attempt_phases(attempt, phase_ns);
        return phase_ns[MUSTER_PHASE_WAIT];
}

uint64_t attempt_network_ns(const struct record *record, const struct trace_attempt *attempt)
{
        return way_ns(record, attempt, wait_of(attempt));
}

uint64_t attempt_server_ns(const struct record *record, const struct trace_attempt *attempt)
{
        uint64_t wait_ns = wait_of(attempt);

        return wait_ns - way_ns(record, attempt, wait_ns);
}

/* --- cutting --------------------------------------------------------------------------------- */

static uint64_t at_of(const struct life *life)
{
        return life->n ? life->pieces[life->n - 1].end_ns : life->start_ns;
}

/* Cuts the next piece, up to that moment; none where that lies behind. */
static void cut(struct life *life, enum part part, uint64_t moment_ns)
{
        uint64_t end_ns = min_u64(moment_ns, life->end_ns);

        if (end_ns <= at_of(life))
                return;
        assert(life->n < LIFE_PIECES);
        life->pieces[life->n++] = (struct life_piece){ part, end_ns };
}

static void cut_wait(struct life *life, const struct facts *facts,
        const struct trace_attempt *attempt, uint64_t moment_ns)
{
        uint64_t at = at_of(life);
        uint64_t end_ns = min_u64(moment_ns, life->end_ns);

        if (end_ns <= at)
                return;
        cut(life, PART_NETWORK, at + way_ns(facts->record, attempt, end_ns - at));
        cut(life, PART_SERVER, end_ns);
}

/*
 * How long the loop slept although data was there: the data could not be read, as something before
 * it had been lost and was sent again. That is so where this happened on the connection and nothing
 * else kept the loop. Elsewhere the loop was not woken in time, which is our own delay.
 */
static uint64_t held_back_ns(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t from_ns, uint64_t to_ns)
{
        const struct trace_conn *conn = record_conn(facts->record, attempt->conn);
        uint64_t busy_ns;

        if (!conn || !conn->n_out_of_order)
                return 0;
        busy_ns = turns_busy_ns(facts->turns, conn->engine, from_ns, to_ns) + SHORT_TURN_NS;
        return to_ns - from_ns - min_u64(busy_ns, to_ns - from_ns);
}

/*
 * How much of that time the loop is known to have spent on handshakes, this one's or others' that
 * it had to wait for.
 */
static uint64_t handshake_work_ns(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t from_ns, uint64_t to_ns)
{
        const struct trace_conn *conn = record_conn(facts->record, attempt->conn);

        return max_u64(conn ? conn->tls_work_ns : 0,
                turns_tls_ns(facts->turns, attempt->engine, from_ns, to_ns));
}

static void cut_tls(struct life *life, const struct facts *facts,
        const struct trace_attempt *attempt, uint64_t moment_ns)
{
        uint64_t at = at_of(life);
        uint64_t end_ns = min_u64(moment_ns, life->end_ns);
        uint64_t work_ns;

        if (end_ns <= at)
                return;
        work_ns = handshake_work_ns(facts, attempt, at, end_ns);
        cut(life, PART_LOOP_TLS, at + min_u64(work_ns, end_ns - at));
        cut(life, PART_TLS, end_ns);
}

/* The time that a loss took comes first and is the way's; the rest is the loop's. */
static void cut_lag(struct life *life, const struct facts *facts,
        const struct trace_attempt *attempt, enum part way, uint64_t moment_ns)
{
        uint64_t part_ns[PART_N] = { 0 };
        uint64_t end_ns = min_u64(moment_ns, life->end_ns);
        uint64_t held_ns;

        if (end_ns <= at_of(life))
                return;
        held_ns = held_back_ns(facts, attempt, at_of(life), end_ns);
        cut(life, way, at_of(life) + held_ns);
        if (end_ns <= at_of(life))
                return;
        turns_parts(facts->turns, attempt->engine, at_of(life), end_ns, part_ns);
        for (enum part part = PART_LOOP_IO; part <= PART_STOPPED; part++)
                cut(life, part, at_of(life) + part_ns[part]);
}

/*
 * The response, from the first byte that we read. Data that was there already waited for us, which
 * is our own time.
 */
static void cut_response(struct life *life, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;
        uint64_t decode_ns = min_u64(stamps->decode_ns, life->end_ns - at_of(life));

        if (!stamps->last_byte_kernel_ns)
                cut(life, PART_RECEIVE, life->end_ns - decode_ns);
        else
                cut(life, PART_RECEIVE,
                        min_u64(stamps->last_byte_kernel_ns, life->end_ns - decode_ns));
        cut_lag(life, facts, attempt, PART_RECEIVE, life->end_ns - decode_ns);
        cut(life, PART_LOOP_DECODE, life->end_ns);
}

/* The rest belongs to the stage that the attempt had reached. */
static void cut_rest(struct life *life, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        switch (attempt->stamps.stage) {
        case MUSTER_PHASE_DNS:
                cut(life, PART_DNS, life->end_ns);
                return;
        case MUSTER_PHASE_TCP:
                cut(life, PART_TCP, life->end_ns);
                return;
        case MUSTER_PHASE_TUNNEL:
                cut(life, PART_TUNNEL, life->end_ns);
                return;
        case MUSTER_PHASE_TLS:
                cut_tls(life, facts, attempt, life->end_ns);
                return;
        case MUSTER_PHASE_SEND:
                cut(life, PART_SEND, life->end_ns);
                return;
        case MUSTER_PHASE_WAIT:
                cut_wait(life, facts, attempt, life->end_ns);
                return;
        case MUSTER_PHASE_RECEIVE:
        case MUSTER_PHASE_DECODE:
                cut_response(life, facts, attempt);
                return;
        case MUSTER_PHASE_QUEUE:
        case MUSTER_PHASE_BACKOFF:
        case MUSTER_PHASE_LAG:
        case MUSTER_PHASE_PROCESS:
        case MUSTER_PHASE_DELIVER:
        case MUSTER_N_PHASES:
                break;
        }
        cut_lag(life, facts, attempt, PART_NETWORK, life->end_ns);
}

void life_of(struct life *life, const struct facts *facts, const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;

        life->start_ns = stamps->slot_ns;
        life->end_ns = stamps->slot_ns ? life_end_ns(attempt) : 0;
        life->n = 0;
        cut(life, PART_DNS, stamps->dns_end_ns);
        cut(life, PART_TCP, stamps->tcp_end_ns);
        cut(life, PART_TUNNEL, stamps->tunnel_end_ns);
        cut_tls(life, facts, attempt, stamps->tls_end_ns);
        cut(life, PART_SEND, stamps->expect_start_ns);
        cut(life, PART_EXPECT, stamps->expect_end_ns);
        cut(life, PART_SEND, stamps->send_end_ns);
        cut_wait(life, facts, attempt, stamps->first_byte_kernel_ns);
        cut_lag(life, facts, attempt, PART_NETWORK, stamps->first_byte_read_ns);
        cut_rest(life, facts, attempt);
        assert(at_of(life) == life->end_ns);
}
