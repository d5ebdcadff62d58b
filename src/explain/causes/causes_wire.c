/* SPDX-License-Identifier: MIT */
/*
 * On the wire
 *
 *      nagle        answers in several pieces stopped for 40 ms between two of them, but not the
 *                   first one on a connection; or, where an acknowledgement comes at once, for a
 *                   round trip
 *      loss         packets had to be sent again, and those connections stopped meanwhile
 *      redirects    answers that only said where the real one is
 *      expect       bodies waited for the server to say 100 (Continue)
 *
 * What is about TCP's window is in causes_window.c.
 */
#include "cause.h"

#include <base/clock.h>
#include <explain/facts/life.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/link_use.h>
#include <explain/measure/losses.h>
#include <explain/measure/transfers.h>
#include <explain/model/whatif.h>

/* --- nagle ----------------------------------------------------------------------------------- */

static bool is_held_back(uint64_t took_ns, uint64_t round_trip_ns)
{
        uint64_t delayed_ns = round_trip_ns + DELAYED_ACK_NS;

        return took_ns + HELD_BACK_EARLY_NS >= delayed_ns &&
               took_ns <= delayed_ns + HELD_BACK_LATE_NS;
}

static bool has_stopped(const struct facts *facts, const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);
        uint64_t round_trip_ns = conn ? conn_round_trip_ns(conn) : 0;
        uint64_t took_ns = stamps->last_byte_kernel_ns - stamps->first_byte_kernel_ns;

        return attempt->status && attempt->n_receives > 1 && !attempt_shares_conn(facts, attempt) &&
               stamps->last_byte_kernel_ns > stamps->first_byte_kernel_ns &&
               is_held_back(took_ns, round_trip_ns);
}

/*
 * A body that fits into what is sent at once took a round trip: the server waited for an
 * acknowledgement that came without delay. One that is held back takes longer.
 */
static bool has_stopped_for_round_trip(const struct facts *facts,
        const struct trace_attempt *attempt)
{
        struct transfer transfer;

        return attempt->n_receives > 1 && transfer_of(&transfer, facts, attempt) &&
               !transfer.n_rounds && transfer.round_trip_ns >= ROUND_TRIP_TO_TELL_NS &&
               (double)transfer.took_ns >= (double)transfer.round_trip_ns * STOP_LEAST &&
               (double)transfer.took_ns <= (double)transfer.round_trip_ns * STOP_MOST &&
               transfer.took_ns + HELD_BACK_EARLY_NS < transfer.round_trip_ns + DELAYED_ACK_NS;
}

struct stopping {
        bool (*has_stopped)(const struct facts *facts, const struct trace_attempt *attempt);
};

static const struct stopping held_back = { has_stopped },
                             round_trip = { has_stopped_for_round_trip };

struct stops {
        size_t n_kept, n_kept_stopped; /* answers in several pieces on connections used before */
        size_t n_new, n_new_stopped; /* ... on new ones, without TLS: a handshake is use as well */
        size_t n_long_stopped;       /* of all that stopped: such as take a while in any case */
        bool is_tls;
        uint64_t stopped_ns;
};

static bool is_tls(const struct record *record, const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = conn_of_attempt(record, attempt);

        return conn && conn->is_tls;
}

/* A body so large that it takes a while in any case. */
static bool is_long(const struct trace_attempt *attempt)
{
        return attempt->wire_bytes > FIRST_WINDOW && attempt->n_receives > PIECES_FEW;
}

static void stops_of(struct stops *stops, const struct facts *facts,
        const struct stopping *stopping)
{
        const struct record *record = facts->record;

        *stops = (struct stops){ 0 };
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                bool stopped = stopping->has_stopped(facts, attempt);

                if (!attempt->status || attempt->n_receives < 2)
                        continue;
                stops->stopped_ns += stopped ? attempt->stamps.last_byte_kernel_ns -
                                                       attempt->stamps.first_byte_kernel_ns
                                             : 0;
                stops->n_long_stopped += stopped && is_long(attempt);
                stops->is_tls |= is_tls(record, attempt);
                if (attempt->is_reused) {
                        stops->n_kept++;
                        stops->n_kept_stopped += stopped;
                } else if (!is_tls(record, attempt)) {
                        stops->n_new++;
                        stops->n_new_stopped += stopped;
                }
        }
}

/*
 * The head was late by that time, and far later than is usual: it waited for an acknowledgement of
 * what came before it.
 */
static bool has_stopped_before(const struct facts *facts, uint64_t server_ns)
{
        return is_held_back(server_ns, 0) &&
               (double)facts->server.p50 < (double)DELAYED_ACK_NS * MOST_OF_TIME;
}

/* What receiving takes without a stop. A body that fits into the first window comes at once. */
static uint64_t receive_without_stop(const struct facts *facts, const struct trace_attempt *attempt)
{
        struct transfer transfer;

        return transfer_of(&transfer, facts, attempt) ? transfer_cold_ns(&transfer) : 0;
}

/* The loop is woken once for an answer, and not once before the stop and once after it. */
static void go_on(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct stopping *stopping = argument;

        (void)is_warm;
        if (stopping->has_stopped(facts, request->last)) {
                request->slot_ns[PART_RECEIVE] = receive_without_stop(facts, request->last);
                request->loop_ns /= 2;
        }
        if (has_stopped_before(facts, request->slot_ns[PART_SERVER]))
                request->slot_ns[PART_SERVER] = facts->server.p50;
}

static bool do_they_stop(const struct stops *stops, const struct facts *facts)
{
        return (double)stops->n_kept_stopped >= (double)stops->n_kept * MOST_OF_THEM &&
               stops->n_kept_stopped >= SAMPLE_LEAST &&
               (double)stops->stopped_ns >= SLOT_TIME_MATTERS * (double)facts->service.sum;
}

static void remedy_stops(struct finding *finding, const struct facts *facts,
        const struct stopping *stopping)
{
        struct stopping copy = *stopping;
        uint64_t wall_ns =
                whatif_wall_ns(&(struct whatif){ .change = go_on, .argument = &copy }, facts);

        finding_remedy(finding,
                "Let the server set TCP_NODELAY (nginx: tcp_nodelay on), or write header and body of a response in one piece.");
        finding_predict(finding, wall_ns, wall_ns,
                wall_ns + whole_of((double)wall_ns * LONGER_AT_WORST));
}

static bool nagle(const struct facts *facts, struct finding *finding)
{
        int64_t n_counted = record_counter_growth(facts->record, "tcp.delayed_acks");
        struct stops stops;

        stops_of(&stops, facts, &held_back);
        /*
         * A server that makes a pause of its own makes it on new connections as well. Where there
         * are none, the size may be the reason.
         */
        if (!do_they_stop(&stops, facts) ||
                (double)stops.n_new_stopped > (double)stops.n_new * MOST_OF_THEM ||
                (!stops.n_new &&
                        (double)stops.n_long_stopped > (double)stops.n_kept_stopped * MOST_OF_THEM))
                return false;
        finding_title(finding,
                "The server stopped for 40 ms in the middle of responses, waiting for an acknowledgement (Nagle's algorithm)");
        finding_evidence(finding,
                "%s of %s responses that came in several pieces on a reused connection stopped for 40 ms",
                words_count(stops.n_kept_stopped).text, words_count(stops.n_kept).text);
        if (stops.n_new)
                finding_evidence(finding, "on a new connection %s of %s did",
                        words_count(stops.n_new_stopped).text, words_count(stops.n_new).text);
        finding_evidence(finding,
                "this was %s of the time that requests were in flight; a receiver's kernel may delay an acknowledgement by 40 ms",
                words_share((double)stops.stopped_ns, (double)facts->service.sum).text);
        if (n_counted > 0)
                finding_evidence(finding, "the kernel counted %s delayed acknowledgements",
                        words_count((uint64_t)n_counted).text);
        remedy_stops(finding, facts, &held_back);
        if (stops.is_tls && !stops.n_new)
                finding->shown.grade = MUSTER_GRADE_C;
        return true;
}

/*
 * The acknowledgement of a large piece is not held back. But the server waits for it all the same.
 */
static bool nagle_round_trip(const struct facts *facts, struct finding *finding)
{
        struct stops stops;
        struct losses losses;

        stops_of(&stops, facts, &round_trip);
        if (!do_they_stop(&stops, facts) || losses_of(&losses, facts) < 0 || losses.n_conns_hit)
                return false;
        finding_title(finding,
                "The server stopped for a round trip in the middle of responses, as if waiting for an acknowledgement (Nagle's algorithm)");
        finding_evidence(finding,
                "%s of %s responses that came in several pieces took a round trip from first byte to last, although they are small enough to be sent at once",
                words_count(stops.n_kept_stopped + stops.n_new_stopped).text,
                words_count(stops.n_kept + stops.n_new).text);
        finding_evidence(finding, "this was %s of the time that requests were in flight",
                words_share((double)stops.stopped_ns, (double)facts->service.sum).text);
        remedy_stops(finding, facts, &round_trip);
        return true;
}

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
        finding_remedy(finding,
                "Request the final URLs directly: each result line has its final_url.");
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
        finding_remedy(finding,
                "Send bodies at once, with -H 'Expect:', or wait less for the server, with --expect100-timeout.");
        finding_option(finding, "--expect100-timeout 1ms");
        finding_predict(finding, wall_ns, wall_ns,
                wall_ns + whole_of((double)gain_ns * GAIN_MISSED));
        return true;
}

const struct cause causes_wire[] = {
        { "nagle", MUSTER_GRADE_B, nagle },
        { "nagle", MUSTER_GRADE_C, nagle_round_trip },
        { "loss", MUSTER_GRADE_A, loss },
        { "redirects", MUSTER_GRADE_A, redirects },
        { "expect", MUSTER_GRADE_A, expect },
        { 0 },
};
