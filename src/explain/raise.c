/* SPDX-License-Identifier: MIT */
#include "raise.h"

#define WORTH_IT 0.9 /* of the wall time before: a smaller gain is none that one would notice */

/*
 * What more at once brings with it, beside what was to be changed anyway: more connections have to be opened, and the server may take
 * longer.
 */
struct more {
        const struct replay *replay;
        uint64_t n_begun, n_conns; /* requests so far; of these the first ones need a connection */
        uint64_t dns_ns, tcp_ns, tls_ns;
        double factor; /* of the server's time */
};

static void ask_for_more(struct replay_request *request, const struct facts *facts, void *argument)
{
        struct more *more = argument;

        if (more->replay->change)
                more->replay->change(request, facts, more->replay->argument);
        if (more->n_begun++ < more->n_conns && !request->n_conns && request->n_attempts) {
                request->n_conns = 1;
                request->slot_ns[PART_DNS] += more->dns_ns;
                request->slot_ns[PART_TCP] += more->tcp_ns;
                request->slot_ns[PART_TLS] += more->tls_ns;
        }
        request->slot_ns[PART_SERVER] =
                whole_of((double)request->slot_ns[PART_SERVER] * more->factor);
}

static uint64_t mean_ns(const struct facts *facts, enum muster_phase phase)
{
        return facts->n_on_new_conn ? facts->phase[phase].sum / facts->n_on_new_conn : 0;
}

/* That can be in use at once. */
static uint64_t n_conns(const struct replay *replay, const struct facts *facts)
{
        uint64_t n = replay->per_host * facts->n_hosts;

        return n && n < replay->concurrency ? n : replay->concurrency;
}

static uint64_t wall_with_ns(const struct replay *replay, double factor, const struct facts *facts)
{
        struct replay changed = *replay;
        struct more more = { .replay = replay,
                             .n_conns = n_conns(replay, facts),
                             .dns_ns = mean_ns(facts, MUSTER_PHASE_DNS),
                             .tcp_ns = mean_ns(facts, MUSTER_PHASE_TCP),
                             .tls_ns = mean_ns(facts, MUSTER_PHASE_TLS),
                             .factor = factor };

        changed.change = ask_for_more;
        changed.argument = &more;
        return replay_wall_ns(&changed, facts);
}

static uint64_t next_limit(uint64_t limit, uint64_t before, uint64_t most)
{
        uint64_t next = limit * 2;

        if (next > before * RAISE_MAX)
                return limit;
        return next < most ? next : most;
}

void raise_limit(struct raise *raise, struct replay *replay, uint64_t *limit, uint64_t most,
                 const struct facts *facts)
{
        uint64_t before = *limit;
        struct load load;

        *raise = (struct raise){ .wall_ns = replay->change ? replay_wall_ns(replay, facts)
                                                           : facts->wall_ns };
        for (;;) {
                uint64_t last = *limit;
                uint64_t next_ns;

                *limit = next_limit(last, before, most);
                if (*limit <= last)
                        break;
                next_ns = wall_with_ns(replay, 1, facts);
                if ((double)next_ns > (double)raise->wall_ns * WORTH_IT) {
                        *limit = last;
                        break;
                }
                *raise = (struct raise){ .limit = *limit, .wall_ns = next_ns };
        }
        if (!raise->limit)
                return;
        load_measure(&load, facts);
        raise->low_ns = raise->wall_ns;
        raise->high_ns = wall_with_ns(
                replay, load_factor_when_raised(&load, (double)raise->limit / (double)before),
                facts);
}
