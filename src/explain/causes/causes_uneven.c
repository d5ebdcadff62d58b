/* SPDX-License-Identifier: MIT */
/*
 * Uneven: one host, or one path of a host, takes most of the time
 *
 * What is true of one host is not true of "the server": the others are not to be slowed down for
 * it, nor is their limit to be raised. A few slow answers that have nothing in common are
 * stragglers (causes_slots.c).
 */
#include "cause.h"

#include "duration.h"
#include "uneven.h"
#include <base/str.h>
#include <explain/judgement.h>
#include <explain/measure/load.h>
#include <explain/measure/waiting.h>
#include <explain/model/raise.h>

static void tell(struct finding *finding, const struct facts *facts, const struct uneven *uneven)
{
        const char *others = uneven->by == UNEVEN_BY_HOST ? "other hosts" : "other paths there";

        finding_evidence(finding, "a typical request to it took %s, to %s %s",
                words_ns(uneven->p50_ns).text, others, words_ns(uneven->rest_p50_ns).text);
        finding_evidence(finding,
                "%s of %s requests went there and took %s of the time of all requests",
                words_count(uneven->n).text, words_count(facts->n_attempts).text,
                words_share((double)uneven->sum_ns, (double)uneven->all_ns).text);
        if (uneven->n_unanswered)
                finding_evidence(finding, "%s of these were never answered",
                        words_count(uneven->n_unanswered).text);
}

static void cut_off(struct replay_request *request, const struct facts *facts, void *argument)
{
        (void)facts;
        duration_cut_off(request, *(const uint64_t *)argument);
}

/* It does not answer, so the remedy is to see that sooner. */
static void give_up_sooner(struct finding *finding, const struct facts *facts,
        const struct uneven *uneven)
{
        uint64_t most_ns =
                duration_that_loses_none(facts, whole_of((double)uneven->rest_p90_ns * PATIENCE));
        struct replay replay;
        uint64_t wall_ns;

        finding_remedy(finding,
                "Leave it out, or give up earlier: nine of ten other requests were done within %s.",
                words_ns(uneven->rest_p90_ns).text);
        if ((double)most_ns * GIVE_UP_GAINS > (double)uneven->p50_ns)
                return;
        replay_init(&replay, facts);
        replay.change = cut_off;
        replay.argument = &most_ns;
        wall_ns = replay_wall_ns(&replay, facts);
        finding_option(finding, "--max-time %s", duration_option(most_ns).text);
        finding_predict(finding, wall_ns, wall_ns, wall_ns);
}

/* Then that finding has more at once as its remedy (causes_slots.c). */
static bool limit_goes_first(const struct facts *facts)
{
        struct raise raise;

        return raise_is_called_for(&raise, facts) && !uneven_goes_first(facts, &raise);
}

/* It answers as fast as it can. What is left is to have more of its requests under way. */
static void ask_for_more(struct finding *finding, const struct facts *facts)
{
        struct replay replay;
        struct raise raise = { 0 };
        struct load load;

        load_measure(&load, facts);
        if (load.answer != LOAD_GROWS && !limit_goes_first(facts)) {
                replay_init(&replay, facts);
                raise_limit(&raise, &replay, &replay.concurrency, facts->n_requests, facts);
        }
        if (!raise.limit) {
                finding_remedy(finding,
                        "Find out why it takes longer, or fetch it separately, so that the others finish sooner.");
                return;
        }
        finding_remedy(finding,
                "Allow %s at once, so that more of these are in flight; or fetch them separately.",
                words_count(raise.limit).text);
        finding_option(finding, "--concurrency %llu", (unsigned long long)raise.limit);
        finding_predict(finding, raise.wall_ns, raise.low_ns, raise.high_ns);
}

/* Then it is slow because it is full, and another rule tells of that (causes_server.c). */
static bool is_full(const struct facts *facts, const struct uneven *uneven)
{
        struct waiting waiting;
        struct load load;

        waiting_measure(&waiting, facts);
        load_measure(&load, facts);
        return uneven->by == UNEVEN_BY_HOST && load.origin == uneven->which &&
               load_is_full(&load) && waiting_took_long(&waiting, facts);
}

static bool tell_uneven(const struct facts *facts, struct finding *finding, enum uneven_by by,
        const char *what)
{
        struct uneven uneven;

        if (!uneven_find(&uneven, facts) || uneven.by != by || is_full(facts, &uneven))
                return false;
        finding->explained_ns = uneven_cost_ns(&uneven, facts);
        if ((double)uneven.n_unanswered >= (double)uneven.n * MOST_OF_THEM) {
                finding_title(finding, "The %s %.*s does not respond", what, STR_ARGS(uneven.name));
                tell(finding, facts, &uneven);
                give_up_sooner(finding, facts, &uneven);
        } else {
                finding_title(finding, "The %s %.*s is slow", what, STR_ARGS(uneven.name));
                tell(finding, facts, &uneven);
                ask_for_more(finding, facts);
        }
        return true;
}

static bool slow_host(const struct facts *facts, struct finding *finding)
{
        return tell_uneven(facts, finding, UNEVEN_BY_HOST, "host");
}

static bool slow_path(const struct facts *facts, struct finding *finding)
{
        return tell_uneven(facts, finding, UNEVEN_BY_PATH, "path");
}

const struct cause causes_uneven[] = {
        { "slow-host", MUSTER_GRADE_A, slow_host },
        { "slow-path", MUSTER_GRADE_A, slow_path },
        { 0 },
};
