/* SPDX-License-Identifier: MIT */
/*
 * What a comparison means, in words
 *
 * Each paragraph answers a question that people have when they see the table, from the counters beside the times and from nothing else: why is a
 * single request slower, and the list faster? What did keep-alive save? Are threads better? What does more at once bring? A difference
 * counts when its interval excludes none, and when it is large enough to matter.
 */
#include "comparison.h"

#include "amount.h"
#include <string.h>

#define MATTERS         0.05 /* less than this nobody would change anything for */
#define MATTERS_MUCH    0.10
#define BUSY            0.85 /* of the time: a thread that is at its limit */
#define FEWER_IN_FLIGHT 0.80

static const char *ns(double value, char text[24])
{
        return amount_ns((uint64_t)value, text);
}

/* "1.32", "48.3", "1480": as many digits as are worth reading. */
static const char *times(double value, char text[24])
{
        snprintf(text, 24, value < 999.5 ? "%.3g" : "%.0f", value);
        return text;
}

static double figure(const struct mode *mode, enum figure figure)
{
        return mode->medians[figure];
}

/* How many times as long `a` takes as `b`, measured in the same rounds. */
static struct estimate wall_ratio(const struct comparison *c, const struct mode *a,
                                  const struct mode *b)
{
        return stat_estimate_ratio(a->figures[FIGURE_WALL], b->figures[FIGURE_WALL], c->n_rounds);
}

/* --- what a longer latency is made of ----------------------------------------------------------------------------- */

static const struct {
        enum figure figure;
        const char *what; /* a request spends it ... */
        const char *who;  /* ... which is the doing of ... */
} parts[] = {
        { FIGURE_CONNECT, "to get a connection", "the opening of connections" },
        { FIGURE_WAIT, "to wait for the server's answer", "the server, or the way to it" },
        { FIGURE_LAG, "until this program reads what has arrived", "this program" },
        { FIGURE_RECEIVE, "to receive the body", "the network, or how fast the server sends" },
        { FIGURE_DECODE, "to decode the body", "this program" },
};

/* The part that grew most from one mode to another. */
static size_t grown_part(const struct mode *from, const struct mode *to)
{
        size_t most = 0;
        double most_ns = -1;

        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
                double grown_ns = figure(to, parts[i].figure) - figure(from, parts[i].figure);

                if (grown_ns > most_ns) {
                        most = i;
                        most_ns = grown_ns;
                }
        }
        return most;
}

/* --- was it the same work? ---------------------------------------------------------------------------------------- */

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
                            "REQUESTS FAILED, most of them with %s: %llu of %llu. What fails takes "
                            "less time, or more, so the times cannot be compared. The first: %s",
                            mode->words, (unsigned long long)mode->n_failed, n_made(c), c->example);
}

static void say_differences(const struct comparison *c, struct remarks *remarks)
{
        for (size_t i = 0; i < c->n_modes; i++)
                if (c->modes[i].n_different) {
                        remarks_add(remarks,
                                    "THE WORK WAS NOT THE SAME: with %s %llu of %llu answers had "
                                    "another status or another size than the first time that they "
                                    "were asked for. Do not trust the times before you know why.",
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
                    "With only %zu requests %s is hardly ever full: beginning and end are most of "
                    "its time. Give more (--requests, or a longer list) to judge it.",
                    c->n_requests, last->words);
}

/* --- the fastest -------------------------------------------------------------------------------------------------- */

static const struct mode *fastest(const struct comparison *c, size_t from)
{
        const struct mode *best = &c->modes[from];

        for (size_t i = from; i < c->n_modes; i++)
                if (c->modes[i].wall.median < best->wall.median)
                        best = &c->modes[i];
        return best;
}

static void say_fastest(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *best = fastest(c, 0);
        char wall[24], first[24], median[24], low[24], high[24];

        if (best == &c->modes[0]) {
                remarks_add(remarks, "Nothing was faster than %s.", best->words);
                return;
        }
        remarks_add(
                remarks,
                "Fastest: %s, %s for %zu requests instead of %s: %s times as fast as %s (surely "
                "between %s and %s times).",
                best->words, ns(best->wall.median, wall), c->n_requests,
                ns(c->modes[0].wall.median, first), times(best->speedup.median, median),
                c->modes[0].words, times(best->speedup.low, low), times(best->speedup.high, high));
}

/* --- a single request is slower, the list is faster --------------------------------------------------------------- */

static void say_illusion(const struct comparison *c, const struct mode *loop,
                         const struct mode *one, struct remarks *remarks)
{
        char a[24], b[24], wall_a[24], wall_b[24], n[24];
        double slower = figure(loop, FIGURE_LATENCY) / figure(one, FIGURE_LATENCY);

        remarks_add(remarks,
                    "A single request takes longer in the event loop, %s on average instead of %s, "
                    "and yet the list is done in %s instead of %s. Each one waits longer, but %s "
                    "wait at the same time: %zu requests x %s / %s = %s. So do not judge by the "
                    "time of a request (%.1f times as long), but by that of the list.",
                    ns(figure(loop, FIGURE_LATENCY), a), ns(figure(one, FIGURE_LATENCY), b),
                    ns(loop->wall.median, wall_a), ns(one->wall.median, wall_b),
                    times(figure(loop, FIGURE_IN_FLIGHT), n), c->n_requests, a, n, wall_a, slower);
}

static void say_overlap(const struct comparison *c, const struct mode *loop, const struct mode *one,
                        struct remarks *remarks)
{
        char a[24], b[24], wall_a[24], wall_b[24], n[24];

        remarks_add(remarks,
                    "A single request takes no longer in the event loop, %s on average (one by one "
                    "%s). The list is done in %s instead of %s because %s of them wait at the same "
                    "time: %zu requests x %s / %s = %s.",
                    ns(figure(loop, FIGURE_LATENCY), a), ns(figure(one, FIGURE_LATENCY), b),
                    ns(loop->wall.median, wall_a), ns(one->wall.median, wall_b),
                    times(figure(loop, FIGURE_IN_FLIGHT), n), c->n_requests, a, n, wall_a);
}

static void say_no_gain(const struct mode *loop, const struct mode *one, struct remarks *remarks)
{
        const char *what = parts[grown_part(one, loop)].what;
        const char *who = parts[grown_part(one, loop)].who;
        char a[24], b[24], n[24];

        remarks_add(remarks,
                    "Asking for several at once brings nothing here: with %s in flight on average, "
                    "a request takes %s instead of %s, so all that is gained by waiting together "
                    "is lost by waiting longer. What grew most is the time it takes %s: the "
                    "limit is %s.",
                    times(figure(loop, FIGURE_IN_FLIGHT), n), ns(figure(loop, FIGURE_LATENCY), a),
                    ns(figure(one, FIGURE_LATENCY), b), what, who);
}

/* The question that this command is for. */
static void say_latency_and_wall(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *one = &c->modes[1], *loop = fastest(c, c->first_loop);
        struct estimate ratio = wall_ratio(c, loop, one);

        if (!stat_is_below_one(&ratio, MATTERS_MUCH))
                say_no_gain(loop, one, remarks);
        else if (figure(loop, FIGURE_LATENCY) > figure(one, FIGURE_LATENCY) * (1 + MATTERS))
                say_illusion(c, loop, one, remarks);
        else
                say_overlap(c, loop, one, remarks);
}

/* --- connections -------------------------------------------------------------------------------------------------- */

static void say_connections(const struct comparison *c, struct remarks *remarks)
{
        const struct mode *fresh = &c->modes[0], *kept = &c->modes[1];
        struct estimate ratio = wall_ratio(c, kept, fresh);
        char connect[24], share[24];

        if (figure(kept, FIGURE_CONNS) > (double)c->n_requests / 2) {
                remarks_add(remarks,
                            "Keep-alive kept nothing: %.0f connections for %zu requests, as the "
                            "server closes them (or HTTP/1.0 is spoken). Every way pays for a new "
                            "one each time.",
                            figure(kept, FIGURE_CONNS), c->n_requests);
                return;
        }
        snprintf(share, sizeof(share), "%.0f %%", (1 - ratio.median) * 100);
        if (stat_is_below_one(&ratio, MATTERS))
                remarks_add(remarks,
                            "Keeping connections saves %s of the time already one by one: %.0f "
                            "instead of %.0f are opened, at %s each.",
                            share, figure(kept, FIGURE_CONNS), figure(fresh, FIGURE_CONNS),
                            ns(figure(fresh, FIGURE_CONNECT), connect));
}

/* --- threads ------------------------------------------------------------------------------------------------------ */

/* Measured, and yet nothing is known. */
static void say_unclear(const struct mode *threads, const struct mode *loop,
                        const struct estimate *ratio, struct remarks *remarks)
{
        char a[24], b[24];

        remarks_add(
                remarks,
                "Whether %s or %s are faster cannot be told from these rounds: %s and %s, but the "
                "one takes between %.2f and %.2f times as long as the other. Ask for more "
                "(--requests), for more --rounds, or when this machine has less else to do.",
                loop->words, threads->words, ns(loop->wall.median, a), ns(threads->wall.median, b),
                ratio->low, ratio->high);
}

static void say_same_as_threads(const struct mode *threads, const struct mode *loop,
                                struct remarks *remarks)
{
        char a[24], b[24], n[24], m[24], cpu_a[24], cpu_b[24];

        remarks_add(remarks,
                    "%s take as long as %s (%s and %s): what counts is how many requests are in "
                    "flight, %s and %s on average, and not who waits for them. Their processor "
                    "time is %s and %s.",
                    threads->words, loop->words, ns(threads->wall.median, a),
                    ns(loop->wall.median, b), times(figure(threads, FIGURE_IN_FLIGHT), n),
                    times(figure(loop, FIGURE_IN_FLIGHT), m),
                    ns(figure(threads, FIGURE_CPU), cpu_a), ns(figure(loop, FIGURE_CPU), cpu_b));
}

static void say_faster_than_threads(const struct mode *threads, const struct mode *loop,
                                    const struct estimate *ratio, struct remarks *remarks)
{
        char a[24], b[24], cpu_a[24], cpu_b[24];

        remarks_add(
                remarks,
                "Faster than threads: %s, %s instead of %s with %s, %.0f %% less. Their processor "
                "time is %s and %s; %.0f and %.0f connections were opened.",
                loop->words, ns(loop->wall.median, a), ns(threads->wall.median, b), threads->words,
                (1 - ratio->median) * 100, ns(figure(loop, FIGURE_CPU), cpu_a),
                ns(figure(threads, FIGURE_CPU), cpu_b), figure(loop, FIGURE_CONNS),
                figure(threads, FIGURE_CONNS));
}

/* The one thing that the counters blame, in half a sentence or more. */
static void why_slower(const struct mode *threads, const struct mode *loop, char *text, size_t size)
{
        size_t grown = grown_part(threads, loop);
        char lag[24], decode[24], a[24], b[24];
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
                        ns(figure(loop, FIGURE_DECODE), decode), ns(figure(loop, FIGURE_LAG), lag));
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
                         parts[grown].what, ns(figure(loop, parts[grown].figure), a),
                         ns(figure(threads, parts[grown].figure), b), parts[grown].who);
}

static void say_slower_than_threads(const struct mode *threads, const struct mode *loop,
                                    const struct estimate *ratio, struct remarks *remarks)
{
        char a[24], b[24], why[600];

        why_slower(threads, loop, why, sizeof(why));
        remarks_add(remarks,
                    "Here %s really is slower than %s, %s instead of %s: %.0f %% more. %s.",
                    loop->words, threads->words, ns(loop->wall.median, a),
                    ns(threads->wall.median, b), (ratio->median - 1) * 100, why);
}

static void say_threads(const struct comparison *c, struct remarks *remarks)
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
        char a[24], b[24], gain[24];

        remarks_add(remarks,
                    "%u at once is too low a limit: with %u the list is done in %s instead of %s, "
                    "%s times as fast.",
                    low->way.concurrency, high->way.concurrency, ns(high->wall.median, a),
                    ns(low->wall.median, b), times(1 / ratio->median, gain));
}

static void say_limit_reached(const struct mode *low, const struct mode *high, bool is_slower,
                              struct remarks *remarks)
{
        size_t grown = grown_part(low, high);
        char a[24], b[24];

        remarks_add(
                remarks,
                "%u at once is %s than %u, and a request takes %s instead of %s. What grew "
                "most is the time it takes %s, so the limit is %s%s. --concurrency %u is enough.",
                high->way.concurrency, is_slower ? "slower" : "no faster", low->way.concurrency,
                ns(figure(high, FIGURE_LATENCY), a), ns(figure(low, FIGURE_LATENCY), b),
                parts[grown].what, parts[grown].who,
                figure(high, FIGURE_BUSY) > BUSY ? ", and this machine had no processor time left"
                                                 : "",
                low->way.concurrency);
}

/* From each limit to the next: does more help? Told up to the first that does not. */
static void say_limits(const struct comparison *c, struct remarks *remarks)
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

/* With half of the requests failed there is nothing to be understood about time. */
static bool is_hopeless(const struct comparison *c)
{
        const struct mode *mode = worst(c);

        return mode && mode->n_failed >= n_made(c) / 2;
}

void comparison_explain(const struct comparison *c, struct remarks *remarks)
{
        say_failures(c, remarks);
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
