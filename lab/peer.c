/* SPDX-License-Identifier: MIT */
#include "peer_internal.h"

#include "peer_h2.h"
#include <base/mem.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define LINGER_NS (2 * NS_PER_S)

uint64_t peer_now(const struct peer *peer)
{
        return clock_now(peer->listener->lab->loop->clock);
}

void peer_set_timer(struct peer *peer, struct loop_timer *timer, uint64_t ns)
{
        /* Without memory for a timer the connection would hang, maybe for ever: close it. */
        if (loop_timer_set(peer->listener->lab->loop, timer, clock_after(peer_now(peer), ns)) < 0)
                peer_close(peer);
}

/* --- the end of a connection ----------------------------------------------------------------- */

static void retire(struct peer *peer)
{
        struct lab *lab = peer->listener->lab;

        task_gone(&peer->task);
        if (peer->h2)
                peer_h2_stop(peer->h2);
        loop_timer_stop(lab->loop, &peer->timer);
        loop_timer_stop(lab->loop, &peer->idle_timer);
        peer->state = PEER_DEAD;
        list_remove(&peer->link);
        list_push_back(&lab->dead, &peer->link);
        peer->listener->stats.n_open--;
        if (!peer->is_beyond)
                listener_release(peer->listener);
}

void peer_close(struct peer *peer)
{
        if (peer->state == PEER_DEAD)
                return;
        retire(peer);
        wire_close(&peer->wire);
}

void peer_reset(struct peer *peer)
{
        retire(peer);
        wire_reset(&peer->wire);
}

void peer_free(struct peer *peer)
{
        buf_deinit(&peer->in);
        task_deinit(&peer->task);
        peer_h2_free(peer->h2);
        mem_free(peer);
}

void peer_linger(struct peer *peer)
{
        peer->state = PEER_LINGERING;
        if (peer->has_ended) {
                peer_close(peer);
                return;
        }
        wire_end(&peer->wire);
        loop_recv_start(&peer->wire.socket);
        peer_set_timer(peer, &peer->timer, LINGER_NS);
}

void peer_become_h2(struct peer *peer)
{
        loop_timer_stop(peer->listener->lab->loop, &peer->idle_timer);
        if (peer_h2_new(&peer->h2, peer) < 0)
                peer_close(peer);
        else
                peer->state = PEER_H2;
}

/* --- what happens ---------------------------------------------------------------------------- */

static void shaken(struct peer *peer)
{
        peer->listener->stats.n_handshakes++;
        peer->listener->stats.n_resumed += tls_was_resumed(peer->wire.tls);
        if (!str_is(tls_alpn(peer->wire.tls), "h2"))
                return;
        peer_become_h2(peer);
        if (peer->h2 && peer->state == PEER_H2)
                peer_h2_flush(peer->h2); /* the server's SETTINGS need not wait for the client's */
}

static void sent(struct peer *peer)
{
        if (peer->state == PEER_H2)
                peer_h2_sent(peer->h2);
        if (peer->state != PEER_REPLYING)
                return;
        peer_pump(peer);
        if (peer->state == PEER_IDLE)
                peer_read_on(peer, (struct muster_str){ NULL, 0 });
}

static void handle_wire(struct wire *wire, enum wire_event_kind kind, struct muster_str bytes)
{
        struct peer *peer = LIST_OWNER(wire, struct peer, wire);

        switch (kind) {
        case WIRE_SHAKEN:
                shaken(peer);
                return;
        case WIRE_RECEIVED:
                peer_receive(peer, bytes);
                return;
        case WIRE_SENT:
                sent(peer);
                return;
        case WIRE_ENDED:
                peer->has_ended = true;
                /*
                 * The client may still read a response on its way; in any other state it is gone.
                 */
                if (peer->state != PEER_REPLYING && peer->state != PEER_PAUSED)
                        peer_close(peer);
                else
                        peer->keeps_alive = false;
                return;
        case WIRE_FAILED:
                if (wire->tls && !wire->is_shaken)
                        peer->listener->stats.n_handshakes_failed++;
                peer_close(peer);
                return;
        }
}

static void peer_timer_fire(struct loop_timer *timer, uint64_t late_ns)
{
        struct peer *peer = LIST_OWNER(timer, struct peer, timer);

        (void)late_ns;
        if (peer->state == PEER_LINGERING) {
                peer_close(peer);
                return;
        }
        peer_pump(peer);
        if (peer->state == PEER_IDLE)
                peer_read_on(peer, (struct muster_str){ NULL, 0 });
}

static void peer_idle_fire(struct loop_timer *timer, uint64_t late_ns)
{
        struct peer *peer = LIST_OWNER(timer, struct peer, idle_timer);

        (void)late_ns;
        if (peer->state == PEER_H2)
                peer_h2_say_goodbye(peer->h2);
        else
                peer_close(peer);
}

int peer_accept(struct listener *listener, int take_fd, bool is_beyond)
{
        const struct listener_config *config = listener->config;
        struct peer *peer = mem_zalloc(sizeof(*peer));
        int no = 0;

        if (!peer) {
                close(take_fd);
                return MUSTER_E_RESOURCE;
        }
        if (wire_open(&peer->wire, listener->lab->loop, take_fd, listener->tls_context,
                    handle_wire) < 0) {
                mem_free(peer);
                return MUSTER_E_RESOURCE;
        }
        if (config->no_nodelay)
                (void)setsockopt(peer->wire.socket.fd, IPPROTO_TCP, TCP_NODELAY, &no, sizeof(no));
        peer->wire.handshake_cost_ns = config->tls_handshake_cost_ns;
        peer->wire.bytes_per_s = config->bytes_per_s;
        peer->listener = listener;
        peer->is_beyond = is_beyond;
        task_init(&peer->task, listener, &peer_task_ops);
        peer->task.is_turned_away = is_beyond;
        peer->timer.fire = peer_timer_fire;
        peer->idle_timer.fire = peer_idle_fire;
        list_push_back(&listener->peers, &peer->link);
        listener->stats.n_accepted++;
        if (++listener->stats.n_open > listener->stats.n_open_max)
                listener->stats.n_open_max = listener->stats.n_open;
        peer_become_idle(peer);
        return 0;
}
