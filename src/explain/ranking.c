/* SPDX-License-Identifier: MIT */
#include "ranking.h"

#include <assert.h>
#include <base/mem.h>
#include <explain/causes/cause.h>
#include <explain/causes/program_told.h>
#include <explain/causes/proxied.h>
#include <explain/judgement.h>
#include <explain/measure/outcome.h>

static const struct cause *const families[] = {
        causes_program_flow,
        causes_program_conns,
        causes_program_loop,
        causes_program_pauses,
        causes_processor,
        causes_client,
        causes_work,
        causes_connect,
        causes_herd,
        causes_conns,
        causes_workers,
        causes_proxy,
        causes_names,
        causes_addresses,
        causes_tls,
        causes_wire,
        causes_pieces,
        causes_window,
        causes_bodies,
        causes_streams,
        causes_slots,
        causes_server,
        causes_unsteady,
        causes_input,
        causes_duplicates,
        causes_uneven,
        causes_refused,
        causes_failed,
};

#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

/* --- worth ----------------------------------------------------------------------------------- */

static uint64_t gain_ns(const struct finding *finding, const struct facts *facts)
{
        const struct muster_finding *shown = &finding->shown;

        if (!shown->has_prediction || shown->wall_ns >= facts->wall_ns)
                return 0;
        return facts->wall_ns - shown->wall_ns;
}

/*
 * Of a program that spends most of its life on something else, requests that take a tenth less are
 * not what makes it slow.
 */
static bool matters(uint64_t ns, const struct facts *facts)
{
        uint64_t told_ns = facts_told_wall_ns(facts);
        double share =
                told_is_part(facts->wall_ns, told_ns, MOST_OF_TIME) ? LINE_SHARE : GAIN_NOTICED;

        return ns >= GAIN_FELT_NS && (double)ns >= (double)told_ns * share;
}

static uint64_t failures_ns(const struct finding *finding, const struct facts *facts)
{
        double share = (double)finding->n_failed_by_it / (double)facts->n_requests;

        return whole_of((double)facts->wall_ns * (share < 1 ? share : 1));
}

uint64_t ranking_worth_ns(const struct finding *finding, const struct facts *facts)
{
        uint64_t worth_ns = gain_ns(finding, facts);
        uint64_t failed_ns = failures_ns(finding, facts);

        if (!matters(worth_ns, facts))
                worth_ns = matters(finding->explained_ns, facts) ? finding->explained_ns : 0;
        return worth_ns > failed_ns ? worth_ns : failed_ns;
}

static bool is_of_note(const struct finding *finding, const struct facts *facts)
{
        return finding->n_failed_by_it || ranking_worth_ns(finding, facts);
}

/* Of a run of our own; a watched program has all of its findings from its own side. */
static bool limits_run(const struct finding *finding, const struct facts *facts)
{
        return finding->shown.is_client && !facts_is_watched(facts) &&
               (double)ranking_worth_ns(finding, facts) >= (double)facts->wall_ns * OWN_LIMIT_FIRST;
}

/* A cause that requests failed by comes before one that would make them faster. */
bool ranking_fails_run(const struct finding *finding, const struct facts *facts)
{
        return finding->n_failed_by_it &&
               (double)finding->n_failed_by_it >= (double)facts->n_requests * FAILURES_FIRST;
}

/* Requests that nobody needs come before what only says where the time of all went. */
static bool is_needless(const struct finding *finding, const struct finding *other,
        const struct facts *facts)
{
        return finding->is_needless && !other->is_needless &&
               matters(gain_ns(finding, facts), facts) && !matters(gain_ns(other, facts), facts);
}

/* Of two that are worth about as much, the one that is surer. */
static bool is_worth_more(const struct finding *one, const struct finding *other,
        const struct facts *facts)
{
        uint64_t one_ns = ranking_worth_ns(one, facts), other_ns = ranking_worth_ns(other, facts);
        uint64_t apart_ns = one_ns > other_ns ? one_ns - other_ns : other_ns - one_ns;

        if (one->shown.grade != other->shown.grade &&
                (double)apart_ns < (double)facts->wall_ns * LINE_SHARE)
                return one->shown.grade < other->shown.grade;
        return one_ns > other_ns;
}

bool ranking_is_before(const struct finding *one, const struct finding *other,
        const struct facts *facts)
{
        bool one_fails = ranking_fails_run(one, facts),
             other_fails = ranking_fails_run(other, facts);
        bool one_limits = limits_run(one, facts), other_limits = limits_run(other, facts);

        if (one_fails != other_fails)
                return one_fails;
        if (one_limits != other_limits)
                return one_limits;
        if (is_needless(one, other, facts) || is_needless(other, one, facts))
                return is_needless(one, other, facts);
        return is_worth_more(one, other, facts);
}

/* --- asking ---------------------------------------------------------------------------------- */

/* Inserts it in its place. Equal findings stand in the order of the tables. */
static int add(struct ranking *ranking, struct finding *finding, const struct facts *facts)
{
        struct finding **findings =
                mem_realloc(ranking->findings, (ranking->n + 1) * sizeof(*findings));
        size_t at = ranking->n;

        assert(finding && finding->shown.cause);
        if (!findings)
                return MUSTER_E_RESOURCE;
        ranking->findings = findings;
        for (; at > 0 && ranking_is_before(finding, findings[at - 1], facts); at--)
                findings[at] = findings[at - 1];
        findings[at] = finding;
        ranking->n++;
        return 0;
}

/* Of a run that failed only causes of failure are told, as the other rules presume answers. */
static bool is_asked_for(const struct finding *finding, bool has_failed, const struct facts *facts)
{
        return has_failed ? finding->n_failed_by_it > 0 : is_of_note(finding, facts);
}

static int new_finding(struct finding **ret_finding, const struct cause *cause)
{
        struct finding *finding = mem_zalloc(sizeof(*finding));

        if (!finding)
                return MUSTER_E_RESOURCE;
        finding->shown.cause = cause->name;
        finding->shown.grade = cause->grade;
        *ret_finding = finding;
        return 0;
}

static int ask_for_failures(struct ranking *ranking, const struct facts *facts)
{
        struct finding *finding;
        int r = new_finding(&finding, cause_failures);

        if (r < 0)
                return r;
        if (cause_failures->rule(facts, finding))
                ranking->failures = finding;
        else
                mem_free(finding);
        return 0;
}

static int ask(struct ranking *ranking, const struct cause *cause, bool has_failed,
        const struct scatter *scatter, const struct facts *facts)
{
        struct finding *finding;
        int r;

        if (!cause_is_about(cause, facts))
                return 0;
        r = new_finding(&finding, cause);
        if (r < 0)
                return r;
        if (!cause->rule(facts, finding) || !is_asked_for(finding, has_failed, facts)) {
                mem_free(finding);
                return 0;
        }
        assert(finding->shown.title && finding->shown.remedy);
        program_reword(finding, facts);
        proxied_tell(finding, facts);
        finding_settle(finding, scatter, facts->wall_ns);
        r = add(ranking, finding, facts);
        if (r < 0)
                mem_free(finding);
        return r;
}

static void keep_first(struct ranking *ranking)
{
        while (ranking->n > RANKING_MOST)
                mem_free(ranking->findings[--ranking->n]);
}

/* They were compared by what they gain of the run. Told is the time of the whole program. */
static void surround(struct ranking *ranking, const struct scatter *scatter,
        const struct facts *facts)
{
        for (size_t i = 0; i < ranking->n; i++)
                finding_surround(ranking->findings[i], scatter, facts);
        if (ranking->failures)
                finding_surround(ranking->failures, scatter, facts);
}

int ranking_make(struct ranking *ranking, const struct facts *facts)
{
        bool has_failed = outcome_is_failure(facts);
        struct scatter scatter;
        int r = 0;

        *ranking = (struct ranking){ 0 };
        if (facts_has_holes(facts))
                return 0;
        scatter_measure(&scatter, facts);
        r = ask_for_failures(ranking, facts);
        for (size_t i = 0; i < N_FAMILIES; i++)
                for (const struct cause *cause = families[i]; r == 0 && cause->name; cause++)
                        r = ask(ranking, cause, has_failed, &scatter, facts);
        keep_first(ranking);
        surround(ranking, &scatter, facts);
        return r;
}

void ranking_deinit(struct ranking *ranking)
{
        while (ranking->n)
                mem_free(ranking->findings[--ranking->n]);
        ranking->findings = mem_free(ranking->findings);
        ranking->failures = mem_free(ranking->failures);
}
