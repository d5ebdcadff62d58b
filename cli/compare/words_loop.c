/* SPDX-License-Identifier: MIT */
/*
 * What a comparison says of the event loop: beside threads, and beside itself with another limit
 */
#include "words.h"

#define BUSY            0.85 /* of the time: a thread that is at its limit */
#define FEWER_IN_FLIGHT 0.80

/* --- threads --------------------------------------------------------------------------------- */

void say_unclear(const struct mode *a, const struct mode *b, const struct estimate *ratio,
        struct remarks *remarks)
{
        remarks_add(remarks,
                "Not clear which is faster, %s or %s: they took %s and %s, but the first takes between %.2f and %.2f times as long as the second (95 %% confidence). Use more --requests or --rounds, or measure when this machine is idle.",
                a->words, b->words, ns(a->wall.median).text, ns(b->wall.median).text, ratio->low,
                ratio->high);
}

static void say_same_as_threads(const struct mode *threads, const struct mode *loop,
        struct remarks *remarks)
{
        remarks_add(remarks,
                "%s take as long as %s (%s and %s). What counts is how many requests are in flight, on average %s and %s, not what waits for them. CPU time: %s and %s.",
                threads->words, loop->words, ns(threads->wall.median).text,
                ns(loop->wall.median).text, times(figure(threads, FIGURE_IN_FLIGHT)).text,
                times(figure(loop, FIGURE_IN_FLIGHT)).text, ns(figure(threads, FIGURE_CPU)).text,
                ns(figure(loop, FIGURE_CPU)).text);
}

static void say_faster_than_threads(const struct mode *threads, const struct mode *loop,
        const struct estimate *ratio, struct remarks *remarks)
{
        remarks_add(remarks,
                "Faster than threads: %s, with %s instead of %s with %s, %.0f %% less. CPU time: %s and %s; connections opened: %.0f and %.0f.",
                loop->words, ns(loop->wall.median).text, ns(threads->wall.median).text,
                threads->words, (1 - ratio->median) * 100, ns(figure(loop, FIGURE_CPU)).text,
                ns(figure(threads, FIGURE_CPU)).text, figure(loop, FIGURE_CONNS),
                figure(threads, FIGURE_CONNS));
}

/* The one thing that the counters blame, in half a sentence or more. */
static void why_slower(const struct mode *threads, const struct mode *loop, char *text, size_t size)
{
        const struct part *grown = grown_part(threads, loop);
        double processors = figure(threads, FIGURE_CPU) / threads->wall.median;

        if (figure(loop, FIGURE_BUSY) > BUSY)
                snprintf(text, size,
                        "The event loop is one thread, and it was busy for %.0f %% of the time, while the threads used %.1f processors. Work on one response (%s to decode it) delays all others: received data waited %s on average. Move such work to other threads (muster fetch does, see --process-workers), or use several loops",
                        figure(loop, FIGURE_BUSY) * 100, processors,
                        ns(figure(loop, FIGURE_DECODE)).text, ns(figure(loop, FIGURE_LAG)).text);
        else if (!grown || figure(loop, FIGURE_IN_FLIGHT) <
                                   figure(threads, FIGURE_IN_FLIGHT) * FEWER_IN_FLIGHT)
                snprintf(text, size,
                        "It had fewer requests in flight, %.1f on average instead of %.1f: too few requests at the start or the end, or several hosts shared its limit unevenly",
                        figure(loop, FIGURE_IN_FLIGHT), figure(threads, FIGURE_IN_FLIGHT));
        else if (figure(loop, FIGURE_CONNS) > figure(threads, FIGURE_CONNS) * (1 + MATTERS_MUCH))
                snprintf(text, size, "It opened more connections, %.0f instead of %.0f",
                        figure(loop, FIGURE_CONNS), figure(threads, FIGURE_CONNS));
        else
                snprintf(text, size,
                        "Most of the difference is time %s, %s instead of %s per request: look at %s",
                        grown->what, ns(figure(loop, grown->figure)).text,
                        ns(figure(threads, grown->figure)).text, grown->who);
}

static void say_slower_than_threads(const struct mode *threads, const struct mode *loop,
        const struct estimate *ratio, struct remarks *remarks)
{
        char why[600];

        why_slower(threads, loop, why, sizeof(why));
        remarks_add(remarks,
                "Here %s really is slower than %s: %s instead of %s, %.0f %% more. %s.",
                loop->words, threads->words, ns(loop->wall.median).text,
                ns(threads->wall.median).text, (ratio->median - 1) * 100, why);
}

void say_threads(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *threads = &c->modes[c->threads];
        const struct mode *loop = comparison_loop_like_threads(c);
        struct estimate ratio;

        if (!loop || threads->way.n_threads == 1)
                return;
        ratio = wall_ratio(c, loop, threads);
        if (stat_is_above_one(&ratio, MATTERS))
                say_slower_than_threads(threads, loop, &ratio, remarks);
        else if (stat_is_below_one(&ratio, MATTERS))
                say_faster_than_threads(threads, loop, &ratio, remarks);
        else if (ratio.low > 1 - MATTERS_MUCH && ratio.high < 1 + MATTERS_MUCH)
                say_same_as_threads(threads, loop, remarks);
        else
                say_unclear(loop, threads, &ratio, remarks);
}

/* --- limits of the loop ---------------------------------------------------------------------- */

static void say_higher_helps(const struct mode *low, const struct mode *high,
        const struct estimate *ratio, struct remarks *remarks)
{
        remarks_add(remarks,
                "A limit of %u at once is too low: with %u the list is done in %s instead of %s, %s times as fast.",
                low->way.concurrency, high->way.concurrency, ns(high->wall.median).text,
                ns(low->wall.median).text, times(1 / ratio->median).text);
}

static void say_list_is_short(const struct comparison *c, const struct mode *low,
        const struct mode *high, struct remarks *remarks)
{
        remarks_add(remarks,
                "The list is too short to compare %u at once with %u: with either limit all %zu requests are in flight.",
                high->way.concurrency, low->way.concurrency, c->n_requests);
}

static void say_limit_reached(const struct mode *low, const struct mode *high,
        const struct estimate *ratio, struct remarks *remarks)
{
        const struct part *grown = grown_part(low, high);
        const char *how = stat_is_above_one(ratio, MATTERS)   ? "slower"
                          : stat_is_below_one(ratio, MATTERS) ? "hardly faster"
                                                              : "no faster";
        char why[400];

        if (grown)
                snprintf(why, sizeof(why),
                        ", and a request takes %s instead of %s. Most of the increase is time %s, so the limit is %s%s",
                        ns(figure(high, FIGURE_LATENCY)).text, ns(figure(low, FIGURE_LATENCY)).text,
                        grown->what, grown->who,
                        figure(high, FIGURE_BUSY) > BUSY
                                ? ", and the event loop's one thread was fully busy"
                                : "");
        else
                snprintf(why, sizeof(why),
                        ", because hardly more requests are in flight: %s on average instead of %s",
                        times(figure(high, FIGURE_IN_FLIGHT)).text,
                        times(figure(low, FIGURE_IN_FLIGHT)).text);
        remarks_add(remarks, "%u at once is %s than %u%s. --concurrency %u is enough.",
                high->way.concurrency, how, low->way.concurrency, why, low->way.concurrency);
}

/*
 * The highest limit that surely helps, and the first above it of which that is not so, or not
 * known.
 */
struct limits {
        const struct mode *best, *useless, *unclear;
};

static struct limits look_at_limits(const struct comparison *c)
{
        struct limits limits = { .best = &c->modes[c->first_loop] };
        size_t n = comparison_n_distinct(c);

        for (size_t i = c->first_loop + 1; i < n; i++) {
                const struct mode *mode = &c->modes[i];
                struct estimate ratio = wall_ratio(c, mode, limits.best);
                enum gain gain = gain_of(&ratio);

                if (gain == GAIN_SURE)
                        limits = (struct limits){ .best = mode };
                else if (gain == GAIN_NONE && !limits.useless)
                        limits.useless = mode;
                else if (gain == GAIN_UNCLEAR && !limits.unclear)
                        limits.unclear = mode;
        }
        return limits;
}

/*
 * As long as there is one above of which nothing is known, it is not said that the best so far is
 * enough.
 */
static void say_above_best(const struct comparison *c, const struct limits *limits,
        struct remarks *remarks)
{
        const struct mode *above = limits->unclear ? limits->unclear : limits->useless;
        struct estimate ratio = wall_ratio(c, above, limits->best);

        if (limits->unclear)
                say_unclear(above, limits->best, &ratio, remarks);
        else
                say_limit_reached(limits->best, above, &ratio, remarks);
}

void say_limits(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *base = &c->modes[c->first_loop];
        size_t n_distinct = comparison_n_distinct(c);
        struct limits limits = look_at_limits(c);
        struct estimate ratio = wall_ratio(c, limits.best, base);

        if (limits.best != base)
                say_higher_helps(base, limits.best, &ratio, remarks);
        if (limits.useless || limits.unclear)
                say_above_best(c, &limits, remarks);
        else if (n_distinct < c->n_modes)
                say_list_is_short(c, limits.best, &c->modes[n_distinct], remarks);
        else if (limits.best != base && c->n_requests > limits.best->way.concurrency)
                remarks_add(remarks,
                        "More than %u at once may be faster still; muster sweep finds the best limit.",
                        limits.best->way.concurrency);
}
