/* SPDX-License-Identifier: MIT */
#include "pace.h"

#include "split.h"
#include <assert.h>

void pace_init(struct pace *pace, double per_s, double per_host_per_s)
{
        *pace = (struct pace){ 0 };
        rate_init(&pace->rate, per_s);
        rate_init(&pace->host_rate, per_host_per_s);
        list_init(&pace->fresh);
        list_init(&pace->turns);
}

void pace_deinit(struct pace *pace)
{
        heap_deinit(&pace->asides);
}

void pace_share(struct pace *pace, struct moments *moments)
{
        assert(!pace->n_waiting);
        if (rate_is_limited(&pace->rate))
                pace->shared.of = moments;
}

bool pace_is_on(const struct pace *pace)
{
        return rate_is_limited(&pace->rate) || rate_is_limited(&pace->host_rate);
}

/* --- the rate of all ------------------------------------------------------------------------- */

/* Begin the overall plan for the first origin in `turns`: moments before `at_ns` are dropped. */
static void begin_plan(struct pace *pace, uint64_t at_ns)
{
        if (pace->shared.of)
                moments_begin(&pace->shared, at_ns);
        else
                rate_begin(&pace->rate, at_ns);
}

static void end_plan(struct pace *pace)
{
        if (pace->shared.of && list_is_empty(&pace->turns))
                moments_end(&pace->shared);
}

static uint64_t next_moment(struct pace *pace)
{
        return pace->shared.of ? moments_next_ns(&pace->shared, pace->n_waiting)
                               : rate_next_ns(&pace->rate);
}

static uint64_t use_moment(struct pace *pace)
{
        return pace->shared.of ? moments_use(&pace->shared, pace->n_waiting)
                               : rate_take(&pace->rate);
}

/* --- the rate of an origin ------------------------------------------------------------------- */

/* This engine's part of the origin's plan; NULL: it has the plan alone. */
static struct moments_lease *part_of(const struct origin *origin)
{
        if (!origin->part || !origin->part->split->has_rate)
                return NULL;
        return &origin->part->moments;
}

static void begin_own(struct origin *origin, uint64_t now_ns)
{
        if (part_of(origin))
                moments_begin(part_of(origin), now_ns);
        else
                rate_begin(&origin->rate, now_ns);
}

static void end_own(struct origin *origin)
{
        if (part_of(origin))
                moments_end(part_of(origin));
}

static uint64_t next_own(struct origin *origin)
{
        struct moments_lease *part = part_of(origin);

        return part ? moments_next_ns(part, origin->n_planned) : rate_next_ns(&origin->rate);
}

/* Moments that passed during other origins' turns are not saved up. */
static uint64_t use_own(struct origin *origin, uint64_t planned_ns)
{
        struct moments_lease *part = part_of(origin);

        if (part) {
                moments_catch_up(part, planned_ns);
                return moments_use(part, origin->n_planned);
        }
        rate_catch_up(&origin->rate, planned_ns);
        return rate_take(&origin->rate);
}

/* --- standing aside -------------------------------------------------------------------------- */

/* Do origins stand aside? Only if each has a rate of its own. */
static bool has_asides(const struct pace *pace)
{
        return rate_is_limited(&pace->host_rate);
}

static int enter_asides(struct pace *pace, struct origin *origin)
{
        if (!has_asides(pace))
                return 0;
        if (!rate_is_limited(&origin->rate))
                origin->rate = pace->host_rate;
        return heap_set(&pace->asides, &origin->aside_node, UINT64_MAX);
}

/* Move an origin that is in the heap already, which needs no memory. */
static void set_aside(struct pace *pace, struct origin *origin, uint64_t until_ns)
{
        int r;

        assert(heap_has(&origin->aside_node));
        r = heap_set(&pace->asides, &origin->aside_node, until_ns);
        assert(r == 0);
        (void)r;
}

static struct origin *origin_of_aside_node(struct heap_node *node)
{
        return LIST_OWNER(node, struct origin, aside_node);
}

/* --- in and out ------------------------------------------------------------------------------ */

int pace_add(struct pace *pace, struct muster_request *request, bool is_first)
{
        struct origin *origin = request->origin;

        assert(!list_is_linked(&request->link));
        if (!origin->n_planned) {
                int r = enter_asides(pace, origin);

                if (r < 0)
                        return r;
                list_push_back(&pace->fresh, &origin->pace_link);
        }
        if (is_first)
                list_push_front(&origin->planned, &request->link);
        else
                list_push_back(&origin->planned, &request->link);
        request->is_due = false;
        origin->n_planned++;
        pace->n_waiting++;
        return 0;
}

static void take_out(struct pace *pace, struct muster_request *request)
{
        struct origin *origin = request->origin;

        assert(!request->is_due && origin->n_planned && pace->n_waiting);
        list_remove(&request->link);
        origin->n_planned--;
        pace->n_waiting--;
        if (origin->n_planned)
                return;
        list_remove(&origin->pace_link);
        heap_remove(&pace->asides, &origin->aside_node);
        end_own(origin);
        end_plan(pace);
}

void pace_remove(struct pace *pace, struct muster_request *request)
{
        take_out(pace, request);
}

/* --- what is due ----------------------------------------------------------------------------- */

/*
 * The origin's own moment came at `at_ns`. If no other origin wanted the moments of the overall
 * rate, earlier ones are dropped.
 */
static void take_turn(struct pace *pace, struct origin *origin, uint64_t at_ns)
{
        assert(!list_is_linked(&origin->pace_link));
        if (list_is_empty(&pace->turns))
                begin_plan(pace, at_ns);
        list_push_back(&pace->turns, &origin->pace_link);
}

/*
 * Let in the origins that came since the last look, as if they had come now, when they could start.
 */
static void let_in_fresh(struct pace *pace, uint64_t now_ns)
{
        struct list *link;

        while ((link = list_pop(&pace->fresh))) {
                struct origin *origin = origin_of_pace_link(link);
                bool is_late = pace->is_behind;

                if (has_asides(pace)) {
                        /*
                         * It keeps late moments only for its own late requests: those of other
                         * origins are no reason for a burst.
                         */
                        bool is_new = !is_late || origin->n_queued == origin->n_planned;

                        begin_own(origin, is_new ? now_ns : 0);
                        set_aside(pace, origin, next_own(origin));
                } else {
                        take_turn(pace, origin, is_late ? 0 : now_ns);
                }
        }
}

static bool is_fresh(const struct pace *pace, const struct origin *origin)
{
        for (struct list *link = pace->fresh.next; link != &pace->fresh; link = link->next)
                if (link == &origin->pace_link)
                        return true;
        return false;
}

void pace_open(struct pace *pace, struct split_part *part, uint64_t now_ns)
{
        struct origin *origin = part->origin;
        bool is_planning = origin && origin->n_planned && !is_fresh(pace, origin);
        const struct rate *rate = &pace->host_rate;

        assert(part->is_home && part->split->has_rate);
        if (origin && rate_is_limited(&origin->rate))
                rate = &origin->rate;
        moments_open(&part->moments, rate, is_planning, now_ns);
        if (is_planning)
                pace_opened(pace, origin);
}

void pace_opened(struct pace *pace, struct origin *origin)
{
        uint64_t next_ns;

        assert(part_of(origin));
        if (!part_of(origin)->is_planning)
                return;
        /* Even if its moment has come, in which case it waits for its turn, it needs one here. */
        next_ns = next_own(origin);
        if (!list_is_linked(&origin->pace_link))
                set_aside(pace, origin, next_ns);
}

static uint64_t turn_ns(struct pace *pace)
{
        return list_is_empty(&pace->turns) ? UINT64_MAX : next_moment(pace);
}

/*
 * Take the first request of the origin whose turn it is. The origin then goes behind the others, or
 * aside.
 */
static struct muster_request *give_turn(struct pace *pace, struct origin *origin)
{
        struct muster_request *request = request_of_link(list_first(&origin->planned));
        uint64_t planned_ns = use_moment(pace);
        enum trace_wait wait = TRACE_WAIT_RATE;
        uint64_t own_ns;

        assert(origin->n_planned && list_is_linked(&origin->pace_link));
        list_remove(&origin->pace_link);
        if (has_asides(pace)) {
                own_ns = use_own(origin, planned_ns);
                if (own_ns > planned_ns) {
                        planned_ns = own_ns;
                        wait = TRACE_WAIT_HOST_RATE;
                }
        }
        take_out(pace, request);
        if (origin->n_planned && has_asides(pace))
                set_aside(pace, origin, next_own(origin));
        else if (origin->n_planned)
                list_push_back(&pace->turns, &origin->pace_link);
        end_plan(pace);
        request->notes.planned_ns = planned_ns;
        if (planned_ns > request->attempt.start_ns)
                request->notes.wait = (uint8_t)wait;
        if (!request->result.planned_ns)
                request->result.planned_ns = planned_ns;
        return request;
}

/* Take the next due request. Moments count in their planned order, however late this is called. */
static struct muster_request *next_due(struct pace *pace, uint64_t now_ns)
{
        for (;;) {
                uint64_t aside_ns = heap_top_key(&pace->asides);

                if (aside_ns <= now_ns && aside_ns <= turn_ns(pace)) {
                        struct origin *origin = origin_of_aside_node(heap_top(&pace->asides));

                        set_aside(pace, origin, UINT64_MAX);
                        take_turn(pace, origin, aside_ns);
                } else if (turn_ns(pace) <= now_ns) {
                        return give_turn(pace, origin_of_pace_link(list_first(&pace->turns)));
                } else {
                        return NULL;
                }
        }
}

struct muster_request *pace_next(struct pace *pace, uint64_t now_ns)
{
        struct muster_request *request = next_due(pace, now_ns);

        if (request)
                return request;
        let_in_fresh(pace, now_ns);
        return next_due(pace, now_ns);
}

uint64_t pace_next_ns(struct pace *pace)
{
        uint64_t aside_ns = heap_top_key(&pace->asides);

        if (!list_is_empty(&pace->fresh))
                return 0;
        return aside_ns < turn_ns(pace) ? aside_ns : turn_ns(pace);
}
