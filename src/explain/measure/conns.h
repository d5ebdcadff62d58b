/* SPDX-License-Identifier: MIT */
/*
 * Connections, and measures of what happened on them, as several causes need them
 */
#ifndef EXPLAIN_CONNS_H
#define EXPLAIN_CONNS_H

#include <explain/facts/facts.h>

/* The connection that an attempt used; NULL: none, or its row is missing. */
const struct trace_conn *conn_of_attempt(const struct record *record,
        const struct trace_attempt *attempt);

/*
 * May other requests have been on its connection at the same time, as streams of HTTP/2? Then what
 * the connection did says nothing of this one alone.
 */
bool attempt_shares_conn(const struct facts *facts, const struct trace_attempt *attempt);

/* To this machine itself: nothing gets lost there, and no link is full. */
bool conn_is_local(const struct trace_conn *conn);

/* Were most of a run's connections to this machine itself? Then servers use its processors, too. */
bool conns_are_local(const struct record *record);

/* The least round trip that the kernel saw on it; 0: not known. */
uint64_t conn_round_trip_ns(const struct trace_conn *conn);

/*
 * The longest round trip that it had, smoothed; of early records, and of programs that were watched,
 * that at its end. 0: not known.
 */
uint64_t conn_longest_round_trip_ns(const struct trace_conn *conn);

/* What opening it took, step by step; 0 for a step that did not come to an end. */
uint64_t conn_dns_ns(const struct trace_conn *conn);
uint64_t conn_tcp_ns(const struct trace_conn *conn);
uint64_t conn_tunnel_ns(const struct trace_conn *conn);
uint64_t conn_tls_ns(const struct trace_conn *conn);
uint64_t conn_opening_ns(const struct trace_conn *conn);

/*
 * How many connections were in use at once, by origin: its requests needed that many. To be freed
 * with mem_free(); NULL: memory is out.
 */
uint32_t *conns_in_use(const struct facts *facts);

/* How many there have to be if all are kept: the sum of these. 0: memory is out. */
uint64_t conns_needed(const struct facts *facts);

/*
 * How many requests each of the HTTP/2 connections had room for, on average. 0: none waited for a
 * stream.
 */
uint64_t conns_streams_each(const struct facts *facts);

/* Requests that were in flight on one connection at most: 1, but with HTTP/2. */
uint64_t conns_most_sharing(const struct facts *facts);

/*
 * How much of the loop's reading and writing went into opening and closing a connection, without a
 * handshake.
 */
uint64_t conns_opening_work_ns(const struct facts *facts);

/* ... and into its handshake, on average of those that were opened. */
uint64_t conns_tls_work_ns(const struct facts *facts);

/* "example.com" and "example.com:443" of an origin's key; the key itself when it is not one. */
struct muster_str origin_host(struct muster_str key);
struct muster_str origin_authority(struct muster_str key);
/* By number; "" when it is not there. */
struct muster_str origin_key(const struct record *record, uint32_t number);

/* A measure of an attempt or a connection; false: it has none. */
typedef bool (*attempt_measure)(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value);
typedef bool (*conn_measure)(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value);

/* How it is spread over all that have it; n is 0 where none has, or memory is out. */
void measure_attempts(struct spread *spread, const struct facts *facts, attempt_measure measure);
void measure_conns(struct spread *spread, const struct facts *facts, conn_measure measure);

/* Measures. */
bool measure_round_trip(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value);

#endif
