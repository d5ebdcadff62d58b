/* SPDX-License-Identifier: MIT */
/*
 * Who gets the next slot
 *
 * A request waits in its origin's queue. Origins with waiting requests stand in a ring and are
 * given one slot in turn, as long as slots are free and the origin is below what it may have. All
 * of it takes constant time a request.
 *
 * What an origin may have, so that a dead or hanging one does not hold up the others:
 *   - never more than `per_host`;
 *   - while it is the only active one, all of `concurrency`;
 *   - else its share, concurrency / active origins, and one more for each request of its own that
 *     was answered since the last that was
 *     not. So a host that answers grows into the slots that others leave unused, and one that hangs
 *     stays at its share;
 *   - but an eighth of the slots is kept for the others however good it has been, should it begin
 *     to hang.
 *
 * An origin that may have no more is held: it stands aside until one of its own requests ends or
 * the share grows. One that refused requests (refusal.h) rests until its next start is due, and
 * holds up nobody.
 *
 * With a rate all this is for requests that are due. Before that they wait for their planned moment
 * (pace.h).
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "origin.h"
#include "pace.h"
#include "request.h"

struct sched {
        unsigned concurrency, per_host;
        unsigned n_slots; /* that may be in use now: all, or what is leased (slots.h) */
        unsigned n_running;
        unsigned n_active; /* origins with waiting or running requests */
        unsigned n_active_elsewhere, n_running_elsewhere; /* on other engines, as seen last */
        size_t n_queued;
        struct list ready;   /* origins with waiting requests, in turn */
        struct list held;    /* such that may have no more at present */
        struct heap resting; /* origins that refused requests, by their next start */
        struct pace pace;
        /* For the record: who waited for what (sched.c). */
        uint64_t n_due, full_mark, workers_mark, freed_by;
        bool workers_ran_out_last; /* after the slots did */
        bool is_full; /* the caller has to wait before it can submit more: said by the client */
};

void sched_init(struct sched *sched, unsigned concurrency, unsigned per_host);
void sched_deinit(struct sched *sched);

/* Requests a second that are started, of all and of each origin; 0: no limit. Nothing waits yet. */
void sched_set_rates(struct sched *sched, double per_s, double per_host_per_s);

/*
 * Slots are shared with other engines: so many may be in use here now, and this is how it looks
 * elsewhere.
 */
void sched_set_slots(struct sched *sched, unsigned n_slots, unsigned n_running_elsewhere,
        unsigned n_active_elsewhere);

/* Requests that could be given a slot, or wait for what is held by their own origin. */
size_t sched_n_due(const struct sched *sched);

/*
 * Let a request wait, behind the others of its origin or before them. request->origin is set.
 * MUSTER_E_RESOURCE, with a rate: it does not wait.
 */
int sched_add(struct sched *sched, struct muster_request *request);
int sched_add_first(struct sched *sched, struct muster_request *request);

/*
 * Those whose planned moment has come by `now_ns` are due from now on; origins whose next start
 * has, rest no longer.
 */
void sched_advance(struct sched *sched, uint64_t now_ns);

/*
 * When to do that again, as a slot is free for who is due then; UINT64_MAX: not before something
 * else has happened.
 */
uint64_t sched_next_ns(struct sched *sched);

/*
 * The request that gets a slot now, no longer queued but counted as running; NULL when there is
 * none or no slot.
 */
struct muster_request *sched_next(struct sched *sched, uint64_t now_ns);

/* What the origin's throttle allows has changed. */
void sched_look_again(struct sched *sched, struct origin *origin);

/*
 * sched_next() is not asked although somebody may be waiting: there is no worker for what would
 * come.
 */
void sched_note_no_workers(struct sched *sched);

/* A waiting request does not want a slot any more. */
void sched_remove(struct sched *sched, struct muster_request *request);

/*
 * A running request, of the attempt `number`, gives its slot back; `was_answered` when the host had
 * sent a response.
 */
void sched_end(struct sched *sched, struct origin *origin, uint64_t number, bool was_answered);

#endif
