/* SPDX-License-Identifier: MIT */
/*
 * The server, or the way to it: slow, or full
 *
 * A slow server takes as long for one request as for many; a full one answers the first few quickly, and then makes the others wait
 * (load.h). Against the first it helps to have more under way, against the second it does not: they would only wait there instead of
 * here. What is said of the server holds only where this program was fast enough to see it, and where answers are what the time
 * went by with: connecting anew for each request, redirects and retries have causes of their own.
 */
#include "cause.h"

#include "capacity.h"
#include "conns.h"
#include "load.h"
#include "raise.h"
#include "uneven.h"
#include "unsent.h"
#include <base/clock.h>
#include <math.h>

#define MOST       0.5
#define LOOP_FREE  0.8 /* of the time busy at most: else it is this program that answers wait for */
#define FEW        0.1 /* of the attempts */
#define CONNS_KEPT 1.25 /* connections for each that was in use at once: the others were kept */
#define OPENING    0.25 /* of what answers took, connecting */
#define TYPICAL    0.4  /* of the wall time at least, if all answers took what the middle one did */
#define HEADROOM   1.25 /* beyond what a host had at a time on average */
#define WORTH_IT   0.75 /* of the limit at most: less of a change would not be noticed */

static double answers_ns(const struct facts *facts)
{
        return (double)(facts->chain_ns[PART_SERVER] + facts->chain_ns[PART_NETWORK]);
}

/* Connections are kept, or opening them takes little beside the answers: else it is that. */
static bool connecting_is_no_matter(const struct facts *facts)
{
        uint64_t opening_ns =
                facts->chain_ns[PART_DNS] + facts->chain_ns[PART_TCP] + facts->chain_ns[PART_TLS];

        return (double)facts->n_on_new_conn <= (double)conns_needed(facts) * CONNS_KEPT + 1 ||
               (double)opening_ns <= answers_ns(facts) * OPENING;
}

/* Waiting for answers is what made the run long, and what else there is has no other name. */
static bool answers_are_what_took_long(const struct facts *facts)
{
        double n = (double)facts->n_attempts;
        double n_again =
                (double)(facts->n_outcomes[TRACE_REDIRECTED] + facts->n_outcomes[TRACE_RETRIED] +
                         facts->n_outcomes[TRACE_REPEATED]);

        return answers_ns(facts) >= (double)facts->wall_ns * MOST && n_again <= n * FEW &&
               (double)facts->server.n >= n * MOST && connecting_is_no_matter(facts) &&
               (double)facts->loop_busy_ns <= (double)facts->wall_ns * LOOP_FREE;
}

/* --- slow --------------------------------------------------------------------------------------------------------- */

static double turns(const struct facts *facts)
{
        return facts->slots ? ceil((double)facts->n_requests / (double)facts->slots) : 1;
}

static bool is_typical(const struct facts *facts)
{
        return (double)facts->phase[MUSTER_PHASE_WAIT].p50 * turns(facts) >=
               (double)facts->wall_ns * TYPICAL;
}

/* Then it is said of the limit (causes_slots.c). */
static bool limit_is_what_matters(const struct facts *facts)
{
        return turns(facts) >= RAISE_MAX && (double)facts->full_ns >= (double)facts->wall_ns * MOST;
}

static void tell_slow(struct finding *finding, const struct facts *facts, const struct load *load)
{
        if (facts->network.sum > facts->server.sum)
                finding_title(finding, "Each answer was %s on its way, as the server is far away",
                              words_ns(facts->network.p50).text);
        else
                finding_title(finding, "Each answer took the server %s",
                              words_ns(facts->server.p50).text);
        finding_evidence(finding, "waiting for answers was %s of the wall time",
                         words_share(answers_ns(facts), (double)facts->wall_ns).text);
        finding_evidence(finding, "a typical answer took %s on the network and %s at the server",
                         words_ns(facts->network.p50).text, words_ns(facts->server.p50).text);
        if (load->answer == LOAD_FLAT)
                finding_evidence(finding,
                                 "it took %s with %s under way and %s with only a few: the server "
                                 "was not full",
                                 words_ns(load->many_ns).text,
                                 words_counted(load->most, "request", "requests").text,
                                 words_ns(load->few_ns).text);
        finding_evidence(finding, "this program was busy for %s of the time",
                         words_share((double)facts->loop_busy_ns, (double)facts->wall_ns).text);
}

static void remedy_slow(struct finding *finding, const struct facts *facts)
{
        const char *then = facts->network.sum > facts->server.sum
                                   ? "a nearer server, or one request for many things"
                                   : "a cache, a faster server, or one request for many things";
        struct replay replay;
        struct raise raise = { 0 };

        finding->explained_ns = whole_of(answers_ns(facts));
        if (facts->full_ns) {
                replay_init(&replay, facts);
                raise_limit(&raise, &replay, &replay.concurrency, facts->n_requests, facts);
        }
        if (!raise.limit) {
                finding_remedy(finding, "Use %s; more at once would not help.", then);
                return;
        }
        finding_remedy(finding,
                       "Allow %s at once, as far as the server takes it; beyond that it takes "
                       "%s.",
                       words_count(raise.limit).text, then);
        finding_option(finding, "--concurrency %llu", (unsigned long long)raise.limit);
        finding_predict(finding, raise.wall_ns, raise.low_ns, raise.high_ns);
}

static bool server_slow(const struct facts *facts, struct finding *finding)
{
        struct load load;

        if (!answers_are_what_took_long(facts) || !is_typical(facts) ||
            limit_is_what_matters(facts) || uneven_is_there(facts) || unsent_count(facts))
                return false;
        load_measure(&load, facts);
        if (load.answer == LOAD_GROWS)
                return false;
        tell_slow(finding, facts, &load);
        remedy_slow(finding, facts);
        if (load.answer != LOAD_FLAT)
                finding->shown.grade = MUSTER_GRADE_C;
        return true;
}

/* --- full --------------------------------------------------------------------------------------------------------- */

/* Where it did better with fewer, so many. */
static uint64_t enough(const struct facts *facts, const struct load *load)
{
        return load->best_n > 0 ? whole_of(ceil(load->best_n)) : capacity_of(load, facts);
}

static bool is_full(const struct load *load)
{
        return load->answer == LOAD_GROWS && load->full_per_s > 0;
}

/* Of several hosts none is to have less than it needs: one that is not full needs what it had. */
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
                if (is_full(&load) && enough(facts, &load) < n)
                        n = enough(facts, &load);
                if (n > most)
                        most = n;
        }
        return most;
}

static void tell_full(struct finding *finding, const struct load *load)
{
        finding_evidence(
                finding,
                "an answer took %s with up to %s under way, and %s when the server had little "
                "to do: they waited for each other there",
                words_ns(load->many_ns).text, words_counted(load->most, "request", "requests").text,
                words_ns(load->alone_ns).text);
        finding_evidence(finding, "it gave %.3g answers a second, however many waited",
                         load->full_per_s);
        if (load->best_n > 0)
                finding_evidence(finding,
                                 "at the end, with about %.0f under way, it gave %.3g a second: "
                                 "more at once slowed it down",
                                 load->best_n, load->best_per_s);
}

static void remedy_full(struct finding *finding, const struct facts *facts, const struct load *load)
{
        uint64_t limit = enough_for_each(facts, load);
        double gain = load->best_n > 0 ? load->full_per_s / load->best_per_s : 1;
        uint64_t wall_ns = whole_of((double)facts->wall_ns * gain);
        bool is_one = facts->n_hosts == 1;

        if ((double)limit > (double)load->most * WORTH_IT) {
                finding_remedy(finding, "Make the server faster, or ask it for less; more at once "
                                        "would not help.");
                return;
        }
        finding_option(finding, "%s %llu", is_one ? "--concurrency" : "--per-host",
                       (unsigned long long)limit);
        if (load->best_n > 0) {
                finding_remedy(finding, "Ask %sfor %s at once: it is done sooner.",
                               is_one ? "" : "each host ", words_count(limit).text);
                finding_predict(finding, wall_ns, wall_ns, facts->wall_ns);
                return;
        }
        finding_remedy(
                finding,
                "Ask %sfor %s at once, which takes no longer in all, and answers each in about "
                "%s; to be faster in all the server has to be.",
                is_one ? "" : "each host ", words_count(limit).text,
                words_ns(whole_of((double)limit * (double)NS_PER_S / load->full_per_s)).text);
        finding_predict(finding, wall_ns, wall_ns, wall_ns);
}

static bool server_saturated(const struct facts *facts, struct finding *finding)
{
        struct load load;

        if (!answers_are_what_took_long(facts))
                return false;
        load_measure(&load, facts);
        if (!is_full(&load))
                return false;
        finding->explained_ns = whole_of(answers_ns(facts));
        finding_title(finding,
                      load.best_n > 0 ? "%s requests at a time were too many for the server"
                                      : "The server was full, and could do no more than "
                                        "it did with %s requests at a time",
                      words_count(load.most).text);
        tell_full(finding, &load);
        remedy_full(finding, facts, &load);
        return true;
}

const struct cause causes_server[] = {
        { "server-saturated", MUSTER_GRADE_A, server_saturated },
        { "server-slow", MUSTER_GRADE_A, server_slow },
        { 0 },
};
