/* SPDX-License-Identifier: MIT */
/*
 * Refused: answers that made us come again
 *
 *      throttled           it takes so many a second: the remedy is to ask more slowly
 *      connection-limit    it takes so many at once: the remedy is fewer at once
 *      retries             neither: it is in trouble
 *
 * A server that says 429 counts requests. One that says 503 may do so as well, or it has a limit of
 * connections, or a queue that is full. What it let in tells which (refusals.h). Where it let in
 * hardly any, that says too little, and no figure is given.
 * Everything else that was tried again (500, connections that broke) is a server in trouble, which
 * no limit of ours cures.
 *
 * The client may have slowed down by itself to what the server lets in (core/throttle.h). Then few
 * are refused. What can be gained is the time that it took to learn the pace; the rest is the limit
 * of the server, which only its owner can raise.
 *
 * A refusal comes at once, and is no sample of what an answer takes: predictions go by the requests
 * that were let in.
 *
 * Of several hosts the rules look at the one that refused most. What it lets in says nothing of the
 * others, and these are not to be slowed down for it.
 */
#include "cause.h"

#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <base/str.h>
#include <explain/facts/life.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/refusals.h>
#include <explain/model/whatif.h>
#include <math.h>

/* --- throttled ------------------------------------------------------------------------------- */

static void tell_refusals(struct finding *finding, const struct facts *facts,
        const struct refusals *refusals)
{
        if (refusals->n_too_many)
                finding_evidence(finding, "%s of %s responses were 429, \"Too Many Requests\"",
                        words_count(refusals->n_too_many).text,
                        words_count(refusals->n_attempts).text);
        if (refusals->n_full)
                finding_evidence(finding, "%s of %s responses were 503, \"Service Unavailable\"",
                        words_count(refusals->n_full).text, words_count(refusals->n_attempts).text);
        if (refusals->asked_ns)
                finding_evidence(finding, "Retry-After asked for waits of up to %s",
                        words_ns(refusals->asked_ns).text);
        if (facts->chain_ns[PART_BACKOFF])
                finding_evidence(finding, "waiting before retries was %s of the wall time",
                        words_share((double)facts->chain_ns[PART_BACKOFF], (double)facts->wall_ns)
                                .text);
        if (refusals->n_elsewhere)
                finding_evidence(finding, "other hosts refused %s more",
                        words_count(refusals->n_elsewhere).text);
        if (refusals->n_final_elsewhere)
                finding_evidence(finding, "%s to them never got another response",
                        words_counted(refusals->n_final_elsewhere, "request", "requests").text);
}

/*
 * What the other hosts would need. A limit for each host holds for all of them, so the busiest of
 * the others decides: by its attempts where the rate is limited, by the time of these where the
 * number at once is.
 */
struct others {
        size_t n_attempts;
        uint64_t service_ns;
};

static struct others others_of(const struct facts *facts, const struct refusals *refusals)
{
        struct others others = { 0 };

        for (size_t i = 0; i < facts->n_hosts; i++) {
                const struct host_facts *host = &facts->hosts[i];

                if (host->origin == refusals->origin)
                        continue;
                if (host->n_attempts > others.n_attempts)
                        others.n_attempts = host->n_attempts;
                if (host->service.sum > others.service_ns)
                        others.service_ns = host->service.sum;
        }
        return others;
}

static bool is_held_up(uint64_t others_ns, const struct facts *facts)
{
        return (double)others_ns > (double)facts->wall_ns * BEYOND_SCATTER;
}

/*
 * How many a second it lets in, at least; 0: not known. Requests before its first refusal may have
 * come out of a stock (a bucket of tokens), which is used up once in a run of any length. So they
 * count once, and the others by the time that they took.
 */
static double mean_let_in(const struct refusals *refusals)
{
        double took_s = (double)(refusals->last_ns - refusals->first_ns) / (double)NS_PER_S;
        double n = (double)refusals->n_requests, n_first = (double)refusals->n_let_in_first;

        if (refusals->n_let_in < refusals->n_let_in_first + PACE_LEAST || n <= n_first ||
                took_s * (double)NS_PER_S < (double)PACE_LEAST_NS ||
                (double)refusals->n_let_in < (double)refusals->n_attempts * LET_IN_TO_TELL)
                return 0;
        return ((double)refusals->n_let_in - n_first) / took_s * n / (n - n_first);
}

/*
 * The mean has the waits in it that refusals made us take, in which a server lets in nobody. What it
 * let in at best for a while is nearer to what it allows.
 */
static double rate_let_in(const struct refusals *refusals)
{
        double rate = fmax(mean_let_in(refusals), refusals->best_per_s);

        return rate > 1 ? floor(rate) : rate;
}

static void remedy_without_figure(struct finding *finding, const struct facts *facts,
        const struct refusals *refusals)
{
        bool is_one = facts->n_hosts <= 1;

        if (facts->program)
                finding_remedy(finding,
                        refusals->n_too_many
                                ? "Make fewer requests a second; the server accepted too few of them to tell its limit."
                                : "Find out the server's limit; then make fewer requests a second, or fewer at once.");
        else if (refusals->n_too_many)
                finding_remedy(finding,
                        "Use a lower rate with %s; the server accepted too few requests to tell its limit.",
                        is_one ? "--rate" : "--rate-per-host");
        else
                finding_remedy(finding,
                        "Find out the server's limit; then lower the rate (%s) or the number at once (%s).",
                        is_one ? "--rate" : "--rate-per-host",
                        is_one ? "--concurrency" : "--per-host");
}

static void remedy_rate(struct finding *finding, const struct facts *facts,
        const struct refusals *refusals)
{
        bool is_one = facts->n_hosts <= 1;
        double rate = rate_let_in(refusals);
        uint64_t others_ns, wall_ns;

        if (rate <= 0) {
                remedy_without_figure(finding, facts, refusals);
                return;
        }
        others_ns =
                whole_of((double)others_of(facts, refusals).n_attempts / rate * (double)NS_PER_S);
        if (is_held_up(others_ns, facts)) {
                finding_remedy(finding,
                        "Fetch from this host in a separate run at the rate it accepts, %s per second: it should refuse nothing then, and the others are not held up.",
                        words_rate(rate).text);
                return;
        }
        wall_ns = whole_of((double)refusals->n_requests / rate * (double)NS_PER_S);
        wall_ns = max_u64(wall_ns, others_ns);
        finding_remedy(finding,
                "Limit the rate %s accepts, %s per second: then it should refuse nothing, and no request waits for a retry.",
                is_one ? "to what the server" : "per host to what this one", words_rate(rate).text);
        finding_option(finding, rate < 1 ? "%s %.3g/s" : "%s %.0f/s",
                is_one ? "--rate" : "--rate-per-host", rate);
        finding_predict(finding, wall_ns, wall_ns, wall_ns);
}

/*
 * The wall time with so many at once. Each takes as long as one that was let in, and a server that
 * had as many as it takes is no faster than it was. One that had fewer, as we waited before we came
 * again, had room: then it is no faster at worst.
 */
static void predict_fewer(struct finding *finding, const struct refusals *refusals, uint64_t limit,
        uint64_t others_ns)
{
        double n = (double)refusals->n_requests;
        uint64_t slots_ns = whole_of(n * (double)refusals->service_ns / (double)limit);
        uint64_t server_ns = whole_of(n * (double)refusals->busy_ns / (double)refusals->n_let_in);
        uint64_t best_ns = max_u64(slots_ns, others_ns);
        uint64_t worst_ns = max_u64(best_ns, server_ns);
        uint64_t wall_ns = refusals->had_room ? best_ns : worst_ns;

        if (refusals->n_let_in >= PACE_LEAST &&
                (double)refusals->n_let_in >= (double)refusals->n_attempts * LET_IN_TO_TELL)
                finding_predict(finding, wall_ns, best_ns,
                        max_u64(worst_ns, whole_of((double)wall_ns * GUESS_AT_WORST)));
}

/* With fewer in its queue the server works as fast, and refuses nobody. */
static void remedy_fewer(struct finding *finding, const struct facts *facts,
        const struct refusals *refusals)
{
        bool is_one = facts->n_hosts <= 1;
        uint64_t limit = max_u64(whole_of((double)refusals->let_in_at_once * LET_IN_MARGIN), 1);
        uint64_t others_ns = others_of(facts, refusals).service_ns / limit;

        if (is_held_up(others_ns, facts)) {
                finding_remedy(finding,
                        "Fetch from this host in a separate run with %s at once: with more than %s it refused. Then the others are not held up.",
                        words_count(limit).text, words_count(refusals->let_in_at_once).text);
                return;
        }
        finding_remedy(finding,
                "Allow %s%s at once, or have its limit raised: with more than %s the server refused. It works as fast with fewer, and no request waits for a retry.",
                is_one ? "" : "each host ", words_count(limit).text,
                words_count(refusals->let_in_at_once).text);
        finding_option(finding, "%s %llu", is_one ? "--concurrency" : "--per-host",
                (unsigned long long)limit);
        predict_fewer(finding, refusals, limit, others_ns);
}

/* "429", "503", or both. */
static const char *final_status(const struct refusals *refusals)
{
        if (!refusals->n_final_too_many)
                return "503";
        return refusals->n_final_too_many == refusals->n_final ? "429" : "429 or 503";
}

static void title_final(struct finding *finding, const struct facts *facts,
        const struct refusals *refusals)
{
        struct words n = words_count(refusals->n_final);
        struct words n_all = words_counted(refusals->n_requests, "request", "requests");

        if (facts->n_hosts <= 1)
                finding_title(finding, "%s of %s %s finally refused (%s)", n.text, n_all.text,
                        refusals->n_final == 1 ? "was" : "were", final_status(refusals));
        else
                finding_title(finding, "The host %.*s finally refused %s of %s (%s)",
                        STR_ARGS(origin_key(facts->record, refusals->origin)), n.text, n_all.text,
                        final_status(refusals));
}

static void title_refused(struct finding *finding, const struct facts *facts,
        const struct refusals *refusals)
{
        const struct words n = words_count(refusals->n_too_many + refusals->n_full);
        const struct words n_all = words_count(refusals->n_attempts);

        if (refusals->n_final)
                title_final(finding, facts, refusals);
        else if (facts->n_hosts <= 1)
                finding_title(finding, "The server refused %s of %s attempts as too many", n.text,
                        n_all.text);
        else
                finding_title(finding, "The host %.*s refused %s of %s attempts as too many",
                        STR_ARGS(origin_key(facts->record, refusals->origin)), n.text, n_all.text);
}

/* A 503 that passed by itself, without saying when to come again, may be any trouble. */
static bool is_throttling(const struct refusals *refusals)
{
        return refusals->n_too_many || refusals->asked_ns || refusals->n_final ||
               refusals->n_final_elsewhere;
}

/* A server in trouble answers 503 now and then; this one does so regularly. */
static bool counts_by_the_second(const struct refusals *refusals)
{
        return refusals->n_too_many || refusals->asked_ns ||
               (double)refusals->n_full >= (double)refusals->n_attempts * MOST_OF_THEM;
}

/* The run kept to the pace that the refusals taught, for much of its time. */
static bool is_slowed_down(const struct facts *facts)
{
        return (double)facts->chain_ns[PART_REFUSED] >= (double)facts->wall_ns * BACKOFF_MATTERS;
}

/* The wall time at the pace that was reached in the end, kept from the start. */
static uint64_t wall_at_best_ns(const struct facts *facts, const struct refusals *refusals)
{
        double rate = floor(refusals->best_per_s);

        return rate > 0 ? whole_of((double)refusals->n_requests / rate * (double)NS_PER_S)
                        : facts->wall_ns;
}

static void title_slowed_down(struct finding *finding, const struct facts *facts,
        const struct refusals *refusals)
{
        size_t n = refusals->n_too_many + refusals->n_full;
        struct muster_str host = origin_key(facts->record, refusals->origin);
        bool is_one = facts->n_hosts <= 1;

        finding_title(finding, "%s%.*s refused %s, so the run slowed down to the rate it accepts",
                is_one ? "The server" : "The host ", is_one ? 0 : (int)host.len, host.at,
                words_counted(n, "attempt", "attempts").text);
}

static void tell_slowed_down(struct finding *finding, const struct facts *facts,
        const struct refusals *refusals)
{
        finding_evidence(finding,
                "waits after refusals and the lower rate took %s of the wall time",
                words_share((double)facts->chain_ns[PART_REFUSED] +
                                    (double)facts->chain_ns[PART_BACKOFF],
                        (double)facts->wall_ns)
                        .text);
        if (refusals->best_per_s > 0)
                finding_evidence(finding, "the best lasting rate it accepted was %s per second",
                        words_rate(refusals->best_per_s).text);
}

static void remedy_slowed_down(struct finding *finding, const struct facts *facts,
        const struct refusals *refusals)
{
        uint64_t wall_ns = wall_at_best_ns(facts, refusals);
        uint64_t others_ns = 0;

        if (refusals->best_per_s >= 1)
                others_ns = whole_of((double)others_of(facts, refusals).n_attempts /
                                     floor(refusals->best_per_s) * (double)NS_PER_S);
        if ((double)wall_ns * BEYOND_SCATTER > (double)facts->wall_ns ||
                is_held_up(others_ns, facts)) {
                finding_remedy(finding,
                        "Ask the server's owner for a higher limit, or make fewer requests; a rate from the start would gain little.");
                return;
        }
        wall_ns = max_u64(wall_ns, others_ns);
        finding_remedy(finding,
                "Use that rate from the start: then little is refused and nothing has to wait.");
        finding_option(finding, "%s %.0f/s", facts->n_hosts <= 1 ? "--rate" : "--rate-per-host",
                floor(refusals->best_per_s));
        finding_predict(finding, wall_ns, wall_ns, facts->wall_ns);
}

/* So many that they are no accident; or they were few, as the run kept to what they taught. */
static bool do_matter(const struct refusals *refusals, const struct facts *facts)
{
        size_t n_refused = refusals->n_too_many + refusals->n_full + refusals->n_elsewhere;

        return n_refused &&
               (is_slowed_down(facts) ||
                       (double)n_refused >= (double)facts->n_attempts * REFUSALS_NOT_FEW);
}

/* Its refusals hang on how many are there at once, and not on how many come in a second. */
static bool counts_at_once(const struct refusals *refusals)
{
        return refusals->n_full > refusals->n_too_many && refusals->let_in_at_once;
}

static bool throttled(const struct facts *facts, struct finding *finding)
{
        struct refusals refusals;

        refusals_find(&refusals, facts);
        if (!do_matter(&refusals, facts) || counts_at_once(&refusals) ||
                (!is_throttling(&refusals) && !is_slowed_down(facts)))
                return false;
        finding->n_failed_by_it = refusals.n_final + refusals.n_final_elsewhere;
        finding->explained_ns = facts->chain_ns[PART_BACKOFF] + facts->chain_ns[PART_REFUSED];
        if (is_slowed_down(facts) && !finding->n_failed_by_it)
                title_slowed_down(finding, facts, &refusals);
        else
                title_refused(finding, facts, &refusals);
        tell_refusals(finding, facts, &refusals);
        if (is_slowed_down(facts))
                tell_slowed_down(finding, facts, &refusals);
        if (is_slowed_down(facts) && !finding->n_failed_by_it)
                remedy_slowed_down(finding, facts, &refusals);
        else if (counts_by_the_second(&refusals))
                remedy_rate(finding, facts, &refusals);
        else
                remedy_without_figure(finding, facts, &refusals);
        return true;
}

/* --- connection-limit ------------------------------------------------------------------------ */

static void title_limit(struct finding *finding, const struct facts *facts,
        const struct refusals *refusals)
{
        struct muster_str host = origin_key(facts->record, refusals->origin);
        struct words most = words_counted(refusals->let_in_at_once, "request", "requests");
        bool is_one = facts->n_hosts <= 1;

        if (refusals->n_final)
                finding_title(finding,
                        "%s%.*s takes only %s at once: %s of %s %s finally refused (%s)",
                        is_one ? "The server" : "The host ", is_one ? 0 : (int)host.len, host.at,
                        most.text, words_count(refusals->n_final).text,
                        words_count(refusals->n_requests).text,
                        refusals->n_final == 1 ? "was" : "were", final_status(refusals));
        else
                finding_title(finding, "%s%.*s takes only %s at once: it refused %s of %s attempts",
                        is_one ? "The server" : "The host ", is_one ? 0 : (int)host.len, host.at,
                        most.text, words_count(refusals->n_too_many + refusals->n_full).text,
                        words_count(refusals->n_attempts).text);
}

/* A limit of connections, or of requests at once. What it let in is answered all the same. */
static bool connection_limit(const struct facts *facts, struct finding *finding)
{
        struct refusals refusals;

        refusals_find(&refusals, facts);
        if (!do_matter(&refusals, facts) || !counts_at_once(&refusals))
                return false;
        finding->n_failed_by_it = refusals.n_final + refusals.n_final_elsewhere;
        finding->explained_ns = facts->chain_ns[PART_BACKOFF] + facts->chain_ns[PART_REFUSED];
        title_limit(finding, facts, &refusals);
        finding_evidence(finding,
                "it refused while %s or more that it had accepted were in flight, and hardly ever while fewer were",
                words_count(refusals.let_in_at_once).text);
        tell_refusals(finding, facts, &refusals);
        if (is_slowed_down(facts))
                tell_slowed_down(finding, facts, &refusals);
        remedy_fewer(finding, facts, &refusals);
        return true;
}

/* --- tried again for other reasons ----------------------------------------------------------- */

/* Attempts that were tried again, and the status of most of them; 0: no answer. */
struct troubles {
        bool is_throttled; /* then refusals have a finding of their own */
        size_t n;
        int usual_status;
};

static void find_troubles(struct troubles *troubles, const struct facts *facts)
{
        const struct record *record = facts->record;
        struct refusals refusals;
        size_t n[600] = { 0 };

        refusals_find(&refusals, facts);
        *troubles = (struct troubles){ .is_throttled = is_throttling(&refusals) ||
                                                       counts_at_once(&refusals) };
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                int status = attempt->status > 0 && attempt->status < 600 ? attempt->status : 0;

                if (attempt->outcome != TRACE_RETRIED ||
                        (troubles->is_throttled && refusals_is_one(attempt)))
                        continue;
                troubles->n++;
                if (++n[status] > n[troubles->usual_status])
                        troubles->usual_status = status;
        }
}

static bool is_success(const struct trace_attempt *last)
{
        return last->is_last && last->code == MUSTER_OK && last->status && last->status < 500 &&
               last->status != 429;
}

/* How long the last attempt of each of those took. None without memory. */
static void measure_successes(struct spread *service, const struct facts *facts)
{
        const struct record *record = facts->record;
        uint64_t *values = mem_array(record->n_attempts, sizeof(*values));
        size_t n = 0;

        for (size_t i = 0; values && i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                if (is_success(attempt) && attempt->stamps.slot_ns)
                        values[n++] = life_end_ns(attempt) - attempt->stamps.slot_ns;
        }
        spread_of(service, values, n);
        mem_free(values);
}

/* A request that failed to the end takes what others took that were answered. */
static void let_succeed(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct spread *service = argument;

        (void)facts;
        (void)is_warm;
        if (is_success(request->last))
                return;
        for (int i = 0; i < PART_N; i++)
                request->slot_ns[i] = 0;
        request->slot_ns[PART_SERVER] = service->p50;
}

/*
 * The wall time with only the attempt that succeeded, and no wait before it. Where hardly any
 * succeeded nobody knows how long that takes.
 */
static void predict_without_retries(struct finding *finding, const struct facts *facts)
{
        struct spread service;
        struct whatif whatif = {
                .is_last_only = true, .change = let_succeed, .argument = &service
        };
        uint64_t wall_ns;

        measure_successes(&service, facts);
        if ((double)service.n < (double)facts->n_requests * MOST_OF_THEM)
                return;
        wall_ns = whatif_wall_ns(&whatif, facts);
        finding_predict(finding, wall_ns, wall_ns, facts->wall_ns);
}

static bool retries(const struct facts *facts, struct finding *finding)
{
        struct troubles troubles;

        find_troubles(&troubles, facts);
        if (!troubles.n || (double)troubles.n < (double)facts->n_attempts * REFUSALS_NOT_FEW ||
                (double)facts->chain_ns[PART_BACKOFF] < (double)facts->wall_ns * BACKOFF_MATTERS)
                return false;
        finding->explained_ns = facts->chain_ns[PART_BACKOFF];
        finding_title(finding, "Waiting before %s took %s of the run",
                words_counted(troubles.n, "retry", "retries").text,
                words_share((double)facts->chain_ns[PART_BACKOFF], (double)facts->wall_ns).text);
        if (troubles.usual_status)
                finding_evidence(finding,
                        "%s of %s attempts were retried; most of them were answered with status %d",
                        words_count(troubles.n).text, words_count(facts->n_attempts).text,
                        troubles.usual_status);
        else
                finding_evidence(finding,
                        "%s of %s attempts were retried; most of them got no response",
                        words_count(troubles.n).text, words_count(facts->n_attempts).text);
        finding_evidence(finding, "the waits of all retries, many at the same time, add up to %s",
                words_ns(facts->phase[MUSTER_PHASE_BACKOFF].sum).text);
        finding_evidence(finding, "a response itself took %s", words_ns(facts->service.p50).text);
        finding_remedy(finding,
                "Find out at the server why it fails; fewer failures save the waits.");
        predict_without_retries(finding, facts);
        return true;
}

const struct cause causes_refused[] = {
        { "throttled", MUSTER_GRADE_A, throttled },
        { "connection-limit", MUSTER_GRADE_A, connection_limit },
        { "retries", MUSTER_GRADE_A, retries },
        { 0 },
};
