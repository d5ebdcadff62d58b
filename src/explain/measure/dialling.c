/* SPDX-License-Identifier: MIT */
#include "dialling.h"

#include "conns.h"
#include "races.h"
#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>

/* --- addresses ------------------------------------------------------------------------------- */

static uint64_t guessed_silence_ns(const struct trace_conn *conn)
{
        uint64_t n = conn->n_addresses ? conn->n_addresses - 1 : 0;
        uint64_t tcp_ns = conn->tcp_end_ns ? conn_tcp_ns(conn) : 0;
        uint64_t most_ns = n * RACE_NS + 2 * conn_round_trip_ns(conn) + RACE_LATE_NS;

        return n && tcp_ns >= n * RACE_NS && tcp_ns <= most_ns ? n * RACE_NS : 0;
}

static uint64_t guessed_refusal_ns(const struct trace_conn *conn)
{
        uint64_t tcp_ns = conn_tcp_ns(conn), round_trip_ns = conn_round_trip_ns(conn);

        if (conn->n_addresses < 2 || !conn->tcp_end_ns || tcp_ns >= RACE_NS ||
                tcp_ns <= round_trip_ns)
                return 0;
        return tcp_ns - round_trip_ns;
}

/* What other addresses took before the one that connected. */
static uint64_t other_addresses_ns(const struct record *record, const struct trace_conn *conn)
{
        struct race race;

        if (!record->has_tries)
                return guessed_silence_ns(conn) + guessed_refusal_ns(conn);
        race_of(&race, record, conn);
        return race.lost_ns;
}

/* --- first packets --------------------------------------------------------------------------- */

/*
 * The kernel sends a SYN again after 1 s, since Linux 6.5 then each second, before after 3 s and 7
 * s; its timer is up to 8 % late. So a connection took k seconds more than a round trip, k = 1, 2,
 * 3 ...
 */

unsigned conn_n_syns_again(const struct trace_conn *conn, uint64_t least_ns)
{
        uint64_t tcp_ns = conn->tcp_end_ns ? conn_tcp_ns(conn) : 0;
        uint64_t over_ns = (tcp_ns > least_ns ? tcp_ns - least_ns : 0) + SYN_EARLY_NS;
        uint64_t k = over_ns / SYN_AGAIN_NS;
        double late_ns = (double)(over_ns - k * SYN_AGAIN_NS);

        if (!k || k > SYN_AGAIN_MOST || conn->n_addresses > 1)
                return 0;
        return late_ns <= SYN_LATE * (double)(k * SYN_AGAIN_NS) + SYN_EARLY_NS ? (unsigned)k : 0;
}

/* --- all of them ----------------------------------------------------------------------------- */

static bool measure_tcp(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = conn_tcp_ns(conn);
        return conn->tcp_end_ns != 0;
}

static void add(struct dialling *dialling, const struct record *record,
        const struct trace_conn *conn)
{
        unsigned n_syns = conn_n_syns_again(conn, dialling->tcp_ns.min);

        dialling->n_syns_again += n_syns > 0;
        dialling->opening_ns += conn_opening_ns(conn);
        dialling->dns_ns += conn_dns_ns(conn);
        dialling->lost_ns += other_addresses_ns(record, conn) + n_syns * SYN_AGAIN_NS;
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
                add(dialling, facts->record, &facts->record->conns[i]);
}

/* --- how many at once ------------------------------------------------------------------------ */

/*
 * A server's kernel keeps connections until its program accepts them. When it has as many as it may
 * (the backlog) it drops the first packets of others. Of those that it kept we know when they came
 * and when their first answer did.
 */
enum event { EVENT_IS_ANSWERED, EVENT_COMES, EVENT_IS_DROPPED, N_EVENTS };

struct crowding {
        const struct record *record;
        uint64_t *answered_ns;    /* by connection: its first answer, or its end */
        uint32_t *n_before;       /* by connection: how many waited when it came */
        uint32_t *n_waiting;      /* by origin */
        struct sort_pair *events; /* by moment; value: which connection, and what */
        size_t n_events;
};

static void note_answers(struct crowding *crowding, const struct facts *facts)
{
        const struct record *record = facts->record;

        for (size_t i = 0; i < record->n_conns; i++)
                crowding->answered_ns[i] = record->conns[i].closed_ns;
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                const struct trace_conn *conn = conn_of_attempt(record, attempt);

                if (conn && !attempt->is_reused && attempt->stamps.first_byte_kernel_ns)
                        crowding->answered_ns[conn - record->conns] =
                                attempt->stamps.first_byte_kernel_ns;
        }
}

static void add_event(struct crowding *crowding, uint64_t at_ns, size_t i, enum event event)
{
        assert(event < N_EVENTS && i < crowding->record->n_conns);
        crowding->events[crowding->n_events++] = (struct sort_pair){ at_ns, i * N_EVENTS + event };
}

static void list_events(struct crowding *crowding, uint64_t least_ns)
{
        const struct record *record = crowding->record;

        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];
                uint64_t began_ns = conn->dns_end_ns ? conn->dns_end_ns : conn->opened_ns;
                bool was_dropped = conn_n_syns_again(conn, least_ns) > 0;

                if (!conn->tcp_end_ns || conn->origin > record->n_origins)
                        continue;
                if (was_dropped)
                        add_event(crowding, began_ns, i, EVENT_IS_DROPPED);
                add_event(crowding, was_dropped ? conn->tcp_end_ns : began_ns, i, EVENT_COMES);
                add_event(crowding, crowding->answered_ns[i], i, EVENT_IS_ANSWERED);
        }
        sort_pairs(crowding->events, crowding->n_events);
}

static void take_event(struct crowding *crowding, struct crowd *crowd, size_t i, enum event event)
{
        uint32_t *n_waiting = &crowding->n_waiting[crowding->record->conns[i].origin];

        assert(crowding->record->conns[i].origin <= crowding->record->n_origins);
        switch (event) {
        case EVENT_IS_ANSWERED:
                *n_waiting -= *n_waiting > 0;
                return;
        case EVENT_COMES:
                crowding->n_before[i] = (*n_waiting)++;
                return;
        case EVENT_IS_DROPPED:
                if (!crowd->is_known || *n_waiting < crowd->least)
                        crowd->least = *n_waiting;
                crowd->is_known = true;
                return;
        case N_EVENTS:
                return;
        }
}

static void go_through(struct crowding *crowding, struct crowd *crowd)
{
        for (size_t i = 0; i < crowding->n_events; i++)
                take_event(crowding, crowd, crowding->events[i].value / N_EVENTS,
                        (enum event)(crowding->events[i].value % N_EVENTS));
        for (size_t i = 0; i < crowding->record->n_conns; i++)
                crowd->n_beyond += crowding->n_before[i] > crowd->least;
}

void crowd_of(struct crowd *crowd, const struct dialling *dialling, const struct facts *facts)
{
        const struct record *record = facts->record;
        struct crowding crowding = {
                .record = record,
                .answered_ns = mem_array(record->n_conns, sizeof(uint64_t)),
                .n_before = mem_array(record->n_conns, sizeof(uint32_t)),
                .n_waiting = mem_array(record->n_origins + 1, sizeof(uint32_t)),
                .events = mem_array(record->n_conns, N_EVENTS * sizeof(struct sort_pair)),
        };

        *crowd = (struct crowd){ 0 };
        if (crowding.answered_ns && crowding.n_before && crowding.n_waiting && crowding.events) {
                note_answers(&crowding, facts);
                list_events(&crowding, dialling->tcp_ns.min);
                go_through(&crowding, crowd);
        }
        mem_free(crowding.answered_ns);
        mem_free(crowding.n_before);
        mem_free(crowding.n_waiting);
        mem_free(crowding.events);
}
