/* SPDX-License-Identifier: MIT */
#include "schema.h"

#include "feed.h"
#include <base/buf.h>
#include <base/error.h>
#include <stdio.h>

/* Columns have no types, so no value needs to be converted when it is written. */
static const char small_tables[] =
        "CREATE TABLE run(version, command, wall_clock_ns, start_ns, end_ns, is_complete, dropped);"
        "CREATE TABLE option(name TEXT PRIMARY KEY, value);"
        "CREATE TABLE counter(name TEXT PRIMARY KEY, before, after);"
        "CREATE TABLE word(kind TEXT, number, word TEXT, PRIMARY KEY(kind, number)) WITHOUT ROWID;";

/*
 * The cuts of core/attempt.c: each stamp ends a phase, not before the stamp before it and not after
 * the attempt's end. The rest belongs to the phase that the attempt had reached.
 */
static const char view_phases[] =
        "CREATE VIEW phases AS SELECT number, request, n, url, status,"
        " (SELECT word FROM word WHERE kind = 'error' AND number = code) AS error,"
        " (SELECT word FROM word WHERE kind = 'outcome' AND number = flags >> 12 & 15) AS outcome,"
        " (SELECT word FROM word WHERE kind = 'wait' AND number = flags >> 8 & 15) AS waited_for,"
        " flags & 1 AS is_last, start_ns / 1e6 AS start_ms,"
        " (cut_slot + iif(stage = 0, rest, 0)) / 1e3 AS queue_us,"
        " iif(stage = 1, rest, 0) / 1e3 AS backoff_us,"
        " (cut_dns - cut_slot + iif(stage = 2, rest, 0)) / 1e3 AS dns_us,"
        " (cut_tcp - cut_dns + iif(stage = 3, rest, 0)) / 1e3 AS tcp_us,"
        " (cut_tunnel - cut_tcp + iif(stage = 12, rest, 0)) / 1e3 AS tunnel_us,"
        " (cut_tls - cut_tunnel + iif(stage = 4, rest, 0)) / 1e3 AS tls_us,"
        " (cut_expect - cut_tls + cut_send - cut_met + iif(stage = 5, rest, 0)) / 1e3 AS send_us,"
        " (cut_met - cut_expect + cut_kernel - cut_send + iif(stage = 6, rest, 0)) / 1e3 AS wait_us,"
        " (cut_read - cut_kernel + iif(stage = 7, rest, 0)) / 1e3 AS lag_us,"
        " iif(stage = 8, rest, 0) / 1e3 AS receive_us,"
        " (decode + ifnull(worker_decode_ns, 0) + iif(stage = 9, rest, 0)) / 1e3 AS decode_us,"
        " (ifnull(process_end_ns - end_ns - ifnull(worker_decode_ns, 0), 0) + iif(stage = 10, "
        "rest, 0)) / 1e3 "
        "AS process_us,"
        " (ifnull(taken_ns - ifnull(finished_ns, end_ns), 0) + iif(stage = 11, rest, 0)) / 1e3 AS "
        "deliver_us,"
        " (ifnull(process_end_ns, end_ns) + ifnull(taken_ns - ifnull(finished_ns, end_ns), 0)) / "
        "1e3 AS total_us,"
        " (ifnull(submit_ago_ns, 0) + max(end_ns, ifnull(finished_ns, 0), ifnull(taken_ns, 0))) / "
        "1e3 AS "
        "since_submit_us,"
        " sent_bytes, wire_bytes, ifnull(body_bytes, wire_bytes) AS body_bytes"
        " FROM (SELECT *, end_ns - cut_read - decode AS rest"
        " FROM (SELECT *, min(ifnull(decode_ns, 0), end_ns - cut_read) AS decode"
        " FROM (SELECT *, flags >> 16 & 15 AS stage,"
        " min(end_ns, slot) AS cut_slot,"
        " min(end_ns, max(slot, dns)) AS cut_dns,"
        " min(end_ns, max(slot, dns, tcp)) AS cut_tcp,"
        " min(end_ns, max(slot, dns, tcp, tunnel)) AS cut_tunnel,"
        " min(end_ns, max(slot, dns, tcp, tunnel, tls)) AS cut_tls,"
        " min(end_ns, max(slot, dns, tcp, tunnel, tls, expect)) AS cut_expect,"
        " min(end_ns, max(slot, dns, tcp, tunnel, tls, expect, met)) AS cut_met,"
        " min(end_ns, max(slot, dns, tcp, tunnel, tls, expect, met, send)) AS cut_send,"
        " min(end_ns, max(slot, dns, tcp, tunnel, tls, expect, met, send, first_kernel))"
        " AS cut_kernel,"
        " min(end_ns, max(slot, dns, tcp, tunnel, tls, expect, met, send, first_kernel,"
        " first_read)) AS cut_read"
        " FROM (SELECT *, ifnull(slot_ns, 0) AS slot, ifnull(dns_ns, 0) AS dns,"
        " ifnull(tcp_ns, 0) AS tcp, ifnull(tunnel_ns, 0) AS tunnel, ifnull(tls_ns, 0) AS tls,"
        " ifnull(expect_ns, 0) AS expect, ifnull(expect_end_ns, 0) AS met,"
        " ifnull(send_ns, 0) AS send,"
        " ifnull(first_kernel_ns, 0) AS first_kernel, ifnull(first_read_ns, 0) AS first_read"
        " FROM attempt))));";

/*
 * As max(n) is the only aggregate of its kind, plain columns are those of the last attempt
 * (https://www.sqlite.org/lang_select.html#bareagg).
 */
static const char view_requests[] =
        "CREATE VIEW requests AS SELECT request AS id,"
        " ifnull(group_concat(iif(n = 1, url, NULL)), url) AS url, url AS final_url, status, error,"
        " max(n) AS attempts, start_ms + total_us / 1e3 - since_submit_us / 1e3 AS submitted_ms,"
        " since_submit_us / 1e3 AS total_ms,"
        " sum(queue_us) / 1e3 AS queue_ms,"
        " max(round(since_submit_us - sum(total_us), 3), 0) / 1e3 AS backoff_ms,"
        " sum(dns_us) / 1e3 AS dns_ms, sum(tcp_us) / 1e3 AS tcp_ms,"
        " sum(tunnel_us) / 1e3 AS tunnel_ms, sum(tls_us) / 1e3 AS tls_ms,"
        " sum(send_us) / 1e3 AS send_ms, sum(wait_us) / 1e3 AS wait_ms,"
        " sum(lag_us) / 1e3 AS lag_ms, sum(receive_us) / 1e3 AS receive_ms,"
        " sum(decode_us) / 1e3 AS decode_ms, sum(process_us) / 1e3 AS process_ms,"
        " sum(deliver_us) / 1e3 AS deliver_ms, wire_bytes, body_bytes"
        " FROM phases GROUP BY request HAVING is_last;";

static const char other_views[] =
        "CREATE VIEW slowest AS SELECT * FROM requests"
        " ORDER BY total_ms - queue_ms - deliver_ms DESC LIMIT 20;"

        "CREATE VIEW errors AS SELECT"
        " (SELECT word FROM word WHERE kind = 'error' AND number = code) AS error,"
        " (SELECT word FROM word WHERE kind = 'phase' AND number = flags >> 16 & 15) AS phase,"
        " status, count(*) AS requests,"
        " min(start_ns + end_ns) / 1e9 AS first_s, url AS first_url"
        " FROM attempt WHERE flags & 1 AND (code < 0 OR status >= 400)"
        " GROUP BY code, 2, status ORDER BY requests DESC;"

        "CREATE VIEW connections AS SELECT id, key AS origin,"
        " (SELECT key FROM origin WHERE number = proxy) AS proxy, remote,"
        " opened_ns / 1e6 AS opened_ms, closed_ns / 1e6 AS lived_ms, attempts,"
        " (SELECT word FROM word WHERE kind = 'closer' AND number = closer) AS closed_by,"
        " dns_ns / 1e6 AS dns_ms, (tcp_ns - ifnull(dns_ns, 0)) / 1e6 AS tcp_ms,"
        " (tunnel_ns - tcp_ns) / 1e6 AS tunnel_ms,"
        " (tls_ns - ifnull(tunnel_ns, tcp_ns)) / 1e6 AS tls_ms, is_resumed, rtt_us / 1e3 AS rtt_ms,"
        " min_rtt_us / 1e3 AS min_rtt_ms, max_rtt_us / 1e3 AS max_rtt_ms, retransmits, bytes_received"
        " FROM conn LEFT JOIN origin ON origin.number = conn.origin;"

        "CREATE VIEW tries AS SELECT conn AS id,"
        " (SELECT key FROM origin JOIN conn AS c ON c.origin = origin.number WHERE c.id = try.conn)"
        " AS origin, n, address, start_ns / 1e6 AS start_ms, took_ns / 1e6 AS took_ms,"
        " (SELECT word FROM word WHERE kind = 'fate' AND number = fate) AS fate, sys"
        " FROM try ORDER BY conn, start_ns, n;";

/*
 * Levels are means over time. If a level changes by d at moment r of a second that is `length`
 * long, its mean over that second is the level at the end less the sum of d * r / length. Samples
 * would not do, as there are none while the loop sleeps. A connection has a row when it is closed;
 * without a row, because the program was killed, it counts from its first use on. Most requests
 * that waited at that moment have no row at all.
 */
static const char view_timeline[] =
        "CREATE VIEW timeline AS WITH RECURSIVE"
        " last(end_ns) AS (SELECT max(start_ns + end_ns) FROM attempt),"
        " seconds(second) AS (SELECT 0 UNION ALL SELECT second + 1 FROM seconds, last"
        " WHERE second < end_ns / 1000000000),"
        " ends AS (SELECT (start_ns + end_ns) / 1000000000 AS second, count(*) AS attempts,"
        " sum(flags & 1) AS requests, sum(flags & 1 AND code < 0) AS failed,"
        " avg(end_ns - slot_ns) / 1e6 AS mean_ms, max(end_ns - slot_ns) / 1e6 AS slowest_ms,"
        " sum(wire_bytes) AS wire_bytes FROM attempt GROUP BY 1),"
        " changes(at_ns, slots, waits, conns) AS ("
        " SELECT start_ns, 0, 1, 0 FROM attempt"
        " UNION ALL SELECT start_ns + ifnull(slot_ns, end_ns), slot_ns IS NOT NULL, -1, 0"
        " FROM attempt"
        " UNION ALL SELECT start_ns + end_ns, -1, 0, 0 FROM attempt WHERE slot_ns IS NOT NULL"
        " UNION ALL SELECT opened_ns, 0, 0, 1 FROM conn"
        " UNION ALL SELECT opened_ns + closed_ns, 0, 0, -1 FROM conn"
        " UNION ALL SELECT min(start_ns + slot_ns), 0, 0, 1 FROM attempt"
        " WHERE conn > 0 AND conn NOT IN (SELECT id FROM conn) GROUP BY conn),"
        " steps AS (SELECT at_ns / 1000000000 AS second,"
        " sum(slots) AS slots, sum(slots * (at_ns % 1000000000)) AS slots_ns,"
        " sum(waits) AS waits, sum(waits * (at_ns % 1000000000)) AS waits_ns,"
        " sum(conns) AS conns, sum(conns * (at_ns % 1000000000)) AS conns_ns"
        " FROM changes, last WHERE at_ns <= last.end_ns GROUP BY 1)"
        " SELECT second, ifnull(attempts, 0) AS attempts, ifnull(requests, 0) AS requests,"
        " ifnull(failed, 0) AS failed, mean_ms, slowest_ms, ifnull(wire_bytes, 0) AS wire_bytes,"
        " sum(slots) OVER so_far - ifnull(slots_ns, 0) / length AS in_flight,"
        " iif((SELECT is_complete FROM run),"
        " sum(waits) OVER so_far - ifnull(waits_ns, 0) / length, NULL) AS queued,"
        " ifnull(sum(conns) OVER so_far, 0) - ifnull(conns_ns, 0) / length AS open_conns"
        " FROM (SELECT second, min(end_ns - second * 1000000000, 1000000000) * 1.0 AS length"
        " FROM seconds, last) LEFT JOIN ends USING (second) LEFT JOIN steps USING (second)"
        " WINDOW so_far AS (ORDER BY second) ORDER BY second;";

/* --- words for numbers ----------------------------------------------------------------------- */

static const char *const waits[TRACE_N_WAITS] = {
        [TRACE_WAIT_NONE] = "none",
        [TRACE_WAIT_SLOT] = "slot",
        [TRACE_WAIT_HOST] = "host",
        [TRACE_WAIT_SHARE] = "share",
        [TRACE_WAIT_RATE] = "rate",
        [TRACE_WAIT_HOST_RATE] = "host rate",
        [TRACE_WAIT_WORKERS] = "workers",
        [TRACE_WAIT_REFUSED] = "refused",
        [TRACE_WAIT_LOGIN] = "login",
        [TRACE_WAIT_STREAM] = "stream",
        [TRACE_WAIT_PROTOCOL] = "protocol",
        [TRACE_WAIT_MEMORY] = "memory",
};

static const char *const outcomes[TRACE_N_OUTCOMES] = {
        [TRACE_RESULT] = "result",
        [TRACE_FAILED] = "failed",
        [TRACE_REDIRECTED] = "redirected",
        [TRACE_RETRIED] = "retried",
        [TRACE_REPEATED] = "repeated",
        [TRACE_CHALLENGED] = "challenged",
        [TRACE_NOT_EXPECTED] = "without_expect",
};

static const char *const closers[TRACE_N_CLOSERS] = {
        [TRACE_CLOSED_BY_END] = "end",
        [TRACE_CLOSED_BY_SERVER] = "server",
        [TRACE_CLOSED_BY_CLIENT] = "client",
        [TRACE_CLOSED_BY_AGE] = "age",
        [TRACE_NEVER_OPEN] = "never open",
};

static const char *const fates[TRACE_N_FATES] = {
        [TRACE_TRY_CONNECTED] = "connected",
        [TRACE_TRY_REFUSED] = "refused",
        [TRACE_TRY_UNREACHABLE] = "unreachable",
        [TRACE_TRY_TIMED_OUT] = "timed_out",
        [TRACE_TRY_FAILED] = "failed",
        [TRACE_TRY_OVERTAKEN] = "overtaken",
        [TRACE_TRY_STOPPED] = "stopped",
        [TRACE_TRY_DENIED] = "denied",
};

static const char *const withheld[TRACE_N_WITHHELD] = {
        [TRACE_NOT_WITHHELD] = "no",
        [TRACE_WITHHELD_BUDGET] = "budget",
        [TRACE_WITHHELD_TIME] = "time",
        [TRACE_WITHHELD_MAX_TIME] = "max_time",
        [TRACE_WITHHELD_LONG] = "long",
        [TRACE_WITHHELD_UNSAFE] = "unsafe",
        [TRACE_WITHHELD_BODY] = "body",
};

static const char *const methods[TRACE_N_METHODS] = {
        [TRACE_METHOD_OTHER] = "other",
        [TRACE_METHOD_GET] = "GET",
        [TRACE_METHOD_HEAD] = "HEAD",
        [TRACE_METHOD_OPTIONS] = "OPTIONS",
};

static int add_word(sqlite3_stmt *insert, const char *kind, int number, const char *word)
{
        sqlite3_bind_text(insert, 1, kind, -1, SQLITE_STATIC);
        sqlite3_bind_int(insert, 2, number);
        sqlite3_bind_text(insert, 3, word, -1, SQLITE_STATIC);
        sqlite3_step(insert);
        return sqlite3_reset(insert);
}

static int add_words(sqlite3_stmt *insert, const char *kind, const char *const *words, int n)
{
        int r = SQLITE_OK;

        for (int i = 0; r == SQLITE_OK && i < n; i++)
                r = add_word(insert, kind, i, words[i]);
        return r;
}

static int add_all_words(sqlite3 *db)
{
        sqlite3_stmt *insert = NULL;
        int r = sqlite3_prepare_v2(db, "INSERT INTO word VALUES(?, ?, ?)", -1, &insert, NULL);

        for (int code = -1; r == SQLITE_OK && code >= MUSTER_E_LOWEST; code--)
                r = add_word(insert, "error", code, muster_code_name((enum muster_code)code));
        for (int phase = 0; r == SQLITE_OK && phase < MUSTER_N_PHASES; phase++)
                r = add_word(insert, "phase", phase, muster_phase_name((enum muster_phase)phase));
        if (r == SQLITE_OK)
                r = add_words(insert, "wait", waits, TRACE_N_WAITS);
        if (r == SQLITE_OK)
                r = add_words(insert, "outcome", outcomes, TRACE_N_OUTCOMES);
        if (r == SQLITE_OK)
                r = add_words(insert, "closer", closers, TRACE_N_CLOSERS);
        if (r == SQLITE_OK)
                r = add_words(insert, "method", methods, TRACE_N_METHODS);
        if (r == SQLITE_OK)
                r = add_words(insert, "fate", fates, TRACE_N_FATES);
        if (r == SQLITE_OK)
                r = add_words(insert, "withheld", withheld, TRACE_N_WITHHELD);
        sqlite3_finalize(insert);
        return r;
}

/* --- statements ------------------------------------------------------------------------------ */

/* The name of a column, without "INTEGER PRIMARY KEY". */
static struct muster_str column_name(const char *column)
{
        struct muster_str rest = str_of(column), name = rest;

        str_split(&rest, ' ', &name);
        return name;
}

/* Columns that early records do not have. */
static const char *const later_columns[] = { "engine", "tunnel_ns", "proxy", "expect_ns",
        "expect_end_ns", "expect_unheard", "stream", "sharing", "run_delay_ns", "switches_forced",
        "major_faults", "late_ns", "gap_ns", "gap_bytes", "acked_at_once", "max_rtt_us" };

static bool is_missing(sqlite3 *db, const char *table, const char *column)
{
        for (size_t i = 0; i < sizeof(later_columns) / sizeof(later_columns[0]); i++)
                if (strcmp(column, later_columns[i]) == 0)
                        return sqlite3_table_column_metadata(db, NULL, table, column, NULL, NULL,
                                       NULL, NULL, NULL) != SQLITE_OK;
        return false;
}

bool schema_lacks(sqlite3 *db, enum row_kind kind)
{
        return kind == ROW_TRY && sqlite3_table_column_metadata(db, NULL, row_types[kind]->table,
                                          NULL, NULL, NULL, NULL, NULL, NULL) != SQLITE_OK;
}

static int add_texts(struct buf *sql, const char *a, const char *b, const char *c)
{
        if (buf_add_text(sql, a) < 0 || buf_add_text(sql, b) < 0 || buf_add_text(sql, c) < 0)
                return MUSTER_E_RESOURCE;
        return 0;
}

enum columns_for { FOR_CREATE, FOR_INSERT, FOR_SELECT };

static struct muster_str column_text(sqlite3 *db, const struct row_type *type, size_t i,
        enum columns_for what)
{
        if (what == FOR_CREATE)
                return str_of(type->columns[i]);
        if (what == FOR_SELECT && is_missing(db, type->table, type->columns[i]))
                return str_of("NULL");
        return column_name(type->columns[i]);
}

/*
 * Append the first `n` columns as in the table, with the text behind the usual ones. `db` is needed
 * for a SELECT.
 */
static int add_list(sqlite3 *db, struct buf *sql, const struct row_type *type, size_t n,
        enum columns_for what)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                r = i ? buf_add_text(sql, ", ") : 0;
                if (r == 0)
                        r = buf_add_str(sql, column_text(db, type, i, what));
                if (r == 0 && i + 1 == type->n_usual && type->text_column)
                        r = add_texts(sql, ", ", type->text_column, "");
        }
        return r;
}

static int create_sql(enum row_kind kind, struct buf *sql)
{
        const struct row_type *type = row_types[kind];

        if (add_texts(sql, "CREATE TABLE ", type->table, "(") < 0 ||
                add_list(NULL, sql, type, type->n_columns, FOR_CREATE) < 0 ||
                buf_add_text(sql, ")") < 0)
                return MUSTER_E_RESOURCE;
        return buf_terminate(sql);
}

static int add_feed_columns(struct buf *sql, const struct row_type *type, size_t n)
{
        char column[32];
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                snprintf(column, sizeof(column), "%sc%zu", i ? ", " : "", i);
                r = buf_add_text(sql, column);
                if (r == 0 && i + 1 == type->n_usual && type->text_column)
                        r = buf_add_text(sql, ", text");
        }
        return r;
}

/*
 * Rows are replaced: a request that ends during its back-off reports its last attempt once more,
 * and the second row counts. The named columns are the first ones of the table in its order, so
 * that SQLite does not copy each value once more.
 */
int schema_insert_sql(enum row_kind kind, bool is_usual, struct buf *sql)
{
        const struct row_type *type = row_types[kind];
        size_t n = is_usual ? type->n_usual : type->n_columns;

        if (add_texts(sql, "INSERT OR REPLACE INTO ", type->table, "(") < 0 ||
                add_list(NULL, sql, type, n, FOR_INSERT) < 0 ||
                buf_add_text(sql, ") SELECT ") < 0 || add_feed_columns(sql, type, n) < 0 ||
                buf_add_text(sql, " FROM feed") < 0)
                return MUSTER_E_RESOURCE;
        return buf_terminate(sql);
}

int schema_select_sql(sqlite3 *db, enum row_kind kind, struct buf *sql)
{
        const struct row_type *type = row_types[kind];

        if (buf_add_text(sql, "SELECT ") < 0 ||
                add_list(db, sql, type, type->n_columns, FOR_SELECT) < 0 ||
                add_texts(sql, " FROM ", type->table, " ORDER BY ") < 0 ||
                buf_add_text(sql, type->order) < 0)
                return MUSTER_E_RESOURCE;
        return buf_terminate(sql);
}

/* --- all of it ------------------------------------------------------------------------------- */

static int create_row_tables(sqlite3 *db)
{
        struct buf sql = { 0 };
        int r = SQLITE_OK;

        for (int kind = 0; r == SQLITE_OK && kind < ROW_N_KINDS; kind++) {
                sql.len = 0;
                r = create_sql((enum row_kind)kind, &sql) < 0
                            ? SQLITE_NOMEM
                            : sqlite3_exec(db, sql.at, NULL, NULL, NULL);
        }
        buf_deinit(&sql);
        return r;
}

static int mark_as_record(sqlite3 *db)
{
        char sql[80];

        snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
                SCHEMA_APPLICATION_ID, SCHEMA_VERSION);
        return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int create_all(sqlite3 *db)
{
        const char *const views[] = { view_phases, view_requests, other_views, view_timeline };
        int r = sqlite3_exec(db, small_tables, NULL, NULL, NULL);

        if (r == SQLITE_OK)
                r = create_row_tables(db);
        for (size_t i = 0; r == SQLITE_OK && i < sizeof(views) / sizeof(views[0]); i++)
                r = sqlite3_exec(db, views[i], NULL, NULL, NULL);
        if (r == SQLITE_OK)
                r = add_all_words(db);
        return r == SQLITE_OK ? mark_as_record(db) : r;
}

int schema_create(sqlite3 *db)
{
        int r = sqlite3_exec(db, "SAVEPOINT schema", NULL, NULL, NULL);

        if (r == SQLITE_OK)
                r = create_all(db);
        return r == SQLITE_OK ? sqlite3_exec(db, "RELEASE schema", NULL, NULL, NULL) : r;
}
