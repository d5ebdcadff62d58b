/* SPDX-License-Identifier: MIT */
#include "conn_way.h"

#include "engine.h"
#include <base/error.h>
#include <net/address.h>

static const struct route *route_of(const struct conn *conn)
{
        return &conn->origin->route;
}

/* Nobody here learns where a name leads that the proxy looks up. An address needs no looking up. */
static int check_behind_proxy(const struct conn *conn, struct muster_error *error)
{
        const struct dial_filter *filter = &conn->engine->settings->guard.filter;
        const struct route *route = route_of(conn);
        struct net_address address;

        if (proxy_needs_address(route->proxy))
                return 0; /* the tunnel looks it up here: conn_tunnel.c */
        if (address_parse(route->host, &address))
                return filter->check(filter, route->host, &address, error);
        return error_set(error, MUSTER_E_DENIED, MUSTER_PHASE_DNS, 0,
                "denied: where %.*s leads is known to the proxy %.60s alone; use a socks5:// proxy, or allow the name with allow_hosts (--allow-host)",
                STR_ARGS(str_first(route->host, 60)), route->proxy->name.at);
}

int conn_way_check(const struct conn *conn, const struct dial_filter **ret_filter,
        struct muster_error *error)
{
        const struct guard *guard = &conn->engine->settings->guard;
        const struct route *route = route_of(conn);
        int r = guard_check_host(guard, buf_str(&conn->origin->host), conn->origin->port, error);

        *ret_filter = NULL;
        if (r != GUARD_BY_ADDRESS)
                return r;
        if (route->unix_path)
                return error_set(error, MUSTER_E_DENIED, MUSTER_PHASE_DNS, 0,
                        "denied: the socket %.100s is of this machine; to use it for %.*s, allow that with allow_hosts (--allow-host)",
                        route->unix_path, STR_ARGS(str_first(buf_str(&conn->origin->host), 60)));
        if (route->proxy)
                return check_behind_proxy(conn, error);
        *ret_filter = &guard->filter;
        return 0;
}
