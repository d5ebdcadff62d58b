/* SPDX-License-Identifier: MIT */
/*
 * Scheduler: who gets the next slot
 *
 * A request waits in its origin's queue. Origins with waiting requests form a ring and get one slot
 * each in turn, as long as slots are free and the origin is below its limit. This takes constant
 * time a request.
 *
 * An origin's limit, so that a dead or hanging one does not hold up the others:
 *   - It never has more than `per_host` slots, on all engines together (split.h).
 *   - While it is the only active one, it may have all of `concurrency`.
 *   - Otherwise it has its share, concurrency / active origins, and one more slot for each of its
 *     requests that was answered since the last one that was not. So a host that answers grows into
 *     slots that others leave unused, and one that hangs stays at its share.
 *   - But an eighth of the slots stays for others, however well it has answered, in case it begins
 *     to hang.
 *
 * Where all requests to an origin share few HTTP/2 connections, it has no more slots than these have
 * streams.
 *
 * An origin at its limit is held: it stands aside until one of its own requests ends or the share
 * grows. An origin that refused requests (refusal.h) rests until its next start is due, and holds
 * up nobody.
 *
 * While the first request of an origin asks which credentials are wanted, the others wait for that
 * (login.h).
 *
 * With a rate, all this is for requests that are due. Before that they wait for their planned
 * moment (pace.h).
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "origin.h"
#include "pace.h"
#include "request.h"

struct split_part;

struct sched {
        unsigned concurrency, per_host;
        unsigned n_slots; /* that may be in use now: all, or those leased (slots.h) */
        unsigned n_running;
        unsigned n_active; /* origins with waiting or running requests */
        unsigned n_active_elsewhere, n_running_elsewhere; /* on other engines, as last seen */
        size_t n_queued;
        struct list ready;   /* origins with waiting requests, in turn */
        struct list held;    /* origins at their limit */
        struct heap resting; /* origins that refused requests, by their next start */
        struct pace pace;
        /* For the record: what a request waited for (sched.c). */
        uint64_t n_due, full_mark, stopped_mark, freed_by;
        enum trace_wait stopped_by; /* what the engine had too little of: workers, memory */
        bool stopped_last;          /* it was stopped after slots ran out */
        bool is_full; /* the queue is full and the caller must wait; set by the client */
};

void sched_init(struct sched *sched, unsigned concurrency, unsigned per_host);
void sched_deinit(struct sched *sched);

/*
 * Set the rates in starts a second, of all and of each origin; 0: no limit. To be called before
 * anything waits.
 */
void sched_set_rates(struct sched *sched, double per_s, double per_host_per_s);

/*
 * Set how many origins are active on other engines. Fewer may let go of held origins here, so this
 * comes before slots are leased for them.
 */
void sched_set_active_elsewhere(struct sched *sched, unsigned n);

/* Set how many of the shared slots may be in use here now, and how many are in use elsewhere. */
void sched_set_slots(struct sched *sched, unsigned n_slots, unsigned n_running_elsewhere);

/*
 * For an origin that other engines have as well: lease slots of its limit before requests are
 * started, and give back unused ones afterwards. The part may be without an origin.
 */
void sched_borrow_part(struct sched *sched, struct split_part *part);
void sched_return_part(struct split_part *part);

/* Are there origins that want more than their share? */
static inline bool sched_is_holding(const struct sched *sched)
{
        return !list_is_empty(&sched->held);
}

/* Requests that are due; 0 if no origin is ready for a slot. */
size_t sched_n_due(const struct sched *sched);

/*
 * Let a request wait, behind the others of its origin or before them. request->origin must be set.
 * MUSTER_E_RESOURCE, only with a rate: it does not wait.
 */
int sched_add(struct sched *sched, struct muster_request *request);
int sched_push_front(struct sched *sched, struct muster_request *request);

/*
 * Make requests due whose planned moment has come by `now_ns`, and end the rest of origins whose
 * next start has.
 */
void sched_advance(struct sched *sched, uint64_t now_ns);

/*
 * When to call sched_advance() again. UINT64_MAX: not before something changes, such as a slot
 * becoming free.
 */
uint64_t sched_next_ns(struct sched *sched);

/*
 * Give a slot to the next request, which counts as running from now on; NULL if there is no request
 * or no slot.
 */
struct muster_request *sched_next(struct sched *sched, uint64_t now_ns);

/* The origin is no longer led by a request that asks (login.h): its others may go on. */
void sched_let_go(struct sched *sched, struct origin *origin);

/* The origin's throttle allows something else now: look at the origin again. */
void sched_look_again(struct sched *sched, struct origin *origin);

/*
 * Note that sched_next() is not called although requests may wait, as there is no worker or no
 * memory for their responses: `why`.
 */
void sched_note_stopped(struct sched *sched, enum trace_wait why);

/* Remove a waiting request. */
void sched_remove(struct sched *sched, struct muster_request *request);

/*
 * A running request could not begin: it waits again, before the others of its origin, whatever the
 * rate. `why` is what it waits for.
 */
void sched_put_back(struct sched *sched, struct muster_request *request, enum trace_wait why);

/* Requests to the origin share connections, which have this many streams free. */
void sched_bound_streams(struct sched *sched, struct origin *origin, unsigned n_free);

/*
 * Give back the slot of a running request, whose attempt has this number. `was_answered`: the host
 * sent a response.
 */
void sched_end(struct sched *sched, struct origin *origin, uint64_t number, bool was_answered);

#endif
