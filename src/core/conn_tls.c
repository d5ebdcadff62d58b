/* SPDX-License-Identifier: MIT */
#include "conn_tls.h"

#include "engine.h"
#include "turns.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>

/* What to offer (RFC 7301 section 3.1), the preferred one first. */
static struct muster_str alpn_of(const struct conn *conn)
{
        if (conn->kind == CONN_ALPN)
                return (struct muster_str){ "\x02h2\x08http/1.1", 12 };
        return (struct muster_str){ "\x08http/1.1", 9 };
}

/* Whom to shake hands with. */
struct peer {
        struct tls_source *source;
        struct tls_sessions **sessions; /* for resumption; without memory, nothing is resumed */
        struct muster_str host, alpn;
        uint16_t port;
};

static struct peer peer_of(const struct conn *conn)
{
        struct origin *origin = conn->origin;
        const struct proxy *proxy = origin->route.proxy;

        if (conn->state == CONN_HANDSHAKE)
                return (struct peer){ .source = conn->engine->tls_source,
                        .sessions = &origin->sessions,
                        .host = buf_str(&origin->host),
                        .port = origin->port,
                        .alpn = alpn_of(conn) };
        return (struct peer){ .source = conn->engine->proxy_tls_source,
                .sessions = &conn->engine->proxies[origin->route.proxy_index].sessions,
                .host = buf_str(&proxy->host),
                .port = proxy->port,
                .alpn = { "\x08http/1.1", 9 } };
}

static int make_tls(struct conn *conn, struct muster_error *error)
{
        struct peer peer = peer_of(conn);
        struct tls_context *context;
        uint64_t start_ns = engine_now(conn->engine);
        int r = tls_source_get(peer.source, &context, error);

        assert(!conn->tls);
        /* A client's first handshake loads the trust store. */
        turns_worked(conn->engine, TRACE_WORK_TLS, engine_now(conn->engine) - start_ns,
                conn->notes.wanted_by);
        if (r < 0)
                return r;
        if (!*peer.sessions)
                *peer.sessions = tls_context_sessions(context, peer.host, peer.port);
        return tls_new(&conn->tls, context, peer.host, peer.alpn, *peer.sessions, error);
}

/* TLS with the proxy goes around TLS with the host. */
static int put_around(struct conn *conn, struct muster_error *error)
{
        struct engine *engine = conn->engine;

        assert(!conn->outer);
        if (!conn->tls)
                return 0;
        if (!engine->wrapped)
                engine->wrapped = mem_alloc(PLAIN_BYTES);
        if (!engine->wrapped)
                return error_set_memory(error, MUSTER_PHASE_TLS);
        conn->outer = conn->tls;
        conn->tls = NULL;
        return 0;
}

int conn_tls_begin(struct conn *conn, struct muster_error *error)
{
        int r = put_around(conn, error);

        assert(conn->state == CONN_HANDSHAKE || conn->state == CONN_PROXY_HANDSHAKE);
        return r < 0 ? r : make_tls(conn, error);
}

static void note_handshake(struct conn *conn, uint64_t ns)
{
        if (conn->state == CONN_HANDSHAKE)
                conn->notes.tls_work_ns += ns;
        turns_worked(conn->engine, TRACE_WORK_TLS, ns, conn->notes.wanted_by);
}

int conn_tls_step(struct conn *conn, struct muster_error *error)
{
        uint64_t start_ns = engine_now(conn->engine);
        int r = tls_handshake(conn->tls, error);
        int sent = conn_flush_tls(conn, error);

        note_handshake(conn, engine_now(conn->engine) - start_ns);
        if (r >= 0 && sent < 0)
                r = sent;
        return r;
}

void conn_tls_done(struct conn *conn)
{
        assert(conn->tls);
        conn->notes.tls_end_ns = engine_now(conn->engine);
        snprintf(conn->info.tls_version, sizeof(conn->info.tls_version), "%s",
                tls_version_name(conn->tls));
        snprintf(conn->info.tls_cipher, sizeof(conn->info.tls_cipher), "%s",
                tls_cipher_name(conn->tls));
        conn->info.tls_resumed = tls_was_resumed(conn->tls);
        conn->engine->stats.n_tls_handshakes++;
        conn->engine->stats.n_tls_resumed += conn->info.tls_resumed;
}
