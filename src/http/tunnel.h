/* SPDX-License-Identifier: MIT */
/*
 * A tunnel: how a proxy is asked to connect us to a host
 *
 * HTTP's CONNECT (RFC 9110 section 9.3.6), SOCKS 4 and 4a, SOCKS 5 (RFC 1928) with user name and
 * password (RFC 1929). Bytes in, bytes out; no socket here. Send what is in `out`, feed what comes,
 * until the tunnel is open or refused.
 *
 *      CONNECT   ask ─▶ AT_HEAD ─────────────────────────────▶ OPEN
 *                          └─ 407 ─▶ AT_BODY ─▶ ask again
 *      SOCKS 5   greet ─▶ AT_METHOD ─▶ AT_LOGIN ─▶ AT_REPLY ─▶ OPEN
 *      SOCKS 4   ask ─▶ AT_REPLY ────────────────────────────▶ OPEN
 */
#ifndef HTTP_TUNNEL_H
#define HTTP_TUNNEL_H

#include "h1_read.h"
#include "proxy_auth.h"

/* What to ask for; everything is borrowed until tunnel_deinit(). */
struct tunnel_plan {
        const struct proxy *proxy;
        /*
         * As in a URL, IPv6 without brackets. An address is sent as such; a name only where the
         * proxy looks up names (proxy_needs_address()).
         */
        struct muster_str host;
        uint16_t port;
        /* For CONNECT: */
        struct proxy_auth *auth;
        struct muster_str cnonce;     /* see proxy_auth_challenged() */
        struct muster_str user_agent; /* empty: none */
        const char *const *fields;    /* "Name: value", ..., NULL; NULL: none. They replace ours. */
};

enum tunnel_state {
        TUNNEL_AT_HEAD,
        TUNNEL_AT_BODY, /* of a 407, which is dropped */
        TUNNEL_AT_METHOD,
        TUNNEL_AT_LOGIN,
        TUNNEL_AT_REPLY_5,
        TUNNEL_AT_REPLY_4,
        TUNNEL_IS_OPEN,
        TUNNEL_IS_REFUSED,
};

/* Zeroed is none. */
struct tunnel {
        struct tunnel_plan plan;
        enum tunnel_state state;
        struct buf out;    /* bytes to send; empty it when they are sent */
        struct buf target; /* "example.com:443", zero-terminated */
        struct buf kept;   /* SOCKS: what has come of the answer so far */
        struct h1_reader reader;
        size_t dropped_bytes; /* of that body */
        bool had_credentials; /* the last CONNECT had some */
        unsigned n_asked;     /* CONNECTs sent */
        /* refused for a reason that asking again does not change */
        bool is_final;
        bool is_of_address; /* SOCKS: refused to connect to this address; another may do */
};

/*
 * Prepare to ask: `out` has the first bytes. MUSTER_E_PROXY with *error if this kind of proxy cannot
 * be asked for this host, MUSTER_E_RESOURCE. Deinit is needed in any case.
 */
int tunnel_begin(struct tunnel *tunnel, const struct tunnel_plan *borrow_plan,
        struct muster_error *error);

/*
 * Take what the proxy sent. 0: the tunnel is open, and what is left of `in` came through it.
 * TUNNEL_MORE: `in` is used up; send what is in `out`, then feed more. TUNNEL_AGAIN: the proxy wants
 * a new connection; begin another tunnel there, with the same credentials. MUSTER_E_PROXY with
 * *error: refused, or no valid answer. MUSTER_E_RESOURCE.
 */
#define TUNNEL_MORE  1
#define TUNNEL_AGAIN 2
int tunnel_read(struct tunnel *tunnel, struct h1_scratch *scratch, struct muster_str *in,
        struct muster_error *error);

/* The proxy sends no more. Returns as tunnel_read(): TUNNEL_AGAIN or MUSTER_E_PROXY. */
int tunnel_read_eof(struct tunnel *tunnel, struct muster_error *error);

/* Release it; may be called twice. */
void tunnel_deinit(struct tunnel *tunnel);

#endif
