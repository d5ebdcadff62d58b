/* SPDX-License-Identifier: MIT */
/*
 * A tunnel on a connection: asks the proxy for it, over TLS with the proxy or without
 *
 * A proxy that does not look up names is told an address, which is looked up here first. The next
 * one is tried, on a new connection, where it cannot connect to that.
 */
#ifndef CORE_CONN_TUNNEL_H
#define CORE_CONN_TUNNEL_H

#include "conn.h"
#include <http/tunnel.h>

/* The address of the host is known, or could not be found: *error then. */
typedef void (*conn_tunnel_resolved)(struct conn *conn, int r, const struct muster_error *error);

/*
 * Ask for the tunnel; the connection is in the state TUNNEL. 0: feed what comes.
 * CONN_TUNNEL_WAIT: first the address is looked up; `resolved` is called, then call
 * conn_tunnel_ask(). Negative with *error.
 */
#define CONN_TUNNEL_WAIT 1
int conn_tunnel_begin(struct conn *conn, conn_tunnel_resolved resolved, struct muster_error *error);
int conn_tunnel_ask(struct conn *conn, struct muster_error *error);

/* Take what the proxy sent, and send what it is to be told. As tunnel_read(). */
int conn_tunnel_read(struct conn *conn, struct muster_str *in, struct muster_error *error);

/* The proxy sends no more. As tunnel_read_eof(). */
int conn_tunnel_eof(struct conn *conn, struct muster_error *error);

/* After TUNNEL_AGAIN: the connection is dialled anew. MUSTER_E_PROXY with *error: too often. */
int conn_tunnel_restart(struct conn *conn, struct muster_error *error);

/* Release it; does nothing if there is none. */
void conn_tunnel_drop(struct conn *conn);

#endif
