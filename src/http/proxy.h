/* SPDX-License-Identifier: MIT */
/*
 * A proxy: which kind it is, where it is, and whom it knows us as
 *
 *      [scheme://][user[:password]@]host[:port]
 *
 * As curl reads it: without a scheme it is http, without a port 1080, or 443 for https. User name
 * and password are percent-encoded. What follows the port is ignored.
 */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include <base/buf.h>
#include <muster/error.h>

enum proxy_kind {
        PROXY_HTTP,
        PROXY_HTTPS, /* HTTP over TLS with the proxy */
        PROXY_SOCKS4,
        PROXY_SOCKS4A,
        PROXY_SOCKS5,
        PROXY_SOCKS5H,
        PROXY_N_KINDS,
};

/* Zeroed is none. */
struct proxy {
        enum proxy_kind kind;
        uint16_t port;
        bool has_user;
        struct buf host;           /* without brackets, zero-terminated */
        struct buf user, password; /* decoded; each zero-terminated if there is a user */
        /* "http://proxy.test:3128", for people: without user and password; zero-terminated */
        struct buf name;
};

/*
 * Read a proxy from text. `named` says where it comes from, for messages ("--proxy"). MUSTER_E_URL
 * with *error, MUSTER_E_RESOURCE: the proxy is empty.
 */
int proxy_parse(struct proxy *proxy, struct muster_str text, const char *named,
        struct muster_error *error);
void proxy_deinit(struct proxy *proxy);

/*
 * Give it credentials, "user:password" as they are, unless it has some. MUSTER_E_INVALID with
 * *error, MUSTER_E_RESOURCE.
 */
int proxy_set_credentials(struct proxy *proxy, struct muster_str text, struct muster_error *error);

/*
 * Say in an error whose it is, as what happened on the way to the proxy, or in talking to it:
 * "connect: proxy http://127.0.0.1:3128: ...".
 */
void proxy_name_in_error(const struct proxy *proxy, struct muster_error *error);

static inline bool proxy_speaks_http(const struct proxy *proxy)
{
        return proxy->kind == PROXY_HTTP || proxy->kind == PROXY_HTTPS;
}

/* Must it be told the address of the host, as it does not look up names? */
static inline bool proxy_needs_address(const struct proxy *proxy)
{
        return proxy->kind == PROXY_SOCKS4 || proxy->kind == PROXY_SOCKS5;
}

#endif
