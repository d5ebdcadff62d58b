/* SPDX-License-Identifier: MIT */
/*
 * On the wire
 *
 *      loss         packets had to be sent again, and those connections stopped meanwhile
 *      redirects    answers that only said where the real one is
 *      expect       bodies waited for the server to say 100 (Continue)
 *
 * What is about TCP's window is in causes_window.c, what came in pieces in causes_pieces.c.
 */
#include "cause.h"

#include "library_words.h"
#include <base/clock.h>
#include <explain/facts/life.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/link_use.h>
#include <explain/measure/losses.h>
#include <explain/measure/transfers.h>
#include <explain/model/whatif.h>

/* --- loss ------------------------------------------------------------------------------------ */

static void take_away(uint64_t *ns, uint64_t less_ns)
{
        *ns -= less_ns < *ns ? less_ns : *ns;
}

static void lose_nothing(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct losses *losses = argument;

        (void)is_warm;
        take_away(&request->slot_ns[PART_TCP], loss_of_tcp_ns(losses, facts, request->last));
        take_away(&request->slot_ns[PART_NETWORK], loss_of_wait_ns(losses, facts, request->last));
        take_away(&request->slot_ns[PART_RECEIVE],
                loss_of_receive_ns(losses, facts, request->last));
}

/* The run ends no sooner than its bytes can come at the best rate that there was. */
static uint64_t wall_without_losses(struct losses *losses, const struct link_use *use,
        const struct facts *facts)
{
        struct whatif whatif = { .change = lose_nothing, .argument = losses };
        uint64_t wall_ns = whatif_wall_ns(&whatif, facts);
        double least_ns = (double)facts->wire_bytes * (double)NS_PER_S / use->most_per_s;

        return use->most_per_s > 0 && (double)wall_ns < least_ns ? whole_of(least_ns) : wall_ns;
}

static bool loss(const struct facts *facts, struct finding *finding)
{
        int64_t n_timeouts = record_counter_growth(facts->record, "tcp.timeouts");
        struct losses losses;
        struct link_use use;
        uint64_t wall_ns;

        if (losses_of(&losses, facts) < 0 || !losses.n_conns_hit ||
                losses_hold_up_streams(&losses) ||
                (double)losses.held_up_ns < LOSSES_MATTER * (double)facts->service.sum)
                return false;
        /* A full link loses packets too: that is how TCP learns of it. */
        if (link_use_of(&use, facts) < 0 || use.is_full)
                return false;
        wall_ns = wall_without_losses(&losses, &use, facts);
        finding_title(finding,
                "Packets were lost on the path, and connections stalled until they were sent again");
        finding_evidence(finding,
                "%s of %s connections lost packets: %s of ours were sent again, %s of the server's arrived after a lost one",
                words_count(losses.n_conns_hit).text, words_count(losses.n_conns).text,
                words_count(losses.n_again).text, words_count(losses.n_out_of_order).text);
        finding_evidence(finding,
                "%s requests took longer because of it, by %s in total, %s of the time that requests were in flight",
                words_count(losses.n_held_up).text, words_ns(losses.held_up_ns).text,
                words_share((double)losses.held_up_ns, (double)facts->service.sum).text);
        if (n_timeouts > 0)
                finding_evidence(finding,
                        "%s times our kernel waited 200 ms or more for an acknowledgement before it sent again",
                        words_count((uint64_t)n_timeouts).text);
        if (use.may_be_full) {
                finding_evidence(finding,
                        "a full link with a short queue would look similar: for half of the time data came at %.0f %% of the best rate",
                        use.evenness * 100);
                finding->shown.grade = MUSTER_GRADE_B;
        }
        finding_remedy(finding,
                "Find where packets are dropped (mtr, ping -f, the counters of switches and wireless); more connections at once hide it, because only one at a time stalls.");
        finding_predict(finding, wall_ns, wall_ns, wall_ns / 2 + facts->wall_ns / 2);
        return true;
}

/* --- redirects ------------------------------------------------------------------------------- */

static uint64_t redirected_ns(const struct facts *facts)
{
        const struct record *record = facts->record;
        uint64_t ns = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                if (attempt->outcome == TRACE_REDIRECTED && attempt->stamps.slot_ns)
                        ns += life_end_ns(attempt) - attempt->stamps.slot_ns;
        }
        return ns;
}

static bool redirects(const struct facts *facts, struct finding *finding)
{
        size_t n = facts->n_outcomes[TRACE_REDIRECTED];
        uint64_t took_ns = n ? redirected_ns(facts) : 0;
        uint64_t wall_ns, gain_ns;

        if (!n || (double)took_ns < SLOT_TIME_MATTERS * (double)facts->service.sum)
                return false;
        wall_ns = whatif_wall_ns(&(struct whatif){ .is_last_only = true }, facts);
        gain_ns = wall_ns < facts->wall_ns ? facts->wall_ns - wall_ns : 0;
        finding_title(finding, "%s redirected to another URL first",
                (double)n >= (double)facts->n_requests * NEARLY_ALL ? "Nearly every URL"
                                                                    : "Many URLs");
        finding_evidence(finding,
                "%s redirects were followed for %s requests; they took %s of the time that requests were in flight",
                words_count(n).text, words_count(facts->n_requests).text,
                words_share((double)took_ns, (double)facts->service.sum).text);
        finding_evidence(finding, "a redirect took %s on average", words_ns(took_ns / n).text);
        finding_remedy(finding, "Request the final URLs directly: %s.",
                library_or_own(facts, "each result line has its final_url",
                        "each response has its own URL"));
        finding_predict(finding, wall_ns, wall_ns,
                wall_ns + whole_of((double)gain_ns * GAIN_MISSED));
        return true;
}

/* --- Expect: 100-continue ---------------------------------------------------------------------- */

struct expecting {
        size_t n, n_unheard; /* attempts that waited; in vain */
        uint64_t waited_ns;
};

static struct expecting expecting_of(const struct facts *facts)
{
        struct expecting expecting = { 0 };

        for (size_t i = 0; i < facts->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &facts->record->attempts[i];

                if (!attempt->stamps.expect_end_ns)
                        continue;
                expecting.n++;
                expecting.n_unheard += attempt->is_unheard;
                expecting.waited_ns += life_expect_ns(attempt);
        }
        return expecting;
}

static void send_at_once(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        (void)facts;
        (void)is_warm;
        (void)argument;
        request->slot_ns[PART_EXPECT] = 0;
}

static bool expect(const struct facts *facts, struct finding *finding)
{
        struct expecting expecting = expecting_of(facts);
        bool is_unheard = expecting.n_unheard * 2 > expecting.n;
        uint64_t wall_ns, gain_ns;

        if (!expecting.n ||
                (double)expecting.waited_ns < SLOT_TIME_MATTERS * (double)facts->service.sum)
                return false;
        wall_ns = whatif_wall_ns(&(struct whatif){ .change = send_at_once }, facts);
        gain_ns = wall_ns < facts->wall_ns ? facts->wall_ns - wall_ns : 0;
        finding_title(finding, "Bodies were sent late: they waited for 100 (Continue)%s",
                is_unheard ? ", which the server does not send" : "");
        finding_evidence(finding,
                "%s request bodies waited for it, %s of them in vain; a wait took %s on average",
                words_count(expecting.n).text, words_count(expecting.n_unheard).text,
                words_ns(expecting.waited_ns / expecting.n).text);
        finding_evidence(finding, "that is %s of the time that requests were in flight",
                words_share((double)expecting.waited_ns, (double)facts->service.sum).text);
        finding_remedy(finding, "%s",
                library_or_own(facts,
                        "Send bodies at once, with -H 'Expect:', or wait less for the server, with --expect100-timeout.",
                        "Send bodies at once, without the header field Expect."));
        finding_option(finding, "--expect100-timeout 1ms");
        finding_predict(finding, wall_ns, wall_ns,
                wall_ns + whole_of((double)gain_ns * GAIN_MISSED));
        return true;
}

const struct cause causes_wire[] = {
        { "loss", MUSTER_GRADE_A, loss, CAUSE_OF_ALL, true },
        { "redirects", MUSTER_GRADE_A, redirects },
        { "expect", MUSTER_GRADE_A, expect },
        { 0 },
};
