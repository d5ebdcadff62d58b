/* SPDX-License-Identifier: MIT */
#include "handshakes.h"

#include "conns.h"
#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <explain/judgement.h>

static bool measure_handshake(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = conn_tls_ns(conn);
        return conn->is_tls && *ret_value;
}

/* When the first one with each host was complete. */
static void find_first(uint64_t *first_ns, const struct record *record)
{
        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];

                if (conn->tls_end_ns && conn->origin <= record->n_origins &&
                        (!first_ns[conn->origin] || conn->tls_end_ns < first_ns[conn->origin]))
                        first_ns[conn->origin] = conn->tls_end_ns;
        }
}

static void count(struct handshakes *handshakes, const struct record *record,
        const uint64_t *first_ns)
{
        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];
                bool is_later = conn->origin <= record->n_origins &&
                                conn->tcp_end_ns >= first_ns[conn->origin];

                if (!conn->is_tls || !conn->tls_end_ns)
                        continue;
                handshakes->n++;
                handshakes->n_resumed += conn->is_resumed;
                handshakes->n_later += is_later;
                handshakes->n_later_full += is_later && !conn->is_resumed;
                handshakes->n_refused += conn->had_ticket && !conn->is_resumed;
                handshakes->work_ns += conn->tls_work_ns;
        }
}

static void judge(struct handshakes *handshakes)
{
        double n_round_trips;

        if (handshakes->n < SAMPLE_LEAST)
                return;
        /* On one machine the kernel may not have measured any. */
        n_round_trips = handshakes->round_trip_ns ? (double)handshakes->took_ns.p50 /
                                                            (double)handshakes->round_trip_ns
                                                  : HANDSHAKE_IS_WORK;
        assert(handshakes->n_later_full <= handshakes->n_later);
        assert(handshakes->n_later <= handshakes->n);
        handshakes->are_work = n_round_trips >= HANDSHAKE_IS_WORK;
        handshakes->are_full =
                !handshakes->are_work && n_round_trips >= HANDSHAKE_IS_FULL &&
                handshakes->n_later >= SAMPLE_LEAST &&
                (double)handshakes->n_later_full > (double)handshakes->n_later * MOST_OF_THEM;
}

void handshakes_of(struct handshakes *handshakes, const struct facts *facts)
{
        const struct record *record = facts->record;
        uint64_t *first_ns;
        struct spread round_trip;

        *handshakes = (struct handshakes){ 0 };
        measure_conns(&handshakes->took_ns, facts, measure_handshake);
        if (!handshakes->took_ns.n)
                return;
        first_ns = mem_array(record->n_origins + 1, sizeof(*first_ns));
        if (!first_ns)
                return;
        find_first(first_ns, record);
        count(handshakes, record, first_ns);
        mem_free(first_ns);
        measure_conns(&round_trip, facts, measure_round_trip);
        handshakes->round_trip_ns = round_trip.p50;
        judge(handshakes);
}
