/* SPDX-License-Identifier: MIT */
/*
 * Slots: the number of requests in flight, shared by several engines
 *
 * An engine leases as many slots as it can use when it is about to start requests, and gives back
 * unused ones before it waits. All leases together never exceed the number of slots.
 *
 *      free ──take──▶ lease: running, and those that may start now
 *        ▲              │
 *        └─────give─────┘  not used; or above the fair part, while another lease has less than that
 *
 * A lease's fair part is one slot plus a share of the rest, as large as its share of the active
 * origins. The fair parts together fit, so nobody starves: while a lease that wants more has less
 * than its fair part, the others take nothing beyond theirs, and give back what is above it as
 * their requests end. Slots that nobody else wants are free for all.
 *
 * An engine that wants more than it got sleeps until another one gives slots back and wakes it. One
 * whose origins have their share of the slots is woken when that grows, as fewer origins are active.
 */
#ifndef CORE_SLOTS_H
#define CORE_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define SLOTS_LEASES_MAX 128

struct lease;

struct slots {
        unsigned n;        /* in all */
        unsigned n_leases; /* at most n */
        _Atomic unsigned n_free;
        _Atomic unsigned n_active;  /* origins of all leases that want slots or have some */
        _Atomic unsigned n_starved; /* leases that want more and have less than their fair part */
        struct lease *leases[SLOTS_LEASES_MAX];
};

/* One engine's lease. Only its thread uses it, except for the atomic members. */
struct lease {
        struct slots *slots;
        unsigned n; /* leased */
        unsigned n_active;
        bool is_starved;
        atomic_bool is_wanting;            /* cleared by the one who wakes it */
        atomic_bool is_at_share;           /* so is this */
        void (*wake)(struct lease *lease); /* called by another engine's thread */
};

/* Make `n` slots, all free, without leases. */
void slots_init(struct slots *slots, unsigned n);

/* Add a lease, before any lease is used. There must not be more leases than slots. */
void slots_add(struct slots *slots, struct lease *lease, void (*wake)(struct lease *lease));

/*
 * Lease slots before requests are started: `n_running` hold a slot, `n_wanted` more want one, and
 * they belong to `n_active` origins. Afterwards lease->n is how many may run at once.
 */
void lease_take(struct lease *lease, unsigned n_running, size_t n_wanted, unsigned n_active);

/* Give back unused slots, as nothing more is started for now. */
void lease_settle(struct lease *lease, unsigned n_running);

/*
 * Wake this lease when the share of an origin grows: some have all of theirs here, and want more.
 * False: fewer than `n_active_elsewhere` are active now, look again.
 */
bool lease_await_share(struct lease *lease, unsigned n_active_elsewhere);

/* How many active origins, and how many slots, the other leases have. */
unsigned lease_active_elsewhere(const struct lease *lease);
unsigned lease_taken_elsewhere(const struct lease *lease);

#endif
