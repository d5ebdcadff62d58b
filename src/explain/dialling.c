/* SPDX-License-Identifier: MIT */
#include "dialling.h"

#include "conns.h"
#include <base/clock.h>

/* --- addresses ---------------------------------------------------------------------------------------------------- */

#define RACE_NS      (250 * NS_PER_MS) /* until the next address is tried, RFC 8305 section 8 */
#define RACE_LATE_NS (50 * NS_PER_MS)  /* a loop that was busy */

unsigned conn_n_silent(const struct trace_conn *conn)
{
        uint64_t n = conn->n_addresses ? conn->n_addresses - 1 : 0;
        uint64_t tcp_ns = conn->tcp_end_ns ? conn_tcp_ns(conn) : 0;
        uint64_t most_ns = n * RACE_NS + 2 * conn_round_trip_ns(conn) + RACE_LATE_NS;

        return n && tcp_ns >= n * RACE_NS && tcp_ns <= most_ns ? (unsigned)n : 0;
}

uint64_t conn_silence_ns(const struct trace_conn *conn)
{
        return conn_n_silent(conn) * RACE_NS;
}

uint64_t conn_refusal_ns(const struct trace_conn *conn)
{
        uint64_t tcp_ns = conn_tcp_ns(conn), round_trip_ns = conn_round_trip_ns(conn);

        if (conn->n_addresses < 2 || !conn->tcp_end_ns || tcp_ns >= RACE_NS ||
            tcp_ns <= round_trip_ns)
                return 0;
        return tcp_ns - round_trip_ns;
}

/* --- first packets ------------------------------------------------------------------------------------------------ */

/*
 * The kernel sends a SYN again after 1 s, since Linux 6.5 then each second, before after 3 s and 7 s; its timer is up to 8 % late.
 * So a connection took k seconds more than a round trip, k = 1, 2, 3 ...
 */
#define SYN_NS        NS_PER_S
#define SYN_EARLY_NS  (10 * NS_PER_MS)
#define SYN_LATE_PART 0.08

unsigned conn_n_syns_again(const struct trace_conn *conn, uint64_t least_ns)
{
        uint64_t tcp_ns = conn->tcp_end_ns ? conn_tcp_ns(conn) : 0;
        uint64_t over_ns = (tcp_ns > least_ns ? tcp_ns - least_ns : 0) + SYN_EARLY_NS;
        uint64_t k = over_ns / SYN_NS;
        double late_ns = (double)(over_ns - k * SYN_NS);

        if (!k || k > 60 || conn->n_addresses > 1)
                return 0;
        return late_ns <= SYN_LATE_PART * (double)(k * SYN_NS) + SYN_EARLY_NS ? (unsigned)k : 0;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static bool measure_tcp(const struct facts *facts, const struct trace_conn *conn,
                        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = conn_tcp_ns(conn);
        return conn->tcp_end_ns != 0;
}

static void add(struct dialling *dialling, const struct trace_conn *conn)
{
        unsigned n_syns = conn_n_syns_again(conn, dialling->tcp_ns.min);

        dialling->n_silent += conn_n_silent(conn) > 0;
        dialling->n_syns_again += n_syns > 0;
        dialling->opening_ns += conn_opening_ns(conn);
        dialling->dns_ns += conn_dns_ns(conn);
        dialling->lost_ns += conn_silence_ns(conn) + conn_refusal_ns(conn) + n_syns * SYN_NS;
        /* Where the accept queue is full the last packet of the greeting is sent again as well. */
        if (!n_syns)
                dialling->n_sent_again += conn->n_retransmits;
        dialling->n_out_of_order += conn->n_out_of_order;
}

void dialling_of(struct dialling *dialling, const struct facts *facts)
{
        *dialling = (struct dialling){ 0 };
        measure_conns(&dialling->tcp_ns, facts, measure_tcp);
        for (size_t i = 0; i < facts->record->n_conns; i++)
                add(dialling, &facts->record->conns[i]);
}
