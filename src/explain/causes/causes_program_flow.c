/* SPDX-License-Identifier: MIT */
/*
 * Watched programs: how many requests they have under way
 *
 * One, because each is awaited before the next begins; as many as a batch has, and fewer and fewer
 * until the slowest of it is done; or as many as a semaphore or a pool of threads lets through. What
 * tells them apart is what was under way when a request began, and what their code says it waited
 * for. Where a call that blocks holds the loop, requests are made one by one as well; then the loop
 * is the cause (causes_program_loop.c).
 */
#include "cause.h"

#include "library_words.h"
#include "program_served.h"
#include "program_told.h"
#include "program_unbounded.h"
#include <base/minmax.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/rounds.h>
#include <explain/model/whatif.h>

/* --- one by one ------------------------------------------------------------------------------ */

static uint64_t alone_of(const struct program_place *place)
{
        return place->alone_ns;
}

static void release(struct replay_request *request, const struct facts *facts, void *argument)
{
        (void)told_release(argument, request, facts);
}

static uint64_t wall_together_ns(const struct facts *facts, uint64_t concurrency, double work)
{
        struct told_release releasing = { .work = work };
        struct replay replay;

        replay_init(&replay, facts);
        replay.concurrency = concurrency;
        replay.change = release;
        replay.argument = &releasing;
        return replay_wall_ns(&replay, facts);
}

/* What its library lets through when all are made at once; 0: no limit. */
static uint64_t usual_limit(const struct facts *facts, enum library library)
{
        const struct program_client *client =
                programs_client(&facts->record->programs, facts->program->library_client);
        bool has_own =
                library == LIBRARY_AIOHTTP || library == LIBRARY_HTTPX || library == LIBRARY_NODE;

        return client && has_own ? client->limit : library_default_limit(library);
}

static bool awaited_one_by_one(const struct facts *facts, struct finding *finding)
{
        const struct program_facts *program = facts->program;
        enum library library = library_of(facts);
        struct spread held;
        uint32_t site, caller, n_served = served_times(facts);
        uint64_t wall_ns;

        /* Where each waits for an acknowledgement, what that spares is more than half of it. */
        if (!told_is_one_by_one(facts) ||
                (told_is_held_back(&held, facts) &&
                        told_is_part(held.sum, program->alone_ns, MOST_OF_TIME)) ||
                told_is_part(program->alone_held_ns, program->alone_ns, MOST_OF_TIME))
                return false;
        wall_ns = n_served ? served_together_ns(facts)
                           : wall_together_ns(facts, usual_limit(facts, library), WORK_TOGETHER);
        if (!told_is_gain(wall_ns, facts))
                return false;
        site = program_most(program, alone_of);
        caller = program_caller_of(facts, site);
        finding_site(finding, facts->record, caller ? caller : site);
        finding_title(finding, "The program made one request after another%s",
                told_at(facts, caller ? caller : site).text);
        finding_evidence(finding,
                "%s of %s requests began when the one before had ended, and no other was under way meanwhile",
                words_count(program->n_alone).text, words_count(facts->n_requests).text);
        finding_evidence(finding, "they took %s of the %s, %s each on average",
                words_ns(program->alone_ns).text, words_ns(facts_told_wall_ns(facts)).text,
                words_ns(program->alone_ns / program->n_alone).text);
        if (caller)
                told_made_at(finding, facts, site);
        if (n_served)
                finding_evidence(finding,
                        "it was asked itself %s times, and made %.1f of them for each of these",
                        words_count(n_served).text, (double)program->n_alone / (double)n_served);
        told_busy(finding, facts);
        told_from_outside(finding, facts);
        finding_remedy(finding,
                "Make requests that do not need each other's answer at the same time, %s.",
                library_words(library, LIBRARY_TOGETHER, 0).text);
        finding_predict(finding, wall_ns, wall_ns,
                n_served ? facts->wall_ns : wall_together_ns(facts, CAREFUL_AT_ONCE, 1));
        return true;
}

/* --- in batches ------------------------------------------------------------------------------ */

static uint64_t batches_of(const struct program_place *place)
{
        return place->n_batches;
}

static uint64_t pools_of(const struct program_place *place)
{
        return place->n_pools;
}

static uint64_t all_at_once_ns(const struct facts *facts, uint64_t concurrency)
{
        struct replay replay;

        replay_init(&replay, facts);
        replay.all_at_once = true;
        if (concurrency && (!replay.concurrency || concurrency < replay.concurrency))
                replay.concurrency = concurrency;
        return replay_wall_ns(&replay, facts);
}

/*
 * Workers that begin together, and whose requests take the same, end together: that they wait for
 * each other is not seen then, and they lose nothing by it. It is told where the code says so, or
 * where nothing else keeps them few.
 */
static bool may_be_workers(const struct rounds *rounds, const struct facts *facts)
{
        const struct program_facts *program = facts->program;
        uint32_t site = program_most(program, batches_of);
        struct raise raise;

        return !told_are_most(program->places[site].n_batches, rounds->n) &&
               told_limit_matters(&raise, NULL, facts);
}

static uint64_t requests_of(const struct program_place *place)
{
        return place->n;
}

/*
 * The line that waits for a batch; where it is not known, the one that makes a pool of threads for
 * each, or the one that makes the requests.
 */
static uint32_t site_of_batches(const struct rounds *rounds, const struct facts *facts)
{
        const struct program_facts *program = facts->program;
        uint32_t site = program_most(program, batches_of);
        uint32_t pools = program_most(program, pools_of);

        if (site && (told_are_most(program->places[site].n_batches, rounds->n) || !pools))
                return site;
        if (pools && told_are_most(program->places[pools].n_pools, rounds->n))
                return pools;
        if (site)
                return site;
        site = program_most(program, requests_of);
        pools = program_caller_of(facts, site);
        return pools ? pools : site;
}

/*
 * Expected is the run with as many under way as a batch has. Where all of a batch take the same that
 * gains nothing; then it is the run with as many as the library allows.
 */
static bool gather_barrier(const struct facts *facts, struct finding *finding)
{
        enum library library = library_of(facts);
        struct rounds rounds;
        uint64_t same_ns, more_ns;
        uint32_t site;

        rounds_count(&rounds, facts);
        if (!rounds_are_batches(&rounds, facts))
                return false;
        same_ns = all_at_once_ns(facts, rounds.largest);
        more_ns = all_at_once_ns(facts, usual_limit(facts, library));
        if (!told_is_gain(more_ns, facts) ||
                (!told_is_gain(same_ns, facts) && may_be_workers(&rounds, facts)))
                return false;
        site = site_of_batches(&rounds, facts);
        finding_site(finding, facts->record, site);
        finding_title(finding,
                "The program waited for the slowest request of each batch before it began the next%s",
                told_at(facts, site).text);
        finding_evidence(finding,
                "%s times the number of requests in flight rose, up to %s, and fell to 0 again",
                words_count(rounds.n).text, words_count(rounds.largest).text);
        finding_evidence(finding, "on average %.1f requests were in flight; a batch had %.0f",
                facts->mean_in_flight, rounds_mean(&rounds, facts));
        told_from_outside(finding, facts);
        finding_evidence(finding, "half of all requests took at most %s, the slowest took %s",
                words_ns(facts->service.p50).text, words_ns(facts->service.max).text);
        finding_remedy(finding, "Begin the next request as soon as one is done, %s.",
                library_words(library, LIBRARY_SLIDING, rounds.largest).text);
        finding_predict(finding, told_is_gain(same_ns, facts) ? same_ns : more_ns, more_ns,
                facts->wall_ns);
        return true;
}

/* --- a limit of their own -------------------------------------------------------------------- */

static void tell_times(struct finding *finding, const struct facts *facts)
{
        finding_evidence(finding, "on average %.1f requests were in flight", facts->mean_in_flight);
        finding_evidence(finding, "a request took %s, of which the server took %s",
                words_ns(facts->service.p50).text, words_ns(facts->server.p50).text);
        told_busy(finding, facts);
}

static void tell_waits(struct finding *finding, const struct facts *facts, const char *what)
{
        const struct program_limit *limit = &facts->program->limit;

        /* One that was led on may have waited each time. */
        finding_evidence(finding, "%s of %s requests waited for %s, %s on average",
                words_count(limit->n_waited).text, words_count(facts->n_attempts).text, what,
                words_ns(limit->waited_ns / limit->n_waited).text);
}

static void predict_raised(struct finding *finding, const struct raise *raise)
{
        finding_predict(finding, raise->wall_ns, raise->low_ns, raise->high_ns);
}

static bool semaphore_small(const struct facts *facts, struct finding *finding)
{
        const struct program_limit *limit = &facts->program->limit;
        struct raise raise;

        if (limit->kind != PROGRAM_LIMIT_SEMAPHORE || !told_limit_matters(&raise, finding, facts))
                return false;
        finding_site(finding, facts->record, limit->site);
        finding_title(finding, "A semaphore let %s requests through at a time%s",
                words_count(limit->value).text, told_at(facts, limit->site).text);
        tell_waits(finding, facts, "it");
        tell_times(finding, facts);
        finding_remedy(finding, "Let %s through, if the server can take it: %s.",
                words_count(raise.limit).text,
                library_words(library_of(facts), LIBRARY_SEMAPHORE, raise.limit).text);
        predict_raised(finding, &raise);
        return true;
}

static bool threads_few(const struct facts *facts, struct finding *finding)
{
        const struct program_limit *limit = &facts->program->limit;
        struct raise raise;

        if (limit->kind != PROGRAM_LIMIT_EXECUTOR || !told_limit_matters(&raise, finding, facts))
                return false;
        finding_site(finding, facts->record, limit->site);
        finding_title(finding, "A pool of %s threads made the requests%s",
                words_count(limit->value).text, told_at(facts, limit->site).text);
        tell_waits(finding, facts, "a thread");
        tell_times(finding, facts);
        finding_remedy(finding,
                "Use %s threads, if the server can take it: ThreadPoolExecutor(%llu), which asyncio.to_thread() uses after loop.set_default_executor().",
                words_count(raise.limit).text, (unsigned long long)raise.limit);
        predict_raised(finding, &raise);
        return true;
}

/* Where a limit of so many was made, of which nobody saw who waited for it; 0: it is not known. */
static uint32_t site_of_limit(const struct facts *facts, uint64_t n)
{
        const struct programs *programs = &facts->record->programs;

        for (size_t i = 0; i < programs->n_bounds; i++)
                if (!programs->bounds[i].n && programs->bounds[i].value == n &&
                        programs->bounds[i].site)
                        return programs->bounds[i].site;
        return 0;
}

/*
 * Nobody has said that there is a limit, and yet there are never more: tasks or processes, each of
 * which makes one request after another.
 */
static bool few_workers(const struct facts *facts, struct finding *finding)
{
        enum library library = library_of(facts);
        uint64_t most = facts->program->most;
        uint32_t limit = site_of_limit(facts, most);
        uint32_t site = limit ? limit : program_most(facts->program, requests_of);
        struct raise raise;

        if (facts->program->limit.kind != PROGRAM_LIMIT_NONE ||
                !told_limit_matters(&raise, finding, facts))
                return false;
        finding_site(finding, facts->record, site);
        finding_title(finding, "The program had %s requests under way, and never more%s",
                words_count(most).text, told_at(facts, site).text);
        finding_evidence(finding, "each of the others was made when one of these had ended");
        if (limit)
                finding_evidence(finding, "there a limit of %s is made", words_count(most).text);
        told_from_outside(finding, facts);
        tell_times(finding, facts);
        if (library == LIBRARY_CURL)
                finding_remedy(finding,
                        "Let curl make %s at a time, if the server can take it: %s.",
                        words_count(raise.limit).text,
                        library_words(library, LIBRARY_SEMAPHORE, raise.limit).text);
        else
                finding_remedy(finding,
                        "Let %s tasks or threads make requests in the place of %s, if the server can take it.",
                        words_count(raise.limit).text, words_count(most).text);
        predict_raised(finding, &raise);
        return true;
}

static bool pool_limit(const struct facts *facts, struct finding *finding)
{
        const struct program_limit *limit = &facts->program->limit;
        bool is_host = limit->kind == PROGRAM_LIMIT_HOST;
        enum library library = library_of(facts);
        struct library_text name = library_words(library, LIBRARY_NAME, 0);
        struct raise raise;

        if ((limit->kind != PROGRAM_LIMIT_POOL && !is_host) ||
                !told_limit_matters(&raise, finding, facts))
                return false;
        finding_site(finding, facts->record, limit->site);
        finding_title(finding, "The limit of %s connections%s%s%s held the program back%s",
                words_count(limit->value).text, is_host ? " to each host" : "",
                name.text[0] ? " of " : "", name.text, told_at(facts, limit->site).text);
        tell_waits(finding, facts, "a connection");
        tell_times(finding, facts);
        finding_remedy(finding, "Allow %s connections, if the server can take it: %s.",
                words_count(raise.limit).text,
                library_words(library, is_host ? LIBRARY_POOL_HOST : LIBRARY_POOL, raise.limit)
                        .text);
        predict_raised(finding, &raise);
        return true;
}

/* --- no limit at all ------------------------------------------------------------------------- */

static void remedy_unbounded(struct finding *finding, const struct facts *facts, uint64_t n)
{
        enum library library = library_of(facts);

        finding_remedy(finding, "Let %s through at a time, as new connections cost: %s or %s.",
                words_count(n).text, library_words(library, LIBRARY_SEMAPHORE, n).text,
                library_words(library, LIBRARY_POOL, n).text);
}

/*
 * All at once is no fault by itself. It is where requests failed, as there were not descriptors or
 * ports for all, or where most of their time went into opening connections beside each other.
 */
static bool gather_unbounded(const struct facts *facts, struct finding *finding)
{
        uint32_t site = program_most(facts->program, batches_of);
        struct unbounded unbounded;
        const struct spread *took = &unbounded.took;

        if (!unbounded_measure(&unbounded, facts))
                return false;
        finding_site(finding, facts->record, site);
        finding_title(finding, "All requests were made at once, %s at a time%s",
                words_count(facts->program->most).text, told_at(facts, site).text);
        if (unbounded.n_failed)
                finding_evidence(finding, "%s failed, as there were no more descriptors or ports",
                        words_count(unbounded.n_failed).text);
        finding_evidence(finding, "%s connections were opened; it took %s to %s, half of them %s",
                words_count(took->n).text, words_ns(took->min).text, words_ns(took->max).text,
                words_ns(took->p50).text);
        finding_evidence(finding, "that was %s of the time that requests were in flight",
                words_share((double)took->sum, (double)facts->service.sum).text);
        told_busy(finding, facts);
        remedy_unbounded(finding, facts, unbounded.best ? unbounded.best : CAREFUL_AT_ONCE);
        finding->n_failed_by_it = unbounded.n_failed;
        finding->explained_ns = facts->share_ns[PART_TCP] + facts->share_ns[PART_TLS];
        if (unbounded.best)
                finding_predict(finding, unbounded.wall_ns,
                        whole_of((double)unbounded.wall_ns * GUESS_AT_BEST), facts->wall_ns);
        return true;
}

const struct cause causes_program_flow[] = {
        { "awaited-one-by-one", MUSTER_GRADE_A, awaited_one_by_one, CAUSE_OF_PROGRAMS, true },
        { "gather-barrier", MUSTER_GRADE_A, gather_barrier, CAUSE_OF_PROGRAMS, true },
        { "semaphore-small", MUSTER_GRADE_A, semaphore_small, CAUSE_OF_PROGRAMS },
        { "semaphore-small", MUSTER_GRADE_A, threads_few, CAUSE_OF_PROGRAMS },
        { "semaphore-small", MUSTER_GRADE_A, few_workers, CAUSE_OF_PROGRAMS, true },
        { "pool-limit", MUSTER_GRADE_A, pool_limit, CAUSE_OF_PROGRAMS },
        { "gather-unbounded", MUSTER_GRADE_B, gather_unbounded, CAUSE_OF_PROGRAMS },
        { 0 },
};
