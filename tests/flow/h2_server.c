/* SPDX-License-Identifier: MIT */
#include "h2_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <base/buf.h>
#include <base/minmax.h>
#include <netinet/in.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct h2_peer {
        struct h2_server *server;
        struct loop_socket socket;
        struct loop_timer timer; /* for its settings */
        struct list link, streams;
        nghttp2_session *session;
        struct buf out;
        unsigned number;
        int last_stream;
        bool is_sending, closes;
};

struct task {
        struct h2_peer *peer;
        struct loop_timer timer;
        struct list link;
        struct h2_answer answer;
        char method[16], path[128];
        size_t body_bytes, left;
        const char *at;
        int id;
        bool is_asked;
};

static void drop(struct h2_peer *peer);

static void flush(struct h2_peer *peer)
{
        while (!peer->is_sending) {
                const uint8_t *bytes;
                ssize_t n = nghttp2_session_mem_send(peer->session, &bytes);
                struct iovec piece;
                int sys;

                if (n <= 0)
                        break;
                peer->out.len = 0;
                buf_add(&peer->out, bytes, (size_t)n);
                piece = (struct iovec){ peer->out.at, peer->out.len };
                peer->is_sending = loop_send(&peer->socket, &piece, 1, &sys) == LOOP_PENDING;
        }
        if (peer->closes && !peer->is_sending)
                drop(peer);
}

static void end_task(struct task *task)
{
        struct h2_server *server = task->peer->server;

        server->n_busy--;
        nghttp2_session_set_stream_user_data(task->peer->session, task->id, NULL);
        loop_timer_stop(server->loop, &task->timer);
        list_remove(&task->link);
        free(task);
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t size,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        struct task *task = source->ptr;
        size_t n = min_size(size, task->left);

        (void)session;
        (void)id;
        (void)user;
        if (task->at)
                memcpy(to, task->at, n);
        else
                memset(to, 'x', n);
        task->at = task->at ? task->at + n : NULL;
        task->left -= n;
        if (!task->left)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (ssize_t)n;
}

static void go_away(struct h2_peer *peer, int last)
{
        nghttp2_submit_goaway(peer->session, 0, last, NGHTTP2_NO_ERROR, (const uint8_t *)"bye", 3);
}

static void allow_none(struct h2_peer *peer)
{
        const nghttp2_settings_entry none = { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0 };

        nghttp2_submit_settings(peer->session, 0, &none, 1);
}

static void submit(struct task *task)
{
        struct h2_answer *answer = &task->answer;
        static uint8_t status_name[] = ":status", length_name[] = "content-length";
        char status[8], length[24];
        nghttp2_nv nv[] = { { status_name, (uint8_t *)status, 7, 3, 0 },
                { length_name, (uint8_t *)length, 14, 0, 0 } };
        nghttp2_data_provider body = { .source.ptr = task, .read_callback = read_body };

        task->at = answer->body;
        task->left = answer->body ? strlen(answer->body) : answer->body_bytes;
        snprintf(status, sizeof(status), "%d", answer->status);
        nv[1].valuelen = (size_t)snprintf(length, sizeof(length), "%zu", task->left);
        nghttp2_submit_response(task->peer->session, task->id, nv, 2, task->left ? &body : NULL);
}

static void act(struct task *task)
{
        struct h2_peer *peer = task->peer;
        struct h2_answer *answer = &task->answer;

        if (answer->refuses_rest)
                go_away(peer, task->id - 2);
        if (answer->goes_away)
                go_away(peer, task->id);
        if (answer->allows_none)
                allow_none(peer);
        if (answer->closes)
                peer->closes = true;
        else if (answer->reset && !answer->resets_late)
                nghttp2_submit_rst_stream(peer->session, 0, task->id, answer->reset);
        else if (answer->status && !answer->refuses_rest)
                submit(task);
        if (answer->resets_late)
                nghttp2_submit_rst_stream(peer->session, 0, task->id, answer->reset);
        flush(peer);
}

static void act_later(struct loop_timer *timer, uint64_t late_ns)
{
        (void)late_ns;
        act(LIST_OWNER(timer, struct task, timer));
}

static void request_is_whole(struct task *task)
{
        struct h2_server *server = task->peer->server;
        struct h2_asked asked = { .method = task->method,
                .path = task->path,
                .body_bytes = task->body_bytes,
                .n = ++server->n_requests,
                .conn = task->peer->number,
                .stream = task->id };

        task->is_asked = true;
        task->answer = server->answer(server, &asked);
        if (task->answer.delay_ns)
                loop_timer_set(server->loop, &task->timer,
                        server->loop->now_ns + task->answer.delay_ns);
        else
                loop_timer_set(server->loop, &task->timer, server->loop->now_ns);
}

static int begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        struct h2_peer *peer = user;
        struct task *task;

        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
                return 0;
        task = calloc(1, sizeof(*task));
        assert(task);
        task->peer = peer;
        task->id = frame->hd.stream_id;
        task->timer.fire = act_later;
        list_push_back(&peer->streams, &task->link);
        nghttp2_session_set_stream_user_data(session, task->id, task);
        if (++peer->server->n_busy > peer->server->n_busy_max)
                peer->server->n_busy_max = peer->server->n_busy;
        return 0;
}

static int header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
        struct task *task = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

        (void)flags;
        (void)user;
        if (!task)
                return 0;
        if (name_len == 7 && !memcmp(name, ":method", 7))
                snprintf(task->method, sizeof(task->method), "%.*s", (int)value_len,
                        (const char *)value);
        if (name_len == 5 && !memcmp(name, ":path", 5))
                snprintf(task->path, sizeof(task->path), "%.*s", (int)value_len,
                        (const char *)value);
        return 0;
}

static int data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
        size_t len, void *user)
{
        struct task *task = nghttp2_session_get_stream_user_data(session, id);

        (void)flags;
        (void)bytes;
        (void)user;
        if (task)
                task->body_bytes += len;
        return 0;
}

static int frame_received(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        struct h2_peer *peer = user;
        struct task *task = NULL;

        if (frame->hd.stream_id)
                task = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
        if (frame->hd.type == NGHTTP2_RST_STREAM)
                peer->server->n_resets++;
        if (frame->hd.type == NGHTTP2_PING && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
                peer->server->n_pings++;
        if (task && !task->is_asked && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
                request_is_whole(task);
        return 0;
}

static int stream_closed(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
        struct task *task = nghttp2_session_get_stream_user_data(session, id);

        (void)code;
        (void)user;
        if (task)
                end_task(task);
        return 0;
}

static void drop(struct h2_peer *peer)
{
        struct list *link;

        while ((link = list_first(&peer->streams)))
                end_task(LIST_OWNER(link, struct task, link));
        loop_timer_stop(peer->server->loop, &peer->timer);
        loop_socket_close(&peer->socket);
        list_remove(&peer->link);
        nghttp2_session_del(peer->session);
        buf_deinit(&peer->out);
        peer->server->n_open--;
        free(peer);
}

static void handle(struct loop_socket *socket, const struct loop_event *event)
{
        struct h2_peer *peer = LIST_OWNER(socket, struct h2_peer, socket);

        switch (event->kind) {
        case LOOP_RECEIVED:
                if (peer->server->is_deaf)
                        return;
                if (nghttp2_session_mem_recv(peer->session, (const uint8_t *)event->bytes.at,
                            event->bytes.len) < 0)
                        drop(peer);
                else
                        flush(peer);
                return;
        case LOOP_EOF:
        case LOOP_FAILED:
                drop(peer);
                return;
        case LOOP_SENT:
                peer->is_sending = false;
                flush(peer);
                return;
        case LOOP_CONNECTED:
        case LOOP_ACKED:
                return;
        }
}

static void greet(struct h2_peer *peer)
{
        nghttp2_settings_entry most = { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                peer->server->max_streams };

        nghttp2_submit_settings(peer->session, 0, &most, peer->server->max_streams ? 1 : 0);
        loop_recv_start(&peer->socket);
        flush(peer);
}

static void greet_later(struct loop_timer *timer, uint64_t late_ns)
{
        (void)late_ns;
        greet(LIST_OWNER(timer, struct h2_peer, timer));
}

static nghttp2_session *new_session(struct h2_peer *peer)
{
        nghttp2_session_callbacks *callbacks;
        nghttp2_session *session;

        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_received);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
        if (nghttp2_session_server_new(&session, callbacks, peer) != 0)
                abort();
        nghttp2_session_callbacks_del(callbacks);
        return session;
}

static void accept_one(struct loop_watch *watch, bool readable, bool writable)
{
        struct h2_server *server = LIST_OWNER(watch, struct h2_server, watch);
        struct h2_peer *peer;
        int sys, fd = accept(server->fd, NULL, NULL);

        (void)readable;
        (void)writable;
        if (fd < 0)
                return;
        peer = calloc(1, sizeof(*peer));
        assert(peer);
        peer->server = server;
        peer->number = ++server->n_conns;
        peer->timer.fire = greet_later;
        list_init(&peer->streams);
        if (loop_socket_adopt(server->loop, &peer->socket, handle, fd, &sys) < 0)
                abort();
        list_push_back(&server->peers, &peer->link);
        server->n_open++;
        peer->session = new_session(peer);
        if (server->settings_delay_ns)
                loop_timer_set(server->loop, &peer->timer,
                        server->loop->now_ns + server->settings_delay_ns);
        else
                greet(peer);
}

void h2_server_start(struct h2_server *server, struct loop *loop, h2_function answer)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(address);

        *server = (struct h2_server){ .loop = loop, .answer = answer };
        list_init(&server->peers);
        server->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (bind(server->fd, (struct sockaddr *)&address, len) < 0 ||
                listen(server->fd, 1024) < 0 ||
                getsockname(server->fd, (struct sockaddr *)&address, &len) < 0)
                abort();
        server->port = ntohs(address.sin_port);
        server->watch.ready = accept_one;
        if (loop_watch_set(loop, &server->watch, server->fd, true, false) < 0)
                abort();
}

void h2_server_stop(struct h2_server *server)
{
        struct list *link;

        while ((link = list_first(&server->peers)))
                drop(LIST_OWNER(link, struct h2_peer, link));
        loop_watch_set(server->loop, &server->watch, server->fd, false, false);
        close(server->fd);
}

const char *h2_url(const struct h2_server *server, const char *path)
{
        static char urls[8][256];
        static unsigned next;
        char *url = urls[next++ % 8];

        snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%u%s", server->port, path);
        return url;
}
