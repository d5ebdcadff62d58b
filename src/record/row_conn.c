/* SPDX-License-Identifier: MIT */
/*
 * Connections, the origins that they lead to, the addresses that were tried and the lookups of names,
 * as rows
 */
#include "row.h"

#include <base/error.h>
#include <core/trace.h>
#include <stddef.h>

/* --- connections ----------------------------------------------------------------------------- */

enum column {
        ID,
        ORIGIN,
        OPENED,
        DNS, /* relative to OPENED, like those that follow */
        TCP,
        TUNNEL,
        TLS,
        CLOSED,
        ATTEMPTS,
        ADDRESSES,
        FAMILY,
        CLOSER,
        IS_TLS,
        IS_RESUMED,
        HAD_TICKET,
        TLS_WORK,
        RTT,
        MIN_RTT,
        RETRANSMITS,
        OUT_OF_ORDER,
        CWND,
        DELIVERY_RATE,
        RWND_LIMITED,
        SNDBUF_LIMITED,
        BUSY,
        BYTES_RECEIVED,
        ENGINE,
        PROXY,
        MAX_RTT,
        N_COLUMNS,
};

static const char *const columns[N_COLUMNS] = {
        [ID] = "id INTEGER PRIMARY KEY",
        [ORIGIN] = "origin",
        [OPENED] = "opened_ns",
        [DNS] = "dns_ns",
        [TCP] = "tcp_ns",
        [TUNNEL] = "tunnel_ns",
        [TLS] = "tls_ns",
        [CLOSED] = "closed_ns",
        [ATTEMPTS] = "attempts",
        [ADDRESSES] = "addresses",
        [FAMILY] = "family",
        [CLOSER] = "closer",
        [IS_TLS] = "is_tls",
        [IS_RESUMED] = "is_resumed",
        [HAD_TICKET] = "had_ticket",
        [TLS_WORK] = "tls_work_ns",
        [RTT] = "rtt_us",
        [MIN_RTT] = "min_rtt_us",
        [RETRANSMITS] = "retransmits",
        [OUT_OF_ORDER] = "out_of_order",
        [CWND] = "cwnd",
        [DELIVERY_RATE] = "delivery_rate",
        [RWND_LIMITED] = "rwnd_limited_us",
        [SNDBUF_LIMITED] = "sndbuf_limited_us",
        [BUSY] = "busy_us",
        [BYTES_RECEIVED] = "bytes_received",
        [ENGINE] = "engine",
        [PROXY] = "proxy",
        [MAX_RTT] = "max_rtt_us",
};

static const uint16_t moments[] = {
        offsetof(struct trace_conn, opened_ns),
        offsetof(struct trace_conn, dns_end_ns),
        offsetof(struct trace_conn, tcp_end_ns),
        offsetof(struct trace_conn, tunnel_end_ns),
        offsetof(struct trace_conn, tls_end_ns),
        offsetof(struct trace_conn, closed_ns),
};

static void put_conn(const void *row, int64_t values[ROW_VALUES_MAX])
{
        const struct trace_conn *conn = row;

        values[ID] = (int64_t)conn->id;
        values[ORIGIN] = conn->origin;
        values[OPENED] = (int64_t)conn->opened_ns;
        values[DNS] = row_since(conn->dns_end_ns, conn->opened_ns);
        values[TCP] = row_since(conn->tcp_end_ns, conn->opened_ns);
        values[TUNNEL] = row_since(conn->tunnel_end_ns, conn->opened_ns);
        values[TLS] = row_since(conn->tls_end_ns, conn->opened_ns);
        values[CLOSED] = row_since(conn->closed_ns, conn->opened_ns);
        values[ATTEMPTS] = row_cut(conn->n_attempts);
        values[ADDRESSES] = conn->n_addresses;
        values[FAMILY] = conn->family;
        values[CLOSER] = conn->closer;
        values[IS_TLS] = conn->is_tls;
        values[IS_RESUMED] = conn->is_resumed;
        values[HAD_TICKET] = conn->had_ticket;
        values[TLS_WORK] = row_cut(conn->tls_work_ns);
        values[RTT] = conn->rtt_us;
        values[MIN_RTT] = conn->min_rtt_us;
        values[RETRANSMITS] = conn->n_retransmits;
        values[OUT_OF_ORDER] = conn->n_out_of_order;
        values[CWND] = conn->cwnd;
        values[DELIVERY_RATE] = row_cut(conn->delivery_rate);
        values[RWND_LIMITED] = row_cut(conn->rwnd_limited_us);
        values[SNDBUF_LIMITED] = row_cut(conn->sndbuf_limited_us);
        values[BUSY] = row_cut(conn->busy_us);
        values[BYTES_RECEIVED] = row_cut(conn->bytes_received);
        values[ENGINE] = conn->engine;
        values[PROXY] = conn->proxy ? conn->proxy : ROW_NULL;
        values[MAX_RTT] = conn->max_rtt_us ? conn->max_rtt_us : ROW_NULL;
}

static bool get_conn(const int64_t values[ROW_VALUES_MAX], void *ret_row)
{
        struct trace_conn *conn = ret_row;
        bool is_good = values[ID] > 0 && values[CLOSED] >= 0;
        uint64_t opened = row_moment(values[OPENED], 0, &is_good);

        conn->id = row_number(values[ID], INT64_MAX, &is_good);
        conn->origin = (uint32_t)row_number(values[ORIGIN], UINT32_MAX, &is_good);
        conn->opened_ns = opened;
        conn->dns_end_ns = row_moment(values[DNS], opened, &is_good);
        conn->tcp_end_ns = row_moment(values[TCP], opened, &is_good);
        conn->tunnel_end_ns = row_moment(values[TUNNEL], opened, &is_good);
        conn->tls_end_ns = row_moment(values[TLS], opened, &is_good);
        conn->closed_ns = row_moment(values[CLOSED], opened, &is_good);
        conn->n_attempts = row_number(values[ATTEMPTS], INT64_MAX, &is_good);
        conn->n_addresses = (uint32_t)row_number(values[ADDRESSES], UINT32_MAX, &is_good);
        conn->family = (uint8_t)row_number(values[FAMILY], 6, &is_good);
        conn->closer = (uint8_t)row_number(values[CLOSER], TRACE_N_CLOSERS - 1, &is_good);
        conn->is_tls = row_number(values[IS_TLS], 1, &is_good);
        conn->is_resumed = row_number(values[IS_RESUMED], 1, &is_good);
        conn->had_ticket = row_number(values[HAD_TICKET], 1, &is_good);
        conn->tls_work_ns = row_number(values[TLS_WORK], ROW_NS_MAX, &is_good);
        conn->rtt_us = (uint32_t)row_number(values[RTT], UINT32_MAX, &is_good);
        conn->min_rtt_us = (uint32_t)row_number(values[MIN_RTT], UINT32_MAX, &is_good);
        conn->n_retransmits = (uint32_t)row_number(values[RETRANSMITS], UINT32_MAX, &is_good);
        conn->n_out_of_order = (uint32_t)row_number(values[OUT_OF_ORDER], UINT32_MAX, &is_good);
        conn->cwnd = (uint32_t)row_number(values[CWND], UINT32_MAX, &is_good);
        conn->delivery_rate = row_number(values[DELIVERY_RATE], INT64_MAX, &is_good);
        conn->rwnd_limited_us = row_number(values[RWND_LIMITED], ROW_NS_MAX, &is_good);
        conn->sndbuf_limited_us = row_number(values[SNDBUF_LIMITED], ROW_NS_MAX, &is_good);
        conn->busy_us = row_number(values[BUSY], ROW_NS_MAX, &is_good);
        conn->bytes_received = row_number(values[BYTES_RECEIVED], INT64_MAX, &is_good);
        conn->engine = row_engine(values[ENGINE], &is_good);
        conn->proxy = (uint32_t)row_number(values[PROXY], UINT32_MAX, &is_good);
        conn->max_rtt_us = (uint32_t)row_number(values[MAX_RTT], UINT32_MAX, &is_good);
        return is_good;
}

const struct row_type row_type_conn = {
        .table = "conn",
        .columns = columns,
        .n_columns = N_COLUMNS,
        .n_usual = N_COLUMNS,
        .text_column = "remote",
        .order = "id",
        .size = sizeof(struct trace_conn),
        .text_at = offsetof(struct trace_conn, remote),
        .moments = moments,
        .n_moments = sizeof(moments) / sizeof(moments[0]),
        .begin_at = offsetof(struct trace_conn, opened_ns),
        .end_at = offsetof(struct trace_conn, closed_ns),
        .put = put_conn,
        .get = get_conn,
};

/* --- origins --------------------------------------------------------------------------------- */

static const char *const origin_columns[] = { "number INTEGER PRIMARY KEY" };

static void put_origin(const void *row, int64_t values[ROW_VALUES_MAX])
{
        values[0] = ((const struct trace_origin *)row)->number;
}

static bool get_origin(const int64_t values[ROW_VALUES_MAX], void *ret_row)
{
        struct trace_origin *origin = ret_row;
        bool is_good = values[0] > 0;

        origin->number = (uint32_t)row_number(values[0], UINT32_MAX, &is_good);
        return is_good;
}

const struct row_type row_type_origin = {
        .table = "origin",
        .columns = origin_columns,
        .n_columns = 1,
        .n_usual = 1,
        .text_column = "key",
        .order = "number",
        .size = sizeof(struct trace_origin),
        .text_at = offsetof(struct trace_origin, key),
        .put = put_origin,
        .get = get_origin,
};

/* --- tries ----------------------------------------------------------------------------------- */

enum try_column { TRY_CONN, TRY_N, TRY_START, TRY_TOOK, TRY_FATE, TRY_SYS, TRY_N_COLUMNS };

static const char *const try_columns[TRY_N_COLUMNS] = {
        [TRY_CONN] = "conn",
        [TRY_N] = "n",
        [TRY_START] = "start_ns",
        [TRY_TOOK] = "took_ns",
        [TRY_FATE] = "fate",
        [TRY_SYS] = "sys",
};

static const uint16_t try_moments[] = {
        offsetof(struct trace_try, start_ns),
        offsetof(struct trace_try, end_ns),
};

static void put_try(const void *row, int64_t values[ROW_VALUES_MAX])
{
        const struct trace_try *try = row;

        values[TRY_CONN] = (int64_t)try->conn;
        values[TRY_N] = try->n;
        values[TRY_START] = (int64_t)try->start_ns;
        values[TRY_TOOK] = row_since(try->end_ns, try->start_ns);
        values[TRY_FATE] = try->fate;
        values[TRY_SYS] = try->sys ? try->sys : ROW_NULL;
}

static bool get_try(const int64_t values[ROW_VALUES_MAX], void *ret_row)
{
        struct trace_try *try = ret_row;
        bool is_good = values[TRY_CONN] > 0 && values[TRY_TOOK] >= 0;

        try->conn = row_number(values[TRY_CONN], INT64_MAX, &is_good);
        try->n = (uint16_t)row_number(values[TRY_N], UINT16_MAX, &is_good);
        try->start_ns = row_moment(values[TRY_START], 0, &is_good);
        try->end_ns = row_moment(values[TRY_TOOK], try->start_ns, &is_good);
        try->fate = (uint8_t)row_number(values[TRY_FATE], TRACE_N_FATES - 1, &is_good);
        try->sys = (uint16_t)row_number(values[TRY_SYS], UINT16_MAX, &is_good);
        return is_good;
}

const struct row_type row_type_try = {
        .table = "try",
        .columns = try_columns,
        .n_columns = TRY_N_COLUMNS,
        .n_usual = TRY_N_COLUMNS,
        .text_column = "address",
        .order = "rowid",
        .size = sizeof(struct trace_try),
        .text_at = offsetof(struct trace_try, address),
        .moments = try_moments,
        .n_moments = sizeof(try_moments) / sizeof(try_moments[0]),
        .begin_at = offsetof(struct trace_try, start_ns),
        .end_at = offsetof(struct trace_try, end_ns),
        .put = put_try,
        .get = get_try,
};

/* --- lookups --------------------------------------------------------------------------------- */

static const char *const lookup_columns[] = { "start_ns", "took_ns", "code", "addresses" };

static const uint16_t lookup_moments[] = {
        offsetof(struct trace_lookup, start_ns),
        offsetof(struct trace_lookup, end_ns),
};

static void put_lookup(const void *row, int64_t values[ROW_VALUES_MAX])
{
        const struct trace_lookup *lookup = row;

        values[0] = (int64_t)lookup->start_ns;
        values[1] = row_since(lookup->end_ns, lookup->start_ns);
        values[2] = lookup->code;
        values[3] = lookup->n_addresses;
}

static bool get_lookup(const int64_t values[ROW_VALUES_MAX], void *ret_row)
{
        struct trace_lookup *lookup = ret_row;
        bool is_good = values[1] >= 0 && values[2] <= 0 && values[2] >= MUSTER_E_LOWEST;

        lookup->start_ns = row_moment(values[0], 0, &is_good);
        lookup->end_ns = row_moment(values[1], lookup->start_ns, &is_good);
        lookup->code = (int8_t)values[2];
        lookup->n_addresses = (uint16_t)row_number(values[3], UINT16_MAX, &is_good);
        return is_good;
}

const struct row_type row_type_lookup = {
        .table = "lookup",
        .columns = lookup_columns,
        .n_columns = sizeof(lookup_columns) / sizeof(lookup_columns[0]),
        .n_usual = sizeof(lookup_columns) / sizeof(lookup_columns[0]),
        .text_column = "name",
        .order = "rowid",
        .size = sizeof(struct trace_lookup),
        .text_at = offsetof(struct trace_lookup, name),
        .moments = lookup_moments,
        .n_moments = sizeof(lookup_moments) / sizeof(lookup_moments[0]),
        .begin_at = offsetof(struct trace_lookup, start_ns),
        .end_at = offsetof(struct trace_lookup, end_ns),
        .put = put_lookup,
        .get = get_lookup,
};
