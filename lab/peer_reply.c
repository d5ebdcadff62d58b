/* SPDX-License-Identifier: MIT */
/*
 * How a peer answers: the plan of its task, step by step
 */
#include "peer_internal.h"

void peer_become_idle(struct peer *peer)
{
        const struct listener_config *config = peer->listener->config;

        peer->state = PEER_IDLE;
        if (config->idle_timeout_ns)
                peer_set_timer(peer, &peer->idle_timer, config->idle_timeout_ns);
}

static void finish_response(struct peer *peer)
{
        task_done(&peer->task);
        if (!peer->keeps_alive) {
                peer_linger(peer);
                return;
        }
        peer_become_idle(peer);
}

/* Carry out a step that sends nothing. True when there are more to come now. */
static bool do_step(struct peer *peer, const struct reply_step *step)
{
        switch (step->kind) {
        case REPLY_SEND:
        case REPLY_HEAD: /* of HTTP/2 only */
                return true;
        case REPLY_WAIT:
                peer->state = PEER_PAUSED;
                peer_set_timer(peer, &peer->timer, step->wait_ns);
                return false;
        case REPLY_DONE:
                finish_response(peer);
                return false;
        case REPLY_HANG:
                peer->state = PEER_HANGING;
                return false;
        case REPLY_CLOSE:
                peer_close(peer);
                return false;
        case REPLY_RESET:
                peer_reset(peer);
                return false;
        }
        return false;
}

void peer_pump(struct peer *peer)
{
        struct reply_step step;

        peer->state = PEER_REPLYING;
        for (;;) {
                int r = reply_next(&peer->task.reply, &peer->listener->lab->rand, &step);

                if (r < 0) {
                        peer_close(peer);
                        return;
                }
                if (!do_step(peer, &step))
                        return;
                for (unsigned i = 0; i < step.n_pieces; i++)
                        peer->listener->stats.n_bytes_sent += step.pieces[i].iov_len;
                r = wire_send(&peer->wire, step.pieces, step.n_pieces);
                if (r < 0) {
                        peer_close(peer);
                        return;
                }
                if (r == LOOP_PENDING)
                        return;
        }
}

void peer_reply(struct peer *peer)
{
        struct listener *listener = peer->listener;
        const struct plan *plan = &peer->task.plan;
        const struct listener_config *config = listener->config;
        struct reply_manner manner;

        if (plan->closes || plan->framing == PLAN_UNTIL_CLOSE ||
                (plan->framing == PLAN_CHUNKED && peer->version == 10))
                peer->keeps_alive = false;
        manner = (struct reply_manner){ .is_head = peer->task.is_head,
                .keeps_alive = peer->keeps_alive,
                .version = peer->version,
                .date = lab_date(listener->lab),
                .filling = lab_filling(listener->lab, 0),
                .filling_period = LAB_FILLING_PERIOD,
                .write_bytes = config->write_bytes };
        if (!plan->is_exempt)
                manner.body_delay = config->body_delay;
        reply_begin(&peer->task.reply, plan, &manner);
        peer_pump(peer);
}

static void reply_late(struct task *task)
{
        struct peer *peer = LIST_OWNER(task, struct peer, task);

        peer_reply(peer);
        if (peer->state == PEER_IDLE)
                peer_read_on(peer, (struct muster_str){ NULL, 0 });
}

static void drop(struct task *task)
{
        peer_close(LIST_OWNER(task, struct peer, task));
}

const struct task_ops peer_task_ops = { .reply = reply_late, .drop = drop };
