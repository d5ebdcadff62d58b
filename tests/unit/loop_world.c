/* SPDX-License-Identifier: MIT */
#include "loop_world.h"

#include <unistd.h>

void handle(struct loop_socket *socket, const struct loop_event *event)
{
        struct side *side = LIST_OWNER(socket, struct side, socket);

        switch (event->kind) {
        case LOOP_CONNECTED:
                side->n_connected++;
                return;
        case LOOP_RECEIVED:
                side->n_placed += event->n_placed;
                if (event->n_placed > side->most_placed)
                        side->most_placed = event->n_placed;
                side->len += event->n_placed;
                assert_true(side->len + event->bytes.len <= sizeof(side->got));
                memcpy(side->got + side->len, event->bytes.at, event->bytes.len);
                side->len += event->bytes.len;
                side->kernel_ns = event->kernel_ns;
                if (side->closes_on_receive)
                        loop_socket_close(socket);
                return;
        case LOOP_ACKED:
                side->acked_ns = event->kernel_ns;
                side->n_acked++;
                return;
        case LOOP_SENT:
                side->n_sent++;
                return;
        case LOOP_EOF:
                side->n_eof++;
                return;
        case LOOP_FAILED:
                side->n_failed++;
                side->sys = event->sys;
                return;
        }
}

void open_world(struct world *w, bool is_manual)
{
        socklen_t len = sizeof(w->address);
        int sys;

        memset(w, 0, sizeof(*w));
        w->clock = (struct clock){ .is_manual = is_manual, .manual_ns = START_NS };
        assert_int_equal(loop_init(&w->loop, &w->clock, &sys), 0);
        w->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        w->address = (struct sockaddr_in){ .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        assert_int_equal(bind(w->listener, (struct sockaddr *)&w->address, len), 0);
        assert_int_equal(listen(w->listener, 8), 0);
        getsockname(w->listener, (struct sockaddr *)&w->address, &len);
}

void close_world(struct world *w)
{
        loop_socket_close(&w->a.socket);
        loop_socket_close(&w->b.socket);
        loop_socket_close(&w->b.socket); /* twice does no harm */
        close(w->listener);
        loop_deinit(&w->loop);
        loop_deinit(&w->loop);
}

void turn_until(struct world *w, const int *what)
{
        for (int i = 0; i < 1000 && !*what; i++)
                assert_int_equal(loop_turn(&w->loop, clock_now(&w->clock) + 10 * NS_PER_MS), 0);
        assert_true(*what);
}

void turn_until_received(struct world *w, size_t n)
{
        for (int i = 0; i < 1000 && w->b.len < n; i++)
                assert_int_equal(loop_turn(&w->loop, clock_now(&w->clock) + 10 * NS_PER_MS), 0);
        assert_int_equal(w->b.len, n);
}

void open_pair(struct world *w)
{
        int sys = 0, fd;

        assert_int_equal(loop_socket_connect(&w->loop, &w->a.socket, handle,
                                 (struct sockaddr *)&w->address, sizeof(w->address), &sys),
                0);
        assert_int_equal(w->a.n_connected, 0); /* never from within */
        turn_until(w, &w->a.n_connected);
        fd = accept(w->listener, NULL, NULL);
        assert_true(fd >= 0);
        assert_int_equal(loop_socket_adopt(&w->loop, &w->b.socket, handle, fd, &sys), 0);
        loop_recv_start(&w->a.socket);
        loop_recv_start(&w->b.socket);
        loop_turn(&w->loop, 0);
}

int send_text(struct side *side, const char *one, const char *two)
{
        struct iovec pieces[2] = { { (void *)(uintptr_t)one, strlen(one) },
                { (void *)(uintptr_t)two, strlen(two) } };
        int sys = 0;

        return loop_send(&side->socket, pieces, 2, &sys);
}
