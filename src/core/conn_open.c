/* SPDX-License-Identifier: MIT */
#include "conn_open.h"

#include "conn_tls.h"
#include "conn_tunnel.h"
#include "conn_way.h"
#include "engine.h"
#include "tries.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <net/address.h>
#include <stdio.h>

/* The dial is allocated apart, as it is large and soon over. */
struct conn_dial {
        struct dial dial;
        struct conn *conn;
};

static struct conn *conn_of_dial(struct dial *dial)
{
        return LIST_OWNER(dial, struct conn_dial, dial)->conn;
}

static const struct route *route_of(const struct conn *conn)
{
        return &conn->origin->route;
}

/* Does it take more than a connection to the proxy? */
static bool has_proxy_steps(const struct route *route)
{
        return route->proxy && (route->is_tunnel || route->proxy->kind == PROXY_HTTPS);
}

static struct conn_dial *drop_dial(struct conn_dial *dial)
{
        if (!dial)
                return NULL;
        dial_stop(&dial->dial);
        tries_report(dial->conn, &dial->dial);
        return mem_free(dial);
}

static void stop(struct conn *conn)
{
        conn->dial = drop_dial(conn->dial);
        conn_tunnel_drop(conn);
}

/* Fail. What happened on the way to the proxy, or in talking to it, is told with its name. */
static void fail(struct conn *conn, const struct muster_error *error)
{
        const struct proxy *proxy = route_of(conn)->proxy;
        struct muster_error named = *error;

        if (proxy && conn->state != CONN_HANDSHAKE)
                proxy_name_in_error(proxy, &named);
        conn_report_failure(conn, &named);
}

/* --- TLS ------------------------------------------------------------------------------------- */

static void become_ready(struct conn *conn)
{
        assert(conn->state != CONN_READY && conn->state != CONN_DEAD && !conn->mux);
        stop(conn);
        conn->state = CONN_READY;
        if (conn->origin->is_tls)
                conn_tls_done(conn);
        conn->ops->ready(conn);
}

/* One step of the handshake. Is it complete? A failure is told. */
static bool step_handshake(struct conn *conn)
{
        struct muster_error error = { 0 };
        int r = conn_tls_step(conn, &error);

        if (r < 0)
                fail(conn, &error);
        return r == 0;
}

static bool shake_hands(struct conn *conn)
{
        assert(conn->state == CONN_HANDSHAKE && conn->tls);
        if (!step_handshake(conn))
                return false;
        become_ready(conn);
        return conn->state == CONN_READY;
}

static void begin_tls(struct conn *conn)
{
        struct muster_error error = { 0 };

        conn->state = CONN_HANDSHAKE;
        if (conn_tls_begin(conn, &error) < 0) {
                fail(conn, &error);
                return;
        }
        conn->notes.had_ticket = tls_has_offered(conn->tls);
        shake_hands(conn);
}

static void reach_host(struct conn *conn)
{
        if (has_proxy_steps(route_of(conn)))
                conn->notes.tunnel_end_ns = engine_now(conn->engine);
        if (conn->origin->is_tls)
                begin_tls(conn);
        else
                become_ready(conn);
}

/* --- the proxy ------------------------------------------------------------------------------- */

static void dial_again(struct conn *conn)
{
        struct muster_error error = { 0 };
        int r = conn_tunnel_restart(conn, &error);

        if (r == 0) {
                loop_socket_close(&conn->socket);
                conn->is_sending = false;
                conn->send_sys = 0;
                conn->tls = tls_free(conn->tls);
                conn->state = CONN_DIALING;
                r = conn_open(conn, &error);
        }
        if (r < 0)
                fail(conn, &error);
}

static void follow_tunnel(struct conn *conn, int r, const struct muster_error *error)
{
        if (r < 0) {
                fail(conn, error);
        } else if (r == TUNNEL_AGAIN) {
                dial_again(conn);
        } else if (r == 0) {
                conn_tunnel_drop(conn);
                reach_host(conn);
        }
}

static void read_tunnel(struct conn *conn, struct muster_str bytes)
{
        struct muster_error error = { 0 };
        int r = conn_tunnel_read(conn, &bytes, &error);

        follow_tunnel(conn, r, &error);
}

static void host_resolved(struct conn *conn, int r, const struct muster_error *why)
{
        struct muster_error error = *why;

        assert(conn->state == CONN_TUNNEL);
        if (r == 0)
                r = conn_tunnel_ask(conn, &error);
        if (r < 0)
                conn_report_failure(conn, &error); /* no fault of the proxy */
}

static void begin_tunnel(struct conn *conn)
{
        struct muster_error error = { 0 };
        int r;

        conn->state = CONN_TUNNEL;
        r = conn_tunnel_begin(conn, host_resolved, &error);
        if (r < 0)
                conn_report_failure(conn, &error);
}

/* The proxy is there, and TLS with it if it has that. */
static void reach_proxy(struct conn *conn)
{
        if (route_of(conn)->is_tunnel)
                begin_tunnel(conn);
        else
                reach_host(conn);
}

static bool shake_hands_with_proxy(struct conn *conn)
{
        assert(conn->state == CONN_PROXY_HANDSHAKE && conn->tls);
        if (!step_handshake(conn))
                return false;
        reach_proxy(conn);
        return conn->state != CONN_DEAD;
}

static void begin_proxy_tls(struct conn *conn)
{
        struct muster_error error = { 0 };

        conn->state = CONN_PROXY_HANDSHAKE;
        if (conn_tls_begin(conn, &error) < 0)
                fail(conn, &error);
        else
                shake_hands_with_proxy(conn);
}

/* --- what comes meanwhile -------------------------------------------------------------------- */

/* Over TLS with the proxy. What follows the answer is not ours to read. */
static void read_tunnel_over_tls(struct conn *conn)
{
        struct muster_error error = { 0 };
        struct muster_str bytes = { conn->engine->plain, 0 };
        int r = 0;

        while (conn->state == CONN_TUNNEL && r == 0) {
                r = tls_read(conn->tls, conn->engine->plain, PLAIN_BYTES, &bytes.len, &error);
                if (r == 0)
                        read_tunnel(conn, bytes);
        }
        if (conn->state != CONN_TUNNEL)
                return;
        if (r == TLS_EOF)
                r = conn_tunnel_eof(conn, &error);
        else if (r == TLS_MORE)
                r = conn_flush_tls(conn, &error) < 0 ? (int)error.code : TUNNEL_MORE;
        follow_tunnel(conn, r, &error);
}

/* Go on with what TLS was fed with. Each step may lead to the next. */
static void read_tls(struct conn *conn, uint64_t kernel_ns)
{
        if (conn->state == CONN_PROXY_HANDSHAKE && !shake_hands_with_proxy(conn))
                return;
        if (conn->state == CONN_TUNNEL)
                read_tunnel_over_tls(conn);
        if (conn->state == CONN_HANDSHAKE && !conn->outer && !shake_hands(conn))
                return;
        if (conn->outer && (conn->state == CONN_HANDSHAKE || conn->state == CONN_READY))
                conn_read_outer(conn, kernel_ns);
        else if (conn->state == CONN_READY && conn->tls)
                conn_read_tls(conn, kernel_ns);
}

static void handle_received(struct conn *conn, const struct loop_event *event)
{
        if (!conn->tls) {
                read_tunnel(conn, event->bytes);
                return;
        }
        tls_feed(conn->outer ? conn->outer : conn->tls, event->bytes);
        read_tls(conn, event->kernel_ns);
}

static void handle_sent(struct conn *conn)
{
        struct muster_error error = { 0 };

        assert(conn->is_sending);
        conn->is_sending = false;
        if (conn->tls && conn_flush_tls(conn, &error) < 0)
                fail(conn, &error);
}

static void handle_end(struct conn *conn)
{
        struct muster_error error = { 0 };

        if (conn->state == CONN_TUNNEL) {
                follow_tunnel(conn, conn_tunnel_eof(conn, &error), &error);
                return;
        }
        error_set(&error, MUSTER_E_TLS, MUSTER_PHASE_TLS, 0,
                "tls: the %s closed the connection during the handshake; does it speak TLS 1.2 or later on this port?",
                conn->state == CONN_HANDSHAKE ? "server" : "proxy");
        fail(conn, &error);
}

static void handle_failure(struct conn *conn, int sys)
{
        struct muster_error error = { 0 };

        if (conn->state == CONN_TUNNEL)
                error_set(&error, MUSTER_E_PROXY, MUSTER_PHASE_TUNNEL, sys,
                        "proxy: %.100s: %s while it was asked for a tunnel",
                        route_of(conn)->proxy->name.at, error_sys_text(sys));
        else
                error_set(&error, MUSTER_E_TLS, MUSTER_PHASE_TLS, sys,
                        "tls: %s during the handshake with %s", error_sys_text(sys),
                        conn->info.remote);
        fail(conn, &error);
}

static void handle_event(struct conn *conn, const struct loop_event *event)
{
        switch (event->kind) {
        case LOOP_CONNECTED: /* the dial has handled it */
        case LOOP_ACKED:
                return;
        case LOOP_RECEIVED:
                handle_received(conn, event);
                return;
        case LOOP_SENT:
                handle_sent(conn);
                return;
        case LOOP_EOF:
                handle_end(conn);
                return;
        case LOOP_FAILED:
                handle_failure(conn, event->sys);
                return;
        }
}

/* --- the beginning --------------------------------------------------------------------------- */

static void note_remote(struct conn *conn, const struct dial *dial)
{
        const struct proxy *proxy = route_of(conn)->proxy;

        address_text((const struct sockaddr *)&dial->address, conn->info.remote,
                sizeof(conn->info.remote));
        if (proxy)
                snprintf(conn->info.proxy, sizeof(conn->info.proxy), "%s", proxy->name.at);
        conn->info.id = conn->notes.id;
        conn->notes.family = dial->address.ss_family == AF_INET6  ? 6
                             : dial->address.ss_family == AF_INET ? 4
                                                                  : 0;
}

static void handle_connected(struct conn *conn)
{
        const struct proxy *proxy = route_of(conn)->proxy;

        assert(!conn->dial && loop_socket_is_open(&conn->socket));
        loop_recv_start(&conn->socket);
        if (!proxy)
                reach_host(conn);
        else if (proxy->kind == PROXY_HTTPS)
                begin_proxy_tls(conn);
        else
                reach_proxy(conn);
}

/* Stamp the steps. If a tunnel takes a second connection, the rest is the tunnel's time. */
static void note_dialled(struct conn *conn, const struct dial *dial, int r)
{
        if (conn->notes.tcp_end_ns)
                return;
        conn->notes.dns_end_ns = dial->dns_end_ns;
        conn->notes.tcp_end_ns = r == 0 ? engine_now(conn->engine) : 0;
        conn->engine->stats.n_conns_opened += r == 0;
}

/* Dialling is over. The dial can be freed here, as done() is the last thing that it does. */
static void handle_dialled(struct dial *dial, int r)
{
        struct conn *conn = conn_of_dial(dial);
        struct muster_error error = dial->error;

        assert(conn->state == CONN_DIALING && conn->dial);
        note_dialled(conn, dial, r);
        conn->info.n_addresses = dial->n_tried;
        if (r == 0) {
                note_remote(conn, dial);
                dial_take_socket(dial, &conn->socket, conn_handle_socket);
        }
        conn->dial = drop_dial(conn->dial);
        if (r == 0)
                handle_connected(conn);
        else
                fail(conn, &error);
}

static const struct conn_opener opener = {
        .event = handle_event, .shake_hands = shake_hands, .ended = handle_end, .stop = stop
};

int conn_open(struct conn *conn, struct muster_error *error)
{
        const struct route *route = route_of(conn);
        struct dial_target target = { .host = route->proxy ? buf_str(&route->proxy->host)
                                                           : route->host,
                .port = route->proxy ? route->proxy->port : route->port };
        int r = conn_way_check(conn, &target.filter, error);

        assert(conn->state == CONN_DIALING && !conn->dial);
        if (r < 0)
                return r;
        conn->opener = &opener;
        conn->dial = mem_zalloc(sizeof(*conn->dial));
        if (!conn->dial)
                return error_set_memory(error, MUSTER_PHASE_DNS);
        conn->dial->conn = conn;
        if (route->unix_path) {
                dial_start_path(&conn->dial->dial, &conn->engine->loop, handle_dialled,
                        route->unix_path, route->is_abstract);
                return 0;
        }
        r = dial_start(&conn->dial->dial, &conn->engine->loop, conn->engine->resolver,
                handle_dialled, &target);
        if (r < 0)
                error_set(error, (enum muster_code)r, MUSTER_PHASE_DNS, 0, "%s",
                        conn->dial->dial.error.text);
        return r;
}

/* --- how far it is --------------------------------------------------------------------------- */

uint64_t conn_dns_end_ns(const struct conn *conn)
{
        return conn->dial && !conn->notes.tcp_end_ns ? conn->dial->dial.dns_end_ns
                                                     : conn->notes.dns_end_ns;
}

enum muster_phase conn_opening_stage(const struct conn *conn)
{
        if (!conn->notes.tcp_end_ns)
                return conn_dns_end_ns(conn) ? MUSTER_PHASE_TCP : MUSTER_PHASE_DNS;
        if (has_proxy_steps(route_of(conn)) && !conn->notes.tunnel_end_ns)
                return MUSTER_PHASE_TUNNEL;
        return conn->origin->is_tls ? MUSTER_PHASE_TLS : MUSTER_PHASE_SEND;
}
