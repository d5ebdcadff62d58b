/* SPDX-License-Identifier: MIT */
/*
 * Which request a time-out ended
 *
 * It fires at the end of its request: of those of its process and client that failed, it is the one
 * whose end is nearest, and each has one. A deadline may end very many at once, so those that have
 * theirs are passed over.
 */
#include "dated.h"
#include "match.h"
#include "skips.h"

/* Requests that failed, by process and end. */
struct failed {
        struct dated_list requests;
        struct skips skips;
};

static int failed_init(struct failed *failed, const struct watched *all)
{
        *failed = (struct failed){ 0 };
        if (dated_init(&failed->requests, all->requests.n) < 0)
                return MUSTER_E_RESOURCE;
        for (uint32_t i = 1; i <= all->requests.n; i++) {
                const struct hook_request *request = watched_request(all, i);

                if (request->error.len && request->call)
                        dated_add(&failed->requests, request->process, request->end_ns, i);
        }
        dated_sort(&failed->requests);
        return skips_init(&failed->skips, failed->requests.n);
}

static void failed_deinit(struct failed *failed)
{
        skips_deinit(&failed->skips);
        dated_deinit(&failed->requests);
}

/* How far away in time; UINT64_MAX: it is none of this process. */
static uint64_t distance(const struct failed *failed, size_t place,
        const struct hook_timeout *timeout)
{
        uint64_t end_ns;

        if (place == SKIPS_NONE || failed->requests.list[place].key != timeout->process)
                return UINT64_MAX;
        end_ns = failed->requests.list[place].at_ns;
        return end_ns > timeout->at_ns ? end_ns - timeout->at_ns : timeout->at_ns - end_ns;
}

/* From the moment on in both directions, the nearer one first; SKIPS_NONE: there is none. */
static size_t find(const struct watched *all, struct failed *failed,
        const struct hook_timeout *timeout)
{
        size_t from = dated_first(&failed->requests, timeout->process, timeout->at_ns);
        size_t up = skips_up(&failed->skips, from);
        size_t down = from ? skips_down(&failed->skips, from - 1) : SKIPS_NONE;

        for (;;) {
                uint64_t above_ns = distance(failed, up, timeout);
                uint64_t below_ns = distance(failed, down, timeout);
                size_t nearest = above_ns <= below_ns ? up : down;

                if (above_ns == UINT64_MAX && below_ns == UINT64_MAX)
                        return SKIPS_NONE;
                if (!timeout->client ||
                        watched_request(all, failed->requests.list[nearest].number)->client ==
                                timeout->client)
                        return nearest;
                if (nearest == up)
                        up = skips_up(&failed->skips, up + 1);
                else
                        down = down ? skips_down(&failed->skips, down - 1) : SKIPS_NONE;
        }
}

int match_timeouts(const struct watched *all)
{
        struct failed failed;
        int r = failed_init(&failed, all);

        for (size_t i = 0; r == 0 && i < all->timeouts.n; i++) {
                size_t place = find(all, &failed, rows_at(&all->timeouts, i));

                if (place == SKIPS_NONE)
                        continue;
                watched_call(all, watched_request(all, failed.requests.list[place].number)->call)
                        ->is_timeout = true;
                skips_use(&failed.skips, place);
        }
        failed_deinit(&failed);
        return r;
}
