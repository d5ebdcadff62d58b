/* SPDX-License-Identifier: MIT */
/*
 * What is not steady: a run whose middle answer says little, as they changed with time (timeline.h)
 *
 *      cold-start      the first answers of a host took far longer than all others
 *      server-pauses   a host stopped for a while now and then, and everything there with it
 *
 * A few slow answers beside which others went on are stragglers (causes_slots.c). Where first
 * answers are late because connections are taken in one by one, that is told (causes_connect.c).
 */
#include "cause.h"

#include <base/clock.h>
#include <base/str.h>
#include <explain/facts/timeline.h>
#include <explain/judgement.h>
#include <explain/measure/accepting.h>
#include <explain/measure/conns.h>
#include <explain/model/whatif.h>
#include <stdio.h>

static void take_away(uint64_t *ns, uint64_t less_ns)
{
        *ns -= less_ns < *ns ? less_ns : *ns;
}

/* "The server", or which of several. */
static void begin_title(char *text, size_t size, const struct facts *facts,
        const struct timeline *timeline)
{
        struct muster_str name = origin_key(facts->record, timeline->origin);

        if (facts->n_hosts > 1)
                snprintf(text, size, "The host %.*s", STR_ARGS(name));
        else
                snprintf(text, size, "The server");
}

/* --- cold-start ------------------------------------------------------------------------------ */

static const struct timeline *coldest(const struct facts *facts)
{
        const struct timeline *coldest = NULL;
        uint64_t most_ns = 0;

        for (size_t i = 0; i < facts->timelines->n; i++) {
                const struct timeline *timeline = &facts->timelines->hosts[i];
                const struct timeline_cold *cold = &timeline->cold;

                if (cold->n && cold->p50_ns - cold->rest_p50_ns > most_ns) {
                        most_ns = cold->p50_ns - cold->rest_p50_ns;
                        coldest = timeline;
                }
        }
        return coldest;
}

static void be_warm(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct timeline *timeline = argument;
        const struct timeline_cold *cold = &timeline->cold;

        (void)is_warm;
        if (request->last && request->last->origin == timeline->origin &&
                timeline_is_cold(facts, request->last) &&
                request->slot_ns[PART_SERVER] > cold->rest_p50_ns)
                request->slot_ns[PART_SERVER] = cold->rest_p50_ns;
}

/* The server's part of a handshake may be what its first answers wait for. */
static bool is_by_handshakes(const struct facts *facts, const struct timeline *timeline)
{
        return facts->phase[MUSTER_PHASE_TLS].n &&
               (double)facts->phase[MUSTER_PHASE_TLS].p50 >=
                       (double)timeline->cold.p50_ns * MOST_OF_TIME;
}

static void tell_cold(struct finding *finding, const struct timeline *timeline)
{
        const struct timeline_cold *cold = &timeline->cold;

        finding_evidence(finding, "the first %s took %s, the other %s %s, with as many in flight",
                cold->n == 1 ? "response" : words_counted(cold->n, "response", "responses").text,
                words_ns(cold->p50_ns).text, words_count(cold->n_rest).text,
                words_ns(cold->rest_p50_ns).text);
        finding_evidence(finding,
                "this is the time from the request sent to the first byte back: opening the connection is not in it");
        if (cold->n_new_later)
                finding_evidence(finding,
                        "later connections began as fast as the others: it is the server that was cold, not each connection");
}

static bool cold_start(const struct facts *facts, struct finding *finding)
{
        const struct timeline *timeline = coldest(facts);
        struct timeline copy;
        uint64_t wall_ns;
        char who[200];

        if (!timeline || is_by_handshakes(facts, timeline) || accepting_held_up(facts))
                return false;
        copy = *timeline;
        wall_ns = whatif_wall_ns(&(struct whatif){ .change = be_warm, .argument = &copy }, facts);
        if ((double)wall_ns > (double)facts->wall_ns * (1 - GAIN_NOTICED))
                return false;
        begin_title(who, sizeof(who), facts, timeline);
        if (timeline->cold.n == 1)
                finding_title(finding,
                        "%s started cold: the first response took %s, a later one %s", who,
                        words_ns(timeline->cold.p50_ns).text,
                        words_ns(timeline->cold.rest_p50_ns).text);
        else
                finding_title(finding,
                        "%s started cold: the first %s responses took %s each, later ones %s", who,
                        words_count(timeline->cold.n).text, words_ns(timeline->cold.p50_ns).text,
                        words_ns(timeline->cold.rest_p50_ns).text);
        tell_cold(finding, timeline);
        finding_remedy(finding,
                "Warm the server up with a request before the run, or find out what it does for the first ones: it fills caches, starts workers, compiles, or connects to a database.");
        finding_predict(finding, wall_ns, wall_ns,
                wall_ns + whole_of((double)wall_ns * LONGER_AT_WORST));
        if (timeline->cold.n < SAMPLE_LEAST || !timeline->cold.n_new_later)
                finding->shown.grade = MUSTER_GRADE_B;
        return true;
}

/* --- server-pauses --------------------------------------------------------------------------- */

static const struct timeline *most_paused(const struct facts *facts)
{
        const struct timeline *most = NULL;

        for (size_t i = 0; i < facts->timelines->n; i++) {
                const struct timeline *timeline = &facts->timelines->hosts[i];

                if (timeline->n_pauses && (!most || timeline->paused_ns > most->paused_ns))
                        most = timeline;
        }
        return most;
}

static void stand_still_no_more(struct replay_request *request, const struct facts *facts,
        bool is_warm, void *argument)
{
        (void)is_warm;
        (void)argument;
        if (request->last)
                take_away(&request->slot_ns[PART_SERVER], timeline_paused_ns(facts, request->last));
}

/*
 * On this machine, beside others who use its processors: then the scheduler makes pauses, too. It
 * keeps to no period.
 */
static bool is_by_scheduler(const struct facts *facts, const struct timeline *timeline)
{
        int64_t us = record_counter_growth(facts->record, "pressure.cpu_us");
        uint64_t each_ns = timeline->paused_ns / timeline->n_pauses;

        return us > 0 && !timeline->every_ns &&
               (double)us * (double)NS_PER_US >= (double)facts->wall_ns * MOST_OF_TIME &&
               each_ns < PAUSE_BY_SCHEDULER_NS;
}

/* Did all hosts with enough answers stop? Then what they have in common stopped. */
static bool is_common(const struct facts *facts)
{
        for (size_t i = 0; i < facts->timelines->n; i++) {
                const struct timeline *timeline = &facts->timelines->hosts[i];

                if (timeline->n >= PACE_LEAST && !timeline->n_pauses)
                        return false;
        }
        return facts->timelines->n > 1;
}

static void title_pauses(struct finding *finding, const struct facts *facts,
        const struct timeline *timeline)
{
        uint64_t each_ns = timeline->paused_ns / timeline->n_pauses;
        char who[200];

        begin_title(who, sizeof(who), facts, timeline);
        if (is_common(facts))
                snprintf(who, sizeof(who), "All hosts at the same time, or the network to them,");
        if (timeline->n_pauses == 1)
                finding_title(finding, "%s stopped once, for %s: all %s requests there waited", who,
                        words_ns(each_ns).text, words_count(timeline->n_waited).text);
        else if (timeline->every_ns)
                finding_title(finding, "%s stopped %s times, for %s every %s", who,
                        words_count(timeline->n_pauses).text, words_ns(each_ns).text,
                        words_ns(timeline->every_ns).text);
        else
                finding_title(finding, "%s stopped %s times, for %s on average", who,
                        words_count(timeline->n_pauses).text, words_ns(each_ns).text);
}

static void tell_pauses(struct finding *finding, const struct facts *facts,
        const struct timeline *timeline)
{
        const struct timeline_pause *pause = &timeline->pauses[0];

        for (size_t i = 1; i < timeline->n_pauses; i++)
                if (timeline->pauses[i].end_ns - timeline->pauses[i].begin_ns >
                        pause->end_ns - pause->begin_ns)
                        pause = &timeline->pauses[i];
        finding_evidence(finding,
                "the longest one began %s after the start and took %s: %s requests were in flight on several connections, and none of them was answered in that time",
                words_ns(pause->begin_ns - facts->start_ns).text,
                words_ns(pause->end_ns - pause->begin_ns).text, words_count(pause->n_waiting).text);
        if (timeline->n_pauses > 1)
                finding_evidence(finding,
                        "%s of %s requests waited in them; they took %s of the wall time together",
                        words_count(timeline->n_waited).text, words_count(timeline->n).text,
                        words_share((double)timeline->paused_ns, (double)facts->wall_ns).text);
        if (timeline->n_pauses > PERIOD_LEAST && !timeline->every_ns)
                finding_evidence(finding, "they came at no even distance");
        finding_evidence(finding,
                "a response typically took %s; no packets were lost, and this program was busy for %s of the time",
                words_ns(timeline->p50_ns).text,
                words_share((double)facts->loop_busy_ns, (double)facts->wall_ns).text);
}

static bool server_pauses(const struct facts *facts, struct finding *finding)
{
        const struct timeline *timeline = most_paused(facts);
        uint64_t wall_ns;

        if (!timeline || is_by_scheduler(facts, timeline))
                return false;
        wall_ns = whatif_wall_ns(&(struct whatif){ .change = stand_still_no_more }, facts);
        title_pauses(finding, facts, timeline);
        tell_pauses(finding, facts, timeline);
        finding_remedy(finding, "%s",
                timeline->n_pauses == 1
                        ? "Look at what the server did then: garbage collection, a write to disk, a lock, or one heavy request that the others waited for."
                        : "Look at what the server does then: garbage collection, writes to disk, a periodic job, or heavy requests that the others wait for.");
        finding_predict(finding, wall_ns, wall_ns,
                wall_ns + whole_of((double)wall_ns * LONGER_AT_WORST));
        finding->explained_ns = timeline->paused_ns;
        if (timeline->n_pauses < HABIT_LEAST)
                finding->shown.grade = MUSTER_GRADE_C;
        return true;
}

const struct cause causes_unsteady[] = {
        { "cold-start", MUSTER_GRADE_A, cold_start },
        { "server-pauses", MUSTER_GRADE_B, server_pauses },
        { 0 },
};
