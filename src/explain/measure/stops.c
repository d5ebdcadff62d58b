/* SPDX-License-Identifier: MIT */
#include "stops.h"

#include "conns.h"
#include "transfers.h"
#include <explain/judgement.h>

/* --- one ------------------------------------------------------------------------------------- */

static uint64_t took_ns(const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;

        return stamps->last_byte_kernel_ns > stamps->first_byte_kernel_ns
                       ? stamps->last_byte_kernel_ns - stamps->first_byte_kernel_ns
                       : 0;
}

static uint64_t round_trip_ns(const struct facts *facts, const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);

        return conn ? conn_round_trip_ns(conn) : 0;
}

static bool may_have_stopped(const struct facts *facts, const struct trace_attempt *attempt)
{
        return trace_is_answered(attempt) && attempt->n_receives > 1 &&
               !attempt_shares_conn(facts, attempt) && took_ns(attempt);
}

bool stop_is_held_back(const struct facts *facts, const struct trace_attempt *attempt)
{
        uint64_t delayed_ns = round_trip_ns(facts, attempt) + DELAYED_ACK_NS;
        uint64_t ns = took_ns(attempt);

        return may_have_stopped(facts, attempt) && ns + HELD_BACK_EARLY_NS >= delayed_ns &&
               ns <= delayed_ns + HELD_BACK_LATE_NS;
}

/* ... or for longer. */
static bool is_held_back_still(const struct facts *facts, const struct trace_attempt *attempt)
{
        return may_have_stopped(facts, attempt) &&
               took_ns(attempt) + HELD_BACK_EARLY_NS >=
                       round_trip_ns(facts, attempt) + DELAYED_ACK_NS;
}

/* A body so large that it takes a while in any case. */
static bool is_long(const struct trace_attempt *attempt)
{
        return attempt->wire_bytes > FIRST_WINDOW && attempt->n_receives > PIECES_FEW;
}

/* --- all ------------------------------------------------------------------------------------- */

static bool is_tls(const struct record *record, const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = conn_of_attempt(record, attempt);

        return conn && conn->is_tls;
}

static void count(struct stops *stops, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        bool is_held = stop_is_held_back(facts, attempt);
        bool has_tls = is_tls(facts->record, attempt);

        stops->held_ns += is_held ? took_ns(attempt) : 0;
        stops->is_tls |= has_tls;
        if (attempt->is_acked_at_once) {
                stops->n_tried += attempt->is_reused;
                stops->n_tried_held += attempt->is_reused && is_held_back_still(facts, attempt);
                return;
        }
        stops->n_long_held += is_held && is_long(attempt);
        if (attempt->is_reused) {
                stops->n_kept++;
                stops->n_kept_held += is_held;
        } else if (!has_tls) {
                stops->n_new++;
                stops->n_new_held += is_held;
        }
}

/*
 * Those that were acknowledged at once tell. Where there are none, a server that makes a pause of
 * its own makes it on new connections as well; without these, the size may be the reason.
 */
static bool are_by_acks(const struct stops *stops)
{
        if ((double)stops->n_kept_held < (double)stops->n_kept * MOST_OF_THEM ||
                stops->n_kept_held < SAMPLE_LEAST)
                return false;
        if (stops->n_tried)
                return (double)stops->n_tried_held < (double)stops->n_tried * MOST_OF_THEM;
        if (stops->n_new)
                return (double)stops->n_new_held <= (double)stops->n_new * MOST_OF_THEM;
        return (double)stops->n_long_held <= (double)stops->n_kept_held * MOST_OF_THEM;
}

void stops_of(struct stops *stops, const struct facts *facts)
{
        *stops = (struct stops){ 0 };
        for (size_t i = 0; i < facts->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &facts->record->attempts[i];

                if (trace_is_answered(attempt) && attempt->n_receives > 1)
                        count(stops, facts, attempt);
        }
        stops->is_nagle = are_by_acks(stops);
}

/* --- the server's own ------------------------------------------------------------------------ */

static bool lost_something(const struct record *record, const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = conn_of_attempt(record, attempt);

        return conn && (conn->n_retransmits || conn->n_out_of_order);
}

/*
 * It stopped once, or came in more pieces than any network cuts it into: a slow link sends full packets
 * one after the other.
 */
static bool stood_still(const struct trace_attempt *attempt, const struct transfer *transfer)
{
        return !attempt->gap_ns ||
               (double)attempt->gap_ns >= (double)transfer->took_ns * MOST_OF_TIME ||
               attempt->n_receives > 1 + attempt->wire_bytes / LEAST_SEGMENT;
}

/* So long that it is no jitter of the network, and no round trip that is waited for. */
static bool is_to_tell(uint64_t ns, const struct transfer *transfer)
{
        double round_trips = transfer->round_trip_ns ? (double)ns / (double)transfer->round_trip_ns
                                                     : STOP_MOST + 1;

        if (ns < STOP_TO_TELL_NS || round_trips < STOP_BEYOND_JITTER)
                return false;
        return transfer->round_trip_ns < ROUND_TRIP_TO_TELL_NS || round_trips < STOP_LEAST ||
               round_trips > STOP_MOST;
}

uint64_t stop_of_server_ns(const struct stops *stops, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        struct transfer transfer;
        uint64_t ns;

        if (!transfer_of(&transfer, facts, attempt) || !transfer.took_ns ||
                lost_something(facts->record, attempt) ||
                (stops->is_nagle && stop_is_held_back(facts, attempt)))
                return 0;
        ns = transfer.n_rounds ? attempt->gap_ns : transfer.took_ns;
        if (transfer.n_rounds && attempt->gap_bytes > FIRST_WINDOW / 2)
                return 0; /* what is late may wait for the window */
        return is_to_tell(ns, &transfer) && (transfer.n_rounds || stood_still(attempt, &transfer))
                       ? ns
                       : 0;
}
