/* SPDX-License-Identifier: MIT */
/*
 * How a peer answers: its turn and its delay, then the plan step by step
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
        struct listener_stats *stats = &peer->listener->stats;

        if (!peer->plan.is_exempt) {
                stats->n_responses[peer->plan.status / 100]++;
                stats->n_busy--;
        }
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
                int r = reply_next(&peer->reply, &peer->listener->lab->rand, &step);

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
        const struct plan *plan = &peer->plan;
        const struct listener_config *config = listener->config;
        struct reply_manner manner;

        if (plan->closes || plan->framing == PLAN_UNTIL_CLOSE ||
                (plan->framing == PLAN_CHUNKED && peer->version == 10))
                peer->keeps_alive = false;
        manner = (struct reply_manner){ .is_head = peer->is_head,
                .keeps_alive = peer->keeps_alive,
                .version = peer->version,
                .date = lab_date(listener->lab),
                .filling = lab_filling(listener->lab, 0),
                .filling_period = LAB_FILLING_PERIOD,
                .write_bytes = config->write_bytes };
        reply_begin(&peer->reply, plan, &manner);
        peer_pump(peer);
}

/* The request has its worker, or needs none: now the delay. */
void peer_admit(struct peer *peer)
{
        struct listener *listener = peer->listener;
        struct rand *rand = &listener->lab->rand;
        uint64_t ns = spread_draw(&peer->plan.delay, rand);

        if (!peer->plan.is_exempt)
                ns += spread_draw(&listener->config->delay, rand);
        if (!ns) {
                peer_reply(peer);
                return;
        }
        peer->state = PEER_WAITING;
        peer_set_timer(peer, &peer->timer, ns);
}

void peer_worked_on(struct job *job)
{
        struct peer *peer = LIST_OWNER(job, struct peer, job);

        peer_admit(peer);
        if (peer->state == PEER_IDLE)
                peer_read_on(peer, (struct muster_str){ NULL, 0 });
}

void peer_refuse(struct peer *peer)
{
        if (peer->listener->config->refusal == REFUSE_CLOSE) {
                peer_close(peer);
                return;
        }
        plan_begin(&peer->plan);
        plan_say(&peer->plan, 503, "all workers are busy and the queue is full\n");
        plan_add_field(&peer->plan, "Retry-After", str_of("1"));
        peer_reply(peer);
}
