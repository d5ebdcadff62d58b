/* SPDX-License-Identifier: MIT */
/*
 * Responses that came in pieces, and stood still between them (stops.h)
 *
 *      nagle           the server waited for an acknowledgement: 40 ms, or where it comes at once, a
 *                      round trip
 *      pause-in-body   the server waited for nothing of ours: it made the rest later
 */
#include "cause.h"

#include <base/clock.h>
#include <base/minmax.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/load.h>
#include <explain/measure/losses.h>
#include <explain/measure/processors.h>
#include <explain/measure/stops.h>
#include <explain/measure/transfers.h>
#include <explain/measure/vantage.h>
#include <explain/measure/waiting.h>
#include <explain/model/raise.h>
#include <explain/model/together.h>
#include <explain/model/whatif.h>

/* --- nagle ----------------------------------------------------------------------------------- */

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

static const struct stopping held_back = { stop_is_held_back },
                             round_trip = { has_stopped_for_round_trip };

/*
 * The head was late by that time, and far later than is usual: it waited for an acknowledgement of
 * what came before it.
 */
static bool has_stopped_before(const struct facts *facts, uint64_t server_ns)
{
        return server_ns + HELD_BACK_EARLY_NS >= DELAYED_ACK_NS &&
               server_ns <= DELAYED_ACK_NS + HELD_BACK_LATE_NS &&
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

/* A server that sleeps for 40 ms in each answer wakes up for each; at best all take what its quick ones did. */
static void go_on_quickly(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        go_on(request, facts, is_warm, argument);
        request->slot_ns[PART_SERVER] = min_u64(request->slot_ns[PART_SERVER], facts->server.p10);
}

static void remedy_stops(struct finding *finding, const struct facts *facts,
        const struct stopping *stopping)
{
        struct stopping copy = *stopping;
        uint64_t wall_ns =
                whatif_wall_ns(&(struct whatif){ .change = go_on, .argument = &copy }, facts);
        uint64_t least_ns =
                whatif_wall_ns(&(struct whatif){ .change = go_on_quickly, .argument = &copy },
                        facts);

        finding_remedy(finding,
                "Let the server set TCP_NODELAY (nginx: tcp_nodelay on), or write header and body of a response in one piece.");
        finding_predict(finding, wall_ns, least_ns,
                wall_ns + whole_of((double)wall_ns * LONGER_AT_WORST));
}

static enum muster_grade grade_of(const struct stops *stops)
{
        if (stops->n_tried >= SAMPLE_LEAST)
                return MUSTER_GRADE_A;
        return stops->is_tls && !stops->n_new && !stops->n_tried ? MUSTER_GRADE_C : MUSTER_GRADE_B;
}

static void tell_held(struct finding *finding, const struct facts *facts, const struct stops *stops)
{
        int64_t n_counted = record_counter_growth(facts->record, "tcp.delayed_acks");

        finding_evidence(finding,
                "%s of %s responses that came in several pieces on a reused connection stopped for 40 ms",
                words_count(stops->n_kept_held).text, words_count(stops->n_kept).text);
        if (stops->n_tried)
                finding_evidence(finding,
                        "of %s whose first piece was acknowledged at once, %s did: the server waits for the acknowledgement",
                        words_count(stops->n_tried).text,
                        stops->n_tried_held ? words_count(stops->n_tried_held).text : "none");
        if (stops->n_new)
                finding_evidence(finding, "on a new connection %s of %s did",
                        words_count(stops->n_new_held).text, words_count(stops->n_new).text);
        finding_evidence(finding,
                "this was %s of the time that requests were in flight; a receiver's kernel may delay an acknowledgement by 40 ms",
                words_share((double)stops->held_ns, (double)facts->service.sum).text);
        if (n_counted > 0)
                finding_evidence(finding, "the kernel counted %s delayed acknowledgements",
                        words_count((uint64_t)n_counted).text);
}

static bool nagle(const struct facts *facts, struct finding *finding)
{
        struct stops stops;

        stops_of(&stops, facts);
        if (!stops.is_nagle ||
                (double)stops.held_ns < SLOT_TIME_MATTERS * (double)facts->service.sum)
                return false;
        finding_title(finding,
                "The server stopped for 40 ms in the middle of responses, waiting for an acknowledgement (Nagle's algorithm)");
        tell_held(finding, facts, &stops);
        remedy_stops(finding, facts, &held_back);
        finding->shown.grade = grade_of(&stops);
        return true;
}

/* --- nagle, of a round trip ------------------------------------------------------------------ */

struct trips {
        size_t n, n_stopped, n_kept, n_kept_stopped;
        uint64_t stopped_ns;
};

static void count_trips(struct trips *trips, const struct facts *facts)
{
        *trips = (struct trips){ 0 };
        for (size_t i = 0; i < facts->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &facts->record->attempts[i];
                const struct attempt *stamps = &attempt->stamps;
                bool stopped;

                if (!trace_is_answered(attempt) || attempt->n_receives < 2)
                        continue;
                stopped = has_stopped_for_round_trip(facts, attempt);
                trips->n++;
                trips->n_stopped += stopped;
                trips->n_kept += attempt->is_reused;
                trips->n_kept_stopped += stopped && attempt->is_reused;
                trips->stopped_ns +=
                        stopped ? stamps->last_byte_kernel_ns - stamps->first_byte_kernel_ns : 0;
        }
}

/*
 * The acknowledgement of a large piece is not held back. But the server waits for it all the same.
 */
static bool nagle_round_trip(const struct facts *facts, struct finding *finding)
{
        struct trips trips;
        struct losses losses;

        count_trips(&trips, facts);
        if ((double)trips.n_kept_stopped < (double)trips.n_kept * MOST_OF_THEM ||
                trips.n_kept_stopped < SAMPLE_LEAST ||
                (double)trips.stopped_ns < SLOT_TIME_MATTERS * (double)facts->service.sum ||
                losses_of(&losses, facts) < 0 || losses.n_conns_hit)
                return false;
        finding_title(finding,
                "The server stopped for a round trip in the middle of responses, as if waiting for an acknowledgement (Nagle's algorithm)");
        finding_evidence(finding,
                "%s of %s responses that came in several pieces took a round trip from first byte to last, although they are small enough to be sent at once",
                words_count(trips.n_stopped).text, words_count(trips.n).text);
        finding_evidence(finding, "this was %s of the time that requests were in flight",
                words_share((double)trips.stopped_ns, (double)facts->service.sum).text);
        remedy_stops(finding, facts, &round_trip);
        return true;
}

/* --- pause-in-body --------------------------------------------------------------------------- */

struct pauses {
        size_t n, n_paused;
        size_t n_known, n_behind_head; /* of these: where it was; before anything of the body */
        uint64_t sum_ns;
        struct spread ns;
};

static bool measure_pause(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        /* It is asked only where nothing waits for acknowledgements. */
        *ret_value = stop_of_server_ns(&(struct stops){ 0 }, facts, attempt);
        return *ret_value > 0;
}

static void pauses_of(struct pauses *pauses, const struct stops *stops, const struct facts *facts)
{
        *pauses = (struct pauses){ 0 };
        for (size_t i = 0; i < facts->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &facts->record->attempts[i];
                uint64_t ns = stop_of_server_ns(stops, facts, attempt);

                pauses->n += trace_is_answered(attempt);
                if (!ns)
                        continue;
                pauses->n_paused++;
                pauses->sum_ns += ns;
                pauses->n_known += attempt->gap_ns != 0;
                pauses->n_behind_head += attempt->gap_ns && !attempt->gap_bytes;
        }
        measure_attempts(&pauses->ns, facts, measure_pause);
}

static bool are_behind_head(const struct pauses *pauses)
{
        return pauses->n_known &&
               (double)pauses->n_behind_head >= (double)pauses->n_known * NEARLY_ALL;
}

/* Most responses, or it is an accident of a few; and a good part of the time. */
static bool do_matter(const struct pauses *pauses, const struct facts *facts)
{
        return pauses->n_paused >= SAMPLE_LEAST &&
               (double)pauses->n_paused >= (double)pauses->n * MOST_OF_THEM &&
               (double)pauses->sum_ns >= PAUSES_OF_SLOTS_MATTER * (double)facts->service.sum &&
               vantage_of(facts) != VANTAGE_BLOCKED;
}

static void tell_pauses(struct finding *finding, const struct facts *facts,
        const struct pauses *pauses, const struct stops *stops)
{
        finding_evidence(finding,
                "%s of %s responses stood still for %s to %s after their first byte, although all of it could have been sent at once",
                words_count(pauses->n_paused).text, words_count(pauses->n).text,
                words_ns(pauses->ns.p10).text, words_ns(pauses->ns.p90).text);
        if (are_behind_head(pauses))
                finding_evidence(finding, "the head came first, and the body after the pause");
        if (stops->n_tried && stops->n_tried_held)
                finding_evidence(finding,
                        "it is no wait for an acknowledgement: %s were acknowledged at once, and %s of these stood still all the same",
                        words_count(stops->n_tried).text, words_count(stops->n_tried_held).text);
        else if (pauses->ns.p50 + HELD_BACK_EARLY_NS < DELAYED_ACK_NS)
                finding_evidence(finding,
                        "it is no wait for an acknowledgement: a kernel that delays one does so for 40 ms or more");
        finding_evidence(finding, "this was %s of the time that requests were in flight",
                words_share((double)pauses->sum_ns, (double)facts->service.sum).text);
}

struct going_on {
        const struct stops *stops;
        double work; /* of ours, what is left */
};

static void go_on_at_once(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct going_on *going_on = argument;
        uint64_t *receive_ns = &request->slot_ns[PART_RECEIVE];
        uint64_t ns = request->last ? stop_of_server_ns(going_on->stops, facts, request->last) : 0;

        (void)is_warm;
        *receive_ns -= ns < *receive_ns ? ns : *receive_ns;
        request->loop_ns = whole_of((double)request->loop_ns * going_on->work);
}

/*
 * As many are under way as before, and no answer waits for a pause: then it may wait for a processor,
 * where the server is here. At best that is no matter, and our loop, which slept between answers, is
 * woken up once for several.
 */
static void go_on_range_of(struct replay_range *range, const struct stops *stops,
        const struct facts *facts)
{
        struct going_on going_on = { stops, 1 };
        struct whatif whatif = { .change = go_on_at_once, .argument = &going_on };
        struct replay_range least;

        whatif.server_per_s = processors_most_per_s(facts);
        whatif_range_of(range, &whatif, facts);
        whatif.server_per_s = 0;
        going_on.work = together_factor(facts, (double)facts->wall_ns / (double)range->wall_ns);
        whatif_range_of(&least, &whatif, facts);
        range->low_ns = min_u64(range->low_ns, least.low_ns);
}

/* A server that makes the body in that time takes as long wherever it does so. */
static void remedy_pauses(struct finding *finding, const struct facts *facts,
        const struct stops *stops)
{
        struct replay_range range;
        struct raise raise;

        go_on_range_of(&range, stops, facts);
        if (raise_is_called_for(&raise, facts))
                finding_remedy(finding,
                        "Find out what the server does then: a pause on purpose can go, and what it computes can be made faster; until then allow %s at once, if the server can take it.",
                        words_count(raise.limit).text);
        else
                finding_remedy(finding,
                        "Find out what the server does then: a pause on purpose can go, and what it computes can be made faster.");
        finding_predict(finding, range.wall_ns, range.low_ns, facts->wall_ns);
        finding->explained_ns = facts->chain_ns[PART_RECEIVE];
}

static bool pause_in_body(const struct facts *facts, struct finding *finding)
{
        struct pauses pauses;
        struct stops stops;
        struct load load;

        stops_of(&stops, facts);
        if (stops.is_nagle)
                return false;
        pauses_of(&pauses, &stops, facts);
        if (!do_matter(&pauses, facts))
                return false;
        /* A server that is full stops between two pieces, too. */
        load_measure(&load, facts);
        if (load.answer == LOAD_GROWS)
                return false;
        finding_title(finding, "The server paused for %s %s of each response",
                words_ns(pauses.ns.p50).text,
                are_behind_head(&pauses) ? "between head and body" : "in the middle");
        tell_pauses(finding, facts, &pauses, &stops);
        remedy_pauses(finding, facts, &stops);
        return true;
}

const struct cause causes_pieces[] = {
        { "nagle", MUSTER_GRADE_A, nagle },
        { "nagle", MUSTER_GRADE_C, nagle_round_trip },
        { "pause-in-body", MUSTER_GRADE_A, pause_in_body },
        { 0 },
};
