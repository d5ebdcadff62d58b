/* SPDX-License-Identifier: MIT */
#include "slots.h"

#include "fair_share.h"
#include <assert.h>
#include <stdint.h>

void slots_init(struct slots *slots, unsigned n)
{
        *slots = (struct slots){ .n = n };
        atomic_init(&slots->n_free, n);
        atomic_init(&slots->n_active, 0);
        atomic_init(&slots->n_starved, 0);
}

void slots_add(struct slots *slots, struct lease *lease, void (*wake)(struct lease *lease))
{
        assert(slots->n_leases < SLOTS_LEASES_MAX && slots->n_leases < slots->n);
        *lease = (struct lease){ .slots = slots, .wake = wake };
        atomic_init(&lease->is_wanting, false);
        atomic_init(&lease->is_at_share, false);
        slots->leases[slots->n_leases++] = lease;
}

static unsigned at_most(size_t n, unsigned bound)
{
        return n < bound ? (unsigned)n : bound;
}

/* --- taking and giving ----------------------------------------------------------------------- */

static void take_slots(struct lease *lease, unsigned n_more)
{
        unsigned n_free = atomic_load(&lease->slots->n_free), n;

        do {
                n = at_most(n_free, n_more);
        } while (n && !atomic_compare_exchange_weak(&lease->slots->n_free, &n_free, n_free - n));
        lease->n += n;
}

/*
 * Wake the leases that want more. None is missed: a lease sets is_wanting before its last look for
 * free slots, and a giver frees slots before it looks at is_wanting, so one of the two sees the
 * other.
 */
static void wake_others(const struct lease *lease)
{
        const struct slots *slots = lease->slots;

        for (unsigned i = 0; i < slots->n_leases; i++) {
                struct lease *other = slots->leases[i];

                if (other != lease && atomic_load(&other->is_wanting) &&
                        atomic_exchange(&other->is_wanting, false))
                        other->wake(other);
        }
}

static void give_slots(struct lease *lease, unsigned n)
{
        assert(n <= lease->n);
        if (!n)
                return;
        lease->n -= n;
        atomic_fetch_add(&lease->slots->n_free, n);
        wake_others(lease);
}

/* --- the fair part --------------------------------------------------------------------------- */

/* An origin's share of the slots has grown: wake the leases that wait for that. */
static void wake_for_share(const struct lease *lease)
{
        const struct slots *slots = lease->slots;

        for (unsigned i = 0; i < slots->n_leases; i++) {
                struct lease *other = slots->leases[i];

                if (other != lease && atomic_load(&other->is_at_share) &&
                        atomic_exchange(&other->is_at_share, false))
                        other->wake(other);
        }
}

static void set_active(struct lease *lease, unsigned n_active)
{
        struct slots *slots = lease->slots;
        unsigned change = n_active - lease->n_active, before, after;

        if (!change)
                return;
        lease->n_active = n_active;
        before = atomic_fetch_add(&slots->n_active, change);
        after = before + change;
        if (after < before &&
                (after <= 1 || fair_share(slots->n, after) > fair_share(slots->n, before)))
                wake_for_share(lease);
}

static unsigned fair_part(struct lease *lease, unsigned n_active)
{
        struct slots *slots = lease->slots;
        unsigned n_all;

        set_active(lease, n_active);
        n_all = atomic_load(&slots->n_active);
        if (n_all < n_active || !n_all)
                n_all = n_active ? n_active : 1;
        return 1 + (unsigned)((uint64_t)(slots->n - slots->n_leases) * n_active / n_all);
}

static void set_starved(struct lease *lease, bool is_starved)
{
        if (is_starved && !lease->is_starved)
                atomic_fetch_add(&lease->slots->n_starved, 1);
        if (!is_starved && lease->is_starved) {
                atomic_fetch_sub(&lease->slots->n_starved, 1);
                wake_others(lease); /* slots that were kept for this one are free for all */
        }
        lease->is_starved = is_starved;
}

/* The most slots that the lease may have now. */
static unsigned most_allowed(const struct lease *lease, unsigned n_running, unsigned fair)
{
        bool is_another_starved =
                atomic_load(&lease->slots->n_starved) > (lease->is_starved ? 1U : 0U);

        if (!is_another_starved)
                return lease->slots->n;
        return n_running > fair ? n_running : fair;
}

static void adjust_lease(struct lease *lease, unsigned most, unsigned wanted)
{
        if (lease->n > most)
                give_slots(lease, lease->n - most);
        else if (wanted > lease->n && most > lease->n)
                take_slots(lease, at_most(wanted, most) - lease->n);
}

void lease_take(struct lease *lease, unsigned n_running, size_t n_wanted, unsigned n_active)
{
        unsigned fair = fair_part(lease, n_active);
        unsigned wanted = at_most(n_running + n_wanted, lease->slots->n);

        assert(n_running <= lease->n);
        adjust_lease(lease, most_allowed(lease, n_running, fair), wanted);
        if (lease->n < wanted) {
                set_starved(lease, lease->n < fair);
                atomic_store(&lease->is_wanting, true);
                adjust_lease(lease, most_allowed(lease, n_running, fair), wanted);
        }
        if (lease->n >= wanted)
                atomic_store(&lease->is_wanting, false);
        set_starved(lease, lease->n < wanted && lease->n < fair);
}

void lease_settle(struct lease *lease, unsigned n_running)
{
        assert(n_running <= lease->n);
        give_slots(lease, lease->n - n_running);
}

bool lease_await_share(struct lease *lease, unsigned n_active_elsewhere)
{
        /* As with is_wanting: one of the two sees the other. */
        atomic_store(&lease->is_at_share, true);
        return lease_active_elsewhere(lease) >= n_active_elsewhere;
}

unsigned lease_active_elsewhere(const struct lease *lease)
{
        unsigned n_all = atomic_load(&lease->slots->n_active);

        return n_all > lease->n_active ? n_all - lease->n_active : 0;
}

unsigned lease_taken_elsewhere(const struct lease *lease)
{
        unsigned n_taken = lease->slots->n - atomic_load(&lease->slots->n_free);

        return n_taken > lease->n ? n_taken - lease->n : 0;
}
