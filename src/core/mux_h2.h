/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2 as a mux: many exchanges on a connection, each a stream
 *
 * http/h2.h knows the protocol. Here requests become streams, streams' events become the events of
 * requests, and what is to be sent waits until the end of the turn: then all that was begun,
 * consumed and reset in it goes out together (exchange_flush()).
 *
 * A connection that was idle for long may be dead without anybody having noticed. So the first
 * request on it is sent with a PING. If the answer does not come in time, the connection has failed,
 * and requests without an answer are repeated on a new one.
 */
#ifndef CORE_MUX_H2_H
#define CORE_MUX_H2_H

#include "mux.h"

/* Firewalls and NATs forget connections after 30 s or more. */
#define MUX_H2_PING_IDLE_NS (15 * NS_PER_S)
/* Longer than a server's worst pause; a request on a dead connection waits as long. */
#define MUX_H2_PONG_NS (5 * NS_PER_S)
/*
 * A server that allows no stream at all should do so for a short time only (RFC 9113 section 6.5.2).
 * After this the connection is closed, so that requests do not wait for it for ever.
 */
#define MUX_H2_NO_ROOM_NS (10 * NS_PER_S)

/* NULL if memory is out. */
struct mux *mux_h2_new(struct conn *conn);

#endif
