/* SPDX-License-Identifier: MIT */
#include "raise.h"

#include <assert.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/handshakes.h>
#include <explain/measure/waiting.h>

/*
 * What more at once brings with it, beside the change itself: more connections are opened, which is
 * work for the loop as well; handshakes that are computed wait for each other, the longer the more
 * there are; and the server may take longer.
 */
struct more {
        const struct replay *replay;
        uint64_t n_begun, n_conns; /* requests so far; of these the first ones need a connection */
        uint64_t dns_ns, tcp_ns, tunnel_ns, tls_ns, loop_ns;
        double tls_factor, server_factor, receive_factor;
};

static void scale(uint64_t *ns, double factor)
{
        *ns = whole_of((double)*ns * factor);
}

static void open_connection(struct replay_request *request, const struct more *more)
{
        request->n_conns = 1;
        request->slot_ns[PART_DNS] += more->dns_ns;
        request->slot_ns[PART_TCP] += more->tcp_ns;
        request->slot_ns[PART_TUNNEL] += more->tunnel_ns;
        request->slot_ns[PART_TLS] += more->tls_ns;
        request->loop_ns += more->loop_ns;
}

static void ask_for_more(struct replay_request *request, const struct facts *facts, void *argument)
{
        struct more *more = argument;

        if (more->replay->change)
                more->replay->change(request, facts, more->replay->argument);
        if (more->n_begun++ < more->n_conns && !request->n_conns && request->n_attempts)
                open_connection(request, more);
        scale(&request->slot_ns[PART_TLS], more->tls_factor);
        scale(&request->slot_ns[PART_SERVER], more->server_factor);
        scale(&request->slot_ns[PART_RECEIVE], more->receive_factor);
}

static uint64_t mean_ns(const struct facts *facts, uint64_t sum_ns)
{
        return facts->n_on_new_conn ? sum_ns / facts->n_on_new_conn : 0;
}

/* That can be in use at once. */
static uint64_t n_conns(const struct replay *replay, const struct facts *facts)
{
        uint64_t n = replay->per_host * facts->n_hosts;

        return n && n < replay->concurrency ? n : replay->concurrency;
}

static double tls_factor(const struct facts *facts, uint64_t n)
{
        struct handshakes handshakes;

        handshakes_of(&handshakes, facts);
        if (!handshakes.are_work || n <= facts->n_on_new_conn)
                return 1;
        return (double)n / (double)facts->n_on_new_conn;
}

/* What is received late is the server's as well. */
static double receive_factor(double server_factor, const struct facts *facts)
{
        struct waiting waiting;

        waiting_measure(&waiting, facts);
        return waiting.come_in_pieces ? server_factor : 1;
}

static uint64_t wall_with_ns(const struct replay *replay, double factor, const struct facts *facts)
{
        uint64_t n = n_conns(replay, facts) < facts->n_requests ? n_conns(replay, facts)
                                                                : facts->n_requests;
        struct replay changed = *replay;
        struct more more = {
                .replay = replay,
                .n_conns = n,
                .dns_ns = mean_ns(facts, facts->phase[MUSTER_PHASE_DNS].sum),
                .tcp_ns = mean_ns(facts, facts->phase[MUSTER_PHASE_TCP].sum),
                .tunnel_ns = mean_ns(facts, facts->phase[MUSTER_PHASE_TUNNEL].sum),
                .tls_ns = mean_ns(facts, facts->phase[MUSTER_PHASE_TLS].sum),
                .loop_ns = conns_opening_work_ns(facts) +
                           mean_ns(facts, facts->loop_ns[TRACE_WORK_TLS]),
                .tls_factor = tls_factor(facts, n),
                .server_factor = factor,
                .receive_factor = receive_factor(factor, facts),
        };

        changed.change = ask_for_more;
        changed.argument = &more;
        return replay_wall_ns(&changed, facts);
}

static uint64_t next_limit(uint64_t limit, uint64_t before, uint64_t most)
{
        uint64_t next = limit * 2;

        if (next > before * RAISE_MOST)
                return limit;
        return next < most ? next : most;
}

void raise_limit(struct raise *raise, struct replay *replay, uint64_t *limit, uint64_t most,
        const struct facts *facts)
{
        uint64_t before = *limit;
        struct load load;

        assert(limit == &replay->concurrency || limit == &replay->per_host ||
                limit == &replay->workers);
        *raise = (struct raise){ .wall_ns = replay->change ? replay_wall_ns(replay, facts)
                                                           : facts->wall_ns };
        for (;;) {
                uint64_t last = *limit;
                uint64_t next_ns;

                *limit = next_limit(last, before, most);
                if (*limit <= last)
                        break;
                next_ns = wall_with_ns(replay, 1, facts);
                if ((double)next_ns > (double)raise->wall_ns * (1 - GAIN_NOTICED)) {
                        *limit = last;
                        break;
                }
                *raise = (struct raise){ .limit = *limit, .wall_ns = next_ns };
        }
        if (!raise->limit)
                return;
        load_measure(&load, facts);
        assert(raise->limit > before);
        raise->low_ns = raise->wall_ns;
        raise->high_ns = wall_with_ns(replay,
                load_factor_when_raised(&load, (double)raise->limit / (double)before), facts);
}

/* --- is it the limit? ------------------------------------------------------------------------ */

static bool is_most(uint64_t part_ns, uint64_t whole_ns)
{
        return (double)part_ns >= (double)whole_ns * MOST_OF_TIME;
}

static bool limit_may_be_too_low(const struct facts *facts)
{
        struct waiting waiting;

        waiting_measure(&waiting, facts);
        return is_most(facts->full_ns, facts->wall_ns) &&
               (double)facts->loop_busy_ns <= (double)facts->wall_ns * LOOP_BUSY &&
               (double)facts->n_requests >= (double)facts->slots * TURNS_MANY &&
               is_most(waiting.chain_ns, facts->wall_ns) &&
               is_most(waiting.sum_ns, facts->service.sum);
}

bool raise_is_called_for(struct raise *raise, const struct facts *facts)
{
        struct replay replay;
        struct load load;

        *raise = (struct raise){ 0 };
        if (!limit_may_be_too_low(facts))
                return false;
        load_measure(&load, facts);
        if (load.answer == LOAD_GROWS)
                return false;
        replay_init(&replay, facts);
        raise_limit(raise, &replay, &replay.concurrency, facts->n_requests, facts);
        return raise->limit > 0;
}
