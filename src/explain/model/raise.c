/* SPDX-License-Identifier: MIT */
#include "raise.h"

#include "together.h"
#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/timeline.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/handshakes.h>
#include <explain/measure/outcome.h>
#include <explain/measure/processors.h>
#include <explain/measure/serving.h>
#include <explain/measure/vantage.h>
#include <explain/measure/waiting.h>

/*
 * What more at once brings with it, beside the change itself: more connections are opened, which is
 * work for the loop as well; handshakes that are computed wait for each other, the longer the more
 * there are; the server may take longer; and where it is on this machine, the processors that both
 * have are a limit of their own.
 */
struct more {
        const struct replay *replay;
        uint64_t n_begun, n_conns; /* requests so far; of these the first ones need a connection */
        uint64_t dns_ns, tcp_ns, tunnel_ns, tls_ns, loop_ns;
        /* A handshake takes as much longer than the one before it; 0: each takes what it took. */
        uint64_t first_ns, each_ns;
        double server_factor, receive_factor;
        double loop_factor; /* of what the loop does for a request, and for a connection */
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
        if (more->each_ns && request->n_conns)
                request->slot_ns[PART_TLS] =
                        more->first_ns +
                        more->each_ns * (min_u64(more->n_begun, more->n_conns) - 1);
        scale(&request->loop_ns, more->loop_factor);
        scale(&request->slot_ns[PART_SERVER], more->server_factor);
        scale(&request->slot_ns[PART_RECEIVE], more->receive_factor);
}

/* What opening a connection takes, whether one request waited for it or, with HTTP/2, many. */
static uint64_t mean_of_conns(const struct facts *facts,
        uint64_t (*step_ns)(const struct trace_conn *conn))
{
        const struct record *record = facts->record;
        uint64_t sum_ns = 0, n = 0;

        for (size_t i = 0; i < record->n_conns; i++) {
                if (!record->conns[i].tcp_end_ns)
                        continue;
                sum_ns += step_ns(&record->conns[i]);
                n++;
        }
        return n ? sum_ns / n : 0;
}

/*
 * That can be in use at once. Where streams were waited for, each has room for so many requests; else for
 * as many as shared one, at least.
 */
static uint64_t n_conns(const struct replay *replay, const struct facts *facts)
{
        uint64_t n = replay->per_host * facts->n_hosts, each = conns_streams_each(facts);

        n = n && n < replay->concurrency ? n : replay->concurrency;
        if (!each)
                each = conns_most_sharing(facts);
        return (n + each - 1) / each;
}

/*
 * Connections that were opened at the start, in their order: did each one's handshake take longer
 * than that of the one before? Then they waited for each other, and more of them will.
 */
static void find_row(struct more *more, const struct facts *facts)
{
        const struct record *record = facts->record;
        size_t n = min_size(min_size(record->n_conns, (size_t)facts->slots), facts->n_on_new_conn);
        size_t n_longer = 0;
        uint64_t first_ns, last_ns;

        if (n < ALONE_LEAST)
                return;
        for (size_t i = 1; i < n; i++)
                n_longer += conn_tls_ns(&record->conns[i]) > conn_tls_ns(&record->conns[i - 1]);
        first_ns = conn_tls_ns(&record->conns[0]);
        last_ns = conn_tls_ns(&record->conns[n - 1]);
        if (!first_ns || last_ns <= first_ns || (double)n_longer < (double)(n - 1) * ROW_OF_ALL)
                return;
        more->each_ns = (last_ns - first_ns) / (n - 1);
        more->first_ns = first_ns;
}

/*
 * Handshakes that are work are made one after the other: the mean of those that were is half of
 * what the last of them waited. Fewer than were need no guess.
 */
static void note_handshakes(struct more *more, const struct facts *facts)
{
        uint64_t n_together = min_u64(facts->n_on_new_conn, facts->slots);
        struct handshakes handshakes;

        if (more->n_conns <= facts->n_on_new_conn)
                return;
        find_row(more, facts);
        handshakes_of(&handshakes, facts);
        if (more->each_ns || !handshakes.are_work)
                return;
        more->each_ns = more->first_ns = 2 * more->tls_ns / (n_together + 1);
}

/* What is received late is the server's as well. */
static double receive_factor(double server_factor, const struct facts *facts)
{
        struct waiting waiting;

        waiting_measure(&waiting, facts);
        return waiting.come_in_pieces ? server_factor : 1;
}

static void prepare(struct replay *changed, struct more *more, const struct replay *replay,
        double factor, const struct facts *facts)
{
        uint64_t n = n_conns(replay, facts) < facts->n_requests ? n_conns(replay, facts)
                                                                : facts->n_requests;

        *more = (struct more){
                .replay = replay,
                .n_conns = n,
                .dns_ns = mean_of_conns(facts, conn_dns_ns),
                .tcp_ns = mean_of_conns(facts, conn_tcp_ns),
                .tunnel_ns = mean_of_conns(facts, conn_tunnel_ns),
                .tls_ns = mean_of_conns(facts, conn_tls_ns),
                .loop_ns = conns_opening_work_ns(facts) + conns_tls_work_ns(facts),
                .server_factor = factor,
                .receive_factor = receive_factor(factor, facts),
                .loop_factor = 1,
        };
        note_handshakes(more, facts);
        *changed = *replay;
        changed->change = ask_for_more;
        changed->argument = more;
        changed->server_per_s = processors_most_per_s(facts);
}

static uint64_t wall_with_ns(const struct replay *replay, double factor, const struct facts *facts)
{
        struct replay changed;
        struct more more;

        prepare(&changed, &more, replay, factor, facts);
        return replay_wall_ns(&changed, facts);
}

static void range_with(struct replay_range *range, const struct replay *replay, double factor,
        const struct facts *facts)
{
        struct replay changed;
        struct more more;

        prepare(&changed, &more, replay, factor, facts);
        replay_range_of(range, &changed, facts);
}

/*
 * At best the loop is woken up once for several; and what the processors did was not done for the
 * requests, of which there were few at a time, so that it is no limit.
 */
static uint64_t least_ns(const struct replay *replay, double times, const struct facts *facts)
{
        struct replay changed;
        struct more more;

        prepare(&changed, &more, replay, 1, facts);
        more.loop_factor = together_factor(facts, times);
        changed.server_per_s = 0;
        return replay_wall_ns(&changed, facts);
}

/*
 * At one end answers take what they took. At the other they take as much longer as the server may
 * make them, or it gives no more than SERVER_ROOM times as many as it did, or the processors have as
 * much to do as they had; at worst nothing is gained.
 */
static void give_range(struct raise *raise, const struct replay *replay, double times,
        const struct facts *facts)
{
        struct replay_range same, slower;
        struct processors processors;
        struct load load;

        load_measure(&load, facts);
        if (facts->n_requests <= REPLAY_DRAWN_MOST)
                range_with(&same, replay, 1, facts);
        else
                same = (struct replay_range){ raise->wall_ns, raise->wall_ns, raise->wall_ns };
        range_with(&slower, replay, load_factor_when_raised(&load, times), facts);
        raise->wall_ns = same.wall_ns;
        raise->low_ns = min_u64(same.low_ns, least_ns(replay, times, facts));
        raise->high_ns = max_u64(slower.high_ns, whole_of((double)facts->wall_ns / SERVER_ROOM));
        processors_of(&processors, facts);
        raise->high_ns =
                max_u64(raise->high_ns, whole_of(processors.busy * (double)facts->wall_ns));
        raise->high_ns = min_u64(raise->high_ns, max_u64(facts->wall_ns, same.high_ns));
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

        assert(limit == &replay->concurrency || limit == &replay->per_host ||
                limit == &replay->workers);
        *raise = (struct raise){ .wall_ns = replay->change ? replay_wall_ns(replay, facts)
                                                           : facts->wall_ns };
        if (limit != &replay->workers && outcome_servers_fail(facts))
                return;
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
        assert(raise->limit > before);
        give_range(raise, replay, (double)raise->limit / (double)before, facts);
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
        return is_most(facts->full_ns, facts->wall_ns) && !timelines_are_unsteady(facts) &&
               vantage_of(facts) == VANTAGE_CLEAR &&
               (double)facts->n_requests >= (double)facts->slots * TURNS_MANY &&
               is_most(waiting.chain_ns, facts->wall_ns) &&
               is_most(waiting.sum_ns, facts->service.sum);
}

int raise_measure(struct raise **ret_raise, const struct facts *facts)
{
        struct raise *raise = mem_zalloc(sizeof(*raise));
        struct replay replay;
        struct load load;

        if (!raise)
                return MUSTER_E_RESOURCE;
        *ret_raise = raise;
        /* A connection that the server does not serve yet brings nothing. */
        if (!limit_may_be_too_low(facts) || serving_is_limited(facts))
                return 0;
        load_measure(&load, facts);
        if (load.answer == LOAD_GROWS || load_may_fill_server(&load, facts))
                return 0;
        replay_init(&replay, facts);
        raise_limit(raise, &replay, &replay.concurrency, facts->n_requests, facts);
        return 0;
}

bool raise_is_called_for(struct raise *raise, const struct facts *facts)
{
        assert(facts->raise);
        *raise = *facts->raise;
        return raise->limit > 0;
}
