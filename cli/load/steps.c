/* SPDX-License-Identifier: MIT */
#include "steps.h"

#include <base/mem.h>
#include <base/minmax.h>
#include <muster/error.h>

/* When a step begins, since the beginning of the run. */
static uint64_t begin_of(const struct load_plan *plan, unsigned step)
{
        return plan->ramp_ns / STEPS_OF_RAMP * step;
}

int steps_init(struct load_steps *steps, const struct load_plan *plan)
{
        *steps = (struct load_steps){ 0 };
        if (!plan->ramp_ns)
                return 0;
        steps->list = mem_array(STEPS_MAX, sizeof(*steps->list));
        if (!steps->list)
                return MUSTER_E_RESOURCE;
        for (unsigned i = 0; i < STEPS_MAX; i++) {
                steps->list[i].from_per_s = load_plan_rate(plan, begin_of(plan, i));
                steps->list[i].to_per_s = load_plan_rate(plan, begin_of(plan, i + 1));
                hist_init(&steps->list[i].service);
        }
        return 0;
}

void steps_deinit(struct load_steps *steps)
{
        steps->list = mem_free(steps->list);
}

void steps_add(struct load_steps *steps, const struct load_plan *plan, uint64_t at_ns,
        const struct timed *timed)
{
        unsigned i = STEPS_OF_RAMP;

        if (!steps->list)
                return;
        if (at_ns < begin_of(plan, STEPS_OF_RAMP))
                i = (unsigned)(at_ns / begin_of(plan, 1));
        span_add(&steps->list[i].span, timed);
        if (!timed->has_failed)
                hist_add(&steps->list[i].service, timed->end_ns - timed->start_ns);
}

/* --- how far it kept up ---------------------------------------------------------------------- */

static uint64_t p50(const struct load_step *step)
{
        return hist_quantile(&step->span.latency, 0.5);
}

/* How many steps there were, and what was planned in each, unless a number of requests ends it. */
static void count_planned(struct load_steps *steps, const struct load_plan *plan, uint64_t ns)
{
        for (unsigned i = 0; i < STEPS_MAX; i++) {
                uint64_t from_ns = begin_of(plan, i);
                uint64_t to_ns = i < STEPS_OF_RAMP ? min_u64(begin_of(plan, i + 1), ns) : ns;

                if (to_ns <= from_ns)
                        break;
                steps->n = i + 1;
                if (plan->is_exact && !plan->n_requests)
                        steps->list[i].planned = (uint64_t)(load_plan_count(plan, to_ns) -
                                                            load_plan_count(plan, from_ns));
                steps->list[i].service_p50_ns = hist_quantile(&steps->list[i].service, 0.5);
        }
}

/* The best of the first third: with the first one connections were new. */
static const struct load_step *find_base(const struct load_steps *steps)
{
        const struct load_step *base = NULL;

        for (unsigned i = 0; i < (steps->n + 2) / 3; i++) {
                const struct load_step *step = &steps->list[i];

                if (step->span.latency.n >= STEP_FEW && (!base || p50(step) < p50(base)))
                        base = step;
        }
        return base;
}

static bool has_slowed(uint64_t ns, uint64_t base_ns)
{
        return ns >= base_ns * STEP_SLOW_TIMES && ns >= base_ns + STEP_SLOW_NS;
}

static enum step_fault fault_of(const struct load_step *step, uint64_t base_ns)
{
        const struct span *span = &step->span;
        uint64_t n_bad = span->n_failed + span->n_refused;
        uint64_t n_unstarted = step->planned > span->n ? step->planned - span->n : 0;

        if (n_bad >= 2 && (double)n_bad >= STEP_BAD_SHARE * (double)span->n)
                return STEP_ERRORS;
        if (span->latency.n && has_slowed(p50(step), base_ns))
                return STEP_SLOW;
        if (n_unstarted >= 2 && (double)n_unstarted >= STEP_LOST_SHARE * (double)step->planned)
                return STEP_UNSTARTED;
        return STEP_GOOD;
}

void steps_finish(struct load_steps *steps, const struct load_plan *plan, uint64_t ns)
{
        const struct load_step *base;
        unsigned n_bad = 0;

        if (!steps->list)
                return;
        count_planned(steps, plan, ns);
        base = find_base(steps);
        if (!base)
                return;
        steps->is_known = true;
        steps->base_p50_ns = p50(base);
        for (unsigned i = 0; i < steps->n; i++)
                steps->list[i].fault = fault_of(&steps->list[i], steps->base_p50_ns);
        while (n_bad < steps->n && steps->list[steps->n - 1 - n_bad].fault != STEP_GOOD)
                n_bad++;
        steps->kept_up = n_bad < STEPS_BAD_MIN;
        if (steps->kept_up)
                return;
        steps->first_bad = steps->n - n_bad;
        steps->kept_up_to = steps->list[steps->first_bad].from_per_s;
        steps->is_our_limit = true;
        for (unsigned i = steps->first_bad; i < steps->n; i++)
                if (steps->list[i].fault == STEP_ERRORS ||
                        has_slowed(steps->list[i].service_p50_ns, base->service_p50_ns))
                        steps->is_our_limit = false;
}
