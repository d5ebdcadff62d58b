/* SPDX-License-Identifier: MIT */
/*
 * Routes: the way to an origin, which follows from its URL and the client's options
 *
 *      a socket in the file system ── goes before everything
 *      a proxy ────────────────────── unless the list of exceptions names the host:
 *                                     the one of the options, else that of the URL's scheme, else
 *                                     that for all
 *      another host and port ──────── connect_to; through a proxy, what the tunnel leads to
 *
 * An origin has one route for as long as it lives. So connections are kept by origin, but those to a
 * proxy that is sent whole URLs, which take requests for all; and limits for a host count the host,
 * not its proxy.
 */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H

#include <http/proxy.h>
#include <http/url.h>
#include <muster/client.h>
#include <net/local_end.h>

#define ROUTE_PROXIES_MAX   3   /* for http, https and all */
#define ROUTE_UNIX_PATH_MAX 108 /* of struct sockaddr_un, with a zero byte */

struct connect_to;

/* What the options say; constant. It may be copied, and the copy borrows from it. */
struct routes {
        struct proxy proxies[ROUTE_PROXIES_MAX];
        unsigned n_proxies;
        int for_http, for_https; /* places in `proxies`; -1: none */
        char *no_proxy;          /* NULL: no exceptions */
        bool tunnels_always;
        unsigned auth_schemes;     /* allowed at proxies: a set of enum auth_scheme */
        const char **proxy_fields; /* "Name: value", ..., NULL; owned, as are the texts */
        struct connect_to *connect_to;
        char *unix_path;
        bool is_abstract;
        struct local_end local_end;
        sa_family_t family; /* AF_INET, AF_INET6: only these addresses; 0: both */
};

/* Zeroed is none. Texts are borrowed from the routes, or from the URL's own origin. */
struct route {
        const struct proxy *proxy; /* NULL: none */
        unsigned proxy_index;
        bool is_tunnel;         /* the proxy connects us; otherwise it is sent whole URLs */
        struct muster_str host; /* where to connect, or to have the proxy connect us */
        uint16_t port;
        const char *unix_path; /* instead of host and port; NULL: none */
        bool is_abstract;
};

/*
 * Read the options, and the environment if they say so. MUSTER_E_INVALID, MUSTER_E_URL,
 * MUSTER_E_RESOURCE with *error; deinit is needed in any case.
 */
int routes_init(struct routes *routes, const struct muster_client_options *options,
        struct muster_error *error);
void routes_deinit(struct routes *routes);

/*
 * The route to an origin: `is_https`, `host` (as in a URL, without brackets; borrowed by the route)
 * and `port`.
 */
struct route routes_find(const struct routes *routes, bool is_https, struct muster_str borrow_host,
        uint16_t port);

/* Is the proxy sent whole URLs, and answers in place of the server? */
static inline bool route_asks_proxy(const struct route *route)
{
        return route->proxy && !route->is_tunnel;
}

static inline bool routes_have_https_proxy(const struct routes *routes)
{
        for (unsigned i = 0; i < routes->n_proxies; i++)
                if (routes->proxies[i].kind == PROXY_HTTPS)
                        return true;
        return false;
}

#endif
