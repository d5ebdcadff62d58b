/* SPDX-License-Identifier: MIT */
/*
 * The server, or the way to it: slow, or full
 *
 * A slow server takes as long for one request as for many. A full one answers the first few quickly
 * and makes the others wait (load.h). Against a slow server more at once helps; at a full one they
 * would only wait there instead of here. The rules say something of the server only where this
 * program was fast enough to see it, and where the time went into answers: opening connections,
 * redirects, retries and losses have causes of their own.
 */
#include "cause.h"

#include "flat.h"
#include "program_told.h"
#include "uneven.h"
#include <base/clock.h>
#include <base/str.h>
#include <explain/facts/timeline.h>
#include <explain/judgement.h>
#include <explain/measure/accepting.h>
#include <explain/measure/capacity.h>
#include <explain/measure/load.h>
#include <explain/measure/losses.h>
#include <explain/measure/onset.h>
#include <explain/measure/rounds.h>
#include <explain/measure/serving.h>
#include <explain/measure/unsent.h>
#include <explain/measure/waiting.h>
#include <explain/model/raise.h>
#include <math.h>

/* --- slow ------------------------------------------------------------------------------------ */

static double turns(const struct facts *facts)
{
        return facts->slots ? ceil((double)facts->n_requests / (double)facts->slots) : 1;
}

static uint64_t typical_ns(const struct facts *facts, const struct waiting *waiting)
{
        return facts->phase[MUSTER_PHASE_WAIT].p50 + waiting->rest_p50_ns;
}

/* As many answers in turn as there were fill the time, if each takes what the middle one did. */
static bool is_typical(const struct facts *facts, const struct waiting *waiting)
{
        return (double)typical_ns(facts, waiting) * turns(facts) >=
               (double)facts->wall_ns * TYPICAL_FILLS;
}

/*
 * How many answers took far longer than the middle one. A few are stragglers (causes_slots.c), and
 * count as none.
 */
static size_t count_slow(const struct facts *facts, const struct waiting *waiting)
{
        uint64_t from_ns = whole_of((double)typical_ns(facts, waiting) * FAR_LONGER);
        struct stops stops;
        size_t n = 0;

        stops_of(&stops, facts);
        for (size_t i = 0; i < facts->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &facts->record->attempts[i];

                n += trace_is_answered(attempt) && waiting_ns(&stops, facts, attempt) > from_ns;
        }
        return (double)n > (double)facts->n_attempts * EXCEPTIONS_MOST + 1 ? n : 0;
}

/* Then another rule tells of the limit (causes_slots.c, causes_program_flow.c). */
static bool limit_is_what_matters(const struct facts *facts)
{
        struct raise raise;

        if (facts->program)
                return told_holds_back(facts);
        return raise_is_called_for(&raise, facts);
}

static bool is_far(const struct facts *facts, const struct waiting *waiting)
{
        return (double)facts->network.sum > (double)waiting->sum_ns * MOST_OF_TIME;
}

/* An answer that took much longer than that decided when the run was over. */
static bool longest_decides(const struct facts *facts, uint64_t longest_ns, uint64_t middle_ns)
{
        return (double)longest_ns >= (double)middle_ns * MUCH_LONGER &&
               (double)longest_ns >= (double)facts->wall_ns * MOST_OF_TIME;
}

/*
 * Then a few slow answers hold each batch up, and another rule tells of the batches
 * (causes_input.c).
 */
static bool waits_for_batches(const struct facts *facts)
{
        struct rounds rounds;

        rounds_count(&rounds, facts);
        return rounds_are_batches(&rounds, facts);
}

static void title_slow(struct finding *finding, const struct facts *facts,
        const struct waiting *waiting, size_t n_slow)
{
        uint64_t middle_ns = facts->server.p50 + waiting->rest_p50_ns;
        uint64_t longest_ns = facts->server.max + waiting->rest_max_ns;

        if (is_far(facts, waiting))
                finding_title(finding,
                        "The server is far away: a typical response spent %s on the network",
                        words_ns(facts->network.p50).text);
        else if (n_slow)
                finding_title(finding,
                        "The server was slow for %s of %s responses: up to %s, a typical one %s",
                        words_count(n_slow).text, words_count(facts->server.n).text,
                        words_ns(longest_ns).text, words_ns(middle_ns).text);
        else if (longest_decides(facts, longest_ns, middle_ns))
                finding_title(finding,
                        "The run waited for the server: a typical response took %s, the slowest %s",
                        words_ns(middle_ns).text, words_ns(longest_ns).text);
        else
                finding_title(finding, "The run waited for the server: a typical response took %s",
                        words_ns(middle_ns).text);
}

static void tell_slow(struct finding *finding, const struct facts *facts,
        const struct waiting *waiting, const struct load *load)
{
        finding_evidence(finding, "waiting for responses was %s of the wall time",
                words_share((double)waiting->chain_ns, (double)facts->wall_ns).text);
        finding_evidence(finding, "a typical response took %s on the network and %s at the server",
                words_ns(facts->network.p50).text,
                words_ns(facts->server.p50 + waiting->rest_p50_ns).text);
        if (waiting->come_in_pieces)
                finding_evidence(finding,
                        "it began after %s and was complete %s later, although it is small: the server produced the rest late",
                        words_ns(facts->phase[MUSTER_PHASE_WAIT].p50).text,
                        words_ns(waiting->rest_p50_ns).text);
        flat_tell(finding, load, ": the server was not full");
        finding_evidence(finding, "this program was busy for %s of the time",
                words_share((double)facts->loop_busy_ns, (double)facts->wall_ns).text);
}

/* One or a few say what they took, and nothing of what is usual there. */
static bool are_few(const struct facts *facts)
{
        return facts->n_requests < AVERAGE_LEAST;
}

static void remedy_slow(struct finding *finding, const struct facts *facts,
        const struct waiting *waiting)
{
        const char *then = is_far(facts, waiting)
                                   ? "a nearer server, or fewer and larger requests"
                                   : "a cache, a faster server, or fewer and larger requests";
        struct replay replay;
        struct raise raise = { 0 };

        finding->explained_ns = waiting->chain_ns;
        if (are_few(facts)) {
                finding_remedy(finding,
                        "Ask more often before you change anything: %s %s little of a server.",
                        words_counted(facts->n_requests, "request", "requests").text,
                        facts->n_requests == 1 ? "tells" : "tell");
                return;
        }
        if (facts->full_ns) {
                replay_init(&replay, facts);
                raise_limit(&raise, &replay, &replay.concurrency, facts->n_requests, facts);
        }
        if (!raise.limit) {
                finding_remedy(finding, "Use %s; more at once would not help.", then);
                return;
        }
        finding_remedy(finding, "Allow %s at once, if the server can take it; beyond that, use %s.",
                words_count(raise.limit).text, then);
        finding_option(finding, "--concurrency %llu", (unsigned long long)raise.limit);
        finding_predict(finding, raise.wall_ns, raise.low_ns, raise.high_ns);
}

static bool server_slow(const struct facts *facts, struct finding *finding)
{
        struct waiting waiting;
        struct load load;
        size_t n_slow = 0;

        waiting_measure(&waiting, facts);
        if (!waiting_took_long(&waiting, facts) || waiting_is_for_pieces(&waiting) ||
                timelines_are_unsteady(facts) || uneven_is_there(facts) || unsent_count(facts) ||
                limit_is_what_matters(facts) || losses_come_first(facts))
                return false;
        /* A program that was watched asks how it gets faster; one that is over so soon is fast. */
        if ((are_few(facts) || facts->program) && facts->wall_ns < BRIEF_RUN_NS)
                return false;
        if (!is_typical(facts, &waiting)) {
                n_slow = count_slow(facts, &waiting);
                if (!n_slow || accepting_held_up(facts) || waits_for_batches(facts))
                        return false;
        }
        load_measure(&load, facts);
        if (load.answer == LOAD_GROWS || load_may_fill_server(&load, facts))
                return false;
        title_slow(finding, facts, &waiting, n_slow);
        tell_slow(finding, facts, &waiting, &load);
        remedy_slow(finding, facts, &waiting);
        if (load.answer != LOAD_FLAT)
                finding->shown.grade = MUSTER_GRADE_C;
        return true;
}

/* --- full ------------------------------------------------------------------------------------ */

/* How many at once are enough: as many as it did best with, or as it can work on. */
static uint64_t enough(const struct facts *facts, const struct load *load)
{
        return load->best_n > 0 ? whole_of(ceil(load->best_n)) : capacity_of(load, facts);
}

/*
 * The limit for each of several hosts. No host may get less than it needs: one that is not full
 * needs as many as it had.
 */
static uint64_t enough_for_each(const struct facts *facts, const struct load *busiest)
{
        uint64_t most = enough(facts, busiest);

        for (size_t i = 0; i < facts->n_hosts; i++) {
                const struct host_facts *host = &facts->hosts[i];
                uint64_t n = whole_of(ceil(host->mean_in_flight * HEADROOM));
                struct load load;

                if (host->origin == busiest->origin || n <= most)
                        continue;
                load_measure_host(&load, facts, host->origin);
                if (load_is_full(&load) && enough(facts, &load) < n)
                        n = enough(facts, &load);
                if (n > most)
                        most = n;
        }
        return most;
}

/*
 * The host that is full, where another one has less to do and is not full. NULL: there is no other,
 * or all are full.
 */
static const struct host_facts *only_full_one(const struct facts *facts, const struct load *busiest)
{
        const struct host_facts *full = NULL, *next = NULL;
        struct load load;

        for (size_t i = 0; i < facts->n_hosts; i++) {
                const struct host_facts *host = &facts->hosts[i];

                if (host->origin == busiest->origin)
                        full = host;
                else if (!next || host->mean_in_flight > next->mean_in_flight)
                        next = host;
        }
        if (!full || !next || full->mean_in_flight < facts->mean_in_flight * MOST_OF_TIME)
                return NULL;
        load_measure_host(&load, facts, next->origin);
        return load_is_full(&load) ? NULL : full;
}

/* Did more at once slow it down? The end of the run shows it, or its beginning. */
static bool is_past_knee(const struct load *load, const struct onset *onset)
{
        return load->best_n > 0 || onset->is_falling;
}

static void title_full(struct finding *finding, const struct load *load, const struct onset *onset,
        const struct host_facts *host)
{
        struct muster_str name = host ? host->name : (struct muster_str){ .at = "" };

        if (is_past_knee(load, onset))
                finding_title(finding, "%s requests at a time were too many for the %s%.*s",
                        words_count(load->most).text, host ? "host " : "server", STR_ARGS(name));
        else
                finding_title(finding, "The %s%.*s was at its limit with %s requests at a time",
                        host ? "host " : "server", STR_ARGS(name), words_count(load->most).text);
}

static void tell_full(struct finding *finding, const struct facts *facts, const struct load *load,
        const struct onset *onset, const struct host_facts *host)
{
        if (host)
                finding_evidence(finding,
                        "%s of %s requests went there and took %s of the time of all requests",
                        words_count(host->n_attempts).text, words_count(facts->n_attempts).text,
                        words_share(host->mean_in_flight, facts->mean_in_flight).text);
        if (load->is_paced)
                finding_evidence(finding,
                        "concurrent requests were answered one by one, %s apart, from start to end: they queued at the server",
                        words_ns(load->alone_ns).text);
        else if (load->bunch_n > 0)
                finding_evidence(finding,
                        "with %s in flight about %.0f were answered at a time, every %s: the others queued at the server",
                        words_counted(load->most, "request", "requests").text, load->bunch_n,
                        words_ns(load->alone_ns).text);
        else if (load->is_row)
                finding_evidence(finding,
                        "the first requests came at once and were answered after %s to %s; each later one waited as long as the last of these, %s: they stood in a row",
                        words_ns(load->row_low_ns).text, words_ns(load->row_high_ns).text,
                        words_ns(load->row_later_ns).text);
        else
                finding_evidence(finding,
                        "a response took %s with up to %s in flight, and %s when the server had little to do: requests queued there",
                        words_ns(load->many_ns).text,
                        words_counted(load->most, "request", "requests").text,
                        words_ns(load->alone_ns).text);
        finding_evidence(finding, "it gave %.3g responses per second, however many requests waited",
                load->full_per_s);
        if (load->best_n > 0)
                finding_evidence(finding,
                        "at the end, with about %.0f in flight, it gave %.3g per second: more at once slowed it down",
                        load->best_n, load->best_per_s);
        else if (onset->is_falling)
                finding_evidence(finding,
                        "its first answers came at %.3g per second, the next more slowly, and once all were there %.3g per second: more at once slowed it down",
                        onset->few_per_s, onset->later_per_s);
}

/*
 * A server that more at once slowed down may not show it: then with fewer each answer takes what it
 * takes alone, as the quickest one did. Those that came with it were together all the same. At a
 * server that answers one by one that is known to be no less.
 */
static uint64_t least_ns(const struct facts *facts, const struct load *load, uint64_t limit)
{
        if (load->is_paced || !load->least_ns)
                return facts->wall_ns;
        return whole_of((double)facts->n_attempts * (double)load->least_ns / (double)limit);
}

/*
 * The wall time with so many that more do not slow it down. By the end of the run; by its beginning
 * the pace is between those of the first answers, which came with fewer than that, and of twice as
 * many.
 */
static void predict_past_knee(struct finding *finding, const struct facts *facts,
        const struct load *load, const struct onset *onset, uint64_t limit)
{
        double times = load->best_n > 0
                               ? load->best_per_s / load->full_per_s
                               : (onset->few_per_s + onset->least_per_s) / 2 / onset->all_per_s;
        uint64_t wall_ns = whole_of((double)facts->wall_ns / times);

        finding_predict(finding, wall_ns, load->best_n > 0 ? wall_ns : least_ns(facts, load, limit),
                facts->wall_ns);
        if (load->best_n <= 0)
                finding->shown.grade = MUSTER_GRADE_B;
}

static void remedy_full(struct finding *finding, const struct facts *facts, const struct load *load,
        const struct onset *onset, const struct host_facts *host)
{
        uint64_t limit = enough_for_each(facts, load);
        uint64_t wall_ns = facts->wall_ns;
        bool is_one = facts->n_hosts == 1;

        if (!limit || (double)limit > (double)load->most * LOWER_LIMIT_MOST) {
                finding_remedy(finding,
                        "Make the server faster, or send it less work; more at once would not help.");
                return;
        }
        finding_option(finding, "%s %llu", is_one ? "--concurrency" : "--per-host",
                (unsigned long long)limit);
        if (is_past_knee(load, onset)) {
                finding_remedy(finding, "Allow %s%s at once: the run finishes sooner.",
                        is_one ? "" : "each host ", words_count(limit).text);
                predict_past_knee(finding, facts, load, onset, limit);
                return;
        }
        finding_remedy(finding,
                "A faster run needs %s; with %s at once%s the run takes no longer, and each response takes about %s%s.",
                is_one ? "a faster server"
                : host ? "a faster host"
                       : "faster servers",
                words_count(limit).text, is_one ? "" : " per host",
                words_ns(whole_of((double)limit * (double)NS_PER_S / load->full_per_s)).text,
                host ? " there" : "");
        finding_predict(finding, wall_ns, least_ns(facts, load, limit), wall_ns);
}

/*
 * The rate asked for more than the server gave. So requests would come as late at the server as
 * they do by the rate.
 */
static bool was_asked_for_more(const struct facts *facts, const struct load *load)
{
        const struct record_options *options = &facts->record->run.options;
        double rate = options->rate_per_host_per_s > 0 ? options->rate_per_host_per_s
                                                       : options->rate_per_s;

        return rate > load->full_per_s * BEYOND_SCATTER;
}

/* Most of what an answer took was an acknowledgement of our own machine: it is no queue there. */
static bool is_held_back_here(const struct facts *facts)
{
        struct spread held;

        return facts->program && told_is_held_back(&held, facts) &&
               told_is_part(held.sum, facts->service.sum, MOST_OF_TIME);
}

static bool server_saturated(const struct facts *facts, struct finding *finding)
{
        const struct host_facts *host;
        struct waiting waiting;
        struct losses losses;
        struct onset onset;
        struct load load;

        load_measure(&load, facts);
        if (!load_is_full(&load) || losses_of(&losses, facts) < 0 ||
                losses_stop_streams(&losses, facts) || serving_is_limited(facts) ||
                is_held_back_here(facts))
                return false;
        waiting_measure(&waiting, facts);
        finding->explained_ns = waiting.chain_ns;
        if (was_asked_for_more(facts, &load))
                waiting.chain_ns += facts->chain_ns[PART_RATE];
        if (!waiting_took_long(&waiting, facts) ||
                (double)load.took_ns < (double)facts->wall_ns * MOST_OF_TIME)
                return false;
        host = only_full_one(facts, &load);
        onset_of(&onset, &load, facts);
        title_full(finding, &load, &onset, host);
        tell_full(finding, facts, &load, &onset, host);
        remedy_full(finding, facts, &load, &onset, host);
        return true;
}

const struct cause causes_server[] = {
        { "server-saturated", MUSTER_GRADE_A, server_saturated, CAUSE_OF_ALL, true },
        { "server-slow", MUSTER_GRADE_A, server_slow, CAUSE_OF_ALL, true },
        { 0 },
};
