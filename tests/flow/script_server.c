/* SPDX-License-Identifier: MIT */
#include "script_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct script_conn {
        struct script_server *server;
        struct loop_socket socket;
        struct loop_timer timer;
        struct list link;
        struct script_answer answer;
        char head[8192];
        size_t len;
        bool is_busy;
        bool was_asked; /* by Expect, in the present request */
};

static struct script_conn *conn_of_link(struct list *link)
{
        return LIST_OWNER(link, struct script_conn, link);
}

static void set_busy(struct script_conn *conn, bool is_busy)
{
        struct script_server *server = conn->server;

        server->n_busy += is_busy - conn->is_busy;
        if (server->n_busy > server->n_busy_max)
                server->n_busy_max = server->n_busy;
        conn->is_busy = is_busy;
}

static void drop(struct script_conn *conn)
{
        set_busy(conn, false);
        loop_timer_stop(conn->server->loop, &conn->timer);
        loop_socket_close(&conn->socket);
        list_remove(&conn->link);
        conn->server->n_open--;
        free(conn);
}

static void reset(struct script_conn *conn)
{
        struct linger linger = { .l_onoff = 1 };

        setsockopt(conn->socket.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        drop(conn);
}

static void send_later(struct script_conn *conn)
{
        struct script_answer *answer = &conn->answer;

        answer->bytes = answer->then;
        answer->then = NULL;
        answer->len = 0;
        loop_timer_set(conn->server->loop, &conn->timer,
                conn->server->loop->now_ns + answer->then_after_ns);
}

static void send_answer(struct script_conn *conn)
{
        const struct script_answer *answer = &conn->answer;
        size_t len = answer->bytes && !answer->len ? strlen(answer->bytes) : answer->len;
        bool closes = answer->closes && !answer->then, resets = answer->resets;

        if (len)
                set_busy(conn, false);
        if (len && send(conn->socket.fd, answer->bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
                closes = true;
        if (resets)
                reset(conn);
        else if (closes)
                drop(conn);
        else if (answer->then)
                send_later(conn);
}

static void timer_fire(struct loop_timer *timer, uint64_t late_ns)
{
        (void)late_ns;
        send_answer(LIST_OWNER(timer, struct script_conn, timer));
}

/* The end of a request: its head and Content-Length bytes. 0 when it is not there yet. */
static size_t request_end(const struct script_conn *conn)
{
        const char *blank = strstr(conn->head, "\r\n\r\n");
        const char *length = strcasestr(conn->head, "\r\ncontent-length:");
        size_t end;

        if (conn->len && conn->head[0] < ' ')
                return conn->len;
        if (!blank)
                return 0;
        end = (size_t)(blank - conn->head) + 4;
        if (length && length < blank)
                end += strtoul(length + 17, NULL, 10);
        return conn->len >= end ? end : 0;
}

/* A head that asks before its body comes. */
static void hear_expect(struct script_conn *conn)
{
        struct script_server *server = conn->server;

        if (!server->expects || conn->was_asked || !strstr(conn->head, "\r\n\r\n") ||
                !strcasestr(conn->head, "\r\nExpect:"))
                return;
        conn->was_asked = true;
        memcpy(server->last_head, conn->head, conn->len + 1);
        conn->answer = server->expects(server, conn->head, server->n_requests + 1);
        if (conn->answer.bytes && strncmp(conn->answer.bytes, "HTTP/1.1 1", 10) != 0) {
                server->n_requests++;
                conn->len = 0;
        }
        if (conn->answer.delay_ns)
                loop_timer_set(server->loop, &conn->timer,
                        server->loop->now_ns + conn->answer.delay_ns);
        else
                send_answer(conn);
}

static void received(struct script_conn *conn, struct muster_str bytes)
{
        struct script_server *server = conn->server;
        size_t end;

        assert(conn->len + bytes.len < sizeof(conn->head));
        memcpy(conn->head + conn->len, bytes.at, bytes.len);
        conn->len += bytes.len;
        conn->head[conn->len] = '\0';
        end = request_end(conn);
        if (!end) {
                hear_expect(conn);
                return;
        }
        conn->was_asked = false;
        loop_timer_stop(server->loop, &conn->timer);
        server->n_requests++;
        set_busy(conn, true);
        memcpy(server->last_head, conn->head, conn->len + 1);
        conn->answer = server->answer(server, conn->head, server->n_requests);
        conn->len -= end;
        memmove(conn->head, conn->head + end, conn->len + 1);
        if (conn->answer.delay_ns)
                loop_timer_set(server->loop, &conn->timer,
                        server->loop->now_ns + conn->answer.delay_ns);
        else
                send_answer(conn);
}

static void handle(struct loop_socket *socket, const struct loop_event *event)
{
        struct script_conn *conn = LIST_OWNER(socket, struct script_conn, socket);

        switch (event->kind) {
        case LOOP_RECEIVED:
                received(conn, event->bytes);
                return;
        case LOOP_EOF:
        case LOOP_FAILED:
                drop(conn);
                return;
        case LOOP_CONNECTED:
        case LOOP_ACKED:
        case LOOP_SENT:
                return;
        }
}

static void accept_one(struct loop_watch *watch, bool readable, bool writable)
{
        struct script_server *server = LIST_OWNER(watch, struct script_server, watch);
        struct script_conn *conn;
        int sys, fd = accept(server->fd, NULL, NULL);

        (void)readable;
        (void)writable;
        if (fd < 0)
                return;
        conn = calloc(1, sizeof(*conn));
        assert(conn);
        conn->server = server;
        conn->timer.fire = timer_fire;
        if (loop_socket_adopt(server->loop, &conn->socket, handle, fd, &sys) < 0)
                abort();
        list_push_back(&server->conns, &conn->link);
        loop_recv_start(&conn->socket);
        server->n_conns++;
        if (++server->n_open > server->n_open_max)
                server->n_open_max = server->n_open;
}

void script_server_listen(struct script_server *server)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(address);

        *server = (struct script_server){ 0 };
        list_init(&server->conns);
        server->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (bind(server->fd, (struct sockaddr *)&address, len) < 0 ||
                listen(server->fd, 1024) < 0 ||
                getsockname(server->fd, (struct sockaddr *)&address, &len) < 0)
                abort();
        server->port = ntohs(address.sin_port);
}

void script_server_begin(struct script_server *server, struct loop *loop, script_function answer)
{
        assert(server->port);
        server->loop = loop;
        server->answer = answer;
        server->watch.ready = accept_one;
        if (loop_watch_set(loop, &server->watch, server->fd, true, false) < 0)
                abort();
}

void script_server_start(struct script_server *server, struct loop *loop, script_function answer)
{
        script_server_listen(server);
        script_server_begin(server, loop, answer);
}

void script_server_drop_conns(struct script_server *server)
{
        struct list *link;

        while ((link = list_first(&server->conns)))
                drop(conn_of_link(link));
}

void script_server_stop(struct script_server *server)
{
        script_server_drop_conns(server);
        loop_watch_set(server->loop, &server->watch, server->fd, false, false);
        close(server->fd);
}

const char *script_url(const struct script_server *server, const char *path)
{
        static char urls[8][256];
        static unsigned next;
        char *url = urls[next++ % 8];

        snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%u%s", server->port, path);
        return url;
}

struct script_answer script_hangs(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ 0 };
}
