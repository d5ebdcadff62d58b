/* SPDX-License-Identifier: MIT */
/*
 * What a comparison means, in words
 *
 * Each paragraph answers a question that people have when they see the table, from the counters
 * beside the times and from nothing else: why is a single request slower, and the list faster? What
 * did keep-alive save? Are threads better? What does more at once bring? A difference counts when
 * its interval excludes none, and when it is large enough to matter.
 */
#include "words.h"

/* --- was it the same work? ------------------------------------------------------------------- */

/* Requests of a mode, in all rounds that count. */
static unsigned long long n_made(const struct comparison *c)
{
        return (unsigned long long)c->n_requests * c->n_rounds;
}

/* The mode of which most failed, NULL when nothing did. */
static const struct mode *worst(const struct comparison *c)
{
        const struct mode *worst = &c->modes[0];

        for (size_t i = 1; i < c->n_modes; i++)
                if (c->modes[i].n_failed > worst->n_failed)
                        worst = &c->modes[i];
        return worst->n_failed ? worst : NULL;
}

static void say_failures(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *mode = worst(c);

        if (mode)
                remarks_add(remarks,
                        "REQUESTS FAILED, %llu of %llu in \"%s\". What fails takes less time, or more, so the times cannot be compared. The first: %s",
                        (unsigned long long)mode->n_failed, n_made(c), mode->name, c->example);
}

/*
 * Nobody asked for that to be a failure; but it is quicker, or slower, than the answer that was
 * wanted.
 */
static void say_refusals(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *most = &c->modes[0];

        for (size_t i = 1; i < c->n_modes; i++)
                if (c->modes[i].n_refused > most->n_refused)
                        most = &c->modes[i];
        if (most->n_refused)
                remarks_add(remarks,
                        "NOT ALL SUCCEEDED: %llu of %llu requests in \"%s\" were answered 4xx or 5xx. Such an answer takes another time than a good one. The first: %s. With -f they are failures.",
                        (unsigned long long)most->n_refused, n_made(c), most->name, c->refusal);
}

static void say_differences(const struct comparison *c, struct remarks *remarks)
{
        for (size_t i = 0; i < c->n_modes; i++)
                if (c->modes[i].n_different) {
                        remarks_add(remarks,
                                "THE WORK WAS NOT THE SAME: with %s %llu of %llu answers had another status or another size than the first time that they were asked for. Do not trust the times before you know why.",
                                c->modes[i].words, (unsigned long long)c->modes[i].n_different,
                                n_made(c));
                        return;
                }
}

static void say_few_requests(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *last = &c->modes[c->n_modes - 1];

        if (c->n_requests >= (size_t)last->way.concurrency * 2)
                return;
        remarks_add(remarks,
                "With only %zu requests %s is hardly ever full: beginning and end are most of its time. Give more (--requests, or a longer list) to judge it.",
                c->n_requests, last->words);
}

/* --- the fastest ----------------------------------------------------------------------------- */

static const struct mode *fastest(const struct comparison *c, size_t from)
{
        const struct mode *best = &c->modes[from];
        size_t n = comparison_n_distinct(c);

        for (size_t i = from; i < n; i++)
                if (c->modes[i].wall.median < best->wall.median)
                        best = &c->modes[i];
        return best;
}

static void say_fastest(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *best = fastest(c, 0);

        if (best == &c->modes[0]) {
                remarks_add(remarks, "Nothing was faster than %s.", best->words);
                return;
        }
        remarks_add(remarks,
                "Fastest: %s, %s for %zu requests instead of %s: %s times as fast as %s (between %s and %s times, with 95 %% confidence).",
                best->words, ns(best->wall.median).text, c->n_requests,
                ns(c->modes[0].wall.median).text, times(best->speedup.median).text,
                c->modes[0].words, times(best->speedup.low).text, times(best->speedup.high).text);
}

/* --- a single request is slower, the list is faster ------------------------------------------ */

static void say_illusion(const struct comparison *c, const struct mode *loop,
        const struct mode *one, struct remarks *remarks)
{
        struct words latency = ns(figure(loop, FIGURE_LATENCY));
        struct words wall = ns(loop->wall.median), n = times(figure(loop, FIGURE_IN_FLIGHT));
        double slower = figure(loop, FIGURE_LATENCY) / figure(one, FIGURE_LATENCY);

        remarks_add(remarks,
                "A single request takes longer in the event loop, %s on average instead of %s, and yet the list is done in %s instead of %s. Each one waits longer, but %s wait at the same time: %zu requests x %s / %s = %s. So do not judge by the time of a request (%.1f times as long), but by that of the list.",
                latency.text, ns(figure(one, FIGURE_LATENCY)).text, wall.text,
                ns(one->wall.median).text, n.text, c->n_requests, latency.text, n.text, wall.text,
                slower);
}

static void say_overlap(const struct comparison *c, const struct mode *loop, const struct mode *one,
        struct remarks *remarks)
{
        struct words latency = ns(figure(loop, FIGURE_LATENCY));
        struct words wall = ns(loop->wall.median), n = times(figure(loop, FIGURE_IN_FLIGHT));

        remarks_add(remarks,
                "A single request takes no longer in the event loop, %s on average (one by one %s). The list is done in %s instead of %s because %s of them wait at the same time: %zu requests x %s / %s = %s.",
                latency.text, ns(figure(one, FIGURE_LATENCY)).text, wall.text,
                ns(one->wall.median).text, n.text, c->n_requests, latency.text, n.text, wall.text);
}

/* Where requests take no longer there were no more of them at once (Little's law). */
static void say_no_gain(const struct mode *loop, const struct mode *one, struct remarks *remarks)
{
        const struct part *grown = grown_part(one, loop);

        if (!grown)
                remarks_add(remarks,
                        "Asking for several at once brings nothing here, as there hardly ever are several: %s in flight on average.",
                        times(figure(loop, FIGURE_IN_FLIGHT)).text);
        else
                remarks_add(remarks,
                        "Asking for several at once brings nothing here: with %s in flight on average, a request takes %s instead of %s, so all that is gained by waiting together is lost by waiting longer. What grew most is the time it takes %s: the limit is %s.",
                        times(figure(loop, FIGURE_IN_FLIGHT)).text,
                        ns(figure(loop, FIGURE_LATENCY)).text, ns(figure(one, FIGURE_LATENCY)).text,
                        grown->what, grown->who);
}

/* The question that this command is for. */
static void say_latency_and_wall(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *one = &c->modes[1], *loop = fastest(c, c->first_loop);
        struct estimate ratio = wall_ratio(c, loop, one);
        enum gain gain = gain_of(&ratio);

        if (gain == GAIN_UNCLEAR)
                say_unclear(loop, one, &ratio, remarks);
        else if (gain == GAIN_NONE)
                say_no_gain(loop, one, remarks);
        else if (figure(loop, FIGURE_LATENCY) > figure(one, FIGURE_LATENCY) * (1 + MATTERS))
                say_illusion(c, loop, one, remarks);
        else
                say_overlap(c, loop, one, remarks);
}

/* --- connections ----------------------------------------------------------------------------- */

static void say_little_kept(const struct comparison *c, const struct mode *kept,
        struct remarks *remarks)
{
        remarks_add(remarks,
                "Keep-alive kept %s: %.0f connections for %zu requests, as the server closes them (or HTTP/1.0 is spoken%s). Every way pays for new ones.",
                figure(kept, FIGURE_CONNS) < (double)c->n_requests ? "little" : "nothing",
                figure(kept, FIGURE_CONNS), c->n_requests,
                c->n_hosts > kept->way.room ? ", or the hosts are too many to keep one to each"
                                            : "");
}

static void say_many_hosts(const struct comparison *c, struct remarks *remarks)
{
        remarks_add(remarks,
                "Keep-alive has little to keep here: the %zu requests go to %zu hosts, and each host needs a connection of its own.",
                c->n_requests, c->n_hosts);
}

/* All but the first request to a host could have had a connection that was there. */
static void say_connections(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *fresh = &c->modes[0], *kept = &c->modes[1];
        struct estimate ratio = wall_ratio(c, kept, fresh);
        double could_reuse = (double)c->n_requests - (double)c->n_hosts;
        double did_reuse = (double)c->n_requests - figure(kept, FIGURE_CONNS);

        if (did_reuse < could_reuse / 2)
                say_little_kept(c, kept, remarks);
        else if (stat_is_below_one(&ratio, MATTERS))
                remarks_add(remarks,
                        "Keeping connections saves %s of the time already one by one: %.0f instead of %.0f are opened, at %s each.",
                        words_share(1 - ratio.median, 1).text, figure(kept, FIGURE_CONNS),
                        figure(fresh, FIGURE_CONNS), ns(figure(fresh, FIGURE_CONNECT)).text);
        else if (c->n_hosts > 1 && c->n_hosts > c->n_requests / 2)
                say_many_hosts(c, remarks);
}

/* --- all of it ------------------------------------------------------------------------------- */

/* With half of the requests failed there is nothing to be understood about time. */
static bool is_hopeless(const struct comparison *c)
{
        const struct mode *mode = worst(c);

        return mode && mode->n_failed >= n_made(c) / 2;
}

void comparison_explain(const struct comparison *c, struct remarks *remarks)
{
        if (!c->n_rounds) {
                remarks_add(remarks,
                        "INTERRUPTED before the first round was complete: nothing was learnt.");
                return;
        }
        say_failures(c, remarks);
        say_refusals(c, remarks);
        say_differences(c, remarks);
        if (is_hopeless(c))
                return;
        say_fastest(c, remarks);
        say_latency_and_wall(c, remarks);
        say_connections(c, remarks);
        say_threads(c, remarks);
        say_limits(c, remarks);
        say_few_requests(c, remarks);
}
