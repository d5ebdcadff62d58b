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
                        "REQUESTS FAILED: %llu of %llu in \"%s\". A failed request does not take as long as a good one, so the times cannot be compared. First error: %s",
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
                        "NOT ALL SUCCEEDED: %llu of %llu requests in \"%s\" were answered 4xx or 5xx, which may be faster or slower than a good response. First: %s. With -f they count as failures.",
                        (unsigned long long)most->n_refused, n_made(c), most->name, c->refusal);
}

static void say_differences(const struct comparison *c, struct remarks *remarks)
{
        for (size_t i = 0; i < c->n_modes; i++)
                if (c->modes[i].n_different) {
                        remarks_add(remarks,
                                "THE WORK DIFFERED: with %s %llu of %llu responses had another status or size than in the first run. Find out why before you trust the times.",
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
                "%zu requests are too few to judge %s: most of its time is start-up and tail. Use a longer list or --requests N.",
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
                "Fastest: %s, with %s for %zu requests instead of %s. That is %s times as fast as %s (95 %% confidence: %s to %s times).",
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
                "A single request takes longer in the event loop, %s on average instead of %s, but the list is done in %s instead of %s. Each request waits longer, but %s wait at the same time: %zu requests x %s / %s = %s. Judge by the time for the list; that one request takes %.1f times as long does not matter.",
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
                "A single request takes no longer in the event loop: %s on average (one by one %s). The list is done in %s instead of %s because %s requests wait at the same time: %zu requests x %s / %s = %s.",
                latency.text, ns(figure(one, FIGURE_LATENCY)).text, wall.text,
                ns(one->wall.median).text, n.text, c->n_requests, latency.text, n.text, wall.text);
}

/* Where requests take no longer there were no more of them at once (Little's law). */
static void say_no_gain(const struct mode *loop, const struct mode *one, struct remarks *remarks)
{
        const struct part *grown = grown_part(one, loop);

        if (!grown)
                remarks_add(remarks,
                        "Concurrency gains nothing here, because there is hardly ever more than one request to make: %s in flight on average.",
                        times(figure(loop, FIGURE_IN_FLIGHT)).text);
        else
                remarks_add(remarks,
                        "Concurrency gains nothing here: with %s in flight on average, a request takes %s instead of %s, and the longer wait uses up the gain. Most of the increase is time %s, so the limit is %s.",
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
                "Keep-alive has %s effect: %.0f connections for %zu requests, because the server closes them (or uses HTTP/1.0%s). Every mode pays for new connections.",
                figure(kept, FIGURE_CONNS) < (double)c->n_requests ? "little" : "no",
                figure(kept, FIGURE_CONNS), c->n_requests,
                c->n_hosts > kept->way.room
                        ? ", or there are too many hosts to keep a connection to each"
                        : "");
}

static void say_many_hosts(const struct comparison *c, struct remarks *remarks)
{
        remarks_add(remarks,
                "Keep-alive has little effect here: the %zu requests go to %zu hosts, and each host needs its own connection.",
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
                        "Keep-alive saves %s of the time even one by one: it opens %.0f connection%s instead of %.0f, at %s each.",
                        words_share(1 - ratio.median, 1).text, figure(kept, FIGURE_CONNS),
                        figure(kept, FIGURE_CONNS) == 1 ? "" : "s", figure(fresh, FIGURE_CONNS),
                        ns(figure(fresh, FIGURE_CONNECT)).text);
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
                        "INTERRUPTED before the first round was complete: there are no results.");
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
