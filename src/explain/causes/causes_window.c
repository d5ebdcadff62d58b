/* SPDX-License-Identifier: MIT */
/*
 * TCP's window: how much may be under way before an answer must come (transfers.h)
 *
 *      slow-start         bodies took what a new connection makes them take
 *      cwnd-after-idle    so did those on kept connections, but only after a pause
 *
 * Told apart from what else makes bodies slow (causes_bodies.c) by the ratio of the time taken to
 * the time that a cold connection takes: about 1 here, much more there.
 */
#include "cause.h"

#include <base/clock.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/link_use.h>
#include <explain/measure/losses.h>
#include <explain/measure/sharing.h>
#include <explain/measure/transfers.h>
#include <explain/model/raise.h>
#include <explain/model/whatif.h>
#include <stdio.h>

static bool is_cold(const struct transfers_kind *kind)
{
        double of_cold = (double)kind->permille.p50 / 1000;

        return kind->n && of_cold >= COLD_LEAST && of_cold < BODY_HELD_UP;
}

/* Warm ones, where there are any, are much faster. */
static bool are_warm_faster(const struct transfers *transfers)
{
        const struct transfers_kind *warm = &transfers->kinds[TRANSFER_WARM];

        return warm->n < SAMPLE_LEAST || (double)warm->permille.p50 < 1000 * COLD_LEAST;
}

static bool matters(const struct transfers_kind *kind, const struct facts *facts)
{
        return (double)kind->sum_ns >= COLD_BODIES_MATTER * (double)facts->service.sum;
}

static void add_evidence(struct finding *finding, const struct transfers_kind *kind,
        const struct facts *facts)
{
        finding_evidence(finding,
                "%s bodies of typically %s took %s from the first byte to the last: %.1f round trips of %s, and a new connection usually needs %u",
                words_count(kind->n).text, words_bytes(kind->bytes.p50).text,
                words_ns(kind->took_ns.p50).text,
                (double)kind->took_ns.p50 / (double)kind->round_trip_ns,
                words_ns(kind->round_trip_ns).text,
                transfer_n_rounds(kind->bytes.p50, FIRST_WINDOW));
        finding_evidence(finding, "this was %s of the time that requests were in flight",
                words_share((double)kind->sum_ns, (double)facts->service.sum).text);
}

static void add_warm_evidence(struct finding *finding, const struct transfers *transfers)
{
        const struct transfers_kind *warm = &transfers->kinds[TRANSFER_WARM];

        if (warm->n)
                finding_evidence(finding, "%s bodies of %s on connections in recent use took %s",
                        words_count(warm->n).text, words_bytes(warm->bytes.p50).text,
                        words_ns(warm->took_ns.p50).text);
}

/* --- slow-start ------------------------------------------------------------------------------ */

static void receive_in_a_round_trip(struct replay_request *request, const struct facts *facts,
        uint64_t round_trips)
{
        struct transfer transfer;
        uint64_t *receive_ns = &request->slot_ns[PART_RECEIVE];

        if (!transfer_of(&transfer, facts, request->last) || !transfer.n_rounds)
                return;
        if (*receive_ns > round_trips * transfer.round_trip_ns)
                *receive_ns = round_trips * transfer.round_trip_ns;
}

static void receive_warm(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const uint64_t *round_trips = argument;

        if (is_warm)
                receive_in_a_round_trip(request, facts, *round_trips);
}

/*
 * The wall time with connections that are kept and know the way: one more round trip, at best none.
 */
static void predict_warm(struct finding *finding, const struct facts *facts)
{
        uint64_t round_trips = 1;
        struct whatif whatif = {
                .keeps_conns = true, .change = receive_warm, .argument = &round_trips
        };
        uint64_t wall_ns = whatif_wall_ns(&whatif, facts);

        round_trips = 0;
        finding_predict(finding, wall_ns, whatif_wall_ns(&whatif, facts),
                wall_ns + whole_of((double)wall_ns * LONGER_AT_WORST));
}

static void begin_larger(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        struct transfer transfer;
        uint64_t *receive_ns = &request->slot_ns[PART_RECEIVE];

        (void)is_warm;
        (void)argument;
        if (!transfer_of(&transfer, facts, request->last) || !transfer.n_rounds || !transfer.is_new)
                return;
        *receive_ns = *receive_ns / transfer.n_rounds *
                      transfer_n_rounds(transfer.bytes,
                              LARGE_WINDOW * (FIRST_WINDOW / FIRST_WINDOW_SEGMENTS));
}

static void predict_larger_window(struct finding *finding, const struct facts *facts)
{
        uint64_t wall_ns = whatif_wall_ns(&(struct whatif){ .change = begin_larger }, facts);
        uint64_t gain_ns = wall_ns < facts->wall_ns ? facts->wall_ns - wall_ns : 0;

        finding_predict(finding, wall_ns, wall_ns,
                wall_ns + whole_of((double)gain_ns * WINDOW_GAIN_MISSED));
}

static void remedy_slow_start(struct finding *finding, const struct facts *facts)
{
        const struct record_options *options = &facts->record->run.options;

        if ((double)facts->n_on_new_conn <= (double)facts->max_in_flight * CONNS_KEPT) {
                finding_remedy(finding,
                        "Let the server start with a larger window (ip route change ... initcwnd %llu), or send fewer bytes; connections are reused already, but each has to start once.",
                        (unsigned long long)LARGE_WINDOW);
                predict_larger_window(finding, facts);
                return;
        }
        if (options->http_1_0) {
                finding_remedy(finding,
                        "Leave out --http1.0: HTTP/1.1 reuses connections, and they stay fast.");
                finding_option(finding, "without --http1.0");
        } else {
                finding_remedy(finding,
                        "Let the server keep connections open (nginx: keepalive_timeout; Apache: KeepAlive On): one that has carried a body is fast for the next; or allow fewer at once.");
        }
        predict_warm(finding, facts);
}

static bool slow_start(const struct facts *facts, struct finding *finding)
{
        struct transfers transfers;
        const struct transfers_kind *kind = &transfers.kinds[TRANSFER_NEW];

        if (transfers_of(&transfers, facts) < 0 || !is_cold(kind) || !matters(kind, facts) ||
                !are_warm_faster(&transfers))
                return false;
        finding_title(finding,
                "New connections start slowly: TCP sends little at first and doubles it each round trip");
        add_evidence(finding, kind, facts);
        add_warm_evidence(finding, &transfers);
        finding_evidence(finding, "%s of %s attempts opened a connection",
                words_count(facts->n_on_new_conn).text, words_count(facts->n_attempts).text);
        remedy_slow_start(finding, facts);
        return true;
}

/* --- cwnd-after-idle ------------------------------------------------------------------------- */

static void receive_after_pause(struct replay_request *request, const struct facts *facts,
        bool is_warm, void *argument)
{
        const uint64_t *round_trips = argument;
        struct transfer transfer;

        (void)is_warm;
        if (transfer_of(&transfer, facts, request->last) && transfer.was_quiet)
                receive_in_a_round_trip(request, facts, *round_trips);
}

static bool cwnd_after_idle(const struct facts *facts, struct finding *finding)
{
        struct transfers transfers;
        const struct transfers_kind *kind = &transfers.kinds[TRANSFER_QUIET];
        uint64_t round_trips = 1, none = 0;
        struct whatif whatif = { .change = receive_after_pause, .argument = &round_trips };
        uint64_t wall_ns, low_ns;

        if (transfers_of(&transfers, facts) < 0 || !is_cold(kind) || !matters(kind, facts) ||
                !are_warm_faster(&transfers))
                return false;
        wall_ns = whatif_wall_ns(&whatif, facts);
        whatif.argument = &none;
        low_ns = whatif_wall_ns(&whatif, facts);
        finding_title(finding,
                "After a pause a reused connection was as slow as a new one, because the server's TCP reset its congestion window");
        add_evidence(finding, kind, facts);
        add_warm_evidence(finding, &transfers);
        finding_remedy(finding,
                "Let the server's kernel keep the window of idle connections (sysctl net.ipv4.tcp_slow_start_after_idle=0).");
        finding_predict(finding, wall_ns, low_ns, wall_ns);
        finding->explained_ns = facts->share_ns[PART_RECEIVE];
        return true;
}

const struct cause causes_window[] = {
        { "slow-start", MUSTER_GRADE_B, slow_start },
        { "cwnd-after-idle", MUSTER_GRADE_B, cwnd_after_idle },
        { 0 },
};
