/* SPDX-License-Identifier: MIT */
#include "throttle.h"

#include <assert.h>
#include <base/clock.h>
#include <math.h>

/* The first pace: slow for most limits, and soon exceeded. */
#define START_PER_S 20

/* Factors by which the pace grows with each request let in: far from the ceiling, and near it. */
#define FASTER           1.1
#define A_LITTLE         1.005
#define NEAR             0.77 /* from this part of the ceiling on it is near */
#define SAMPLE           8    /* number of starts that show the real pace */
#define FASTER_THAN_REAL 1.5  /* factor by which the pace may exceed the real one */

/*
 * Requests may arrive closer together than they were sent, so the pace stays below the known
 * bounds.
 */
#define BELOW_CEILING 0.95
#define BELOW_FLOOR   0.97
#define BETWEEN       0.94 /* of the ceiling, if the floor is at least ALL_BUT_MEET of it */
#define ALL_BUT_MEET  0.85
#define DOUBTED       0.98 /* of the refused pace: a floor above this was wrong */
#define FEW           10   /* requests let in; fewer show no rate */

/* The hold if the server gives none: doubled until a request is let in. */
#define OWN_HOLD_NS     (250 * NS_PER_MS)
#define OWN_HOLD_MAX_NS (30 * NS_PER_S)

/*
 * After this time without a refusal just below the ceiling, a higher pace is tried. Doubled each
 * time.
 */
#define PATIENCE_NS     (15 * NS_PER_S)
#define PATIENCE_MAX_NS (300 * NS_PER_S)

/* If the server accepted a pace for this many times the hold, a refusal is an accident. */
#define ACCIDENT_HOLDS 15

/*
 * A response that took this much longer than usual was held up on the way, and the next start is
 * delayed.
 */
#define HELD_UP_TIMES 2
#define HELD_UP_NS    (500 * NS_PER_US)
#define MEAN_SHARE    8 /* a new response counts one in this many in the mean */

/*
 * A start that is late by no more than this part of the interval plus LATE_NS does not delay the
 * next one.
 */
#define LATE_SHARE 64
#define LATE_NS    (50 * NS_PER_US)

static double seconds(uint64_t ns)
{
        return (double)ns / (double)NS_PER_S;
}

/* When the n-th last request let in since the hold was started; n begins at 1. */
static uint64_t kept_start_ns(const struct throttle *throttle, unsigned n)
{
        return throttle->starts[(throttle->n_let_in - n) % THROTTLE_STARTS_KEPT];
}

static uint64_t interval_ns(const struct throttle *throttle)
{
        return (uint64_t)((double)NS_PER_S / throttle->per_s);
}

void throttle_init(struct throttle *throttle, uint64_t since_ns, unsigned n_let_in)
{
        *throttle = (struct throttle){
                .per_s = INFINITY,
                .ceiling_per_s = INFINITY,
                .at_once = n_let_in,
                .refused_ns = since_ns,
                .release_ns = since_ns,
                .own_hold_ns = OWN_HOLD_NS,
                .patience_ns = PATIENCE_NS,
                .n_let_in = n_let_in,
        };
}

/* --- starts ---------------------------------------------------------------------------------- */

void throttle_free_starts(struct throttle *throttle, unsigned n)
{
        throttle->n_free = n;
}

uint64_t throttle_next_ns(const struct throttle *throttle)
{
        if (throttle->n_free)
                return 0;
        return throttle->is_probing && throttle->n_out ? UINT64_MAX : throttle->next_ns;
}

struct throttle_start throttle_begin(struct throttle *throttle, uint64_t now_ns)
{
        uint64_t interval = interval_ns(throttle), late_ns = interval / LATE_SHARE + LATE_NS;

        assert(throttle->n_refusals);
        if (throttle->n_free) {
                throttle->n_free--;
                return (struct throttle_start){ now_ns, INFINITY, true };
        }
        if (throttle->next_ns + late_ns < now_ns)
                throttle->next_ns = now_ns - late_ns;
        throttle->next_ns += interval;
        throttle->n_out += throttle->is_probing;
        return (struct throttle_start){ now_ns, throttle->per_s, false };
}

/*
 * Did the start happen before the end of the last hold? It says nothing about the pace since then.
 */
static bool is_of_before(const struct throttle *throttle, const struct throttle_start *start)
{
        return start->at_ns < throttle->release_ns;
}

void throttle_go_on(struct throttle *throttle, const struct throttle_start *start)
{
        if (!is_of_before(throttle, start))
                throttle->is_probing = false;
}

void throttle_end(struct throttle *throttle, const struct throttle_start *start)
{
        if (!is_of_before(throttle, start) && throttle->n_out)
                throttle->n_out--;
}

/* --- let in ---------------------------------------------------------------------------------- */

static double max_per_s(const struct throttle *throttle)
{
        return throttle->ceiling_per_s * BELOW_CEILING;
}

/*
 * Is a faster pace worth the hold that a refusal costs? It is if, since the last refusal, the
 * faster pace would have gained twice the hold.
 */
static bool pays_for_a_hold(const struct throttle *throttle, uint64_t now_ns)
{
        double gain = 1 - throttle->per_s / max_per_s(throttle);

        return (double)(now_ns - throttle->refused_ns) * gain > 2 * (double)throttle->hold_ns;
}

/*
 * Do requests start as fast as the pace allows? Too few slots or long round trips may prevent that.
 */
static bool is_kept_to(const struct throttle *throttle)
{
        unsigned n = throttle->n_let_in;
        uint64_t ns;

        if (n < SAMPLE)
                return true;
        ns = kept_start_ns(throttle, 1) - kept_start_ns(throttle, SAMPLE);
        return throttle->per_s * seconds(ns) < FASTER_THAN_REAL * (SAMPLE - 1);
}

static void speed_up(struct throttle *throttle, uint64_t now_ns)
{
        double faster = throttle->floor_per_s < throttle->ceiling_per_s * NEAR ? FASTER : A_LITTLE;

        if (throttle->per_s >= max_per_s(throttle) || !is_kept_to(throttle))
                return;
        if (faster > A_LITTLE || pays_for_a_hold(throttle, now_ns))
                throttle->per_s = fmin(throttle->per_s * faster, max_per_s(throttle));
}

/*
 * Try a pace above the ceiling now and then, ever less often: limits change, and other clients may
 * have used up the limit when it refused.
 */
static void doubt_ceiling(struct throttle *throttle, uint64_t now_ns)
{
        assert(now_ns >= throttle->refused_ns);
        if (throttle->per_s < max_per_s(throttle) ||
                now_ns - throttle->refused_ns < throttle->patience_ns)
                return;
        throttle->ceiling_per_s /= BELOW_CEILING;
        throttle->floor_per_s = throttle->per_s;
        throttle->refused_ns = now_ns;
        throttle->n_let_in = 0;
        if (throttle->patience_ns < PATIENCE_MAX_NS)
                throttle->patience_ns *= 2;
}

/*
 * Delay the next start after a request that was held up. The server may have counted that request
 * late, and if it saves nothing up, the next one must not follow it closer than the pace allows.
 */
static void make_room(struct throttle *throttle, const struct throttle_start *start,
        uint64_t now_ns)
{
        uint64_t took_ns = now_ns - start->at_ns, usual_ns = throttle->usual_ns;
        uint64_t beyond_ns = took_ns > usual_ns ? took_ns - usual_ns : 0;
        uint64_t clear_ns = start->at_ns + interval_ns(throttle);

        if (usual_ns && took_ns > usual_ns * HELD_UP_TIMES + HELD_UP_NS) {
                if (beyond_ns > interval_ns(throttle) / 2)
                        beyond_ns = interval_ns(throttle) / 2;
                if (throttle->next_ns < clear_ns + beyond_ns)
                        throttle->next_ns = clear_ns + beyond_ns;
        }
        throttle->usual_ns =
                usual_ns ? usual_ns - usual_ns / MEAN_SHARE + took_ns / MEAN_SHARE : took_ns;
}

void throttle_let_in(struct throttle *throttle, const struct throttle_start *start, uint64_t now_ns)
{
        assert(throttle->n_refusals && now_ns >= start->at_ns);
        if (is_of_before(throttle, start)) {
                throttle->at_once += throttle->n_refusals == 1;
                return;
        }
        throttle->starts[throttle->n_let_in++ % THROTTLE_STARTS_KEPT] = start->at_ns;
        throttle->own_hold_ns = OWN_HOLD_NS;
        if (throttle->is_probing && throttle->next_ns < now_ns)
                throttle->next_ns = now_ns;
        throttle->is_probing = false;
        throttle->n_out = 0;
        if (throttle->n_let_in > THROTTLE_STARTS_KEPT)
                throttle->n_lowered = 0;
        make_room(throttle, start, now_ns);
        speed_up(throttle, now_ns);
        doubt_ceiling(throttle, now_ns);
}

/* --- refused --------------------------------------------------------------------------------- */

/*
 * The rate of requests let in from the last refusal to the end of the hold that this one asks for.
 */
static double let_in_per_s(const struct throttle *throttle, uint64_t now_ns, uint64_t hold_ns)
{
        uint64_t ns = now_ns + hold_ns - throttle->refused_ns;

        return ns ? throttle->n_let_in / seconds(ns) : 0;
}

/*
 * The rate of requests let in since the hold, less those that may come at once: the best over all
 * spans that end with the last start.
 */
static double paced_per_s(const struct throttle *throttle)
{
        unsigned n = throttle->n_let_in;
        unsigned n_kept = n < THROTTLE_STARTS_KEPT ? n : THROTTLE_STARTS_KEPT;
        unsigned at_once = throttle->at_once ? throttle->at_once : 1;
        double best = 0;

        for (unsigned count = at_once + 1; count <= n_kept; count++) {
                uint64_t ns = kept_start_ns(throttle, 1) - kept_start_ns(throttle, count);

                if (ns)
                        best = fmax(best, (count - at_once) / seconds(ns));
        }
        return best;
}

/* Lower a floor at which the server refused. Each time in a row it is lowered by more. */
static double lower_floor(struct throttle *throttle, double refused_per_s, double told_per_s)
{
        static const double cuts[] = { 0.95, 0.93, 0.85, 0.7 };
        unsigned n = throttle->n_lowered++;

        return fmax(refused_per_s * cuts[n < 3 ? n : 3], fmin(told_per_s, refused_per_s * cuts[0]));
}

static void set_bounds(struct throttle *throttle, double refused_per_s, double told_per_s)
{
        double ceiling = refused_per_s;

        if (throttle->floor_per_s >= refused_per_s * DOUBTED)
                throttle->floor_per_s = lower_floor(throttle, refused_per_s, told_per_s);
        else
                throttle->floor_per_s = fmax(throttle->floor_per_s, told_per_s);
        /*
         * Bounds far apart mean that the pace was far above the limit: the middle is a better
         * guess.
         */
        if (throttle->n_let_in >= FEW && throttle->floor_per_s < refused_per_s * ALL_BUT_MEET)
                ceiling = fmax(sqrt(throttle->floor_per_s * refused_per_s), refused_per_s / 2);
        throttle->ceiling_per_s = fmin(throttle->ceiling_per_s, ceiling);
        throttle->floor_per_s = fmin(throttle->floor_per_s, max_per_s(throttle));
}

static void set_pace(struct throttle *throttle, double refused_per_s)
{
        double ceiling = throttle->ceiling_per_s;
        double per_s = fmax(throttle->floor_per_s * BELOW_FLOOR, START_PER_S);

        if (isfinite(ceiling) && throttle->floor_per_s > ceiling * ALL_BUT_MEET)
                per_s = fmin(ceiling * BETWEEN, fmax(throttle->floor_per_s, START_PER_S));
        /* With so few let in we know only that the pace was too fast. */
        if (throttle->n_let_in < FEW && per_s > refused_per_s / 2 &&
                throttle->floor_per_s < refused_per_s / 2)
                per_s = refused_per_s / 2;
        throttle->per_s = fmin(per_s, max_per_s(throttle));
}

/*
 * Is the refusal an accident? If the server accepted the pace for this long, a hold now and then
 * costs less than a slower pace: servers and networks vary.
 */
static bool is_accident(const struct throttle *throttle, const struct throttle_start *start,
        uint64_t now_ns, uint64_t hold_ns)
{
        return throttle->per_s <= start->per_s &&
               (now_ns - throttle->release_ns) / ACCIDENT_HOLDS > hold_ns;
}

static void begin_hold(struct throttle *throttle, uint64_t now_ns, uint64_t hold_ns)
{
        assert(now_ns >= throttle->refused_ns);
        throttle->refused_ns = now_ns;
        throttle->hold_ns = hold_ns;
        throttle->release_ns = throttle->next_ns = clock_after(now_ns, hold_ns);
        throttle->is_probing = true;
        throttle->n_out = 0;
        throttle->n_let_in = 0;
}

static uint64_t hold_length_ns(struct throttle *throttle, uint64_t asked_ns)
{
        uint64_t own_ns = throttle->own_hold_ns;

        if (asked_ns)
                return asked_ns;
        if (!throttle->n_let_in && throttle->own_hold_ns < OWN_HOLD_MAX_NS)
                throttle->own_hold_ns *= 2;
        return own_ns;
}

/*
 * The floor from the requests let in before the first refusal. If they took longer than the hold,
 * they were a pace that the server accepted, not a stock that it had saved up.
 */
static double first_floor(const struct throttle *throttle, uint64_t now_ns, uint64_t hold_ns)
{
        bool was_long = now_ns - throttle->refused_ns > hold_ns;

        return let_in_per_s(throttle, now_ns, was_long ? 0 : hold_ns);
}

void throttle_refused(struct throttle *throttle, const struct throttle_start *start,
        uint64_t now_ns, uint64_t asked_ns)
{
        uint64_t hold_ns;

        assert(throttle->per_s > 0);
        if (throttle->n_refusals && is_of_before(throttle, start)) {
                /* It was under way with the last refused one, and tells only how long to hold. */
                if (clock_after(now_ns, asked_ns) > throttle->next_ns)
                        throttle->next_ns = clock_after(now_ns, asked_ns);
                return;
        }
        hold_ns = hold_length_ns(throttle, asked_ns);
        if (throttle->n_refusals++ == 0) {
                throttle->floor_per_s = first_floor(throttle, now_ns, hold_ns);
                throttle->per_s = fmax(throttle->floor_per_s, START_PER_S);
        } else if (throttle->n_let_in && !is_accident(throttle, start, now_ns, hold_ns)) {
                double told_per_s =
                        fmax(let_in_per_s(throttle, now_ns, hold_ns), paced_per_s(throttle));

                set_bounds(throttle, start->per_s, told_per_s);
                set_pace(throttle, start->per_s);
        }
        begin_hold(throttle, now_ns, hold_ns);
}
