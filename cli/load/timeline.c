/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <muster/error.h>
#include <string.h>

#define SPANS_WANTED  100 /* of a run whose length is known: no more, and some room behind */
#define FEW_REQUESTS  10
#define FIRST_SPAN_NS (100 * NS_PER_MS)

/* The smallest of these that does. */
static uint64_t width_for(uint64_t expected_ns)
{
        static const uint64_t factors[] = { 2, 5, 10 };
        uint64_t unit_ns = FIRST_SPAN_NS;

        if (expected_ns <= FIRST_SPAN_NS * SPANS_WANTED)
                return FIRST_SPAN_NS;
        for (;; unit_ns *= 10)
                for (int i = 0; i < 3; i++)
                        if (unit_ns * factors[i] * SPANS_WANTED >= expected_ns)
                                return unit_ns * factors[i];
}

int timeline_init(struct timeline *timeline, uint64_t begin_ns, uint64_t expected_ns)
{
        *timeline = (struct timeline){ .begin_ns = begin_ns,
                .width_ns = width_for(expected_ns),
                .spans = mem_array(TIMELINE_SPANS_MAX, sizeof(struct span)) };
        return timeline->spans ? 0 : MUSTER_E_RESOURCE;
}

void timeline_deinit(struct timeline *timeline)
{
        timeline->spans = mem_free(timeline->spans);
}

/* A span that nobody has used is all zeros, and so has no memory of its own. */
static struct hist *latency_of(struct span *span)
{
        if (!span->latency.n)
                hist_init(&span->latency);
        return &span->latency;
}

void span_add(struct span *span, const struct timed *timed)
{
        span->n++;
        span->n_failed += timed->has_failed;
        span->n_refused += timed->is_refused;
        span->open_ns += timed->end_ns - timed->planned_ns;
        span->service_max_ns = max_u64(span->service_max_ns, timed->end_ns - timed->start_ns);
        if (!timed->has_failed)
                hist_add(latency_of(span), timed->end_ns - timed->planned_ns);
}

void span_merge(struct span *span, const struct span *other)
{
        span->n += other->n;
        span->n_failed += other->n_failed;
        span->n_refused += other->n_refused;
        span->open_ns += other->open_ns;
        span->service_max_ns = max_u64(span->service_max_ns, other->service_max_ns);
        if (other->latency.n)
                hist_merge(latency_of(span), &other->latency);
}

static void halve(struct timeline *timeline)
{
        struct span *spans = timeline->spans;

        for (unsigned i = 0; i < TIMELINE_SPANS_MAX / 2; i++) {
                if (i > 0)
                        spans[i] = spans[2 * i];
                span_merge(&spans[i], &spans[2 * i + 1]);
        }
        memset(&spans[TIMELINE_SPANS_MAX / 2], 0, sizeof(*spans) * TIMELINE_SPANS_MAX / 2);
        timeline->n = (timeline->n + 1) / 2;
        timeline->width_ns *= 2;
}

void timeline_add(struct timeline *timeline, const struct timed *timed)
{
        uint64_t at_ns =
                timed->planned_ns > timeline->begin_ns ? timed->planned_ns - timeline->begin_ns : 0;
        unsigned i;

        while (at_ns / timeline->width_ns >= TIMELINE_SPANS_MAX)
                halve(timeline);
        i = (unsigned)(at_ns / timeline->width_ns);
        if (timeline->n <= i)
                timeline->n = i + 1;
        span_add(&timeline->spans[i], timed);
}

static double slots_needed(const struct span *span, uint64_t width_ns)
{
        double by_backlog = (double)span->open_ns, by_longest = (double)span->n;

        by_longest *= (double)span->service_max_ns;
        return (by_backlog < by_longest ? by_backlog : by_longest) / (double)width_ns;
}

double timeline_slots_needed(const struct timeline *timeline)
{
        double most = 0;

        for (unsigned i = 0; i < timeline->n; i++) {
                const struct span *span = &timeline->spans[i];
                double needed = slots_needed(span, timeline->width_ns);

                if (span->n >= FEW_REQUESTS && needed > most)
                        most = needed;
        }
        return most;
}
