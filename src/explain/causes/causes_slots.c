/* SPDX-License-Identifier: MIT */
/*
 * Slots: too few at once, or too few requests to use them
 *
 * A limit that is too low shows in three things: slots are in use all the time, requests wait for
 * them, and the server does not mind (load.h). Where the server minds, the server is full and not
 * the limit too low (causes_server.c). And where a slot serves only a few requests one after
 * another, the time of each makes the run long and not their number: then another rule tells of
 * that first.
 */
#include "cause.h"

#include "duration.h"
#include "flat.h"
#include "library_words.h"
#include "uneven.h"
#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/judgement.h>
#include <explain/measure/accepting.h>
#include <explain/measure/load.h>
#include <explain/measure/unsent.h>
#include <explain/measure/waiting.h>
#include <explain/model/raise.h>
#include <math.h>

static bool is_most(uint64_t part_ns, uint64_t whole_ns)
{
        return (double)part_ns >= (double)whole_ns * MOST_OF_TIME;
}

static bool is_most_of_them(size_t n, size_t n_all)
{
        return (double)n >= (double)n_all * MOST_OF_THEM;
}

static void title_too_few(struct finding *finding, uint64_t n, const char *where)
{
        finding_title(finding, "The limit of %s at a time%s held the run back", words_count(n).text,
                where);
}

static void tell_load(struct finding *finding, const struct load *load)
{
        flat_tell(finding, load, ": the server did not slow down");
}

static void tell_loop(struct finding *finding, const struct facts *facts)
{
        finding_evidence(finding, "this program was busy for %s of the time: it could do more",
                words_share((double)facts->loop_busy_ns, (double)facts->wall_ns).text);
}

/* --- too few for all ------------------------------------------------------------------------- */

static bool concurrency_too_low(const struct facts *facts, struct finding *finding)
{
        struct waiting waiting;
        struct raise raise;
        struct load load;

        waiting_measure(&waiting, facts);
        if (waiting_is_for_pieces(&waiting) || !raise_is_called_for(&raise, facts) ||
                unsent_count(facts) || uneven_goes_first(facts, &raise))
                return false;
        load_measure(&load, facts);
        title_too_few(finding, facts->slots, "");
        finding_evidence(finding,
                "for %s of the time all slots (%s) were taken and requests waited for a free one",
                words_share((double)facts->full_ns, (double)facts->wall_ns).text,
                words_count(facts->slots).text);
        tell_load(finding, &load);
        finding_evidence(finding, "a request waited %s for a free slot, and then took %s",
                words_ns(facts->phase[MUSTER_PHASE_QUEUE].p50).text,
                words_ns(facts->service.p50).text);
        tell_loop(finding, facts);
        finding_remedy(finding, "Allow %s at once, if the server can take it.",
                words_count(raise.limit).text);
        finding_option(finding, "--concurrency %llu", (unsigned long long)raise.limit);
        finding_predict(finding, raise.wall_ns, raise.low_ns, raise.high_ns);
        if (load.answer != LOAD_FLAT)
                finding->shown.grade = MUSTER_GRADE_C;
        return true;
}

/* --- too few for each host ------------------------------------------------------------------- */

static bool per_host_limit(const struct facts *facts, struct finding *finding)
{
        const struct record_options *options = &facts->record->run.options;
        size_t n_held = facts->n_waits[TRACE_WAIT_HOST];
        struct replay replay;
        struct raise raise;
        struct load load;

        if (!options->per_host || options->per_host >= facts->slots ||
                !is_most_of_them(n_held, facts->n_attempts) ||
                is_most(facts->full_ns, facts->wall_ns))
                return false;
        load_measure(&load, facts);
        if (load.answer == LOAD_GROWS)
                return false;
        replay_init(&replay, facts);
        raise_limit(&raise, &replay, &replay.per_host, facts->slots, facts);
        if (!raise.limit)
                return false;
        title_too_few(finding, options->per_host, " per host");
        finding_evidence(finding,
                "%s of %s requests waited because all slots of their host (%s) were taken, while %s of %s slots in total were",
                words_count(n_held).text, words_count(facts->n_attempts).text,
                words_count(options->per_host).text,
                words_count(whole_of(facts->mean_in_flight + 0.5)).text,
                words_count(facts->slots).text);
        tell_load(finding, &load);
        tell_loop(finding, facts);
        finding_remedy(finding, "Allow %s at once per host.", words_count(raise.limit).text);
        finding_option(finding, "--per-host %llu", (unsigned long long)raise.limit);
        finding_predict(finding, raise.wall_ns, raise.low_ns, raise.high_ns);
        return true;
}

/* --- given up in the queue ------------------------------------------------------------------- */

/* A request that was never sent would have taken what the others took. */
static void send_it_all_the_same(struct replay_request *request, const struct facts *facts,
        void *argument)
{
        (void)argument;
        if (request->n_attempts)
                return;
        request->n_attempts = 1;
        request->slot_ns[PART_NETWORK] = facts->network.p50;
        request->slot_ns[PART_SERVER] = facts->server.p50;
        request->slot_ns[PART_RECEIVE] = facts->phase[MUSTER_PHASE_RECEIVE].p50;
}

static bool queue_timeout(const struct facts *facts, struct finding *finding)
{
        const struct record_options *options = &facts->record->run.options;
        size_t n = unsent_count(facts);
        struct replay replay;
        struct raise raise;

        /*
         * Without this limit another one ended them. And a client that keeps to a server's pace
         * would wait with more at once, too.
         */
        if (!n || options->queue_timeout_ns == UINT64_MAX || !options->queue_timeout_ns ||
                facts->n_waits[TRACE_WAIT_REFUSED])
                return false;
        finding->n_failed_by_it = n;
        finding_title(finding, "%s of %s requests gave up before they got a slot",
                words_count(n).text, words_count(facts->n_requests).text);
        finding_evidence(finding,
                "they waited %s, their --queue-timeout, and were never sent: no server is to blame",
                words_ns(options->queue_timeout_ns).text);
        finding_evidence(finding, "for %s of the time all slots (%s) were taken; a request took %s",
                words_share((double)facts->full_ns, (double)facts->wall_ns).text,
                words_count(facts->slots).text, words_ns(facts->service.p50).text);
        replay_init(&replay, facts);
        replay.change = send_it_all_the_same;
        raise_limit(&raise, &replay, &replay.concurrency, facts->n_requests, facts);
        if (!raise.limit) {
                finding_remedy(finding, "Let requests wait longer for a free slot.");
                finding_option(finding, "without --queue-timeout");
                finding_predict(finding, raise.wall_ns, raise.wall_ns, raise.wall_ns);
                return true;
        }
        finding_remedy(finding,
                "Allow %s at once, so that all get a slot in time; or let them wait longer.",
                words_count(raise.limit).text);
        finding_option(finding, "--concurrency %llu", (unsigned long long)raise.limit);
        finding_predict(finding, raise.wall_ns, raise.low_ns, raise.high_ns);
        return true;
}

/* --- a few that take long -------------------------------------------------------------------- */

/*
 * Attempts that took many times as long as the middle one, and whether they waited for the answer.
 */
struct stragglers {
        struct spread service; /* of attempts that were not refused: refusals are quick */
        /* an attempt that takes longer, and ends in the tail, is one: then it was waited for */
        uint64_t from_ns;
        uint64_t far_ns; /* the same, but for those that are too short to have made the tail */
        uint64_t tail_from_ns; /* there were few others, or none */
        size_t n, n_unanswered;
        uint64_t service_ns, answer_ns; /* sums */
        uint64_t longest_ns, last_slot_ns;
        uint64_t last_end_ns; /* of any attempt */
        bool one_is_last;
};

/*
 * Something was lost on its connection, and it took no longer than sending again does: after 200
 * ms, 400 and 800.
 */
static bool is_by_loss(const struct record *record, const struct trace_attempt *attempt,
        uint64_t service_ns)
{
        const struct trace_conn *conn = record_conn(record, attempt->conn);

        return conn && (conn->n_retransmits || conn->n_out_of_order) && service_ns <= SENT_AGAIN_NS;
}

static bool was_refused(const struct trace_attempt *attempt)
{
        return attempt->status == 429 || attempt->status == 503;
}

static uint64_t service_ns(const struct trace_attempt *attempt)
{
        return life_end_ns(attempt) - attempt->stamps.slot_ns;
}

static bool is_one(const struct stragglers *stragglers, const struct record *record,
        const struct trace_attempt *attempt)
{
        uint64_t ns = service_ns(attempt);

        return !was_refused(attempt) && ns > stragglers->from_ns &&
               !is_by_loss(record, attempt, ns - stragglers->service.p50);
}

/* When the last attempt ended that is no straggler. */
static uint64_t others_end_ns(const struct stragglers *stragglers, const struct record *record)
{
        uint64_t end_ns = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                if (attempt->stamps.slot_ns && life_end_ns(attempt) > end_ns &&
                        !is_one(stragglers, record, attempt))
                        end_ns = life_end_ns(attempt);
        }
        return end_ns;
}

static void add_straggler(struct stragglers *stragglers, const struct trace_attempt *attempt)
{
        uint64_t ns = service_ns(attempt);
        uint64_t phase_ns[MUSTER_N_PHASES];

        assert(attempt->stamps.slot_ns);
        attempt_phases(attempt, phase_ns);
        stragglers->n++;
        stragglers->n_unanswered += !trace_is_answered(attempt);
        stragglers->service_ns += ns;
        stragglers->answer_ns += phase_ns[MUSTER_PHASE_WAIT] + phase_ns[MUSTER_PHASE_RECEIVE];
        stragglers->longest_ns = max_u64(stragglers->longest_ns, ns);
        stragglers->last_slot_ns = max_u64(stragglers->last_slot_ns, attempt->stamps.slot_ns);
}

static void look_at(struct stragglers *stragglers, const struct record *record,
        const struct trace_attempt *attempt)
{
        bool is_straggler = is_one(stragglers, record, attempt);

        if (attempt->stamps.end_ns >= stragglers->last_end_ns) {
                stragglers->last_end_ns = attempt->stamps.end_ns;
                stragglers->one_is_last = is_straggler;
        }
        if (is_straggler && attempt->stamps.end_ns >= stragglers->tail_from_ns)
                add_straggler(stragglers, attempt);
}

static bool measure_service(struct spread *spread, const struct record *record)
{
        uint64_t *values = mem_array(record->n_attempts, sizeof(*values));
        size_t n = 0;

        for (size_t i = 0; values && i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                if (attempt->stamps.slot_ns && !was_refused(attempt))
                        values[n++] = service_ns(attempt);
        }
        spread_of(spread, values, n);
        mem_free(values);
        return n > 1;
}

/*
 * Far longer than the middle one; and much longer than nine of ten, where so few stragglers are
 * allowed that they are none of these.
 */
static uint64_t far_longer_ns(const struct spread *service)
{
        double n = (double)service->n;
        double ns = (double)service->p50 * FAR_LONGER;

        if (n * EXCEPTIONS_MOST + 1 < n * 0.1)
                ns = fmax(ns, (double)service->p90 * MUCH_LONGER);
        return whole_of(ns);
}

static void find_tail(struct stragglers *stragglers, const struct facts *facts)
{
        stragglers->tail_from_ns =
                min_u64(others_end_ns(stragglers, facts->record), facts->tail_from_ns);
}

static bool find_stragglers(struct stragglers *stragglers, const struct facts *facts)
{
        const struct record *record = facts->record;

        *stragglers = (struct stragglers){ 0 };
        if (!measure_service(&stragglers->service, record))
                return false;
        stragglers->far_ns = stragglers->from_ns = far_longer_ns(&stragglers->service);
        find_tail(stragglers, facts);
        /* Those that took a small part of the tail did not make it. */
        stragglers->from_ns = max_u64(stragglers->from_ns,
                whole_of((double)(facts->end_ns - stragglers->tail_from_ns) * GAIN_NOTICED));
        find_tail(stragglers, facts);
        for (size_t i = 0; i < record->n_attempts; i++)
                if (record->attempts[i].stamps.slot_ns)
                        look_at(stragglers, record, &record->attempts[i]);
        return true;
}

static uint64_t tail_ns(const struct stragglers *stragglers, const struct facts *facts)
{
        assert(stragglers->tail_from_ns <= facts->end_ns);
        return facts->end_ns - stragglers->tail_from_ns;
}

/* They were waited for, rather than the pace at which the last requests were started. */
static bool fill_the_tail(const struct stragglers *stragglers, const struct facts *facts)
{
        return (double)stragglers->service_ns >= (double)tail_ns(stragglers, facts) * MOST_OF_TIME;
}

static bool keep_it_from_ending(const struct stragglers *stragglers, const struct facts *facts)
{
        return stragglers->n && stragglers->one_is_last &&
               (double)stragglers->n <= (double)facts->n_attempts * EXCEPTIONS_MOST + 1 &&
               is_most(stragglers->answer_ns, stragglers->service_ns) &&
               fill_the_tail(stragglers, facts) &&
               (double)tail_ns(stragglers, facts) >= (double)facts->wall_ns * TAIL_MATTERS;
}

static uint64_t give_up_from_ns(const struct stragglers *stragglers)
{
        return whole_of((double)stragglers->far_ns * GIVE_UP_BEYOND);
}

/* The time after which a straggler is given up; the others take far less. */
static void cut_off(struct replay_request *request, const struct facts *facts, void *argument)
{
        (void)facts;
        duration_cut_off(request, *(const uint64_t *)argument);
}

static uint64_t wall_without_ns(const struct facts *facts, uint64_t most_ns)
{
        struct replay replay;

        replay_init(&replay, facts);
        replay.change = cut_off;
        replay.argument = &most_ns;
        return replay_wall_ns(&replay, facts);
}

/* Gives up on stragglers that were never answered, later than any answer came. */
static bool give_up_sooner(struct finding *finding, const struct facts *facts,
        const struct stragglers *stragglers)
{
        uint64_t most_ns = duration_that_loses_none(facts, give_up_from_ns(stragglers));
        uint64_t wall_ns;

        if ((double)stragglers->longest_ns <= (double)most_ns * GIVE_UP_GAINS)
                return false;
        wall_ns = wall_without_ns(facts, most_ns);
        finding_evidence(finding, "every response that came took at most %s",
                words_ns(most_ns).text);
        finding_remedy(finding, stragglers->n > 1
                                        ? "Give up earlier, or find out why they are not answered."
                                        : "Give up earlier, or find out why it is not answered.");
        finding_option(finding, "--max-time %s", duration_option(most_ns).text);
        finding_predict(finding, wall_ns, wall_ns, wall_ns);
        return true;
}

static uint64_t held_ns(const struct replay_request *request)
{
        uint64_t ns = 0;

        for (int i = 0; i < PART_N; i++)
                ns += request->slot_ns[i];
        return ns;
}

static void be_like_the_others(struct replay_request *request, const struct facts *facts,
        void *argument)
{
        const struct stragglers *stragglers = argument;

        (void)facts;
        if (held_ns(request) > stragglers->from_ns)
                duration_cut_off(request, stragglers->service.p50);
}

/*
 * No option makes them faster. The prediction is for a server that answers them as it does the
 * others.
 */
static const char *be_answered_sooner(struct finding *finding, const struct facts *facts,
        const struct stragglers *stragglers)
{
        struct stragglers copy = *stragglers;
        struct replay replay;
        uint64_t wall_ns;

        replay_init(&replay, facts);
        replay.change = be_like_the_others;
        replay.argument = &copy;
        wall_ns = replay_wall_ns(&replay, facts);
        finding_predict(finding, wall_ns, wall_ns, facts->wall_ns);
        return stragglers->n > 1 ? "Find out at the server why they take so long"
                                 : "Find out at the server why it takes so long";
}

/*
 * Slow requests are over sooner when they begin sooner: as the first ones, or with more under way.
 */
static const char *begin_sooner(struct finding *finding, const struct facts *facts,
        const struct stragglers *stragglers)
{
        struct replay replay;
        struct raise raise = { 0 };
        struct load load;

        if ((double)(stragglers->last_slot_ns - facts->start_ns) <
                (double)facts->wall_ns * BEGAN_LATE)
                return be_answered_sooner(finding, facts, stragglers);
        load_measure(&load, facts);
        if (load.answer != LOAD_GROWS) {
                replay_init(&replay, facts);
                raise_limit(&raise, &replay, &replay.concurrency, facts->n_requests, facts);
        }
        if (!raise.limit)
                return stragglers->n > 1 ? "Make the slow requests first" : "Make it first";
        finding_option(finding, "--concurrency %llu", (unsigned long long)raise.limit);
        finding_predict(finding, raise.wall_ns, raise.low_ns, raise.high_ns);
        return stragglers->n > 1
                       ? "Make the slow requests first, or allow more at once, so that they start earlier"
                       : "Make it first, or allow more at once, so that it starts earlier";
}

/*
 * They were answered, and giving up sooner would lose these answers. So it is proposed only where
 * that does not matter.
 */
static void wait_for_them(struct finding *finding, const struct facts *facts,
        const struct stragglers *stragglers)
{
        const char *how = begin_sooner(finding, facts, stragglers);
        uint64_t most_ns = duration_to_give_up(facts, give_up_from_ns(stragglers));
        size_t n_lost = duration_n_lost(facts, most_ns);

        if (!n_lost) {
                finding_remedy(finding, "%s.", how);
                return;
        }
        finding_evidence(finding, "they were answered: with %s %s %s of %s would fail",
                library_or_own(facts, "--max-time", "a time-out of"), duration_option(most_ns).text,
                words_count(n_lost).text,
                words_counted(facts->n_requests, "request", "requests").text);
        finding_remedy(finding,
                "%s; or, if a response that late is of no use, give up after %s, and %s would fail.",
                how, words_ns(most_ns).text, words_counted(n_lost, "request", "requests").text);
}

static void title_stragglers(struct finding *finding, const struct stragglers *stragglers,
        size_t n_requests)
{
        const char *took =
                stragglers->n_unanswered < stragglers->n ? "took" : "had no response for";

        if (stragglers->n == 1)
                finding_title(finding, "One slow request of %s set the end of the run: it %s %s",
                        words_count(n_requests).text, took, words_ns(stragglers->longest_ns).text);
        else
                finding_title(finding,
                        "%s slow requests of %s set the end of the run: they %s up to %s",
                        words_count(stragglers->n).text, words_count(n_requests).text, took,
                        words_ns(stragglers->longest_ns).text);
}

/*
 * All of them went to the host or the path that is slow for all that go there: another rule tells of that
 * (causes_uneven.c).
 */
static bool are_of_one_path(const struct stragglers *stragglers, const struct facts *facts)
{
        const struct record *record = facts->record;
        struct uneven uneven;

        if (!uneven_find(&uneven, facts) ||
                (double)uneven.n_unanswered >= (double)uneven.n * MOST_OF_THEM)
                return false;
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                if (attempt->stamps.slot_ns && is_one(stragglers, record, attempt) &&
                        !uneven_has(&uneven, attempt))
                        return false;
        }
        return true;
}

static bool stragglers(const struct facts *facts, struct finding *finding)
{
        struct stragglers found;

        if (!find_stragglers(&found, facts) || !keep_it_from_ending(&found, facts) ||
                accepting_held_up(facts) || are_of_one_path(&found, facts))
                return false;
        finding->explained_ns = tail_ns(&found, facts);
        title_stragglers(finding, &found, facts->n_requests);
        finding_evidence(finding, "half of all requests took at most %s",
                words_ns(found.service.p50).text);
        if (facts->slots)
                finding_evidence(finding,
                        "during the last %s, %s of the time, only a few were in flight, although %s are allowed",
                        words_ns(tail_ns(&found, facts)).text,
                        words_share((double)tail_ns(&found, facts), (double)facts->wall_ns).text,
                        words_count(facts->slots).text);
        else
                finding_evidence(finding,
                        "during the last %s, %s of the time, only a few were in flight",
                        words_ns(tail_ns(&found, facts)).text,
                        words_share((double)tail_ns(&found, facts), (double)facts->wall_ns).text);
        finding_evidence(finding, "nothing else was left to do then");
        if (!give_up_sooner(finding, facts, &found))
                wait_for_them(finding, facts, &found);
        return true;
}

const struct cause causes_slots[] = {
        { "concurrency-too-low", MUSTER_GRADE_A, concurrency_too_low, CAUSE_OF_OURS },
        { "per-host-limit", MUSTER_GRADE_A, per_host_limit, CAUSE_OF_OURS },
        { "queue-timeout", MUSTER_GRADE_A, queue_timeout, CAUSE_OF_OURS },
        { "stragglers", MUSTER_GRADE_A, stragglers },
        { 0 },
};
