/* SPDX-License-Identifier: MIT */
/*
 * What the files of tunnels share
 */
#ifndef HTTP_TUNNEL_INTERNAL_H
#define HTTP_TUNNEL_INTERNAL_H

#include "tunnel.h"

/* Write the first request into `out`, and set the state. As tunnel_begin(). tunnel_*.c */
int tunnel_connect_begin(struct tunnel *tunnel, struct muster_error *error);
int tunnel_socks_begin(struct tunnel *tunnel, struct muster_error *error);

/* As tunnel_read(), in one of the states of that protocol. */
int tunnel_connect_read(struct tunnel *tunnel, struct h1_scratch *scratch, struct muster_str *in,
        struct muster_error *error);
int tunnel_socks_read(struct tunnel *tunnel, struct muster_str *in, struct muster_error *error);

/*
 * Refuse the tunnel: "proxy: NAME refused the tunnel to TARGET: why". `is_final`: asking again would
 * not help. Returns MUSTER_E_PROXY.
 */
int tunnel_refused(struct tunnel *tunnel, bool is_final, const char *why,
        struct muster_error *error);

/* The proxy's answer makes no sense: "proxy: NAME: why". Returns MUSTER_E_PROXY. */
int tunnel_broken(struct tunnel *tunnel, const char *why, struct muster_error *error);

#endif
