/* SPDX-License-Identifier: MIT */
#include "losses.h"

#include "conns.h"
#include "dialling.h"
#include <assert.h>
#include <base/clock.h>
#include <explain/judgement.h>

/* --- an attempt ------------------------------------------------------------------------------ */

static uint64_t between(uint64_t from_ns, uint64_t to_ns)
{
        return to_ns > from_ns ? to_ns - from_ns : 0;
}

static uint64_t wait_of(const struct trace_attempt *attempt)
{
        return between(attempt->stamps.send_end_ns, attempt->stamps.first_byte_kernel_ns);
}

/*
 * The time until the last byte was read. Data that came while something before it was missing has a
 * stamp from then, but could not be read.
 */
static uint64_t receive_of(const struct trace_attempt *attempt)
{
        return between(attempt->stamps.first_byte_kernel_ns, attempt->stamps.last_byte_read_ns);
}

/*
 * Something was lost on this connection. (On this machine packets are only sent again too early.)
 * NULL is allowed.
 */
static bool was_hit(const struct trace_conn *conn)
{
        return conn && (conn->n_retransmits || conn->n_out_of_order) && !conn_is_local(conn);
}

/* Packets that are sent again come a round trip later at the least; less is no loss. */
static uint64_t excess(uint64_t ns, uint64_t usual_ns, const struct trace_conn *conn)
{
        bool is_much = (double)ns > LOSS_STANDS_OUT * (double)usual_ns &&
                       (double)(ns - usual_ns) > (double)conn_round_trip_ns(conn) * LOSS_ROUND_TRIP;

        return is_much ? ns - usual_ns : 0;
}

uint64_t loss_of_tcp_ns(const struct losses *losses, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);

        return was_hit(conn) && !attempt->is_reused
                       ? excess(conn_tcp_ns(conn), losses->tcp_ns, conn)
                       : 0;
}

uint64_t loss_of_wait_ns(const struct losses *losses, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);

        return was_hit(conn) ? excess(wait_of(attempt), losses->wait_ns[!attempt->is_reused], conn)
                             : 0;
}

uint64_t loss_of_receive_ns(const struct losses *losses, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);
        struct transfer transfer;
        uint64_t usual_ns, ns;

        if (attempt_shares_conn(facts, attempt))
                return was_hit(conn) ? excess(receive_of(attempt), losses->shared_receive_ns, conn)
                                     : 0;
        if (!conn || !transfer_of(&transfer, facts, attempt))
                return 0;
        usual_ns = transfer_cold_ns(&transfer) *
                   losses->receive_permille[transfer_kind(&transfer)] / 1000;
        ns = excess(receive_of(attempt), usual_ns, conn);
        return was_hit(conn) || ns >= RTO_MIN_NS ? ns : 0;
}

/* --- what is usual --------------------------------------------------------------------------- */

static bool measure_wait_kept(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = wait_of(attempt);
        return trace_is_answered(attempt) && attempt->is_reused;
}

static bool measure_wait_new(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = wait_of(attempt);
        return trace_is_answered(attempt) && !attempt->is_reused;
}

static bool measure_shared_receive(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        *ret_value = receive_of(attempt);
        return trace_is_answered(attempt) && attempt_shares_conn(facts, attempt);
}

static uint64_t median(const struct facts *facts, attempt_measure measure)
{
        struct spread spread;

        measure_attempts(&spread, facts, measure);
        return spread.p50;
}

/* --- what was lost --------------------------------------------------------------------------- */

static void count_signs(struct losses *losses, const struct record *record)
{
        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];

                losses->n_conns++;
                losses->n_conns_hit += was_hit(conn);
                losses->n_again += conn->n_retransmits;
                losses->n_out_of_order += conn->n_out_of_order;
        }
}

static void count_held_up(struct losses *losses, const struct facts *facts)
{
        const struct record *record = facts->record;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                uint64_t ns = loss_of_tcp_ns(losses, facts, attempt) +
                              loss_of_wait_ns(losses, facts, attempt) +
                              loss_of_receive_ns(losses, facts, attempt);

                losses->held_up_ns += ns;
                losses->shared_ns += attempt_shares_conn(facts, attempt) ? ns : 0;
                losses->n_held_up += ns > 0;
        }
}

int losses_of(struct losses *losses, const struct facts *facts)
{
        struct dialling dialling;
        struct transfers transfers;
        int r;

        dialling_of(&dialling, facts);
        *losses = (struct losses){ .tcp_ns = dialling.tcp_ns.p50 };
        if (dialling.n_sent_again + dialling.n_out_of_order <= dialling.n_syns_again)
                return 0;
        r = transfers_of(&transfers, facts);
        if (r < 0)
                return r;
        assert(!losses->held_up_ns && !losses->n_conns);
        losses->wait_ns[0] = median(facts, measure_wait_kept);
        losses->wait_ns[1] = median(facts, measure_wait_new);
        losses->shared_receive_ns = median(facts, measure_shared_receive);
        for (int kind = 0; kind < TRANSFER_N_KINDS; kind++)
                losses->receive_permille[kind] = transfers.kinds[kind].permille.p10;
        count_signs(losses, facts->record);
        count_held_up(losses, facts);
        return 0;
}

bool losses_hold_up_streams(const struct losses *losses)
{
        return losses->n_conns_hit &&
               (double)losses->shared_ns > (double)losses->held_up_ns * MOST_OF_TIME;
}

bool losses_stop_streams(const struct losses *losses, const struct facts *facts)
{
        return losses_hold_up_streams(losses) &&
               (double)losses->held_up_ns >= (double)facts->service.sum * LOSSES_MATTER;
}

bool losses_come_first(const struct facts *facts)
{
        struct losses losses;

        if (losses_of(&losses, facts) < 0 || !losses.n_conns_hit)
                return false;
        return (double)losses.held_up_ns >= (double)facts->service.sum * LOSSES_COME_FIRST ||
               losses_stop_streams(&losses, facts);
}
