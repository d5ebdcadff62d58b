/* SPDX-License-Identifier: MIT */
#include "conns.h"

#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <base/str.h>
#include <explain/judgement.h>

const struct trace_conn *conn_of_attempt(const struct record *record,
        const struct trace_attempt *attempt)
{
        uint64_t id = attempt->conn;

        /* Where no row is missing a connection stands at its number: no search. */
        if (id && id <= record->n_conns && record->conns[id - 1].id == id)
                return &record->conns[id - 1];
        return id ? record_conn(record, id) : NULL;
}

bool attempt_shares_conn(const struct facts *facts, const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);

        return conn && attempt->http_version >= 20 && conn->n_attempts > 1 &&
               facts->max_in_flight > 1;
}

bool conn_is_local(const struct trace_conn *conn)
{
        return str_starts(conn->remote, "127.") || str_starts(conn->remote, "[::1]");
}

bool conns_are_local(const struct record *record)
{
        size_t n = 0;

        for (size_t i = 0; i < record->n_conns; i++)
                n += conn_is_local(&record->conns[i]);
        return n * 2 > record->n_conns;
}

uint64_t conn_round_trip_ns(const struct trace_conn *conn)
{
        return conn->min_rtt_us * NS_PER_US;
}

uint64_t conn_longest_round_trip_ns(const struct trace_conn *conn)
{
        return max_u64(conn->max_rtt_us, conn->rtt_us) * NS_PER_US;
}

static uint64_t between(uint64_t from_ns, uint64_t to_ns)
{
        return to_ns > from_ns ? to_ns - from_ns : 0;
}

uint64_t conn_dns_ns(const struct trace_conn *conn)
{
        return between(conn->opened_ns, conn->dns_end_ns);
}

uint64_t conn_tcp_ns(const struct trace_conn *conn)
{
        return between(conn->dns_end_ns ? conn->dns_end_ns : conn->opened_ns, conn->tcp_end_ns);
}

uint64_t conn_tls_ns(const struct trace_conn *conn)
{
        return between(conn->tunnel_end_ns ? conn->tunnel_end_ns : conn->tcp_end_ns,
                conn->tls_end_ns);
}

/* With a proxy: until the tunnel was open. */
uint64_t conn_tunnel_ns(const struct trace_conn *conn)
{
        return between(conn->tcp_end_ns, conn->tunnel_end_ns);
}

uint64_t conn_opening_ns(const struct trace_conn *conn)
{
        return conn_dns_ns(conn) + conn_tcp_ns(conn) + conn_tunnel_ns(conn) + conn_tls_ns(conn);
}

uint32_t *conns_in_use(const struct facts *facts)
{
        const struct record *record = facts->record;
        uint32_t *most = mem_array(record->n_origins + 1, sizeof(*most));

        for (size_t i = 0; most && i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                if (attempt->origin <= record->n_origins &&
                        attempt->host_in_flight > most[attempt->origin])
                        most[attempt->origin] = attempt->host_in_flight;
        }
        return most;
}

uint64_t conns_needed(const struct facts *facts)
{
        uint32_t *most = conns_in_use(facts);
        uint64_t sum = 0;

        for (size_t i = 0; most && i <= facts->record->n_origins; i++)
                sum += most[i];
        mem_free(most);
        return sum;
}

static uint64_t n_used(const struct facts *facts)
{
        uint64_t n = 0;

        for (size_t i = 0; i < facts->record->n_conns; i++)
                n += facts->record->conns[i].n_attempts > 0;
        return n;
}

uint64_t conns_streams_each(const struct facts *facts)
{
        return facts->streams ? max_u64(facts->streams / max_u64(n_used(facts), 1), 1) : 0;
}

uint64_t conns_most_sharing(const struct facts *facts)
{
        uint64_t most = 1;

        for (size_t i = 0; i < facts->record->n_attempts; i++)
                most = max_u64(most, facts->record->attempts[i].n_sharing);
        return most;
}

static uint64_t tls_work_ns(const struct facts *facts)
{
        uint64_t sum_ns = 0;

        for (size_t i = 0; i < facts->record->n_conns; i++)
                sum_ns += facts->record->conns[i].tls_work_ns;
        return sum_ns;
}

uint64_t conns_tls_work_ns(const struct facts *facts)
{
        uint64_t sum_ns = facts->program ? tls_work_ns(facts) : facts->loop_ns[TRACE_WORK_TLS];

        return facts->n_on_new_conn ? sum_ns / facts->n_on_new_conn : 0;
}

/* Of a program that was watched nobody tells what of its loop's work is which, but for handshakes. */
uint64_t conns_opening_work_ns(const struct facts *facts)
{
        double each = facts->program ? PROGRAM_OPENING_WORK : OPENING_WORK;
        double n = (double)facts->n_on_reused + (double)facts->n_on_new_conn * (1 + each);
        uint64_t work_ns = facts->loop_ns[TRACE_WORK_IO];

        if (facts->program)
                work_ns = facts->loop_busy_ns - min_u64(tls_work_ns(facts), facts->loop_busy_ns);
        return n > 0 ? whole_of((double)work_ns / n * each) : 0;
}

/* --- origins --------------------------------------------------------------------------------- */

struct muster_str origin_authority(struct muster_str key)
{
        for (size_t i = 0; i + 3 <= key.len; i++)
                if (memcmp(key.at + i, "://", 3) == 0)
                        return (struct muster_str){ key.at + i + 3, key.len - i - 3 };
        return key;
}

struct muster_str origin_host(struct muster_str key)
{
        struct muster_str host = origin_authority(key);

        for (size_t i = host.len; i > 0 && host.at[i - 1] != ']'; i--)
                if (host.at[i - 1] == ':')
                        return (struct muster_str){ host.at, i - 1 };
        return host;
}

struct muster_str origin_key(const struct record *record, uint32_t number)
{
        if (!number || number > record->n_origins)
                return (struct muster_str){ "", 0 };
        return record->origins[number - 1].key;
}

/* --- measures -------------------------------------------------------------------------------- */

void measure_attempts(struct spread *spread, const struct facts *facts, attempt_measure measure)
{
        const struct record *record = facts->record;
        uint64_t *values = mem_array(record->n_attempts, sizeof(*values));
        size_t n = 0;

        *spread = (struct spread){ 0 };
        if (!values)
                return;
        for (size_t i = 0; i < record->n_attempts; i++)
                n += measure(facts, &record->attempts[i], &values[n]);
        spread_of(spread, values, n);
        mem_free(values);
}

void measure_conns(struct spread *spread, const struct facts *facts, conn_measure measure)
{
        const struct record *record = facts->record;
        uint64_t *values = mem_array(record->n_conns, sizeof(*values));
        size_t n = 0;

        *spread = (struct spread){ 0 };
        if (!values)
                return;
        for (size_t i = 0; i < record->n_conns; i++)
                n += measure(facts, &record->conns[i], &values[n]);
        spread_of(spread, values, n);
        mem_free(values);
}

bool measure_round_trip(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = conn_round_trip_ns(conn);
        return *ret_value != 0;
}
