/* SPDX-License-Identifier: MIT */
/*
 * Opening a connection: the way to its origin, step by step
 *
 *      DIALING            the host, its proxy, or a socket in the file system
 *      PROXY_HANDSHAKE    TLS with an https proxy
 *      TUNNEL             the proxy is asked to connect us (conn_tunnel.h); not for http through a
 *                         proxy that speaks HTTP, which is sent the whole URL with each request
 *      HANDSHAKE          TLS with the host, for https; through an https proxy it is TLS inside TLS
 *      READY              the connection is its users'
 */
#ifndef CORE_CONN_OPEN_H
#define CORE_CONN_OPEN_H

#include "conn.h"

/*
 * Begin to connect; the loop calls ready() or failed() later. MUSTER_E_RESOURCE, MUSTER_E_INVALID
 * with *error: close it.
 */
int conn_open(struct conn *conn, struct muster_error *error);

/* When the first address of the host, or of its proxy, became known; 0 before. */
uint64_t conn_dns_end_ns(const struct conn *conn);

/* The phase of an attempt that waits for the connection. */
enum muster_phase conn_opening_stage(const struct conn *conn);

#endif
