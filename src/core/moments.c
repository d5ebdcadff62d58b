/* SPDX-License-Identifier: MIT */
#include "moments.h"

#include <assert.h>
#include <base/clock.h>

/* Moments within this time are leased together: no engine is away for that long. */
#define TOGETHER_NS (1 * NS_PER_MS)

void moments_init(struct moments *moments, double per_s)
{
        *moments = (struct moments){ .n_planning = 0 };
        rate_init(&moments->rate, per_s);
        pthread_mutex_init(&moments->lock, NULL);
}

void moments_deinit(struct moments *moments)
{
        pthread_mutex_destroy(&moments->lock);
}

void moments_begin(struct moments_lease *lease, uint64_t from_ns)
{
        struct moments *moments = lease->of;

        if (lease->is_planning)
                return;
        pthread_mutex_lock(&moments->lock);
        if (moments->n_planning++ == 0)
                rate_begin(&moments->rate, from_ns);
        pthread_mutex_unlock(&moments->lock);
        lease->is_planning = true;
}

void moments_end(struct moments_lease *lease)
{
        if (!lease->is_planning)
                return;
        pthread_mutex_lock(&lease->of->lock);
        assert(lease->of->n_planning);
        lease->of->n_planning--;
        pthread_mutex_unlock(&lease->of->lock);
        lease->is_planning = false;
        lease->first = lease->n = 0;
}

static void lease_more(struct moments_lease *lease, size_t n_wanted)
{
        struct moments *moments = lease->of;
        uint64_t until_ns;

        assert(lease->is_planning && lease->first == lease->n);
        if (n_wanted > MOMENTS_LEASED_MAX)
                n_wanted = MOMENTS_LEASED_MAX;
        pthread_mutex_lock(&moments->lock);
        until_ns = clock_after(rate_next_ns(&moments->rate), TOGETHER_NS);
        lease->first = lease->n = 0;
        do {
                lease->at_ns[lease->n++] = rate_take(&moments->rate);
        } while (lease->n < n_wanted && rate_next_ns(&moments->rate) < until_ns);
        pthread_mutex_unlock(&moments->lock);
}

uint64_t moments_next_ns(struct moments_lease *lease, size_t n_waiting)
{
        assert(lease->is_planning);
        if (lease->first == lease->n)
                lease_more(lease, n_waiting);
        return lease->at_ns[lease->first];
}

uint64_t moments_use(struct moments_lease *lease, size_t n_waiting)
{
        uint64_t at_ns = moments_next_ns(lease, n_waiting);

        assert(lease->is_planning && lease->first <= lease->n);
        lease->first++;
        return at_ns;
}
