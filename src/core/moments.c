/* SPDX-License-Identifier: MIT */
#include "moments.h"

#include <assert.h>
#include <base/clock.h>
#include <base/minmax.h>

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

void moments_close(struct moments *moments)
{
        assert(!moments->n_planning);
        moments->is_closed = true;
}

void moments_open(struct moments_lease *lease, const struct rate *rate, bool is_planning,
        uint64_t now_ns)
{
        struct moments *moments = lease->of;

        assert(!lease->is_planning);
        pthread_mutex_lock(&moments->lock);
        assert(moments->is_closed);
        moments->is_closed = false;
        moments->rate = *rate;
        if (!is_planning)
                rate_begin(&moments->rate, now_ns);
        moments->n_planning += is_planning;
        pthread_mutex_unlock(&moments->lock);
        lease->is_planning = is_planning;
}

bool moments_are_open(struct moments *moments)
{
        bool are_open;

        pthread_mutex_lock(&moments->lock);
        are_open = !moments->is_closed;
        pthread_mutex_unlock(&moments->lock);
        return are_open;
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
        n_wanted = min_size(n_wanted ? n_wanted : 1, MOMENTS_LEASED_MAX);
        pthread_mutex_lock(&moments->lock);
        until_ns = clock_after(rate_next_ns(&moments->rate), TOGETHER_NS);
        lease->first = lease->n = 0;
        while (!moments->is_closed && lease->n < n_wanted &&
                rate_next_ns(&moments->rate) < until_ns)
                lease->at_ns[lease->n++] = rate_take(&moments->rate);
        pthread_mutex_unlock(&moments->lock);
}

uint64_t moments_next_ns(struct moments_lease *lease, size_t n_waiting)
{
        assert(lease->is_planning);
        if (lease->first == lease->n)
                lease_more(lease, n_waiting);
        return lease->first < lease->n ? lease->at_ns[lease->first] : UINT64_MAX;
}

uint64_t moments_use(struct moments_lease *lease, size_t n_waiting)
{
        uint64_t at_ns = moments_next_ns(lease, n_waiting);

        assert(lease->is_planning && lease->first < lease->n);
        lease->first++;
        return at_ns;
}

void moments_catch_up(struct moments_lease *lease, uint64_t now_ns)
{
        struct moments *moments = lease->of;

        assert(lease->is_planning);
        while (lease->n - lease->first > 1 && lease->at_ns[lease->first + 1] <= now_ns)
                lease->first++;
        if (lease->first < lease->n)
                return;
        pthread_mutex_lock(&moments->lock);
        rate_catch_up(&moments->rate, now_ns);
        pthread_mutex_unlock(&moments->lock);
}
