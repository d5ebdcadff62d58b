/* SPDX-License-Identifier: MIT */
/*
 * What a curve means, in words
 *
 * No more than the data bear: no peak that was not passed, nothing about concurrencies that were
 * not tried, nothing about the server where this machine was the limit.
 */
#include "page.h"

#include <base/words.h>
#include <math.h>

#define FITS       0.10 /* deviations above this are told */
#define SAME       0.02 /* throughputs that are as good as equal */
#define NEGLIGIBLE 1e-4 /* a sigma or kappa below this is none */

static struct words ns(double value)
{
        return words_ns((uint64_t)value);
}

static const struct step *knee_of(const struct curve *curve)
{
        return &curve->steps[curve->knee];
}

/* Requests a second. */
static struct words rate(double value)
{
        struct words words;

        snprintf(words.text, sizeof(words.text), "%.*f", value < 100, value);
        return words;
}

/* --- was it the whole curve? ----------------------------------------------------------------- */

static void say_cut_short(const struct curve *curve, struct remarks *remarks)
{
        if (!curve->n_steps)
                remarks_add(remarks,
                        "INTERRUPTED before the first of %zu steps was complete: there are no results.",
                        curve->n_planned);
        else
                remarks_add(remarks,
                        "INTERRUPTED after %zu of %zu steps: more than %u at once was not tried, and no step was measured twice.",
                        curve->n_steps, curve->n_planned,
                        curve->steps[curve->n_steps - 1].concurrency);
}

static void say_interruption(const struct curve *curve, struct remarks *remarks)
{
        if (curve->end == CURVE_END_INTERRUPTED)
                say_cut_short(curve, remarks);
        else if (curve->was_interrupted)
                remarks_add(remarks,
                        "INTERRUPTED while the best steps were measured again: whether they would repeat is not known.");
}

/* NULL: each went well, or was not made. */
static const struct step *broken_look(const struct curve *curve)
{
        for (size_t i = 0; i < curve->n_steps; i++)
                if (curve->again[i].concurrency && !curve_has_looked_again(curve, i))
                        return &curve->again[i];
        return NULL;
}

/* The server managed this load before, so it has changed; the cause is not known here. */
static void say_broken(const struct curve *curve, struct remarks *remarks)
{
        const struct step *again = broken_look(curve);

        if (again)
                remarks_add(remarks,
                        "THE SERVER OR THE PATH TO IT BROKE DOWN: %u at once worked at first; measured again, %.3g %% of the requests failed or were answered 429 or 5xx%s%s. Repair it and repeat the sweep before you rely on these figures.",
                        again->concurrency, step_bad_share(again) * 100,
                        again->example[0] ? "; first: " : "", again->example);
}

/* --- the limit to use ------------------------------------------------------------------------ */

static void say_still_growing(const struct curve *curve, struct remarks *remarks)
{
        const struct step *last = knee_of(curve);

        remarks_add(remarks,
                "%u at once was best so far: %s requests per second, latency p50 %s. More may be better, so no limit is recommended; let the sweep finish.",
                last->concurrency, rate(curve->throughput[curve->knee]).text,
                ns(last->latency_p50_ns).text);
}

static void say_recommendation(const struct curve *curve, struct remarks *remarks)
{
        const struct step *knee = knee_of(curve);

        if (curve->throughput[curve->best] <= 0) {
                remarks_add(remarks, "Not one response was good, so no limit can be recommended.");
                return;
        }
        if (!curve_has_knee(curve)) {
                if (curve->end == CURVE_END_INTERRUPTED)
                        say_still_growing(curve, remarks);
                return;
        }
        if (curve->knee == curve->best)
                remarks_add(remarks,
                        "Use --concurrency %u. It has the highest throughput%s: %s requests per second, latency p50 %s.",
                        knee->concurrency,
                        curve->end == CURVE_END_BAD ? " of the steps that went well" : "",
                        rate(curve->throughput[curve->knee]).text, ns(knee->latency_p50_ns).text);
        else
                remarks_add(remarks,
                        "Use --concurrency %u. It is the lowest with 95 %% of the highest throughput: %s of %s requests per second, latency p50 %s.",
                        knee->concurrency, rate(curve->throughput[curve->knee]).text,
                        rate(curve->throughput[curve->best]).text, ns(knee->latency_p50_ns).text);
}

static void say_beyond(const struct curve *curve, struct remarks *remarks)
{
        const struct step *knee = knee_of(curve), *last = &curve->steps[curve->n_steps - 1];
        double change = curve->throughput[curve->n_steps - 1] / curve->throughput[curve->knee] - 1;
        char done[40] = "as many";

        if (last == knee || curve->end == CURVE_END_BAD)
                return;
        if (fabs(change) >= SAME)
                snprintf(done, sizeof(done), "%.0f %% %s", fabs(change) * 100,
                        change < 0 ? "fewer" : "more");
        remarks_add(remarks,
                "With %u at once a request takes %s instead of %s on average, and %s are done per second.",
                last->concurrency, ns(last->latency_mean_ns).text, ns(knee->latency_mean_ns).text,
                done);
}

/* --- what the limit is ----------------------------------------------------------------------- */

static void say_machine(const struct curve *curve, struct remarks *remarks)
{
        const struct step *step = &curve->steps[curve->limit_at];

        if (step->busy > CURVE_BUSY)
                remarks_add(remarks,
                        "THIS MACHINE WAS THE LIMIT: with %u at once the event loop's one thread was busy for %.0f %% of the time%s. The sweep says nothing about the server beyond this point; use several processes or machines to learn more.",
                        step->concurrency, fmin(step->busy, 1) * 100,
                        step->cpu < CURVE_BUSY ? " (part of it waiting for a free processor)" : "");
        else
                remarks_add(remarks,
                        "THIS PROGRAM WAS THE LIMIT: most of the increase is time that responses waited here to be read and decoded. The sweep says little about the server beyond this point.");
}

static void say_server(const struct curve *curve, struct remarks *remarks)
{
        const struct step *knee = knee_of(curve), *last = &curve->steps[curve->limit_at];

        remarks_add(remarks,
                "The server, or a proxy in front of it, is the limit: from %u to %u at once the wait for a response grows from %s to %s, because requests queue there or slow each other down. This machine was busy for at most %.0f %% of the time.",
                knee->concurrency, last->concurrency,
                ns(knee->phases[MUSTER_PHASE_WAIT].mean_ns).text,
                ns(last->phases[MUSTER_PHASE_WAIT].mean_ns).text,
                fmax(knee->busy, last->busy) * 100);
}

static void say_bandwidth(const struct curve *curve, struct remarks *remarks)
{
        remarks_add(remarks,
                "Bandwidth is the limit: %s per second arrive, however many requests are in flight. Compression or smaller responses would help; more at once does not.",
                words_bytes((uint64_t)curve->steps[curve->best].bytes_per_s).text);
}

static void say_connections(const struct curve *curve, struct remarks *remarks)
{
        const struct step *knee = knee_of(curve), *last = &curve->steps[curve->limit_at];

        remarks_add(remarks,
                "Opening connections is the limit: DNS, TCP and TLS take %s per request with %u at once, %s with %u (%llu connections were opened for %llu requests).",
                ns(knee->connect.mean_ns).text, knee->concurrency, ns(last->connect.mean_ns).text,
                last->concurrency, (unsigned long long)last->n_conns,
                (unsigned long long)last->n_done);
}

static void say_errors(const struct curve *curve, struct remarks *remarks)
{
        const struct step *last = &curve->steps[curve->n_steps - 1];

        remarks_add(remarks,
                "Stopped with %u at once: %.3g %% of the requests were bad (%llu failed, %llu answered 429 or 5xx)%s%s.%s",
                last->concurrency, step_bad_share(last) * 100, (unsigned long long)last->n_failed,
                (unsigned long long)last->n_turned_down, last->example[0] ? "; first: " : "",
                last->example,
                curve->n_steps == 1
                        ? " That was the first step, so the sweep says nothing about a limit."
                        : "");
}

/* The best step is what is recommended: say what its answers were. */
static void say_refusals(const struct curve *curve, struct remarks *remarks)
{
        const struct step *best = &curve->steps[curve->best];

        if (best->n_4xx + best->n_5xx)
                remarks_add(remarks,
                        "Not all succeeded: with %u at once %llu of %llu requests were answered 4xx or 5xx, first: %s. Such a response may be faster or slower than a good one. With -f they count as failures.",
                        best->concurrency, (unsigned long long)(best->n_4xx + best->n_5xx),
                        (unsigned long long)best->n_done, best->refusal);
}

static void say_no_limit(const struct curve *curve, struct remarks *remarks)
{
        const struct step *last = &curve->steps[curve->n_steps - 1];

        if (curve->end == CURVE_END_INTERRUPTED)
                return; /* said already */
        if (curve->n_steps == 1) {
                remarks_add(remarks,
                        "Only one step was measured, so there is nothing to compare it with; try --max %u.",
                        last->concurrency * 4);
                return;
        }
        remarks_add(remarks,
                "No limit was reached: throughput still grew up to %u at once, the highest that was tried. The best is at least this; try --max %u.",
                last->concurrency, last->concurrency * 4);
}

static void say_limit(const struct curve *curve, struct remarks *remarks)
{
        switch (curve->limit) {
        case CURVE_LIMIT_NONE:
                say_no_limit(curve, remarks);
                return;
        case CURVE_LIMIT_MACHINE:
                say_machine(curve, remarks);
                return;
        case CURVE_LIMIT_SERVER:
                say_server(curve, remarks);
                return;
        case CURVE_LIMIT_BANDWIDTH:
                say_bandwidth(curve, remarks);
                return;
        case CURVE_LIMIT_CONNECTIONS:
                say_connections(curve, remarks);
                return;
        case CURVE_LIMIT_ERRORS:
                return; /* said anyway */
        }
}

/* --- how it scales --------------------------------------------------------------------------- */

static void say_shares(const struct curve *curve, struct remarks *remarks)
{
        const struct usl *usl = &curve->usl;
        const char *whose = curve->limit == CURVE_LIMIT_MACHINE     ? "this machine"
                            : curve->limit == CURVE_LIMIT_BANDWIDTH ? "the network"
                                                                    : "the server";
        char sigma[160] = "no part of the work seems to be serial";
        char kappa[160] = "and requests do not seem to slow each other down";

        if (usl->sigma >= NEGLIGIBLE)
                snprintf(sigma, sizeof(sigma),
                        "%.2g %% of the work for a request is serial, so requests queue for it (sigma %.4f)",
                        usl->sigma * 100, usl->sigma);
        if (usl->kappa >= NEGLIGIBLE / 100)
                snprintf(kappa, sizeof(kappa),
                        "and each request in flight slows every other one down by %.2g %% (kappa %.6f)%s",
                        usl->kappa * 100, usl->kappa,
                        curve->has_peak ? ", so too many at once lower the throughput" : "");
        remarks_add(remarks,
                "How %s scales by the Universal Scalability Law (a formula for the cost of queueing and of interference): %s, %s.",
                whose, sigma, kappa);
}

static void say_peak(const struct curve *curve, struct remarks *remarks)
{
        const struct step *best = &curve->steps[curve->best];
        const struct step *last = &curve->steps[curve->n_steps - 1];

        if (curve->has_peak)
                remarks_add(remarks,
                        "By that law throughput peaks at about %.0f at once. Measured, it peaked at %u and fell beyond.",
                        usl_peak(&curve->usl), best->concurrency);
        else if (curve->limit != CURVE_LIMIT_NONE &&
                 curve->throughput[curve->n_steps - 1] >=
                         CURVE_KNEE * curve->throughput[curve->best])
                remarks_add(remarks,
                        "Throughput did not fall up to %u at once, the highest that was tried, so the peak is not known.",
                        last->concurrency);
}

static void say_fit(const struct curve *curve, struct remarks *remarks)
{
        double deviation = curve->usl.deviation;

        if (!curve->has_fit)
                return;
        if (deviation < CURVE_FITS)
                say_shares(curve, remarks);
        if (deviation > FITS && deviation < CURVE_FITS)
                remarks_add(remarks,
                        "That law is off by up to %.0f %% here, so its figures are rough. The knee is measured and does not depend on it.",
                        deviation * 100);
        say_peak(curve, remarks);
}

static void say_drift(const struct curve *curve, struct remarks *remarks)
{
        if (curve->drift > CURVE_DRIFT)
                remarks_add(remarks,
                        "The best steps, measured again at the end, differed by up to %.0f %%: the server, the path to it or this machine changed meanwhile. Repeat with --seconds 5 before you rely on the figures.",
                        curve->drift * 100);
}

static void explain_steps(const struct curve *curve, struct remarks *remarks)
{
        bool is_machine = curve->limit == CURVE_LIMIT_MACHINE;

        if (curve->throughput[curve->best] > 0 && is_machine)
                say_limit(curve, remarks);
        say_recommendation(curve, remarks);
        say_refusals(curve, remarks);
        if (curve->end == CURVE_END_BAD)
                say_errors(curve, remarks);
        if (curve->throughput[curve->best] <= 0)
                return;
        if (!is_machine)
                say_limit(curve, remarks);
        say_beyond(curve, remarks);
        say_drift(curve, remarks);
        say_fit(curve, remarks);
}

void sweep_explain(const struct curve *curve, struct remarks *remarks)
{
        say_interruption(curve, remarks);
        say_broken(curve, remarks);
        if (curve->n_steps)
                explain_steps(curve, remarks);
}
