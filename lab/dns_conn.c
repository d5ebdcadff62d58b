/* SPDX-License-Identifier: MIT */
#include "dns_conn.h"

#include <assert.h>
#include <base/mem.h>
#include <errno.h>
#include <unistd.h>

#define BATCH           64 /* connections accepted in a row, so that others get a turn */
#define ACCEPT_PAUSE_NS (100 * NS_PER_MS)
#define KEEP_BYTES      4096 /* memory that an idle connection keeps */

bool dns_conn_send(struct dns_conn *conn, const void *at, size_t len)
{
        const char length[2] = { (char)(len >> 8), (char)len };
        struct iovec piece;
        int sys, r;

        assert(!conn->is_sending && len <= DNS_MESSAGE_BYTES_MAX);
        /* RFC 7766 section 8: length and message in one piece. */
        buf_recycle(&conn->out, KEEP_BYTES);
        if (buf_add(&conn->out, length, 2) < 0 || buf_add(&conn->out, at, len) < 0)
                return false;
        piece = (struct iovec){ conn->out.at, conn->out.len };
        r = loop_send(&conn->socket, &piece, 1, &sys);
        if (r < 0)
                return false;
        conn->is_sending = r == LOOP_PENDING;
        return true;
}

/* --- work ------------------------------------------------------------------------------------ */

static bool is_full(const struct dns_conn *conn)
{
        return conn->is_sending || conn->n_delayed >= DNS_CONN_DELAYED_MAX;
}

/* Does the input have a whole message at `*at`? If so, move `*at` past it. */
static bool cut_message(const struct buf *in, size_t *at, struct muster_str *ret_message)
{
        const unsigned char *length = (const unsigned char *)in->at + *at;
        size_t left = in->len - *at, len;

        if (left < 2)
                return false;
        len = (size_t)length[0] << 8 | length[1];
        if (left - 2 < len)
                return false;
        *ret_message = (struct muster_str){ in->at + *at + 2, len };
        *at += 2 + len;
        return true;
}

/* Take one message, or send one answer that is due. False: there is nothing to do. */
static bool step(struct dns_conn *conn, size_t *at)
{
        struct dns_asker asker = { .conn = conn };
        struct muster_str message;

        if (conn->is_broken || conn->is_sending)
                return false;
        if (list_first(&conn->due)) {
                dns_server_send_first(&conn->due);
                return true;
        }
        if (is_full(conn) || !cut_message(&conn->in, at, &message))
                return false;
        conn->server->stats.n_queries_tcp++;
        dns_server_take(conn->server, &asker, message);
        return true;
}

void dns_conn_work(struct dns_conn *conn)
{
        size_t at = 0;

        while (step(conn, &at))
                ;
        if (conn->is_broken || (conn->is_ended && !conn->is_sending && !conn->n_delayed)) {
                dns_conn_drop(conn);
                return;
        }
        buf_drop_front(&conn->in, at);
        if (!conn->in.len)
                buf_recycle(&conn->in, KEEP_BYTES);
        if (is_full(conn))
                loop_recv_stop(&conn->socket);
        else
                loop_recv_start(&conn->socket);
}

static void handle_socket(struct loop_socket *socket, const struct loop_event *event)
{
        struct dns_conn *conn = LIST_OWNER(socket, struct dns_conn, socket);

        switch (event->kind) {
        case LOOP_RECEIVED:
                if (buf_add_str(&conn->in, event->bytes) < 0)
                        conn->is_broken = true;
                break;
        case LOOP_ACKED:
                break; /* was not asked for */
        case LOOP_SENT:
                conn->is_sending = false;
                break;
        case LOOP_EOF:
                conn->is_ended = true;
                break;
        case LOOP_FAILED:
                conn->is_broken = true;
                break;
        case LOOP_CONNECTED:
                break;
        }
        dns_conn_work(conn);
}

void dns_conn_drop(struct dns_conn *conn)
{
        dns_server_drop(&conn->delayed);
        dns_server_drop(&conn->due);
        loop_socket_close(&conn->socket);
        list_remove(&conn->link);
        conn->server->n_conns--;
        buf_deinit(&conn->in);
        buf_deinit(&conn->out);
        mem_free(conn);
}

/* --- accepting ------------------------------------------------------------------------------- */

static void open_conn(struct dns_server *server, int take_fd)
{
        struct dns_conn *conn = NULL;
        int sys;

        if (server->n_conns < DNS_CONNS_MAX)
                conn = mem_zalloc(sizeof(*conn));
        if (!conn) {
                close(take_fd);
                return;
        }
        conn->server = server;
        if (loop_socket_adopt(server->loop, &conn->socket, handle_socket, take_fd, &sys) < 0) {
                mem_free(conn);
                return;
        }
        list_init(&conn->delayed);
        list_init(&conn->due);
        list_push_back(&server->conns, &conn->link);
        server->n_conns++;
        loop_recv_start(&conn->socket);
}

static void watch_accept(struct dns_server *server, bool is_wanted)
{
        (void)loop_watch_set(server->loop, &server->tcp_watch, server->tcp_fd, is_wanted, false);
}

void dns_conn_accept_again(struct loop_timer *timer, uint64_t late_ns)
{
        (void)late_ns;
        watch_accept(LIST_OWNER(timer, struct dns_server, accept_timer), true);
}

/* Without free descriptors the connection would be reported as ready again and again. */
static void pause_accept(struct dns_server *server)
{
        uint64_t at = clock_after(server->loop->now_ns, ACCEPT_PAUSE_NS);

        if (loop_timer_set(server->loop, &server->accept_timer, at) == 0)
                watch_accept(server, false);
}

void dns_conn_ready(struct loop_watch *watch, bool readable, bool writable)
{
        struct dns_server *server = LIST_OWNER(watch, struct dns_server, tcp_watch);

        (void)readable;
        (void)writable;
        for (int i = 0; i < BATCH; i++) {
                int fd = accept4(server->tcp_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (fd >= 0) {
                        open_conn(server, fd);
                } else if (errno == EAGAIN) {
                        return;
                } else if (errno != EINTR && errno != ECONNABORTED) {
                        pause_accept(server);
                        return;
                }
        }
}
