/* SPDX-License-Identifier: MIT */
#include "curve.h"

#include <math.h>

#define BYTES_THAT_COUNT 4096 /* a body below this is not what a link is full of */

/* --- while it is being measured -------------------------------------------------------------- */

static bool fell(const struct curve *curve, size_t i)
{
        return curve->steps[i].throughput < curve->steps[i - 1].throughput * (1 - CURVE_FALLS);
}

bool curve_has_ended(struct curve *curve)
{
        size_t n = curve->n_steps;

        if (!n)
                return false;
        if (step_bad_share(&curve->steps[n - 1]) > CURVE_BAD_MAX) {
                curve->end = CURVE_END_BAD;
                return true;
        }
        if (n >= 3 && fell(curve, n - 1) && fell(curve, n - 2)) {
                curve->end = CURVE_END_FELL;
                return true;
        }
        return false;
}

/* What answers with errors has no throughput to speak of, however many it answers. */
static bool is_good(const struct step *step)
{
        return step_bad_share(step) <= CURVE_BAD_MAX;
}

static bool counts(const struct curve *curve, size_t i)
{
        return is_good(&curve->steps[i]);
}

size_t curve_best_few(const struct curve *curve, size_t *indices, size_t most)
{
        bool is_taken[CURVE_STEPS_MAX] = { false };

        for (size_t n = 0; n < most; n++) {
                size_t best = SIZE_MAX;

                for (size_t i = 0; i < curve->n_steps; i++)
                        if (!is_taken[i] && counts(curve, i) &&
                                (best == SIZE_MAX ||
                                        curve->steps[i].throughput > curve->steps[best].throughput))
                                best = i;
                if (best == SIZE_MAX)
                        return n;
                is_taken[best] = true;
                indices[n] = best;
        }
        return most;
}

/* --- what follows ---------------------------------------------------------------------------- */

bool curve_has_looked_again(const struct curve *curve, size_t i)
{
        return curve->again[i].concurrency && is_good(&curve->again[i]);
}

static void combine(struct curve *curve)
{
        for (size_t i = 0; i < curve->n_steps; i++) {
                double once = curve->steps[i].throughput, again = curve->again[i].throughput;

                curve->throughput[i] = once;
                if (!curve_has_looked_again(curve, i))
                        continue;
                curve->throughput[i] = (once + again) / 2;
                if (once > 0)
                        curve->drift = fmax(curve->drift, fabs(again - once) / once);
        }
}

static void find_knee(struct curve *curve)
{
        curve->best = 0;
        for (size_t i = 1; i < curve->n_steps; i++)
                if (counts(curve, i) && curve->throughput[i] > curve->throughput[curve->best])
                        curve->best = i;
        curve->knee = 0;
        while (curve->throughput[curve->knee] < CURVE_KNEE * curve->throughput[curve->best])
                curve->knee++;
}

/* --- the limit ------------------------------------------------------------------------------- */

static double grown(const struct step *from, const struct step *to, enum muster_phase phase)
{
        return to->phases[phase].mean_ns - from->phases[phase].mean_ns;
}

/* Where requests spend what they take longer. */
static enum curve_limit what_grew(const struct step *from, const struct step *to)
{
        const struct {
                enum curve_limit limit;
                double ns;
        } shares[] = {
                { CURVE_LIMIT_SERVER, grown(from, to, MUSTER_PHASE_WAIT) },
                { CURVE_LIMIT_BANDWIDTH, grown(from, to, MUSTER_PHASE_RECEIVE) +
                                                 grown(from, to, MUSTER_PHASE_SEND) },
                { CURVE_LIMIT_MACHINE,
                        grown(from, to, MUSTER_PHASE_LAG) + grown(from, to, MUSTER_PHASE_DECODE) },
                { CURVE_LIMIT_CONNECTIONS, to->connect.mean_ns - from->connect.mean_ns },
        };
        size_t most = 0;

        for (size_t i = 1; i < sizeof(shares) / sizeof(shares[0]); i++)
                if (shares[i].ns > shares[most].ns)
                        most = i;
        return shares[most].limit;
}

/*
 * On a link that is full bytes queue before the first of them is here, so that the wait grows and
 * not only the receiving. It is told from a busy server by two things. What one body alone takes to
 * be received, times the bodies of a second, is the share of time in which the link is used
 * (utilisation law), and that is about one. And packets of all kinds queue there, so that the round
 * trip grows, too; the kernel's figure of it follows slowly, so some of it will do.
 */
static bool is_link_full(const struct step *alone, const struct step *from, const struct step *to)
{
        double wait_ns = grown(from, to, MUSTER_PHASE_WAIT);
        double used = to->throughput * alone->phases[MUSTER_PHASE_RECEIVE].mean_ns / 1e9;

        if (to->throughput <= 0 || to->bytes_per_s / to->throughput < BYTES_THAT_COUNT)
                return false;
        if (grown(from, to, MUSTER_PHASE_RECEIVE) > wait_ns / 3)
                return true;
        return used > 0.7 && used < 1.3 &&
               to->rtt_mean_ns - alone->rtt_mean_ns > grown(alone, to, MUSTER_PHASE_WAIT) / 10;
}

static bool is_busy(const struct step *step)
{
        return step->busy > CURVE_BUSY;
}

/*
 * From the knee to the best step, and to the one that brought no more, this machine had to be idle
 * now and then: or nothing is known of the server. What fails does so at once and keeps this
 * machine busy: that is no limit of it. Returns the first step that it was not, n_steps when there
 * is none.
 */
static size_t first_busy(const struct curve *curve)
{
        size_t last = curve->knee + 1 > curve->best ? curve->knee + 1 : curve->best;

        for (size_t i = curve->knee; i <= last && i < curve->n_steps; i++)
                if (counts(curve, i) && is_busy(&curve->steps[i]))
                        return i;
        return curve->n_steps;
}

static void find_limit(struct curve *curve)
{
        size_t last = curve->n_steps - 1, busy = first_busy(curve);
        const struct step *from = &curve->steps[curve->knee], *to = &curve->steps[last];

        curve->limit_at = last;
        if (busy < curve->n_steps) {
                curve->limit = CURVE_LIMIT_MACHINE;
                curve->limit_at = busy;
        } else if (curve->end == CURVE_END_BAD) {
                curve->limit = CURVE_LIMIT_ERRORS;
        } else if (curve->knee == last) {
                curve->limit = CURVE_LIMIT_NONE;
        } else {
                curve->limit = what_grew(from, to);
                if (curve->limit == CURVE_LIMIT_SERVER && is_link_full(&curve->steps[0], from, to))
                        curve->limit = CURVE_LIMIT_BANDWIDTH;
        }
}

/* --- the fit --------------------------------------------------------------------------------- */

/* Requests that a throughput was measured with. */
static double n_behind(const struct curve *curve, size_t i)
{
        uint64_t n_again = curve_has_looked_again(curve, i) ? curve->again[i].n_done : 0;

        return (double)(curve->steps[i].n_done + n_again);
}

static void fit_curve(struct curve *curve)
{
        struct usl_point points[CURVE_STEPS_MAX];
        double peak, measured;
        size_t n = 0;

        for (size_t i = 0; i < curve->n_steps; i++)
                if (counts(curve, i))
                        points[n++] = (struct usl_point){ .n = curve->steps[i].in_flight,
                                .x = curve->throughput[i],
                                .weight = n_behind(curve, i) };
        curve->has_fit = usl_fit(&curve->usl, points, n);
        if (!curve->has_fit)
                return;
        peak = usl_peak(&curve->usl);
        measured = curve->steps[curve->best].in_flight;
        /* Of a peak nothing is said that was not seen: the last point lies past it, and lower. */
        curve->has_peak = curve->usl.deviation < CURVE_FITS && points[n - 1].n > peak &&
                          points[n - 1].x < CURVE_KNEE * curve->throughput[curve->best] &&
                          peak > measured / 2 && peak < measured * 2;
}

void curve_finish(struct curve *curve)
{
        if (!curve->n_steps)
                return;
        if (!counts(curve, curve->n_steps - 1))
                curve->end = CURVE_END_BAD; /* also where no step was to follow */
        combine(curve);
        find_knee(curve);
        find_limit(curve);
        fit_curve(curve);
}

bool curve_has_knee(const struct curve *curve)
{
        return curve->throughput[curve->best] > 0 &&
               !(curve->end == CURVE_END_BAD && curve->n_steps == 1) &&
               !(curve->end == CURVE_END_INTERRUPTED && curve->knee + 1 == curve->n_steps);
}
