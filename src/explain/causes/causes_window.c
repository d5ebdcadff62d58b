/* SPDX-License-Identifier: MIT */
/*
 * TCP's window: how much may be under way before an answer must come (transfers.h)
 *
 *      slow-start         bodies took what a new connection makes them take
 *      cwnd-after-idle    so did those on kept connections, but only after a pause
 *      bandwidth          they took far longer, and together got the same bytes a second: a full link
 *      slow-body          they took far longer, and the way is not why: the server sends slowly
 *
 * Told apart by the ratio of the time taken to the time that a cold connection takes: about 1 in
 * the first two, much more in the third.
 */
#include "cause.h"

#include <base/clock.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/link_use.h>
#include <explain/measure/losses.h>
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

/* --- bandwidth ------------------------------------------------------------------------------- */

static size_t count_encoded(const struct record *record)
{
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++)
                n += record->attempts[i].is_encoded;
        return n;
}

/* With a link twice as fast, or half the bytes, a body takes half of what it took. */
static void halve(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        (void)facts;
        (void)is_warm;
        (void)argument;
        request->slot_ns[PART_RECEIVE] /= 2;
}

static bool bandwidth(const struct facts *facts, struct finding *finding)
{
        const struct record_options *options = &facts->record->run.options;
        struct link_use use;
        uint64_t wall_ns;

        if ((double)facts->phase[MUSTER_PHASE_RECEIVE].sum <
                        (double)facts->service.sum * RECEIVING_MATTERS ||
                link_use_of(&use, facts) < 0 || !use.is_full)
                return false;
        wall_ns = whatif_wall_ns(&(struct whatif){ .change = halve }, facts);
        finding_title(finding, "The link was full at %s per second",
                words_bytes(whole_of(use.bytes_per_s)).text);
        finding_evidence(finding,
                "%s of bodies came at %.3g Mbit/s, and for half of the time at %.0f %% of the best rate or more",
                words_bytes(facts->wire_bytes).text, use.bytes_per_s * 8 / 1e6, use.evenness * 100);
        if (use.growth > GROWTH_TO_TELL)
                finding_evidence(finding,
                        "round trips grew to %.2g times the shortest: packets queued in front of the link",
                        use.growth);
        finding_evidence(finding, "%s of %s responses were compressed",
                words_count(count_encoded(facts->record)).text,
                words_count(facts->n_attempts).text);
        finding_remedy(finding,
                "Halve the bytes (compression, only what is needed) or use a link twice as fast; more requests at once only share this one.");
        if (options->no_decoding)
                finding_option(finding, "without --no-compressed");
        if (!use.has_queue)
                finding->shown.grade = MUSTER_GRADE_B;
        finding_predict(finding, wall_ns, facts->wall_ns / 2,
                wall_ns + whole_of((double)wall_ns * LONGER_AT_WORST));
        return true;
}

/* --- slow-body ------------------------------------------------------------------------------- */

/*
 * What a large body takes of what it should take at most, in percent. Small bodies that come late
 * are looked at in waiting.c.
 */
static bool measure_slowness(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        struct transfer transfer;
        uint64_t usual_ns;

        if (!transfer_of(&transfer, facts, attempt) || !transfer.n_rounds)
                return false;
        usual_ns = transfer_cold_ns(&transfer) + transfer.round_trip_ns;
        *ret_value = transfer.took_ns * 100 / usual_ns;
        return true;
}

static bool measure_rate(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        struct transfer transfer;

        if (!transfer_of(&transfer, facts, attempt) || !transfer.n_rounds || !transfer.took_ns)
                return false;
        *ret_value = whole_of((double)transfer.bytes * 1e9 / (double)transfer.took_ns);
        return true;
}

/*
 * What is left when neither the link nor a loss nor a new connection says why: bodies took most of
 * the wall time, by both accounts.
 */
#define TIMES_MOST 10000 /* as long as usual: a larger factor is not told */

/*
 * No answer began while others came. So nobody can tell a queue before the link from a server that
 * sends slowly.
 */
static bool may_be_link(const struct link_use *use)
{
        return use->may_be_full && !use->is_queue_known;
}

static bool bodies_are_what_took_long(const struct facts *facts)
{
        double least = (double)facts->wall_ns * MOST_OF_TIME;

        return (double)facts->chain_ns[PART_RECEIVE] >= least &&
               (double)facts->share_ns[PART_RECEIVE] >= least &&
               (double)facts->loop_busy_ns <= (double)facts->wall_ns * LOOP_BUSY;
}

/* "3.2", "1,670"; more says nothing more. */
static struct words times_words(double times)
{
        struct words words;

        if (times > TIMES_MOST)
                snprintf(words.text, sizeof(words.text), "more than 10,000");
        else if (times >= 100)
                return words_count(whole_of(times));
        else
                snprintf(words.text, sizeof(words.text), "%.3g", times);
        return words;
}

/*
 * All slots were in use by answers that came slowly over a link that is not full. Nothing says that
 * more of them would come any slower.
 */
static bool raise_is_worth_a_try(struct raise *raise, const struct facts *facts,
        const struct link_use *use)
{
        struct replay replay;
        struct load load;

        *raise = (struct raise){ 0 };
        if ((double)facts->full_ns < (double)facts->wall_ns * MOST_OF_TIME || may_be_link(use))
                return false;
        load_measure(&load, facts);
        if (load.answer == LOAD_GROWS)
                return false;
        replay_init(&replay, facts);
        raise_limit(raise, &replay, &replay.concurrency, facts->n_requests, facts);
        return raise->limit > 0;
}

static void remedy_slow_body(struct finding *finding, const struct facts *facts,
        const struct link_use *use)
{
        struct raise raise;

        if (!raise_is_worth_a_try(&raise, facts, use)) {
                finding_remedy(finding,
                        "Check whether the server produces its responses piece by piece, or limits the rate of each connection.");
                return;
        }
        finding_evidence(finding,
                "for %s of the time all slots (%s) were taken and requests waited for a free one",
                words_share((double)facts->full_ns, (double)facts->wall_ns).text,
                words_count(facts->slots).text);
        finding_remedy(finding,
                "Allow %s at once, if the server still sends each as fast; or check whether it produces its responses piece by piece, or limits the rate of each connection.",
                words_count(raise.limit).text);
        finding_option(finding, "--concurrency %llu", (unsigned long long)raise.limit);
        finding_predict(finding, raise.wall_ns, raise.low_ns, facts->wall_ns);
}

static bool slow_body(const struct facts *facts, struct finding *finding)
{
        struct spread slowness, rate;
        struct link_use use;
        struct losses losses;

        if (!bodies_are_what_took_long(facts) || link_use_of(&use, facts) < 0 || use.is_full ||
                losses_of(&losses, facts) < 0 ||
                (double)losses.held_up_ns >= LOSSES_MATTER * (double)facts->service.sum)
                return false;
        measure_attempts(&slowness, facts, measure_slowness);
        measure_attempts(&rate, facts, measure_rate);
        if (slowness.n < SAMPLE_LEAST || (double)slowness.p50 < 100 * BODY_HELD_UP)
                return false;
        finding_title(finding,
                "The server sends its responses slowly, half of them at less than %s per second",
                words_bytes(rate.p50).text);
        finding_evidence(finding,
                "a response typically took %s from first byte to last, %s times what the network needs for it",
                words_ns(facts->phase[MUSTER_PHASE_RECEIVE].p50).text,
                times_words((double)slowness.p50 / 100).text);
        finding_evidence(finding,
                may_be_link(&use)
                        ? "no packets were lost; but the link may be full, because no response began while others arrived"
                        : "neither a full link nor lost packets explain it");
        remedy_slow_body(finding, facts, &use);
        finding->explained_ns = facts->chain_ns[PART_RECEIVE];
        return true;
}

const struct cause causes_window[] = {
        { "slow-start", MUSTER_GRADE_B, slow_start },
        { "cwnd-after-idle", MUSTER_GRADE_B, cwnd_after_idle },
        { "bandwidth", MUSTER_GRADE_A, bandwidth },
        { "slow-body", MUSTER_GRADE_C, slow_body },
        { 0 },
};
