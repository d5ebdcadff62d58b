/* SPDX-License-Identifier: MIT */
/*
 * Bodies that came slowly: far longer than a connection's window explains (causes_window.c)
 *
 *      bandwidth             together they got the same bytes a second: a full link, or a server
 *                            that gives all of them one rate
 *      connection-bandwidth  each got the same bytes a second, however many there were
 *      slow-body             neither; and nothing on the way is why: the server sends slowly
 *
 * Never two of them are told at once: which rate it is follows from what transfers got that had
 * little company, and such that had much (sharing.h).
 */
#include "cause.h"

#include <base/clock.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/link_use.h>
#include <explain/measure/losses.h>
#include <explain/measure/sharing.h>
#include <explain/measure/transfers.h>
#include <explain/measure/vantage.h>
#include <explain/model/raise.h>
#include <explain/model/whatif.h>
#include <stdio.h>

/* --- slow bodies ---------------------------------------------------------------------------- */

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
               (double)facts->share_ns[PART_RECEIVE] >= least && vantage_of(facts) == VANTAGE_CLEAR;
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

/*
 * Bodies took most of the time, far longer than the network needs, and nothing on the way says why.
 */
struct slow_bodies {
        struct spread slowness, rate;
        struct link_use use;
        struct sharing sharing;
};

static bool find_slow_bodies(struct slow_bodies *found, const struct facts *facts)
{
        struct losses losses;

        if (!bodies_are_what_took_long(facts) || link_use_of(&found->use, facts) < 0 ||
                found->use.is_full || losses_of(&losses, facts) < 0 ||
                (double)losses.held_up_ns >= LOSSES_MATTER * (double)facts->service.sum)
                return false;
        measure_attempts(&found->slowness, facts, measure_slowness);
        measure_attempts(&found->rate, facts, measure_rate);
        if (found->slowness.n < SAMPLE_LEAST || (double)found->slowness.p50 < 100 * BODY_HELD_UP ||
                sharing_of(&found->sharing, facts) < 0)
                return false;
        /* On one link rates may be as even, if the same number shared it all the time. */
        if (!found->sharing.is_proved && may_be_link(&found->use))
                found->sharing.whose = SHARING_UNKNOWN;
        return true;
}

static void tell_slow_bodies(struct finding *finding, const struct facts *facts,
        const struct slow_bodies *found)
{
        finding_evidence(finding,
                "a response typically took %s from first byte to last, %s times what the network needs for it",
                words_ns(facts->phase[MUSTER_PHASE_RECEIVE].p50).text,
                times_words((double)found->slowness.p50 / 100).text);
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

/* Whoever gives all of them one rate can give any. */
static void come_at_once(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        (void)facts;
        (void)is_warm;
        (void)argument;
        request->slot_ns[PART_RECEIVE] = 0;
}

static void tell_company(struct finding *finding, const struct sharing *sharing)
{
        finding_evidence(finding,
                "with about %.0f coming at a time each response came at %s per second, with about %.0f at %s per second",
                sharing->n_few, words_bytes(whole_of(sharing->few_per_s)).text, sharing->n_many,
                words_bytes(whole_of(sharing->many_per_s)).text);
}

static void tell_link(struct finding *finding, const struct facts *facts,
        const struct link_use *use)
{
        finding_title(finding, "The link was full at %s per second",
                words_bytes(whole_of(use->bytes_per_s)).text);
        finding_evidence(finding,
                "%s of bodies came at %.3g Mbit/s, and for half of the time at %.0f %% of the best rate or more",
                words_bytes(facts->wire_bytes).text, use->bytes_per_s * 8 / 1e6,
                use->evenness * 100);
        if (use->growth > GROWTH_TO_TELL)
                finding_evidence(finding,
                        "round trips grew to %.2g times the shortest: packets queued in front of the link",
                        use->growth);
        if (!use->has_queue)
                finding->shown.grade = MUSTER_GRADE_B;
}

/* The server, or something before it, divides one rate among all. */
static bool is_one_rate(struct finding *finding, const struct facts *facts)
{
        struct slow_bodies found;

        if (!find_slow_bodies(&found, facts) || found.sharing.whose != SHARING_ALL)
                return false;
        finding_title(finding, "All responses shared one rate, %s per second, however many came",
                words_bytes(whole_of(found.sharing.together_per_s)).text);
        tell_slow_bodies(finding, facts, &found);
        tell_company(finding, &found.sharing);
        finding->shown.grade = MUSTER_GRADE_B;
        return true;
}

static bool is_full_link(struct finding *finding, const struct facts *facts)
{
        struct link_use use;

        if (link_use_of(&use, facts) < 0 || !use.is_full)
                return false;
        tell_link(finding, facts, &use);
        return true;
}

static bool bandwidth(const struct facts *facts, struct finding *finding)
{
        const struct record_options *options = &facts->record->run.options;
        bool is_link;
        uint64_t wall_ns, low_ns = facts->wall_ns / 2;

        if ((double)facts->phase[MUSTER_PHASE_RECEIVE].sum <
                (double)facts->service.sum * RECEIVING_MATTERS)
                return false;
        is_link = is_full_link(finding, facts);
        if (!is_link && !is_one_rate(finding, facts))
                return false;
        if (!is_link)
                low_ns = whatif_wall_ns(&(struct whatif){ .change = come_at_once }, facts);
        wall_ns = whatif_wall_ns(&(struct whatif){ .change = halve }, facts);
        finding_evidence(finding, "%s of %s responses were compressed",
                words_count(count_encoded(facts->record)).text,
                words_count(facts->n_attempts).text);
        finding_remedy(finding,
                is_link ? "Halve the bytes (compression, only what is needed) or use a link twice as fast; more requests at once only share this one."
                        : "Halve the bytes (compression, only what is needed) or have the server's rate doubled; more requests at once only share this one.");
        if (options->no_decoding)
                finding_option(finding, "without --no-compressed");
        finding_predict(finding, wall_ns, low_ns,
                wall_ns + whole_of((double)wall_ns * LONGER_AT_WORST));
        return true;
}

/* --- connection-bandwidth -------------------------------------------------------------------- */

static void remedy_connections(struct finding *finding, const struct facts *facts,
        const struct link_use *use)
{
        struct raise raise;

        if (!raise_is_worth_a_try(&raise, facts, use)) {
                finding_remedy(finding,
                        "Ask the server's owner for a higher rate of each connection (nginx: limit_rate), or ask for fewer bytes.");
                return;
        }
        finding_remedy(finding,
                "Allow %s at once: each connection has a rate of its own, so more of them bring more.",
                words_count(raise.limit).text);
        finding_option(finding, "--concurrency %llu", (unsigned long long)raise.limit);
        finding_predict(finding, raise.wall_ns, raise.low_ns, facts->wall_ns);
}

static bool connection_bandwidth(const struct facts *facts, struct finding *finding)
{
        struct slow_bodies found;

        if (!find_slow_bodies(&found, facts) || found.sharing.whose != SHARING_EACH)
                return false;
        finding_title(finding, "Each connection got no more than %s per second from the server",
                words_bytes(found.sharing.per_s.p90).text);
        tell_slow_bodies(finding, facts, &found);
        if (found.sharing.is_proved)
                tell_company(finding, &found.sharing);
        else
                finding_evidence(finding,
                        "eight of ten responses came at %s to %s per second; about %.0f came at a time, so whether fewer would be faster was not seen",
                        words_bytes(found.sharing.per_s.p10).text,
                        words_bytes(found.sharing.per_s.p90).text, found.sharing.n_many);
        finding_evidence(finding, "neither a full link nor lost packets explain it");
        remedy_connections(finding, facts, &found.use);
        if (!found.sharing.is_proved)
                finding->shown.grade = MUSTER_GRADE_C;
        finding->explained_ns = facts->chain_ns[PART_RECEIVE];
        return true;
}

/* --- slow-body ------------------------------------------------------------------------------ */

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
        struct slow_bodies found;

        if (!find_slow_bodies(&found, facts) || found.sharing.whose != SHARING_UNKNOWN)
                return false;
        finding_title(finding,
                "The server sends its responses slowly, half of them at less than %s per second",
                words_bytes(found.rate.p50).text);
        tell_slow_bodies(finding, facts, &found);
        finding_evidence(finding,
                may_be_link(&found.use)
                        ? "no packets were lost; but the link may be full, because no response began while others arrived"
                        : "neither a full link nor lost packets explain it");
        remedy_slow_body(finding, facts, &found.use);
        finding->explained_ns = facts->chain_ns[PART_RECEIVE];
        return true;
}

const struct cause causes_bodies[] = {
        { "bandwidth", MUSTER_GRADE_A, bandwidth },
        { "connection-bandwidth", MUSTER_GRADE_B, connection_bandwidth },
        { "slow-body", MUSTER_GRADE_C, slow_body },
        { 0 },
};
