/* SPDX-License-Identifier: MIT */
#include "waiting.h"

#include "conns.h"
#include "vantage.h"
#include <base/clock.h>
#include <explain/judgement.h>

/* --- one ------------------------------------------------------------------------------------- */

uint64_t waiting_ns(const struct stops *stops, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        uint64_t phase_ns[MUSTER_N_PHASES];

        attempt_phases(attempt, phase_ns);
        return phase_ns[MUSTER_PHASE_WAIT] + stop_of_server_ns(stops, facts, attempt);
}

/* --- all ------------------------------------------------------------------------------------- */

void waiting_measure(struct waiting *waiting, const struct facts *facts)
{
        const struct spread *receive = &facts->phase[MUSTER_PHASE_RECEIVE];
        struct stops stops;
        uint64_t paused_ns = 0;

        stops_of(&stops, facts);
        for (size_t i = 0; i < facts->record->n_attempts; i++)
                paused_ns += stop_of_server_ns(&stops, facts, &facts->record->attempts[i]);
        *waiting = (struct waiting){
                .chain_ns = facts->chain_ns[PART_SERVER] + facts->chain_ns[PART_NETWORK],
                .sum_ns = facts->phase[MUSTER_PHASE_WAIT].sum,
                .come_in_pieces = (double)paused_ns > (double)receive->sum * MOST_OF_TIME,
        };
        if (!waiting->come_in_pieces)
                return;
        waiting->chain_ns += facts->chain_ns[PART_RECEIVE];
        waiting->sum_ns += paused_ns;
        waiting->paused_ns = paused_ns;
        waiting->rest_p50_ns = receive->p50;
        waiting->rest_max_ns = receive->max;
}

bool waiting_is_for_pieces(const struct waiting *waiting)
{
        return waiting->come_in_pieces &&
               (double)waiting->paused_ns >= (double)waiting->sum_ns * MOST_OF_TIME;
}

/* --- are they what took long? ---------------------------------------------------------------- */

/*
 * Connections are kept, or opening them takes little beside the answers; else opening them is what
 * took long.
 */
static bool connecting_is_no_matter(const struct waiting *waiting, const struct facts *facts)
{
        uint64_t opening_ns = facts->chain_ns[PART_DNS] + facts->chain_ns[PART_TCP] +
                              facts->chain_ns[PART_TUNNEL] + facts->chain_ns[PART_TLS];

        return (double)facts->n_on_new_conn <= (double)conns_needed(facts) * CONNS_KEPT + 1 ||
               (double)opening_ns <= (double)waiting->chain_ns * OPENING_IS_NO_MATTER;
}

bool waiting_took_long(const struct waiting *waiting, const struct facts *facts)
{
        double n = (double)facts->n_attempts;
        double n_again =
                (double)(facts->n_outcomes[TRACE_REDIRECTED] + facts->n_outcomes[TRACE_RETRIED] +
                         facts->n_outcomes[TRACE_REPEATED] + facts->n_outcomes[TRACE_CHALLENGED]);

        return (double)waiting->chain_ns >= (double)facts->wall_ns * MOST_OF_TIME &&
               n_again <= n * AGAIN_MOST && (double)facts->server.n >= n * MOST_OF_THEM &&
               connecting_is_no_matter(waiting, facts) && vantage_of(facts) != VANTAGE_BLOCKED;
}
