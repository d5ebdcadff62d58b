/* SPDX-License-Identifier: MIT */
#include "sched.h"

#include "fair_share.h"
#include "split.h"
#include <assert.h>
#include <base/minmax.h>
#include <math.h>

void sched_init(struct sched *sched, unsigned concurrency, unsigned per_host)
{
        *sched = (struct sched){
                .concurrency = concurrency, .per_host = per_host, .n_slots = concurrency
        };
        list_init(&sched->ready);
        list_init(&sched->held);
        pace_init(&sched->pace, 0, 0);
}

void sched_deinit(struct sched *sched)
{
        pace_deinit(&sched->pace);
        heap_deinit(&sched->resting);
}

void sched_set_rates(struct sched *sched, double per_s, double per_host_per_s)
{
        assert(!sched->n_active);
        pace_init(&sched->pace, per_s, per_host_per_s);
}

static unsigned n_active(const struct sched *sched)
{
        return sched->n_active + sched->n_active_elsewhere;
}

static unsigned share(const struct sched *sched)
{
        return (unsigned)fair_share(sched->concurrency, n_active(sched));
}

/* The slots that the origin's own limit allows on this engine. */
static unsigned host_slots(const struct sched *sched, const struct origin *origin)
{
        if (origin->part && origin->part->split->has_limit)
                return origin->part->n_slots;
        return sched->per_host;
}

static unsigned may_have(const struct sched *sched, const struct origin *origin)
{
        unsigned most =
                (unsigned)fair_share_most(sched->concurrency, n_active(sched), origin->credit);

        if (origin->auth.is_led)
                return 1;
        most = min_unsigned(most, host_slots(sched, origin));
        if (origin->bounds_streams)
                most = min_unsigned(most, origin->n_running + origin->n_streams_free);
        return most;
}

static unsigned n_due(const struct origin *origin)
{
        return origin->n_queued - origin->n_planned;
}

/*
 * Why a request waited, without a clock: requests are numbered in the order in which they want a
 * slot. When slots, an origin's share, workers or memory run out, a mark is set to the last number so far.
 * A request whose number is at or below the mark when it gets its slot had to wait for that
 * resource.
 */
static void note_held(struct sched *sched, struct origin *origin)
{
        origin->is_held = true;
        origin->held_mark = sched->n_due;
        if (heap_has(&origin->rest_node))
                origin->held_why = TRACE_WAIT_REFUSED;
        else if (origin->auth.is_led)
                origin->held_why = TRACE_WAIT_LOGIN;
        else if (sched->n_running >= sched->n_slots)
                origin->held_why = TRACE_WAIT_SLOT;
        else if (origin->bounds_streams && !origin->n_streams_free)
                origin->held_why = TRACE_WAIT_STREAM;
        else if (origin->n_running >= host_slots(sched, origin))
                origin->held_why = TRACE_WAIT_HOST;
        else
                origin->held_why = TRACE_WAIT_SHARE;
}

static unsigned n_running_elsewhere(const struct origin *origin)
{
        if (!origin->part || !origin->part->split->has_limit)
                return 0;
        return lease_taken_elsewhere(&origin->part->lease);
}

static void note_wait(const struct sched *sched, const struct origin *origin,
        struct trace_notes *notes)
{
        if (notes->due_order <= origin->held_mark) {
                notes->wait = origin->held_why;
                notes->slot_from = notes->wait == TRACE_WAIT_REFUSED ? 0 : origin->freed_by;
        } else if (notes->due_order <= sched->stopped_mark &&
                   (sched->stopped_last || notes->due_order > sched->full_mark)) {
                notes->wait = (uint8_t)sched->stopped_by;
        } else if (notes->due_order <= sched->full_mark) {
                notes->wait = TRACE_WAIT_SLOT;
                notes->slot_from = sched->freed_by;
        }
        notes->in_flight = sched->n_running + sched->n_running_elsewhere;
        notes->host_in_flight = origin->n_running + n_running_elsewhere(origin);
}

void sched_note_stopped(struct sched *sched, enum trace_wait why)
{
        sched->stopped_mark = sched->n_due;
        sched->stopped_by = why;
        sched->stopped_last = true;
}

static struct origin *origin_of_rest_node(struct heap_node *node)
{
        return LIST_OWNER(node, struct origin, rest_node);
}

/* Put an origin where it belongs now: at the end of the ring, aside, or nowhere. */
static void requeue(struct sched *sched, struct origin *origin)
{
        assert(origin->n_planned <= origin->n_queued);
        list_remove(&origin->ready_link);
        heap_remove(&sched->resting, &origin->rest_node);
        origin->is_held = false;
        if (!n_due(origin))
                return;
        if (origin->n_running < may_have(sched, origin)) {
                list_push_back(&sched->ready, &origin->ready_link);
        } else {
                list_push_back(&sched->held, &origin->ready_link);
                note_held(sched, origin);
        }
}

/*
 * Let an origin rest if its next start is not due yet. Without memory for that it goes on as if it
 * had not refused.
 */
static bool rest_origin(struct sched *sched, struct origin *origin, uint64_t now_ns)
{
        uint64_t next_ns = origin->throttle ? throttle_next_ns(origin->throttle) : 0;

        assert(n_due(origin));
        if (next_ns <= now_ns || heap_set(&sched->resting, &origin->rest_node, next_ns) < 0)
                return false;
        list_remove(&origin->ready_link);
        note_held(sched, origin);
        return true;
}

static void wake_resting(struct sched *sched, uint64_t now_ns)
{
        while (heap_top_key(&sched->resting) <= now_ns)
                requeue(sched, origin_of_rest_node(heap_top(&sched->resting)));
}

void sched_let_go(struct sched *sched, struct origin *origin)
{
        assert(!origin->auth.is_led);
        if (origin->is_held && !heap_has(&origin->rest_node))
                requeue(sched, origin);
}

void sched_look_again(struct sched *sched, struct origin *origin)
{
        if (heap_has(&origin->rest_node))
                requeue(sched, origin);
}

/*
 * Put all held origins back into the ring. What frees them is the last request that ended, not one
 * of their own.
 */
static void let_go_held(struct sched *sched)
{
        struct list *link;

        while ((link = list_pop(&sched->held))) {
                struct origin *origin = origin_of_ready_link(link);

                origin->is_held = false;
                origin->freed_by = sched->freed_by;
                list_push_back(&sched->ready, link);
        }
}

/*
 * Set the number of active origins. If the share grows, held origins go back into the ring. That
 * happens at most as often as the share can take another value, about twice the square root of
 * `concurrency`.
 */
static void set_active(struct sched *sched, unsigned n, unsigned n_elsewhere)
{
        unsigned before = share(sched);

        sched->n_active = n;
        sched->n_active_elsewhere = n_elsewhere;
        if (share(sched) > before || n_active(sched) <= 1)
                let_go_held(sched);
}

void sched_set_active_elsewhere(struct sched *sched, unsigned n)
{
        if (n != sched->n_active_elsewhere)
                set_active(sched, sched->n_active, n);
}

void sched_set_slots(struct sched *sched, unsigned n_slots, unsigned n_running_elsewhere)
{
        assert(n_slots >= sched->n_running);
        sched->n_slots = n_slots;
        sched->n_running_elsewhere = n_running_elsewhere;
}

static bool is_active(const struct origin *origin)
{
        return origin->n_queued || origin->n_running;
}

void sched_borrow_part(struct sched *sched, struct split_part *part)
{
        struct origin *origin = part->origin;

        if (!part->split->has_limit)
                return;
        lease_take(&part->lease, origin ? origin->n_running : 0, origin ? n_due(origin) : 0,
                origin && is_active(origin));
        part->n_slots = part->lease.n;
        if (origin && origin->is_held && origin->n_running < may_have(sched, origin))
                requeue(sched, origin);
}

/* A request that is due later will find a slot, as far as is known now. */
void sched_return_part(struct split_part *part)
{
        unsigned n_running = part->origin ? part->origin->n_running : 0;

        if (!part->split->has_limit)
                return;
        lease_settle(&part->lease, n_running);
        part->n_slots = n_running + (atomic_load(&part->lease.is_wanting) ? 0 : 1);
}

size_t sched_n_due(const struct sched *sched)
{
        return list_is_empty(&sched->ready) ? 0 : sched->n_queued - sched->pace.n_waiting;
}

/* From now on the request, which counts as queued already, wants a slot. */
static void make_due(struct sched *sched, struct muster_request *request, bool is_first)
{
        struct origin *origin = request->origin;

        assert(n_due(origin));
        if (is_first)
                list_push_front(&origin->queue, &request->link);
        else
                list_push_back(&origin->queue, &request->link);
        request->is_due = true;
        request->notes.due_order = ++sched->n_due;
        if (!list_is_linked(&origin->ready_link) && !heap_has(&origin->rest_node))
                requeue(sched, origin);
        else if (origin->is_held)
                note_held(sched, origin);
}

static int add_request(struct sched *sched, struct muster_request *request, bool is_first)
{
        struct origin *origin = request->origin;
        bool is_new = !is_active(origin);
        bool is_paced = pace_is_on(&sched->pace);
        int r = 0;

        assert(!list_is_linked(&request->link));
        if (is_paced)
                r = pace_add(&sched->pace, request, is_first);
        if (r < 0)
                return r;
        if (is_new)
                set_active(sched, sched->n_active + 1, sched->n_active_elsewhere);
        origin->n_queued++;
        sched->n_queued++;
        if (!is_paced)
                make_due(sched, request, is_first);
        return 0;
}

int sched_add(struct sched *sched, struct muster_request *request)
{
        return add_request(sched, request, false);
}

int sched_push_front(struct sched *sched, struct muster_request *request)
{
        return add_request(sched, request, true);
}

void sched_advance(struct sched *sched, uint64_t now_ns)
{
        struct pace *pace = &sched->pace;
        struct muster_request *request;

        wake_resting(sched, now_ns);
        if (!pace_is_on(pace))
                return;
        pace->is_behind = sched->is_full && sched->n_queued > pace->n_waiting;
        while ((request = pace_next(pace, now_ns)))
                make_due(sched, request, false);
}

uint64_t sched_next_ns(struct sched *sched)
{
        uint64_t rested_ns = heap_top_key(&sched->resting);
        uint64_t planned_ns = pace_next_ns(&sched->pace);

        if (sched->n_running >= sched->n_slots)
                return UINT64_MAX;
        return rested_ns < planned_ns ? rested_ns : planned_ns;
}

static bool has_next(const struct sched *sched)
{
        return sched->n_running < sched->n_slots && !list_is_empty(&sched->ready);
}

static void note_start(struct origin *origin, struct muster_request *request, uint64_t now_ns)
{
        assert(now_ns >= origin->first_start_ns);
        if (!origin->first_start_ns)
                origin->first_start_ns = now_ns;
        request->start = (struct throttle_start){ now_ns, INFINITY, false };
        if (origin->throttle)
                request->start = throttle_begin(origin->throttle, now_ns);
}

static struct muster_request *take_first(struct sched *sched, struct origin *origin,
        uint64_t now_ns)
{
        struct muster_request *request = request_of_link(list_pop(&origin->queue));

        assert(origin->n_queued && sched->n_queued);
        assert(sched->n_running < sched->n_slots);
        origin->n_queued--;
        sched->n_queued--;
        origin->n_running++;
        sched->n_running++;
        origin->n_streams_free -= origin->n_streams_free > 0;
        note_wait(sched, origin, &request->notes);
        note_start(origin, request, now_ns);
        return request;
}

struct muster_request *sched_next(struct sched *sched, uint64_t now_ns)
{
        while (has_next(sched)) {
                struct origin *origin = origin_of_ready_link(list_first(&sched->ready));
                struct muster_request *request = NULL;

                /* Its limit may have shrunk since it was put here. */
                if (origin->n_running < may_have(sched, origin)) {
                        if (rest_origin(sched, origin, now_ns))
                                continue;
                        request = take_first(sched, origin, now_ns);
                }
                requeue(sched, origin);
                if (request)
                        return request;
        }
        if (sched->n_running >= sched->n_slots) {
                sched->full_mark = sched->n_due;
                sched->stopped_last = false;
        }
        return NULL;
}

void sched_remove(struct sched *sched, struct muster_request *request)
{
        struct origin *origin = request->origin;

        assert(origin->n_queued && sched->n_queued);
        if (request->is_due)
                list_remove(&request->link);
        else
                pace_remove(&sched->pace, request);
        origin->n_queued--;
        sched->n_queued--;
        if (!n_due(origin)) {
                list_remove(&origin->ready_link);
                heap_remove(&sched->resting, &origin->rest_node);
        }
        if (!is_active(origin))
                set_active(sched, sched->n_active - 1, sched->n_active_elsewhere);
}

void sched_put_back(struct sched *sched, struct muster_request *request, enum trace_wait why)
{
        struct origin *origin = request->origin;

        assert(origin->n_running && sched->n_running && !list_is_linked(&request->link));
        if (origin->throttle)
                throttle_end(origin->throttle, &request->start);
        origin->n_running--;
        sched->n_running--;
        origin->n_queued++;
        sched->n_queued++;
        make_due(sched, request, true);
        request->notes.wait = (uint8_t)why;
        requeue(sched, origin);
}

void sched_bound_streams(struct sched *sched, struct origin *origin, unsigned n_free)
{
        origin->bounds_streams = true;
        origin->n_streams_free = n_free;
        if (origin->is_held && origin->n_running < may_have(sched, origin) &&
                !heap_has(&origin->rest_node))
                requeue(sched, origin);
}

void sched_end(struct sched *sched, struct origin *origin, uint64_t number, bool was_answered)
{
        assert(origin->n_running && sched->n_running);
        origin->n_running--;
        sched->n_running--;
        origin->freed_by = sched->freed_by = number;
        if (!was_answered)
                origin->credit = 0;
        else if (origin->credit < sched->concurrency)
                origin->credit++;
        if (!is_active(origin))
                set_active(sched, sched->n_active - 1, sched->n_active_elsewhere);
        else
                requeue(sched, origin);
}
