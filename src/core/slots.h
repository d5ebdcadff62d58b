/* SPDX-License-Identifier: MIT */
/*
 * Slots that several engines share
 *
 * So many requests may be in flight at once, whichever engine they run on. An engine leases slots:
 * as many as it can use when it is about to start requests, and it gives back what it did not use
 * before it waits. All leases together never exceed the number of slots.
 *
 *      free ──take──▶ lease: running, and those that may start now
 *        ▲              │
 *        └─────give─────┘  not used; or above the fair part, while another lease has less than that
 *
 * A lease's fair part is one slot, and of all others as large a share as it has of the active
 * origins. The fair parts together fit, so nobody starves: while a lease that wants more has less
 * than its part, the others take nothing beyond theirs and give back what is above it as their
 * requests end. What nobody else wants anybody may have.
 *
 * An engine that wants more than it could get sleeps; whoever gives something back wakes it.
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
        _Atomic unsigned n_active;  /* origins that want slots or have some, of all leases */
        _Atomic unsigned n_starved; /* leases that want more and have less than their fair part */
        struct lease *leases[SLOTS_LEASES_MAX];
};

/* An engine's; used by its thread alone, but for `is_wanting`. */
struct lease {
        struct slots *slots;
        unsigned n; /* leased */
        unsigned n_active;
        bool is_starved;
        atomic_bool is_wanting;            /* cleared by whoever wakes it */
        void (*wake)(struct lease *lease); /* called by another engine's thread */
};

/* All are free; `n_leases` leases are to be added. */
void slots_init(struct slots *slots, unsigned n);

/* Before any of the leases is used; there must not be more of them than slots. */
void slots_add(struct slots *slots, struct lease *lease, void (*wake)(struct lease *lease));

/*
 * Requests are about to be started: `n_running` hold a slot, `n_wanted` more want one. Then
 * lease->n is what may run at once. `n_active` are the origins that they belong to.
 */
void lease_take(struct lease *lease, unsigned n_running, size_t n_wanted, unsigned n_active);

/* Nothing more is started for now: give back what is not used. */
void lease_settle(struct lease *lease, unsigned n_running);

/* How many active origins the other leases have, and slots. */
unsigned lease_active_elsewhere(const struct lease *lease);
unsigned lease_taken_elsewhere(const struct lease *lease);

#endif
