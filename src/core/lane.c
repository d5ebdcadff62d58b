/* SPDX-License-Identifier: MIT */
#include "lane.h"

#include "exchange.h"
#include "flow.h"
#include "queue.h"
#include "relay.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const struct engine_ops lane_ops;

static struct lane *lane_of_lease(struct lease *lease)
{
        return LIST_OWNER(lease, struct lane, lease);
}

/* --- from other threads ---------------------------------------------------------------------- */

void lane_post(struct lane *lane, struct muster_request *request)
{
        if (inbox_add(&lane->inbox, &request->link))
                loop_wake(&lane->engine.loop);
}

void lane_post_visit(struct lane *lane, struct visit *visit)
{
        if (inbox_add_visit(&lane->inbox, visit))
                loop_wake(&lane->engine.loop);
}

void lane_nudge(struct lane *lane)
{
        if (inbox_nudge(&lane->inbox))
                loop_wake(&lane->engine.loop);
}

static void nudge_engine(struct engine *engine)
{
        lane_nudge(lane_of_engine(engine));
}

static void wake_for_slots(struct lease *lease)
{
        lane_nudge(lane_of_lease(lease));
}

/* --- whose an origin is ---------------------------------------------------------------------- */

/* FNV-1a: a key has about thirty bytes. */
uint64_t lane_hash(const struct lane_common *common, struct muster_str key)
{
        uint64_t hash = common->hash_seed ^ UINT64_C(0xcbf29ce484222325);

        for (size_t i = 0; i < key.len; i++)
                hash = (hash ^ (unsigned char)key.at[i]) * UINT64_C(0x100000001b3);
        return hash ^ hash >> 32;
}

static struct engine *home_of(struct engine *engine, const struct url *url)
{
        struct lane_common *common = lane_of_engine(engine)->common;
        struct buf *key = &engine->origins.key;
        uint64_t hash;

        key->len = 0;
        if (url_add_origin(url, key) < 0)
                return engine; /* its queue will find out that memory is out */
        hash = lane_hash(common, buf_str(key));
        if (hot_is_dealt(&common->hot, hash, lane_of_engine(engine)->n_hot))
                return engine;
        return &lane_of_hash(common, hash)->engine;
}

/* A dealt origin that refuses continues on one lane. */
static void gather_refused(struct engine *engine, const struct origin *origin)
{
        struct lane_common *common = lane_of_engine(engine)->common;

        if (!hot_gather(&common->hot, lane_hash(common, buf_str(&origin->key))))
                return;
        for (unsigned i = 0; i < common->n; i++)
                lane_nudge(common->lanes[i]);
}

/* --- hot origins with a limit or a rate ------------------------------------------------------- */

void lane_wake_part(struct lease *lease)
{
        lane_nudge(split_part_of_lease(lease)->owner);
}

static struct split_part *part_at(const struct lane *lane, unsigned place)
{
        return &lane->common->splits[place].parts[lane->index];
}

static void link_part(struct origin *origin, struct split_part *part)
{
        assert(!origin->part && !part->origin);
        assert(part->is_home || (!origin->n_running && !origin->n_queued));
        origin->part = part;
        part->origin = origin;
}

/* This engine has made an origin, or queues the next request for it. */
static void meet_origin(struct engine *engine, struct origin *origin)
{
        struct lane *lane = lane_of_engine(engine);
        unsigned place;

        if (!lane->common->splits || origin->n_hot_seen == lane->n_hot || origin->part)
                return;
        place = hot_place(&lane->common->hot, lane_hash(lane->common, buf_str(&origin->key)),
                lane->n_hot);
        origin->n_hot_seen = lane->n_hot;
        if (place < HOT_MAX && !part_at(lane, place)->origin)
                link_part(origin, part_at(lane, place));
}

static void meet_all_origins(struct lane *lane)
{
        struct map *map = &lane->engine.origins.map;
        struct map_node *node;

        for (node = map_any(map); node; node = map_next(map, node))
                meet_origin(&lane->engine, LIST_OWNER(node, struct origin, node));
}

/* Open the plan of a part whose home is here, or see that another lane has opened it. */
static void look_at_plan(struct lane *lane, struct split_part *part)
{
        if (!part->split->has_rate || part->is_open)
                return;
        if (part->is_home) {
                pace_open(&lane->engine.sched.pace, part, clock_now(&lane->engine.clock));
                for (unsigned i = 0; i < lane->common->n; i++)
                        lane_nudge(lane->common->lanes[i]);
        } else if (!moments_are_open(&part->split->moments)) {
                return;
        } else if (part->origin) {
                pace_opened(&lane->engine.sched.pace, part->origin);
        }
        part->is_open = true;
}

static void look_at_hot(struct lane *lane)
{
        unsigned n_hot = atomic_load(&lane->common->hot.n);
        bool has_grown = n_hot != lane->n_hot;

        lane->n_hot = n_hot;
        if (!lane->common->splits)
                return;
        if (has_grown)
                meet_all_origins(lane);
        for (unsigned place = 0; place < n_hot; place++)
                look_at_plan(lane, part_at(lane, place));
}

static void look_at_gathered(struct lane *lane)
{
        unsigned n_gathered = atomic_load(&lane->common->hot.n_gathered);

        if (n_gathered == lane->n_gathered)
                return;
        lane->n_gathered = n_gathered;
        queue_send_home(&lane->engine);
}

static void send_home(struct engine *home, struct muster_request *request)
{
        lane_post(lane_of_engine(home), request);
}

/* --- a turn begins: what was posted ---------------------------------------------------------- */

static bool is_cancelled(struct lane_common *common, uint64_t id)
{
        if (id > atomic_load(&common->cancelled_up_to) && id != atomic_load(&common->cancelled_id))
                return false;
        atomic_store(&common->was_met, true);
        return true;
}

static void take_in(struct lane *lane, struct muster_request *request)
{
        struct muster_error error = { 0 };

        assert(!list_is_linked(&request->link));
        if (request->state == REQUEST_NEW) {
                flow_submit(&lane->engine, request);
        } else if (is_cancelled(lane->common, request->id)) {
                error_set(&error, MUSTER_E_CANCELLED, MUSTER_PHASE_QUEUE, 0,
                        "cancelled: by the caller");
                queue_adopt(&lane->engine, request, &error);
        } else {
                queue_adopt(&lane->engine, request, NULL);
        }
}

static bool cancel_request(struct engine *engine, uint64_t id)
{
        struct muster_request *request = outstanding_find(&engine->outstanding, id);

        if (request)
                engine_cancel(request);
        return request != NULL;
}

static void hear(struct lane *lane, const struct visit *visit)
{
        struct engine *engine = &lane->engine;

        switch (visit->wish) {
        case VISIT_CANCEL:
                lane->was_met = cancel_request(engine, visit->id);
                return;
        case VISIT_CANCEL_QUEUED:
                engine_cancel_queued(engine);
                return;
        case VISIT_CANCEL_ALL:
                engine_cancel_all(engine);
                return;
        case VISIT_TRACE:
                lane->was_met = tracing_begin(engine, visit->argument) == 0;
                return;
        case VISIT_TRACE_END:
        case VISIT_STOP:
                return; /* when the turn ends */
        }
}

/*
 * A turn begins: take everything from the inbox. The turn must not wait if a visit is to be
 * answered.
 */
static bool enter_turn(struct engine *engine)
{
        struct lane *lane = lane_of_engine(engine);
        struct lane_common *common = lane->common;
        struct list requests, *link;

        assert(!lane->visit);
        list_init(&requests);
        lane->visit = inbox_take(&lane->inbox, &requests);
        engine->n_held = atomic_load_explicit(&common->n_held, memory_order_relaxed);
        engine->sched.is_full = atomic_load_explicit(&common->is_full, memory_order_relaxed);
        look_at_hot(lane);
        while ((link = list_pop(&requests)))
                take_in(lane, request_of_link(link));
        look_at_gathered(lane);
        if (lane->visit)
                hear(lane, lane->visit);
        return !lane->visit;
}

/* --- slots ----------------------------------------------------------------------------------- */

static unsigned n_active_here(const struct lane *lane)
{
        return lane->engine.sched.n_active;
}

static void borrow_slots(struct engine *engine)
{
        struct lane *lane = lane_of_engine(engine);
        struct sched *sched = &engine->sched;

        for (unsigned place = 0; lane->common->splits && place < lane->n_hot; place++)
                sched_borrow_part(sched, part_at(lane, place));
        sched_set_active_elsewhere(sched, lease_active_elsewhere(&lane->lease));
        lease_take(&lane->lease, sched->n_running, sched_n_due(sched), n_active_here(lane));
        sched_set_slots(sched, lane->lease.n, lease_taken_elsewhere(&lane->lease));
}

/*
 * Give back unused slots. A request that is due later will find a slot, as far as is known now;
 * otherwise another lane wakes this one.
 */
static void return_slots(struct engine *engine)
{
        struct lane *lane = lane_of_engine(engine);
        struct sched *sched = &engine->sched;
        bool is_wanting = atomic_load(&lane->lease.is_wanting);

        for (unsigned place = 0; lane->common->splits && place < lane->n_hot; place++)
                sched_return_part(part_at(lane, place));
        lease_settle(&lane->lease, sched->n_running);
        sched->n_slots = sched->n_running + (is_wanting ? 0 : 1);
        if (sched_is_holding(sched) && !lease_await_share(&lane->lease, sched->n_active_elsewhere))
                lane_nudge(lane);
}

/* --- a turn ends: what is for the caller ----------------------------------------------------- */

/* Give a stream to the caller, while the engine goes on receiving its body. */
static int share_stream(struct lane *lane, struct muster_request *request)
{
        assert(!request->relay && request->is_announced);
        request->relay = relay_new(request);
        if (!request->relay)
                return MUSTER_E_RESOURCE;
        request->relay->announced_ns = clock_now(&lane->engine.clock);
        request->is_with_caller = true;
        lane->engine.n_streams++;
        list_push_back(&lane->streams, &request->relay->link);
        return 0;
}

static void share_streams(struct lane *lane)
{
        struct list *link, *next, *finished = &lane->engine.finished;

        for (link = finished->next; link != finished; link = next) {
                struct muster_request *request = request_of_link(link);

                next = link->next;
                if (request->state == REQUEST_FINISHED || request->relay)
                        continue;
                if (share_stream(lane, request) < 0) {
                        struct muster_error error = { 0 };

                        error_set_memory(&error, MUSTER_PHASE_RECEIVE);
                        flow_abort(request, &error); /* finishes it in its place in the list */
                }
        }
}

/* The body is over: move the rest of it, and end the engine's part. */
static void end_relay(struct relay *relay)
{
        struct muster_result *result = &relay->request->result;

        assert(relay->request->state == REQUEST_TAKEN);
        (void)relay_fill(relay, &result->body, &relay->request->sink.read_at, true);
        if (result->body.len && !result->error.code)
                error_set_memory(&result->error, MUSTER_PHASE_RECEIVE);
        list_remove(&relay->link);
        relay_end(relay);
}

static bool fill_relay(struct relay *relay)
{
        struct muster_request *request = relay->request;
        struct sink *sink = &request->sink;
        bool has_news = relay_fill(relay, &request->result.body, &sink->read_at, false);

        /* This may end the body. */
        if (has_news && sink->is_blocked)
                exchange_unblock(request);
        if (request->state != REQUEST_TAKEN)
                return has_news;
        end_relay(relay);
        return true;
}

static bool fill_relays(struct lane *lane)
{
        struct list *link, *next;
        bool has_news = false;

        for (link = lane->streams.next; link != &lane->streams; link = next) {
                next = link->next;
                if (fill_relay(LIST_OWNER(link, struct relay, link)))
                        has_news = true;
        }
        return has_news;
}

static void show_stats(struct lane *lane)
{
        struct muster_client_stats stats = engine_stats(&lane->engine);

        pthread_mutex_lock(&lane->lock);
        lane->stats = stats;
        lane->hold_until_ns = lane->engine.hold_until_ns;
        pthread_mutex_unlock(&lane->lock);
}

static void stop(struct lane *lane)
{
        engine_end_all(&lane->engine);
        tracing_detach(&lane->engine);
        lane->is_stopping = true;
}

static void leave_turn(struct engine *engine)
{
        struct lane *lane = lane_of_engine(engine);
        struct visit *visit = lane->visit;
        bool has_news;

        if (visit && visit->wish == VISIT_STOP)
                stop(lane);
        share_streams(lane);
        has_news = fill_relays(lane);
        show_stats(lane);
        if (has_news || !list_is_empty(&engine->finished))
                outbox_add(&lane->common->outbox, &engine->finished, has_news);
        if (visit && visit->wish == VISIT_TRACE_END)
                tracing_detach(engine);
        lane->visit = NULL;
        if (visit)
                visit_answer(visit, lane->was_met);
        lane->was_met = false;
}

static const struct engine_ops lane_ops = {
        .enter = enter_turn,
        .borrow_slots = borrow_slots,
        .return_slots = return_slots,
        .leave = leave_turn,
        .home_of = home_of,
        .send_home = send_home,
        .met = meet_origin,
        .nudge = nudge_engine,
        .refused = gather_refused,
};

/* --- the thread ------------------------------------------------------------------------------ */

/* The kernel refuses to wait, so nothing can go on: cancel everything. */
static void give_up(struct lane *lane)
{
        engine_cancel_all(&lane->engine);
        usleep(1000); /* it is unlikely to recover at once */
}

static void *lane_main(void *data)
{
        struct lane *lane = data;

        while (!lane->is_stopping)
                if (engine_turn(&lane->engine, UINT64_MAX) < 0)
                        give_up(lane);
        return NULL;
}

int lane_init(struct lane *lane, struct lane_common *common, unsigned index,
        const struct engine_plan *plan, unsigned n_workers, struct muster_error *error)
{
        struct engine_plan own = *plan;
        int r;

        assert(index < LANES_MAX);
        lane->common = common;
        lane->index = index;
        lane->settings = *plan->settings;
        lane->settings.workers = n_workers;
        own.settings = &lane->settings;
        inbox_init(&lane->inbox);
        list_init(&lane->streams);
        pthread_mutex_init(&lane->lock, NULL);
        slots_add(&common->slots, &lane->lease, wake_for_slots);
        lane->engine.ops = &lane_ops;
        r = engine_init(&lane->engine, &own, error);
        lane->engine.number = (uint8_t)(index + 1);
        lane->engine.tracing.shared = &common->numbers;
        if (r == 0)
                pace_share(&lane->engine.sched.pace, &common->moments);
        return r;
}

/* Start the thread with all signals blocked: they are for the caller's threads. */
int lane_start(struct lane *lane, struct muster_error *error)
{
        char name[16];
        sigset_t all, before;
        int r;

        assert(!lane->is_running);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&lane->thread, NULL, lane_main, lane);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r != 0)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, r,
                        "resource: cannot start thread %u of %u: %s", lane->index + 1,
                        lane->common->n, error_sys_text(r));
        lane->is_running = true;
        snprintf(name, sizeof(name), "muster-%u", lane->index + 1);
        pthread_setname_np(lane->thread, name);
        return 0;
}

void lane_deinit(struct lane *lane)
{
        if (lane->is_running)
                pthread_join(lane->thread, NULL);
        lane->is_running = false;
        engine_deinit(&lane->engine);
        pthread_mutex_destroy(&lane->lock);
        inbox_deinit(&lane->inbox);
}
