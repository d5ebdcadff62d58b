/* SPDX-License-Identifier: MIT */
/*
 * Which of two programs is faster, and why, from what was counted
 */
#include "pair.h"

#include <base/words.h>

#define MATTERS     0.03 /* of the wall time */
#define MUCH        1.5  /* times: a count that differs so much may be why */
#define SHOWN_SHARE 0.05 /* of the wall time: a time that is worth a sentence */

static struct words ns(double value)
{
        return words_ns(value > 0 ? (uint64_t)value : 0);
}

static const char *letter(const struct pair *pair, const struct pair_arm *arm)
{
        return arm == &pair->arms[0] ? "A" : "B";
}

/* --- which ----------------------------------------------------------------------------------- */

static void say_faster(const struct pair *pair, const struct pair_arm *fast,
        const struct pair_arm *slow, struct remarks *remarks)
{
        double times = fast == &pair->arms[1] ? 1 / pair->ratio.median : pair->ratio.median;

        if (times >= 2)
                remarks_add(remarks, "%s is %.*f times as fast as %s: %s instead of %s.",
                        letter(pair, fast), times < 10, times, letter(pair, slow),
                        ns(fast->wall.median).text, ns(slow->wall.median).text);
        else
                remarks_add(remarks, "%s is faster than %s, %.0f %% less time: %s instead of %s.",
                        letter(pair, fast), letter(pair, slow), 100 - 100 / times,
                        ns(fast->wall.median).text, ns(slow->wall.median).text);
}

/* --- why ------------------------------------------------------------------------------------- */

static bool differs(double a, double b)
{
        return a > b * MUCH || b > a * MUCH;
}

static void say_in_flight(const struct pair *pair, const struct pair_arm *fast,
        const struct pair_arm *slow, struct remarks *remarks)
{
        double more = fast->medians[COUNT_IN_FLIGHT], less = slow->medians[COUNT_IN_FLIGHT];

        if (more > less * MUCH)
                remarks_add(remarks,
                        "%s has %.1f requests in flight on average, %s has %.1f: more wait at the same time, so the list is done sooner%s.",
                        letter(pair, fast), more, letter(pair, slow), less,
                        fast->medians[COUNT_LATENCY] > slow->medians[COUNT_LATENCY]
                                ? ", although each request takes longer"
                                : "");
        else if (less > more * MUCH)
                remarks_add(remarks,
                        "%s has more requests in flight, %.1f instead of %.1f, and is slower all the same: a request takes %s there instead of %s.",
                        letter(pair, slow), less, more, ns(slow->medians[COUNT_LATENCY]).text,
                        ns(fast->medians[COUNT_LATENCY]).text);
}

/* A count of things that cost time, of which the slow one has more. */
static void say_more(const struct pair *pair, const struct pair_arm *fast,
        const struct pair_arm *slow, enum count count, const char *things, struct remarks *remarks)
{
        double most = slow->medians[count], least = fast->medians[count];

        if (most > least * MUCH && most > least + 2)
                remarks_add(remarks, "%s has more %s: %s instead of %s.", letter(pair, slow),
                        things, words_count((uint64_t)most).text,
                        words_count((uint64_t)least).text);
}

static void say_more_time(const struct pair *pair, const struct pair_arm *fast,
        const struct pair_arm *slow, enum count count, const char *format, struct remarks *remarks)
{
        double more = slow->medians[count] - fast->medians[count];

        if (more > slow->medians[COUNT_WALL] * SHOWN_SHARE)
                remarks_add(remarks, "%s %s: %s instead of %s.", letter(pair, slow), format,
                        ns(slow->medians[count]).text, ns(fast->medians[count]).text);
}

static void say_outside(const struct pair *pair, const struct pair_arm *fast,
        const struct pair_arm *slow, struct remarks *remarks)
{
        double fast_rest = fast->medians[COUNT_WALL] - fast->medians[COUNT_RUN];
        double slow_rest = slow->medians[COUNT_WALL] - slow->medians[COUNT_RUN];

        if (!slow->medians[COUNT_RUN] || !fast->medians[COUNT_RUN])
                return;
        if (slow_rest - fast_rest > slow->medians[COUNT_WALL] * SHOWN_SHARE)
                remarks_add(remarks,
                        "%s spends more time before its first request and after its last answer: %s instead of %s.",
                        letter(pair, slow), ns(slow_rest).text, ns(fast_rest).text);
}

static void say_why(const struct pair *pair, const struct pair_arm *fast,
        const struct pair_arm *slow, struct remarks *remarks)
{
        say_in_flight(pair, fast, slow, remarks);
        say_more(pair, fast, slow, COUNT_CONNS, "connections to open", remarks);
        say_more(pair, fast, slow, COUNT_HANDSHAKES, "TLS handshakes", remarks);
        say_more(pair, fast, slow, COUNT_LOOKUPS, "DNS lookups", remarks);
        say_more(pair, fast, slow, COUNT_QUEUED, "requests that wait for the library's limit",
                remarks);
        say_more_time(pair, fast, slow, COUNT_HELD, "has its event loop blocked for longer",
                remarks);
        say_more_time(pair, fast, slow, COUNT_CPU, "needs more CPU time", remarks);
        say_outside(pair, fast, slow, remarks);
}

/* --- whether it can be compared -------------------------------------------------------------- */

static void say_doubts(const struct pair *pair, struct remarks *remarks)
{
        const struct pair_arm *a = &pair->arms[0], *b = &pair->arms[1];

        for (size_t i = 0; i < 2; i++) {
                const struct pair_arm *arm = &pair->arms[i];

                if (arm->n_bad)
                        remarks_add(remarks, "%s ended with status %d, %s.", letter(pair, arm),
                                arm->status, words_counted(arm->n_bad, "time", "times").text);
                if (*arm->unseen)
                        remarks_add(remarks,
                                "No request of %s could be seen, so nothing is said of why: %s.",
                                letter(pair, arm), arm->unseen);
                else if (arm->medians[COUNT_FAILED] + arm->medians[COUNT_REFUSED] > 0)
                        remarks_add(remarks,
                                "Of %s's requests %.0f failed and %.0f were answered 4xx or 5xx.",
                                letter(pair, arm), arm->medians[COUNT_FAILED],
                                arm->medians[COUNT_REFUSED]);
        }
        if (!*a->unseen && !*b->unseen && a->medians[COUNT_REQUESTS] != b->medians[COUNT_REQUESTS])
                remarks_add(remarks,
                        "They do not make as many requests, %.0f and %.0f: it may not be the same job.",
                        a->medians[COUNT_REQUESTS], b->medians[COUNT_REQUESTS]);
}

static void say_findings(const struct pair *pair, struct remarks *remarks)
{
        for (size_t i = 0; i < 2; i++)
                if (*pair->arms[i].finding)
                        remarks_add(remarks, "What holds %s back: %s.",
                                letter(pair, &pair->arms[i]), pair->arms[i].finding);
}

void pair_explain(const struct pair *pair, struct remarks *remarks)
{
        const struct pair_arm *a = &pair->arms[0], *b = &pair->arms[1];

        if (!pair->n_rounds)
                return;
        if (stat_is_below_one(&pair->ratio, MATTERS)) {
                say_faster(pair, b, a, remarks);
                say_why(pair, b, a, remarks);
        } else if (stat_is_above_one(&pair->ratio, MATTERS)) {
                say_faster(pair, a, b, remarks);
                say_why(pair, a, b, remarks);
        } else {
                remarks_add(remarks,
                        "These %u rounds show no difference: B takes %.2f of A's time, %.2f to %.2f with 95 %% confidence.",
                        pair->n_rounds, pair->ratio.median, pair->ratio.low, pair->ratio.high);
                if (differs(a->medians[COUNT_IN_FLIGHT], b->medians[COUNT_IN_FLIGHT]))
                        remarks_add(remarks,
                                "They have %.1f and %.1f requests in flight on average, and a request takes %s and %s: what is gained by more at once is lost by each taking longer.",
                                a->medians[COUNT_IN_FLIGHT], b->medians[COUNT_IN_FLIGHT],
                                ns(a->medians[COUNT_LATENCY]).text,
                                ns(b->medians[COUNT_LATENCY]).text);
        }
        say_findings(pair, remarks);
        say_doubts(pair, remarks);
        pair_say_job(pair, remarks);
}
