/* SPDX-License-Identifier: MIT */
/*
 * Room: where the next request to an origin can begin
 *
 * A request is for one kind of connection: HTTP/1, HTTP/2, or whichever the server chooses. The pool
 * has those with room (pool.h). One that is being made is awaited by others that want the same, as
 * HTTP/2 has room for many: a batch to one host opens one connection and no herd. That costs an
 * HTTP/1.1 server's clients one handshake for each origin, as its answer is remembered. A connection
 * that fails is not awaited by the next ones: each finds out for itself then, all at once.
 *
 * Where a limit is set for HTTP/2 connections, the scheduler is told how many streams are free.
 */
#ifndef CORE_ROOM_H
#define CORE_ROOM_H

#include "conn.h"

/* The kind of connection that the request is for. */
enum conn_kind room_kind(const struct muster_request *request);

/* A connection that is being made, for the request to wait for; NULL: there is none. */
struct conn *room_awaited(const struct muster_request *request);

/* May another connection be made for the request? If not, it has to wait for a stream. */
bool room_may_open(const struct muster_request *request);

/* A connection is being made for a request; others may wait for it as well if it is `shared`. */
void room_opened(struct conn *conn, bool shared);

/* It is ready, and its mux is made: note which protocol it is. */
void room_ready(struct conn *conn);

/* It could not be made. */
void room_failed(struct conn *conn);

/* Let others wait for a connection whose server has not told how many streams it allows. */
void room_await(struct conn *conn);

/* The server has told how many exchanges it allows on a connection. */
void room_known(struct conn *conn);

/*
 * The server wants no more on this connection: it is retired. Where that left requests over, as it
 * does on a server that takes a fixed number, the next connections are given no more than that.
 */
void room_closing(struct conn *conn);

/* Begin nothing more on a connection. */
void room_retire(struct conn *conn);

/* Something was begun, ended, opened or closed: count the streams that are free, if that matters. */
void room_count(struct engine *engine, struct origin *origin);

#endif
