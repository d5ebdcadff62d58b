/* SPDX-License-Identifier: MIT */
#include "life.h"

#include <assert.h>
#include <base/clock.h>
#include <string.h>

/*
 * Data was sent again after this time at the earliest (the kernel's TCP_RTO_MIN): an acknowledgement as late as that, on a connection that
 * sent something again, was late for the way; else for the receiver, who may keep it back.
 */
#define RESENT_NS (200 * NS_PER_MS)

#define SHORT_TURN_NS (1 * NS_PER_MS) /* a turn of the loop that is not told of took less */

static uint64_t min_ns(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

static uint64_t max_ns(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

uint64_t life_end_ns(const struct trace_attempt *attempt)
{
        return max_ns(attempt->stamps.end_ns, attempt->stamps.slot_ns);
}

uint64_t life_process_end_ns(const struct trace_attempt *attempt)
{
        return max_ns(attempt->process_end_ns, life_end_ns(attempt));
}

/* The loop counts what it processes itself; the workers' is not in there. */
enum part life_process_part(const struct record *record)
{
        const struct trace_sample *last = record->samples + record->n_samples - 1;

        if (record->n_samples && last->work_ns[TRACE_WORK_PROCESS])
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
                first = min_ns(first, attempt->stamps.start_ns);
        if (attempt->stamps.slot_ns)
                first = min_ns(first, attempt->stamps.slot_ns);
        return first;
}

uint64_t life_last_ns(const struct trace_attempt *attempt)
{
        uint64_t last = max_ns(life_process_end_ns(attempt), life_first_ns(attempt));

        return max_ns(last, max_ns(attempt->finished_ns, attempt->taken_ns));
}

/* --- phases ------------------------------------------------------------------------------------------------------- */

void attempt_phases(const struct trace_attempt *attempt, uint64_t phase_ns[MUSTER_N_PHASES])
{
        struct attempt stamps = attempt->stamps;

        memset(phase_ns, 0, MUSTER_N_PHASES * sizeof(phase_ns[0]));
        stamps.end_ns = max_ns(stamps.end_ns, stamps.start_ns);
        if ((unsigned)stamps.stage >= MUSTER_N_PHASES)
                stamps.stage = MUSTER_PHASE_RECEIVE;
        attempt_add_phases(&stamps, phase_ns);
}

/* --- there and back ----------------------------------------------------------------------------------------------- */

static uint64_t way_ns(const struct record *record, const struct trace_attempt *attempt,
                       uint64_t wait_ns)
{
        const struct attempt *stamps = &attempt->stamps;
        const struct trace_conn *conn = record_conn(record, attempt->conn);
        uint64_t way = conn ? conn->min_rtt_us * NS_PER_US : 0;

        if (conn && conn->n_retransmits && stamps->acked_ns > stamps->send_end_ns &&
            stamps->acked_ns - stamps->send_end_ns >= RESENT_NS)
                way = stamps->acked_ns - stamps->send_end_ns;
        return min_ns(way, wait_ns);
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

/* --- what the loop did -------------------------------------------------------------------------------------------- */

static const enum part work_parts[TRACE_N_WORKS] = {
        [TRACE_WORK_IO] = PART_LOOP_IO,         [TRACE_WORK_TLS] = PART_LOOP_TLS,
        [TRACE_WORK_DECODE] = PART_LOOP_DECODE, [TRACE_WORK_PROCESS] = PART_LOOP_PROCESS,
        [TRACE_WORK_CALLER] = PART_LOOP_CALLER,
};

/* Divide `ns` as the work was; to the loop's own what was not counted. */
static void divide(uint64_t ns, const uint64_t work_ns[TRACE_N_WORKS], uint64_t part_ns[PART_N])
{
        double sum = 0;
        uint64_t left = ns;

        for (size_t i = 0; i < TRACE_N_WORKS; i++)
                sum += (double)work_ns[i];
        for (size_t i = 0; i < TRACE_N_WORKS && sum > 0; i++) {
                uint64_t piece;

                if (i == TRACE_WORK_IO)
                        continue;
                piece = min_ns((uint64_t)((double)ns * ((double)work_ns[i] / sum)), left);
                part_ns[work_parts[i]] += piece;
                left -= piece;
        }
        part_ns[PART_LOOP_IO] += left;
}

/* The first turn that ends after `at_ns`. */
static size_t first_turn(const struct record *record, uint64_t at_ns)
{
        size_t low = 0, high = record->n_turns;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (record->turns[middle].end_ns > at_ns)
                        high = middle;
                else
                        low = middle + 1;
        }
        return low;
}

/* The first sample at or after `at_ns`. */
static size_t first_sample(const struct record *record, uint64_t at_ns)
{
        size_t low = 0, high = record->n_samples;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (record->samples[middle].at_ns >= at_ns)
                        high = middle;
                else
                        low = middle + 1;
        }
        return low;
}

/* Outside of long turns: as the loop divided its work around that time. */
static void divide_by_sample(const struct record *record, uint64_t from_ns, uint64_t to_ns,
                             uint64_t part_ns[PART_N])
{
        uint64_t work_ns[TRACE_N_WORKS] = { 0 };
        size_t after = first_sample(record, from_ns + (to_ns - from_ns) / 2);

        if (after > 0 && after < record->n_samples) {
                for (size_t i = 0; i < TRACE_N_WORKS; i++) {
                        uint64_t before = record->samples[after - 1].work_ns[i];

                        work_ns[i] = record->samples[after].work_ns[i];
                        work_ns[i] -= min_ns(before, work_ns[i]);
                }
        }
        divide(to_ns - from_ns, work_ns, part_ns);
}

void loop_parts(const struct record *record, uint64_t from_ns, uint64_t to_ns,
                uint64_t part_ns[PART_N])
{
        uint64_t at = from_ns;

        for (size_t i = first_turn(record, from_ns); i < record->n_turns && at < to_ns; i++) {
                const struct trace_turn *turn = &record->turns[i];
                uint64_t start_ns = max_ns(turn->start_ns, at);
                uint64_t end_ns = min_ns(turn->end_ns, to_ns);

                if (turn->start_ns >= to_ns)
                        break;
                if (end_ns <= start_ns)
                        continue;
                if (start_ns > at)
                        divide_by_sample(record, at, start_ns, part_ns);
                divide(end_ns - start_ns, turn->work_ns, part_ns);
                at = end_ns;
        }
        if (at < to_ns)
                divide_by_sample(record, at, to_ns, part_ns);
}

/* --- cutting ------------------------------------------------------------------------------------------------------ */

static uint64_t at_of(const struct life *life)
{
        return life->n ? life->pieces[life->n - 1].end_ns : life->start_ns;
}

/* The next piece, up to that moment; nothing where that lies behind. */
static void cut(struct life *life, enum part part, uint64_t moment_ns)
{
        uint64_t end_ns = min_ns(moment_ns, life->end_ns);

        if (end_ns <= at_of(life))
                return;
        assert(life->n < LIFE_PIECES);
        life->pieces[life->n++] = (struct life_piece){ part, end_ns };
}

static void cut_wait(struct life *life, const struct record *record,
                     const struct trace_attempt *attempt, uint64_t moment_ns)
{
        uint64_t at = at_of(life);
        uint64_t end_ns = min_ns(moment_ns, life->end_ns);

        if (end_ns <= at)
                return;
        cut(life, PART_NETWORK, at + way_ns(record, attempt, end_ns - at));
        cut(life, PART_SERVER, end_ns);
}

/* The part of that time in which long turns of the loop went on, or what they spent on one kind of work. */
static uint64_t turns_ns(const struct record *record, uint64_t from_ns, uint64_t to_ns, int work)
{
        uint64_t sum_ns = 0, at_ns = from_ns;

        for (size_t i = first_turn(record, from_ns); i < record->n_turns; i++) {
                const struct trace_turn *turn = &record->turns[i];
                uint64_t start_ns = max_ns(turn->start_ns, at_ns);
                uint64_t end_ns = min_ns(turn->end_ns, to_ns);

                if (turn->start_ns >= to_ns)
                        break;
                if (end_ns <= start_ns)
                        continue;
                sum_ns += work < 0 ? end_ns - start_ns
                                   : min_ns(turn->work_ns[work], end_ns - start_ns);
                at_ns = end_ns;
        }
        return sum_ns;
}

/*
 * How long the loop slept although data was there: it could not be read, as something before it had been lost and was sent again. Known by
 * this: on a connection on which that happened, nothing else kept the loop. Elsewhere it was not woken in time, which is our own delay.
 */
static uint64_t held_back_ns(const struct record *record, const struct trace_attempt *attempt,
                             uint64_t from_ns, uint64_t to_ns)
{
        const struct trace_conn *conn = record_conn(record, attempt->conn);
        uint64_t busy_ns;

        if (!conn || !conn->n_out_of_order)
                return 0;
        busy_ns = turns_ns(record, from_ns, to_ns, -1) + SHORT_TURN_NS;
        return to_ns - from_ns - min_ns(busy_ns, to_ns - from_ns);
}

/* How much of that time the loop is known to have spent on handshakes, this one's or others' that it had to wait for. */
static uint64_t handshake_work_ns(const struct record *record, const struct trace_attempt *attempt,
                                  uint64_t from_ns, uint64_t to_ns)
{
        const struct trace_conn *conn = record_conn(record, attempt->conn);

        return max_ns(conn ? conn->tls_work_ns : 0,
                      turns_ns(record, from_ns, to_ns, TRACE_WORK_TLS));
}

static void cut_tls(struct life *life, const struct record *record,
                    const struct trace_attempt *attempt, uint64_t moment_ns)
{
        uint64_t at = at_of(life);
        uint64_t end_ns = min_ns(moment_ns, life->end_ns);
        uint64_t work_ns;

        if (end_ns <= at)
                return;
        work_ns = handshake_work_ns(record, attempt, at, end_ns);
        cut(life, PART_LOOP_TLS, at + min_ns(work_ns, end_ns - at));
        cut(life, PART_TLS, end_ns);
}

/* What was lost comes first: the way's part of it, then the loop's. */
static void cut_lag(struct life *life, const struct record *record,
                    const struct trace_attempt *attempt, enum part way, uint64_t moment_ns)
{
        uint64_t part_ns[PART_N] = { 0 };
        uint64_t end_ns = min_ns(moment_ns, life->end_ns);
        uint64_t held_ns;

        if (end_ns <= at_of(life))
                return;
        held_ns = held_back_ns(record, attempt, at_of(life), end_ns);
        cut(life, way, at_of(life) + held_ns);
        if (end_ns <= at_of(life))
                return;
        loop_parts(record, at_of(life), end_ns, part_ns);
        for (size_t i = 0; i < TRACE_N_WORKS; i++)
                cut(life, work_parts[i], at_of(life) + part_ns[work_parts[i]]);
}

/* The response, from the first byte in our hands: what was there already and waited for us is our own time. */
static void cut_response(struct life *life, const struct record *record,
                         const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;
        uint64_t decode_ns = min_ns(stamps->decode_ns, life->end_ns - at_of(life));

        if (!stamps->last_byte_kernel_ns)
                cut(life, PART_RECEIVE, life->end_ns - decode_ns);
        else
                cut(life, PART_RECEIVE,
                    min_ns(stamps->last_byte_kernel_ns, life->end_ns - decode_ns));
        cut_lag(life, record, attempt, PART_RECEIVE, life->end_ns - decode_ns);
        cut(life, PART_LOOP_DECODE, life->end_ns);
}

/* What is left belongs to the stage that it had reached. */
static void cut_rest(struct life *life, const struct record *record,
                     const struct trace_attempt *attempt)
{
        switch (attempt->stamps.stage) {
        case MUSTER_PHASE_DNS:
                cut(life, PART_DNS, life->end_ns);
                return;
        case MUSTER_PHASE_TCP:
                cut(life, PART_TCP, life->end_ns);
                return;
        case MUSTER_PHASE_TLS:
                cut_tls(life, record, attempt, life->end_ns);
                return;
        case MUSTER_PHASE_SEND:
                cut(life, PART_SEND, life->end_ns);
                return;
        case MUSTER_PHASE_WAIT:
                cut_wait(life, record, attempt, life->end_ns);
                return;
        case MUSTER_PHASE_RECEIVE:
        case MUSTER_PHASE_DECODE:
                cut_response(life, record, attempt);
                return;
        case MUSTER_PHASE_QUEUE:
        case MUSTER_PHASE_BACKOFF:
        case MUSTER_PHASE_LAG:
        case MUSTER_PHASE_PROCESS:
        case MUSTER_PHASE_DELIVER:
        case MUSTER_N_PHASES:
                break;
        }
        cut_lag(life, record, attempt, PART_NETWORK, life->end_ns);
}

void life_of(struct life *life, const struct record *record, const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;

        life->start_ns = stamps->slot_ns;
        life->end_ns = stamps->slot_ns ? life_end_ns(attempt) : 0;
        life->n = 0;
        cut(life, PART_DNS, stamps->dns_end_ns);
        cut(life, PART_TCP, stamps->tcp_end_ns);
        cut_tls(life, record, attempt, stamps->tls_end_ns);
        cut(life, PART_SEND, stamps->send_end_ns);
        cut_wait(life, record, attempt, stamps->first_byte_kernel_ns);
        cut_lag(life, record, attempt, PART_NETWORK, stamps->first_byte_read_ns);
        cut_rest(life, record, attempt);
        assert(at_of(life) == life->end_ns);
}
