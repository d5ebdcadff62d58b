/* SPDX-License-Identifier: MIT */
/*
 * Pauses: times in which a host answered nothing of all that was under way there
 *
 * A gap between two moments at which something came is a pause where
 *   - it is longer than what ordinary answers take, or each of a batch of slow ones would be one;
 *   - several requests were under way from its begin to its end;
 *   - that none of them was answered in it is no chance: if each went its own way, another request
 *     under way would see no end for so long with the share of all waiting that goes on for longer
 *     than that, and all of them together with that to the power of their number;
 *   - the kernel kept the stamps, or the loop was not busy, so that it is no silence of our own;
 *   - without it most of them would have taken no longer than answers do;
 *   - requests came after it began: those of the end, when nobody else is left, may be slow themselves;
 *   - most of them went to paths that are answered quickly at other times;
 *   - and nothing was lost on most of their connections: then the way stood still.
 */
#include "timeline_parts.h"

#include "turns.h"
#include <assert.h>
#include <math.h>

/* --- is it one? ------------------------------------------------------------------------------ */

static double ordinary_ns(const struct answers *answers)
{
        return (double)quantile_of(answers->sorted, answers->n, SLOW_OF_FEW);
}

static uint64_t least_ns(const struct answers *answers)
{
        double beyond_ns = ordinary_ns(answers) * MUCH_LONGER;

        return beyond_ns > (double)PAUSE_LEAST_NS ? whole_of(beyond_ns) : PAUSE_LEAST_NS;
}

/* Of all the time that requests waited, the part after which they had to wait for so long still. */
static double share_beyond(const struct answers *answers, uint64_t ns)
{
        double beyond = 0, all = 0;

        for (size_t i = 0; i < answers->n; i++) {
                all += (double)answers->waits[i];
                if (answers->waits[i] > ns)
                        beyond += (double)(answers->waits[i] - ns);
        }
        return all > 0 ? beyond / all : 1;
}

static bool is_by_chance(const struct answers *answers, uint64_t ns, size_t n_waiting)
{
        double share = share_beyond(answers, ns);

        return share > 0 &&
               (double)n_waiting * log(share) + log((double)answers->n_moments) > log(CHANCE_MOST);
}

/* Answers that came just before it had other requests sent, which reached a server that stood still. */
static uint64_t edge_ns(const struct timeline_pause *pause)
{
        return whole_of((double)(pause->end_ns - pause->begin_ns) * PAUSE_EDGE);
}

static bool was_under_way(const struct trace_attempt *attempt, uint32_t origin,
        const struct timeline_pause *pause)
{
        const struct attempt *stamps = &attempt->stamps;
        uint64_t until_ns =
                stamps->first_byte_kernel_ns ? stamps->first_byte_kernel_ns : stamps->end_ns;

        return attempt->origin == origin && stamps->slot_ns && stamps->send_end_ns &&
               stamps->send_end_ns <= pause->begin_ns + edge_ns(pause) && until_ns >= pause->end_ns;
}

/* What speaks for another reason, of the requests that were under way. */
struct company {
        uint64_t conn;   /* one of theirs */
        bool is_several; /* connections */
        size_t n_lost;   /* on connections that lost something */
        size_t n_ours;   /* our loop was busy for most of it */
        size_t n_quick;  /* to paths with quick answers */
        size_t n_usual;  /* that would have taken no longer than answers do */
};

static void look_at(struct company *company, const struct answers *answers,
        const struct timeline_pause *pause, const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;
        const struct trace_conn *conn = record_conn(answers->record, attempt->conn);
        uint64_t busy_ns = turns_busy_ns(answers->facts->turns, attempt->engine, pause->begin_ns,
                pause->end_ns);

        company->is_several |= company->conn && company->conn != attempt->conn;
        company->conn = attempt->conn;
        company->n_lost += conn && (conn->n_retransmits || conn->n_out_of_order);
        company->n_quick +=
                attempt->path <= answers->record->n_paths && answers->n_quick[attempt->path];
        company->n_usual += (double)(stamps->first_byte_kernel_ns - stamps->send_end_ns) <=
                            (double)(pause->end_ns - pause->begin_ns) +
                                    ordinary_ns(answers) * SLOWER_THAN_OTHERS;
        company->n_ours +=
                (double)busy_ns >= (double)(pause->end_ns - pause->begin_ns) * MOST_OF_TIME;
}

static bool is_pause(const struct answers *answers, struct timeline_pause *pause)
{
        struct company company = { 0 };

        pause->n_waiting = 0;
        for (size_t i = 0; i < answers->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &answers->record->attempts[i];

                if (!was_under_way(attempt, answers->origin, pause))
                        continue;
                pause->n_waiting++;
                look_at(&company, answers, pause, attempt);
        }
        return pause->n_waiting > 1 && company.is_several &&
               (double)company.n_quick >= (double)pause->n_waiting * MOST_OF_THEM &&
               (double)company.n_usual >= (double)pause->n_waiting * MOST_OF_THEM &&
               answers->order[answers->n - 1].key > pause->begin_ns + edge_ns(pause) &&
               (double)company.n_lost <= (double)pause->n_waiting * MOST_OF_THEM &&
               (double)company.n_ours <= (double)pause->n_waiting * MOST_OF_THEM &&
               !is_by_chance(answers, pause->end_ns - pause->begin_ns - edge_ns(pause),
                       pause->n_waiting);
}

/* --- all of them ----------------------------------------------------------------------------- */

/* The longest, the first of them first. */
static size_t longest_gaps(const struct answers *answers,
        struct timeline_pause gaps[TIMELINE_PAUSES_MAX])
{
        uint64_t least = least_ns(answers);
        size_t n = 0;

        for (size_t i = 1; i < answers->n_moments; i++) {
                struct timeline_pause gap = { .begin_ns = answers->moments[i - 1],
                        .end_ns = answers->moments[i] };
                size_t at = n;

                if (gap.end_ns - gap.begin_ns < least)
                        continue;
                if (n == TIMELINE_PAUSES_MAX) {
                        at = 0;
                        for (size_t k = 1; k < n; k++)
                                if (gaps[k].end_ns - gaps[k].begin_ns <
                                        gaps[at].end_ns - gaps[at].begin_ns)
                                        at = k;
                        if (gap.end_ns - gap.begin_ns <= gaps[at].end_ns - gaps[at].begin_ns)
                                continue;
                        for (; at + 1 < n; at++)
                                gaps[at] = gaps[at + 1];
                } else {
                        n++;
                }
                gaps[at] = gap;
        }
        return n;
}

/* From begin to begin, where all of these times are nearly the same. */
static uint64_t period_of(const struct timeline *timeline)
{
        uint64_t times[TIMELINE_PAUSES_MAX];
        size_t n = timeline->n_pauses;
        uint64_t middle_ns;

        if (n <= PERIOD_LEAST)
                return 0;
        for (size_t i = 1; i < n; i++)
                times[i - 1] = timeline->pauses[i].begin_ns - timeline->pauses[i - 1].begin_ns;
        sort_numbers(times, n - 1);
        middle_ns = quantile_of(times, n - 1, 0.5);
        assert(times[0] <= middle_ns);
        return (double)times[0] * PERIOD_EVEN >= (double)middle_ns &&
                               (double)times[n - 2] <= (double)middle_ns * PERIOD_EVEN
                       ? middle_ns
                       : 0;
}

void timeline_find_pauses(struct timeline *timeline, const struct answers *answers)
{
        struct timeline_pause gaps[TIMELINE_PAUSES_MAX];
        size_t n = longest_gaps(answers, gaps);

        assert(!timeline->n_pauses);
        for (size_t i = 0; i < n; i++) {
                if (!is_pause(answers, &gaps[i]))
                        continue;
                timeline->pauses[timeline->n_pauses++] = gaps[i];
                timeline->n_waited += gaps[i].n_waiting;
                timeline->paused_ns += gaps[i].end_ns - gaps[i].begin_ns;
        }
        timeline->every_ns = period_of(timeline);
}
