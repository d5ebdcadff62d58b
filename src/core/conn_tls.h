/* SPDX-License-Identifier: MIT */
/*
 * TLS of a connection that is being opened: with the host, or with its proxy
 *
 * Through an https proxy there are two, one in the other (conn->outer).
 */
#ifndef CORE_CONN_TLS_H
#define CORE_CONN_TLS_H

#include "conn.h"

/*
 * Begin, in the state HANDSHAKE with the host, in PROXY_HANDSHAKE with its proxy. As
 * tls_source_get() and tls_new().
 */
int conn_tls_begin(struct conn *conn, struct muster_error *error);

/* One step of the handshake. 0: it is complete. TLS_MORE. Negative with *error. */
int conn_tls_step(struct conn *conn, struct muster_error *error);

/* The handshake with the host is complete: note what it came to. */
void conn_tls_done(struct conn *conn);

#endif
