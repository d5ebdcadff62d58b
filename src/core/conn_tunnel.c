/* SPDX-License-Identifier: MIT */
#include "conn_tunnel.h"

#include "engine.h"
#include <arpa/inet.h>
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/rand.h>
#include <net/address.h>
#include <stdio.h>

#define CNONCE_BYTES 16
#define BEGUN_MAX    3 /* connections for one tunnel: a proxy may close with each 407 */
#define TRIED_MAX    8 /* addresses of a host; each takes a connection */

struct conn_tunnel {
        struct conn *conn;
        struct tunnel tunnel;
        struct resolve_waiter waiter;
        conn_tunnel_resolved resolved;
        char address[ADDRESS_TEXT_MAX];      /* of the host, if the proxy needs it; "": not known */
        struct net_address tried[TRIED_MAX]; /* that one is the last */
        unsigned n_tried;
        struct muster_error refusal; /* of the one before */
        char cnonce[2 * CNONCE_BYTES + 1];
        unsigned n_begun;
};

static const struct route *route_of(const struct conn *conn)
{
        return &conn->origin->route;
}

static void make_cnonce(char *text)
{
        unsigned char bytes[CNONCE_BYTES];

        rand_seed_bytes(bytes, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes); i++)
                snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/* --- asking ---------------------------------------------------------------------------------- */

/* The proxy has to read all of one request before it answers, so that nothing waits to be sent. */
static int send_out(struct conn *conn, struct muster_error *error)
{
        struct tunnel *tunnel = &conn->tunnel->tunnel;
        int r;

        if (!tunnel->out.len)
                return 0;
        if (conn->is_sending)
                return error_set(error, MUSTER_E_PROXY, MUSTER_PHASE_TUNNEL, 0,
                        "proxy: %.100s answered before it had the whole request",
                        route_of(conn)->proxy->name.at);
        r = conn_write(conn, buf_str(&tunnel->out), error);
        tunnel->out.len = 0;
        return r < 0 ? r : 0;
}

int conn_tunnel_ask(struct conn *conn, struct muster_error *error)
{
        const struct route *route = route_of(conn);
        struct engine *engine = conn->engine;
        struct conn_tunnel *it = conn->tunnel;
        struct tunnel_plan plan = { .proxy = route->proxy,
                .host = it->address[0] ? str_of(it->address) : route->host,
                .port = route->port,
                .auth = &engine->proxies[route->proxy_index].auth,
                .cnonce = str_of(it->cnonce),
                .user_agent = str_of(engine->settings->user_agent),
                .fields = engine->settings->routes.proxy_fields };
        int r;

        assert(conn->state == CONN_TUNNEL && !it->tunnel.target.len);
        r = tunnel_begin(&it->tunnel, &plan, error);
        conn->notes.is_denied = it->tunnel.is_final;
        return r < 0 ? r : send_out(conn, error);
}

/* --- the address of the host ----------------------------------------------------------------- */

static bool can_use(const struct conn *conn, const struct net_address *address)
{
        const struct conn_tunnel *it = conn->tunnel;

        for (unsigned i = 0; i < it->n_tried; i++)
                if (address_eq(&it->tried[i], address))
                        return false;
        return route_of(conn)->proxy->kind != PROXY_SOCKS4 || address->family == AF_INET;
}

/* All addresses were refused: say so in the words of the last refusal. */
static int fail_as_refused(const struct conn_tunnel *it, struct muster_error *error)
{
        const struct muster_error *refusal = &it->refusal;

        if (it->n_tried == 1)
                *error = *refusal;
        else
                error_set(error, refusal->code, refusal->stage, refusal->sys,
                        "%s (%u addresses tried)", refusal->text, it->n_tried);
        return (int)refusal->code;
}

/* May the proxy be asked for it? *denial keeps the first one that is not. */
static bool is_allowed(const struct conn *conn, const struct net_address *address,
        struct muster_error *denial)
{
        const struct guard *guard = &conn->engine->settings->guard;
        int r = guard_check_host(guard, buf_str(&conn->origin->host), conn->origin->port, denial);

        if (r == GUARD_BY_ADDRESS)
                r = guard->filter.check(&guard->filter, route_of(conn)->host, address, denial);
        return r == 0;
}

/* Keep the next address that can be used. RESOLVE_WAIT: there may be one later. */
static int choose_address(struct conn *conn, const struct resolve_answer *answer,
        struct muster_error *error)
{
        struct conn_tunnel *it = conn->tunnel;
        struct muster_error denial = { 0 };

        assert(!it->address[0]);
        for (size_t i = 0; i < answer->n && it->n_tried < TRIED_MAX; i++) {
                const struct net_address *address = &answer->addresses[i];

                if (!can_use(conn, address) || !is_allowed(conn, address, &denial))
                        continue;
                inet_ntop(address->family, &address->u, it->address, sizeof(it->address));
                it->tried[it->n_tried++] = *address;
                return 0;
        }
        if (!answer->is_final && it->n_tried < TRIED_MAX)
                return RESOLVE_WAIT;
        if (it->n_tried)
                return fail_as_refused(it, error);
        if (denial.code) {
                *error = denial;
                return (int)denial.code;
        }
        if (answer->n)
                return error_set(error, MUSTER_E_RESOLVE, MUSTER_PHASE_TUNNEL, 0,
                        "resolve: %.*s has no IPv4 address, and SOCKS 4 knows no others",
                        STR_ARGS(str_first(route_of(conn)->host, 100)));
        if (answer->error)
                *error = *answer->error;
        return error_set(error, MUSTER_E_RESOLVE, MUSTER_PHASE_TUNNEL, 0,
                "resolve: %.*s: no address was found",
                STR_ARGS(str_first(route_of(conn)->host, 100)));
}

static void take_answer(struct resolve_waiter *waiter, const struct resolve_answer *answer)
{
        struct conn_tunnel *it = LIST_OWNER(waiter, struct conn_tunnel, waiter);
        struct muster_error error = { 0 };
        int r = choose_address(it->conn, answer, &error);

        if (r == RESOLVE_WAIT)
                return;
        resolve_waiter_cancel(waiter);
        it->resolved(it->conn, r < 0 ? (int)error.code : 0, &error);
}

static int look_up(struct conn *conn, struct muster_error *error)
{
        const struct route *route = route_of(conn);
        struct conn_tunnel *it = conn->tunnel;
        struct resolve_answer answer;
        int r;

        it->waiter.answered = take_answer;
        r = resolver_ask(conn->engine->resolver, &it->waiter, route->host, route->port, &answer);
        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_TUNNEL);
        if (r != RESOLVE_WAIT)
                r = choose_address(conn, &answer, error);
        return r == RESOLVE_WAIT ? CONN_TUNNEL_WAIT : r;
}

/*
 * The proxy cannot connect to the address. TUNNEL_AGAIN: there is another one, or may be. Otherwise
 * as fail_as_refused().
 */
static int try_next_address(struct conn *conn, struct muster_error *error)
{
        struct conn_tunnel *it = conn->tunnel;
        struct muster_error none = { 0 };
        int r;

        it->refusal = *error;
        it->address[0] = '\0';
        r = look_up(conn, &none);
        resolve_waiter_cancel(&it->waiter);
        if (r < 0) {
                *error = none;
                return r;
        }
        error_clear(error);
        it->n_begun = 0;
        conn->notes.is_denied = false;
        return TUNNEL_AGAIN;
}

/* --- begin and end --------------------------------------------------------------------------- */

int conn_tunnel_begin(struct conn *conn, conn_tunnel_resolved resolved, struct muster_error *error)
{
        struct conn_tunnel *it = conn->tunnel;
        int r = 0;

        assert(conn->state == CONN_TUNNEL && route_of(conn)->is_tunnel);
        if (!it) {
                conn->tunnel = it = mem_zalloc(sizeof(*it));
                if (!it)
                        return error_set_memory(error, MUSTER_PHASE_TUNNEL);
                it->conn = conn;
                make_cnonce(it->cnonce);
        }
        it->resolved = resolved;
        it->n_begun++;
        if (proxy_needs_address(route_of(conn)->proxy) && !it->address[0])
                r = look_up(conn, error);
        return r != 0 ? r : conn_tunnel_ask(conn, error);
}

int conn_tunnel_read(struct conn *conn, struct muster_str *in, struct muster_error *error)
{
        struct tunnel *tunnel = &conn->tunnel->tunnel;
        int sent, r;

        assert(conn->state == CONN_TUNNEL);
        if (!tunnel->target.len)
                return error_set(error, MUSTER_E_PROXY, MUSTER_PHASE_TUNNEL, 0,
                        "proxy: %.100s sent bytes before it was asked",
                        route_of(conn)->proxy->name.at);
        r = tunnel_read(tunnel, &conn->engine->scratch, in, error);
        conn->notes.is_denied = tunnel->is_final;
        if (r < 0 && tunnel->is_of_address && conn->tunnel->address[0])
                return try_next_address(conn, error);
        sent = r == TUNNEL_MORE ? send_out(conn, error) : 0;
        if (r == 0 && (in->len || conn->is_sending))
                return error_set(error, MUSTER_E_PROXY, MUSTER_PHASE_TUNNEL, 0,
                        "proxy: %.100s sent bytes that nobody asked for behind its answer",
                        route_of(conn)->proxy->name.at);
        return sent < 0 ? sent : r;
}

int conn_tunnel_eof(struct conn *conn, struct muster_error *error)
{
        if (conn->tunnel && conn->tunnel->tunnel.target.len)
                return tunnel_read_eof(&conn->tunnel->tunnel, error);
        return error_set(error, MUSTER_E_PROXY, MUSTER_PHASE_TUNNEL, 0,
                "proxy: %.100s closed the connection before it was asked",
                route_of(conn)->proxy->name.at);
}

int conn_tunnel_restart(struct conn *conn, struct muster_error *error)
{
        struct conn_tunnel *it = conn->tunnel;

        tunnel_deinit(&it->tunnel);
        if (it->n_begun < BEGUN_MAX)
                return 0;
        conn->notes.is_denied = true;
        return error_set(error, MUSTER_E_PROXY, MUSTER_PHASE_TUNNEL, 0,
                "proxy: %.100s does not accept this user name and password (407)",
                route_of(conn)->proxy->name.at);
}

void conn_tunnel_drop(struct conn *conn)
{
        if (!conn->tunnel)
                return;
        resolve_waiter_cancel(&conn->tunnel->waiter);
        tunnel_deinit(&conn->tunnel->tunnel);
        conn->tunnel = mem_free(conn->tunnel);
}
