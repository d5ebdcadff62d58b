/* SPDX-License-Identifier: MIT */
/*
 * What a comparison says of the event loop: beside threads, and beside itself with another limit
 */
#include "words.h"

#define BUSY            0.85 /* of the time: a thread that is at its limit */
#define FEWER_IN_FLIGHT 0.80

/* --- threads ------------------------------------------------------------------------------------------------------ */

/* Measured, and yet nothing is known. */
static void say_unclear(const struct mode *threads, const struct mode *loop,
                        const struct estimate *ratio, struct remarks *remarks)
{
        remarks_add(
                remarks,
                "Whether %s or %s are faster cannot be told from these rounds: %s and %s, but the "
                "one takes between %.2f and %.2f times as long as the other. Ask for more "
                "(--requests), for more --rounds, or when this machine has less else to do.",
                loop->words, threads->words, ns(loop->wall.median).text,
                ns(threads->wall.median).text, ratio->low, ratio->high);
}

static void say_same_as_threads(const struct mode *threads, const struct mode *loop,
                                struct remarks *remarks)
{
        remarks_add(remarks,
                    "%s take as long as %s (%s and %s): what counts is how many requests are in "
                    "flight, %s and %s on average, and not who waits for them. Their processor "
                    "time is %s and %s.",
                    threads->words, loop->words, ns(threads->wall.median).text,
                    ns(loop->wall.median).text, times(figure(threads, FIGURE_IN_FLIGHT)).text,
                    times(figure(loop, FIGURE_IN_FLIGHT)).text,
                    ns(figure(threads, FIGURE_CPU)).text, ns(figure(loop, FIGURE_CPU)).text);
}

static void say_faster_than_threads(const struct mode *threads, const struct mode *loop,
                                    const struct estimate *ratio, struct remarks *remarks)
{
        remarks_add(
                remarks,
                "Faster than threads: %s, %s instead of %s with %s, %.0f %% less. Their processor "
                "time is %s and %s; %.0f and %.0f connections were opened.",
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
                snprintf(
                        text, size,
                        "The loop is one thread, and it had work for %.0f %% of the time, while "
                        "the threads shared %.1f processors. What one response takes to be handled "
                        "(%s to decode it) holds up all others: %s on average until this program "
                        "read what had arrived. Give such work to other threads (muster fetch "
                        "does, see --process-workers), or use several loops",
                        figure(loop, FIGURE_BUSY) * 100, processors,
                        ns(figure(loop, FIGURE_DECODE)).text, ns(figure(loop, FIGURE_LAG)).text);
        else if (figure(loop, FIGURE_IN_FLIGHT) <
                 figure(threads, FIGURE_IN_FLIGHT) * FEWER_IN_FLIGHT)
                snprintf(
                        text, size,
                        "It had fewer requests in flight, %.1f on average instead of %.1f: there "
                        "was too little to do at the beginning or the end, or several hosts shared "
                        "its limit unevenly",
                        figure(loop, FIGURE_IN_FLIGHT), figure(threads, FIGURE_IN_FLIGHT));
        else if (figure(loop, FIGURE_CONNS) > figure(threads, FIGURE_CONNS) * (1 + MATTERS_MUCH))
                snprintf(text, size, "It opened more connections, %.0f instead of %.0f",
                         figure(loop, FIGURE_CONNS), figure(threads, FIGURE_CONNS));
        else
                snprintf(text, size,
                         "What grew most is the time it takes %s, %s instead of %s for a request: "
                         "look "
                         "at %s",
                         grown->what, ns(figure(loop, grown->figure)).text,
                         ns(figure(threads, grown->figure)).text, grown->who);
}

static void say_slower_than_threads(const struct mode *threads, const struct mode *loop,
                                    const struct estimate *ratio, struct remarks *remarks)
{
        char why[600];

        why_slower(threads, loop, why, sizeof(why));
        remarks_add(remarks,
                    "Here %s really is slower than %s, %s instead of %s: %.0f %% more. %s.",
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
                say_unclear(threads, loop, &ratio, remarks);
}

/* --- limits of the loop ------------------------------------------------------------------------------------------- */

static void say_higher_helps(const struct mode *low, const struct mode *high,
                             const struct estimate *ratio, struct remarks *remarks)
{
        remarks_add(remarks,
                    "%u at once is too low a limit: with %u the list is done in %s instead of %s, "
                    "%s times as fast.",
                    low->way.concurrency, high->way.concurrency, ns(high->wall.median).text,
                    ns(low->wall.median).text, times(1 / ratio->median).text);
}

static void say_limit_reached(const struct mode *low, const struct mode *high, bool is_slower,
                              struct remarks *remarks)
{
        const struct part *grown = grown_part(low, high);

        remarks_add(
                remarks,
                "%u at once is %s than %u, and a request takes %s instead of %s. What grew "
                "most is the time it takes %s, so the limit is %s%s. --concurrency %u is enough.",
                high->way.concurrency, is_slower ? "slower" : "no faster", low->way.concurrency,
                ns(figure(high, FIGURE_LATENCY)).text, ns(figure(low, FIGURE_LATENCY)).text,
                grown->what, grown->who,
                figure(high, FIGURE_BUSY) > BUSY ? ", and this machine had no processor time left"
                                                 : "",
                low->way.concurrency);
}

void say_limits(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *base = &c->modes[c->first_loop], *last = NULL;
        struct estimate ratio;

        for (size_t i = c->first_loop + 1; i < c->n_modes; i++) {
                const struct mode *mode = &c->modes[i];

                ratio = wall_ratio(c, mode, last ? last : base);
                if (!stat_is_below_one(&ratio, MATTERS_MUCH)) {
                        if (last) {
                                struct estimate gain = wall_ratio(c, last, base);

                                say_higher_helps(base, last, &gain, remarks);
                        }
                        say_limit_reached(last ? last : base, mode,
                                          stat_is_above_one(&ratio, MATTERS), remarks);
                        return;
                }
                last = mode;
        }
        if (!last)
                return;
        ratio = wall_ratio(c, last, base);
        say_higher_helps(base, last, &ratio, remarks);
        remarks_add(remarks,
                    "More than %u at once may help still further; muster sweep finds the best "
                    "limit.",
                    last->way.concurrency);
}
