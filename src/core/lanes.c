/* SPDX-License-Identifier: MIT */
#include "lanes.h"

#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/rand.h>
#include <limits.h>
#include <string.h>

/* --- visits ---------------------------------------------------------------------------------- */

/* Post a visit to all lanes and wait for the answers. Could any of them do what was wished? */
static bool visit_all(struct lanes *lanes, enum visit_wish wish, uint64_t id, void *argument)
{
        struct visit visit;
        bool was_met;

        visit_init(&visit, wish, lanes->common.n);
        visit.id = id;
        visit.argument = argument;
        for (unsigned i = 0; i < lanes->common.n; i++)
                lane_post_visit(lanes->common.lanes[i], &visit);
        was_met = visit_wait(&visit);
        visit_deinit(&visit);
        return was_met;
}

/* --- making and unmaking --------------------------------------------------------------------- */

static int init_common(struct lane_common *common, unsigned n, const struct settings *settings,
        struct muster_error *error)
{
        int sys = 0;

        common->lanes = mem_array(n, sizeof(struct lane *));
        if (!common->lanes)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        if (outbox_init(&common->outbox, &sys) < 0) {
                common->lanes = mem_free(common->lanes);
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys,
                        "resource: cannot make a descriptor to wait for results: %s",
                        error_sys_text(sys));
        }
        rand_seed_bytes(&common->hash_seed, sizeof(common->hash_seed));
        slots_init(&common->slots, settings->concurrency);
        moments_init(&common->moments, settings->rate_per_s);
        if (settings->rate_ramp_ns)
                rate_set_ramp(&common->moments.rate, settings->rate_from_per_s,
                        settings->rate_ramp_ns);
        return 0;
}

/* The limit of each origin; 0: none that matters. */
static unsigned host_limit(const struct settings *settings)
{
        return settings->per_host < settings->concurrency ? settings->per_host : 0;
}

/*
 * May the requests of a hot origin go to all lanes? Then each has its part of what the origin may
 * have. HTTP/2 connections have no parts.
 */
static bool may_deal(const struct settings *settings, unsigned n_lanes)
{
        unsigned limit = host_limit(settings);

        return settings->h2_conns == UINT_MAX && (!limit || limit >= n_lanes);
}

/* If origins have limits, make a split for each place of a hot one. */
static int make_splits(struct lane_common *common, const struct settings *settings)
{
        int r = 0;

        if (!host_limit(settings) && settings->rate_per_host_per_s == 0)
                return 0;
        common->splits = mem_array(HOT_MAX, sizeof(*common->splits));
        if (!common->splits)
                return MUSTER_E_RESOURCE;
        for (unsigned place = 0; r == 0 && place < HOT_MAX; place++) {
                struct split *split = &common->splits[place];

                r = split_init(split, common->n, host_limit(settings),
                        settings->rate_per_host_per_s, lane_wake_part);
                for (unsigned i = 0; r == 0 && i < common->n; i++)
                        split->parts[i].owner = common->lanes[i];
        }
        return r;
}

static void free_splits(struct lane_common *common)
{
        for (unsigned place = 0; common->splits && place < HOT_MAX; place++)
                split_deinit(&common->splits[place]);
        common->splits = mem_free(common->splits);
}

static unsigned workers_of_each(unsigned n_workers, unsigned n_lanes)
{
        return n_workers > n_lanes ? n_workers / n_lanes : 1;
}

/* Make all lanes before the first one runs: they know each other from the beginning. */
static int make_all(struct lanes *lanes, unsigned n, const struct engine_plan *plan,
        struct muster_error *error)
{
        struct lane_common *common = &lanes->common;
        unsigned n_workers = workers_of_each(plan->settings->workers, n);
        int r = 0;

        while (r == 0 && common->n < n) {
                struct lane *lane = mem_zalloc(sizeof(*lane));

                if (!lane)
                        return error_set_memory(error, MUSTER_PHASE_QUEUE);
                common->lanes[common->n] = lane;
                r = lane_init(lane, common, common->n++, plan, n_workers, error);
        }
        if (r == 0 && lanes->may_deal && make_splits(common, plan->settings) < 0)
                r = error_set_memory(error, MUSTER_PHASE_QUEUE);
        for (unsigned i = 0; r == 0 && i < n; i++)
                r = lane_start(common->lanes[i], error);
        return r;
}

int lanes_new(struct lanes **ret_lanes, unsigned n, const struct engine_plan *plan,
        struct muster_error *error)
{
        struct lanes *lanes = mem_zalloc(sizeof(*lanes));
        int r;

        assert(n > 1 && n <= LANES_MAX && n <= plan->settings->concurrency);
        if (!lanes)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        list_init(&lanes->results);
        lanes->may_deal = may_deal(plan->settings, n);
        r = init_common(&lanes->common, n, plan->settings, error);
        if (r < 0) {
                mem_free(lanes);
                return r;
        }
        r = make_all(lanes, n, plan, error);
        if (r < 0)
                lanes_free(lanes);
        else
                *ret_lanes = lanes;
        return r;
}

static void free_requests(struct list *list)
{
        struct list *link;

        while ((link = list_pop(list)))
                request_destroy(request_of_link(link));
}

/* Stop the lanes that run, which are only some if the client could not be made. */
static void stop_all(struct lanes *lanes)
{
        unsigned n_running = 0;

        while (n_running < lanes->common.n && lanes->common.lanes[n_running]->is_running)
                n_running++;
        lanes->common.n = n_running;
        if (n_running)
                visit_all(lanes, VISIT_STOP, 0, NULL);
}

static void tell_untaken(struct lanes *lanes);

struct lanes *lanes_free(struct lanes *lanes)
{
        struct lane_common *common;
        unsigned n;

        if (!lanes)
                return NULL;
        common = &lanes->common;
        n = common->n;
        if (lanes->n_submitted)
                lanes_cancel_all(lanes);
        stop_all(lanes);
        outbox_take(&common->outbox, &lanes->results);
        if (lanes->is_recorded)
                tell_untaken(lanes);
        free_requests(&lanes->results);
        for (unsigned i = 0; i < n; i++) {
                lane_deinit(common->lanes[i]);
                mem_free(common->lanes[i]);
        }
        free_splits(common);
        moments_deinit(&common->moments);
        outbox_deinit(&common->outbox);
        mem_free(common->lanes);
        return mem_free(lanes);
}

/* --- requests in ----------------------------------------------------------------------------- */

#define SCHEME_BYTES(is_tls) ((is_tls) ? sizeof("https://") - 1 : sizeof("http://") - 1)

static bool is_https(struct muster_str url)
{
        return str_is_nocase(str_first(url, SCHEME_BYTES(true)), "https://");
}

/* Host and port of a URL as it is written (RFC 3986 section 3.2), without user and password. */
static struct muster_str authority_of(struct muster_str url)
{
        struct muster_str rest = url;
        size_t from = SCHEME_BYTES(is_https(url)), n = 0;

        if (from > rest.len)
                from = rest.len;
        rest.at += from;
        rest.len -= from;
        while (n < rest.len && !strchr("/?#", rest.at[n]))
                if (rest.at[n++] == '@') {
                        rest.at += n;
                        rest.len -= n;
                        n = 0;
                }
        return str_first(rest, n);
}

/* A colon behind the host, which may be an IPv6 address in brackets. */
static bool has_port(struct muster_str authority)
{
        size_t n = authority.len;

        while (n > 0 && char_is_digit(authority.at[n - 1]))
                n--;
        return n > 0 && authority.at[n - 1] == ':';
}

static void add_lower(char *key, size_t *n, struct muster_str text)
{
        for (size_t i = 0; i < text.len; i++)
                key[(*n)++] = char_lower(text.at[i]);
}

/*
 * Guess the hash of a URL's origin, from its key as URLs usually lead to it. If the guess is wrong,
 * the lane that gets the request passes it on.
 */
static uint64_t likely_hash(const struct lanes *lanes, struct muster_str url)
{
        struct muster_str authority = authority_of(url);
        bool is_tls = is_https(url);
        char key[256];
        size_t n = 0;

        add_lower(key, &n, str_of(is_tls ? "https://" : "http://"));
        add_lower(key, &n, str_first(authority, sizeof(key) - 16));
        if (!has_port(authority))
                add_lower(key, &n, str_of(is_tls ? ":443" : ":80"));
        return lane_hash(&lanes->common, (struct muster_str){ key, n });
}

/* The lane with the fewest dealt requests; in turn if several have as few. */
static struct lane *deal_request(struct lanes *lanes, struct muster_request *request)
{
        unsigned n = lanes->common.n, best = lanes->dealt_last;

        for (unsigned i = 1; i <= n; i++) {
                unsigned lane = (lanes->dealt_last + i) % n;

                if (i == 1 || lanes->n_dealt[lane] < lanes->n_dealt[best])
                        best = lane;
        }
        lanes->dealt_last = best;
        lanes->n_dealt[best]++;
        request->dealt_to = (uint8_t)(best + 1);
        return lanes->common.lanes[best];
}

/* An origin has become hot: deal it from now on. Its home is to share what it had alone. */
static void begin_to_deal(struct lanes *lanes, uint64_t hash)
{
        struct lane_common *common = &lanes->common;
        struct lane *home = lane_of_hash(common, hash);

        if (common->splits)
                split_begin(&common->splits[atomic_load(&common->hot.n)], home->index);
        hot_add(&common->hot, hash);
        if (common->splits)
                lane_nudge(home);
}

/* Count a request to this origin. Is it dealt? */
static bool is_dealt(struct lanes *lanes, uint64_t hash)
{
        struct hot *hot = &lanes->common.hot;

        if (!lanes->may_deal)
                return false;
        if (hot_count(hot, hash, lanes->common.n))
                begin_to_deal(lanes, hash);
        return hot_is_dealt(hot, hash, atomic_load(&hot->n));
}

void lanes_submit(struct lanes *lanes, struct muster_request *request)
{
        uint64_t hash = likely_hash(lanes, buf_str(&request->asked_url));
        struct lane *lane;

        lanes->n_submitted++;
        if (is_dealt(lanes, hash))
                lane = deal_request(lanes, request);
        else
                lane = lane_of_hash(&lanes->common, hash);
        lane_post(lane, request);
}

void lanes_note_held(struct lanes *lanes, uint64_t n_held, bool is_full)
{
        atomic_store_explicit(&lanes->common.n_held, n_held, memory_order_relaxed);
        atomic_store_explicit(&lanes->common.is_full, is_full, memory_order_relaxed);
}

/*
 * Cancel a request. It may be between two lanes when they are visited: the lane that gets it sees
 * that it is cancelled, and it has arrived when all lanes are visited a second time.
 */
int lanes_cancel(struct lanes *lanes, uint64_t id)
{
        struct lane_common *common = &lanes->common;
        bool was_met;

        atomic_store(&common->was_met, false);
        atomic_store(&common->cancelled_id, id);
        was_met = visit_all(lanes, VISIT_CANCEL, id, NULL) ||
                  visit_all(lanes, VISIT_CANCEL, id, NULL);
        atomic_store(&common->cancelled_id, 0);
        return was_met || atomic_load(&common->was_met) ? 0 : MUSTER_E_INVALID;
}

void lanes_cancel_queued(struct lanes *lanes)
{
        visit_all(lanes, VISIT_CANCEL_QUEUED, 0, NULL);
        visit_all(lanes, VISIT_CANCEL_QUEUED, 0, NULL);
}

void lanes_cancel_all(struct lanes *lanes)
{
        atomic_store(&lanes->common.cancelled_up_to, lanes->n_submitted);
        visit_all(lanes, VISIT_CANCEL_ALL, 0, NULL);
        visit_all(lanes, VISIT_CANCEL_ALL, 0, NULL);
}

/* --- results out ----------------------------------------------------------------------------- */

bool lanes_have_results(struct lanes *lanes)
{
        if (list_is_empty(&lanes->results))
                outbox_take(&lanes->common.outbox, &lanes->results);
        return !list_is_empty(&lanes->results);
}

struct muster_request *lanes_take(struct lanes *lanes)
{
        struct muster_request *request;

        if (!lanes_have_results(lanes))
                return NULL;
        lanes->n_given++;
        request = request_of_link(list_pop(&lanes->results));
        if (request->dealt_to)
                lanes->n_dealt[request->dealt_to - 1]--;
        return request;
}

int lanes_wait(struct lanes *lanes, uint64_t until_ns)
{
        struct outbox *outbox = &lanes->common.outbox;

        for (;;) {
                if (lanes_have_results(lanes))
                        return 0;
                /* Streams that the caller has are no results to come: the caller must read them. */
                if (lanes->n_given == lanes->n_submitted)
                        return MUSTER_IDLE;
                if (atomic_exchange(&outbox->was_woken, false))
                        return MUSTER_WOKEN;
                if (clock_ns_of(CLOCK_MONOTONIC) >= until_ns)
                        return MUSTER_LATER;
                outbox_wait(outbox, until_ns);
        }
}

void lanes_expect(struct lanes *lanes)
{
        outbox_expect(&lanes->common.outbox);
}

void lanes_wait_for_news(struct lanes *lanes)
{
        outbox_wait(&lanes->common.outbox, UINT64_MAX);
}

void lanes_wake(struct lanes *lanes)
{
        outbox_wake(&lanes->common.outbox);
}

int lanes_fd(struct lanes *lanes)
{
        struct outbox *outbox = &lanes->common.outbox;

        outbox_poll(outbox);
        return outbox->fd;
}

int lanes_turn(struct lanes *lanes)
{
        struct outbox *outbox = &lanes->common.outbox;

        /* Quiet it before looking: what comes after that makes it readable again. */
        outbox_wait(outbox, 0);
        atomic_store(&outbox->was_woken, false);
        if (lanes_have_results(lanes))
                return 0;
        return lanes->n_given == lanes->n_submitted ? MUSTER_IDLE : MUSTER_LATER;
}

/* --- counters -------------------------------------------------------------------------------- */

static void add_stats(struct muster_client_stats *sum, const struct muster_client_stats *stats)
{
        sum->n_finished += stats->n_finished;
        sum->n_in_flight += stats->n_in_flight;
        sum->n_conns_opened += stats->n_conns_opened;
        sum->n_conns_reused += stats->n_conns_reused;
        sum->n_attempts += stats->n_attempts;
        sum->n_retries += stats->n_retries;
        sum->n_redirects += stats->n_redirects;
        sum->n_lookups += stats->n_lookups;
        sum->n_tls_handshakes += stats->n_tls_handshakes;
        sum->n_tls_resumed += stats->n_tls_resumed;
        sum->n_turns += stats->n_turns;
        sum->n_processing += stats->n_processing;
        sum->n_refused += stats->n_refused;
        sum->n_retries_withheld += stats->n_retries_withheld;
        sum->n_left_behind += stats->n_left_behind;
        sum->n_slot_waits += stats->n_slot_waits;
        if (stats->first_start_ns &&
                (!sum->first_start_ns || stats->first_start_ns < sum->first_start_ns))
                sum->first_start_ns = stats->first_start_ns;
        sum->n_logins_refused += stats->n_logins_refused;
        if (sum->longest_turn_ns < stats->longest_turn_ns)
                sum->longest_turn_ns = stats->longest_turn_ns;
}

struct muster_client_stats lanes_stats(const struct lanes *lanes)
{
        struct muster_client_stats sum = { .n_submitted = lanes->n_submitted };
        uint64_t now_ns = clock_ns_of(CLOCK_MONOTONIC), hold_until_ns = 0, n_busy;

        for (unsigned i = 0; i < lanes->common.n; i++) {
                struct lane *lane = lanes->common.lanes[i];

                pthread_mutex_lock(&lane->lock);
                add_stats(&sum, &lane->stats);
                if (hold_until_ns < lane->hold_until_ns)
                        hold_until_ns = lane->hold_until_ns;
                pthread_mutex_unlock(&lane->lock);
        }
        n_busy = sum.n_finished + sum.n_in_flight + sum.n_processing;
        sum.n_queued = sum.n_submitted > n_busy ? sum.n_submitted - n_busy : 0;
        if (!sum.n_in_flight && hold_until_ns > now_ns)
                sum.hold_ns = hold_until_ns - now_ns;
        return sum;
}

/* --- tracing --------------------------------------------------------------------------------- */

int lanes_trace(struct lanes *lanes, struct tracer *tracer)
{
        if (lanes->is_recorded || lanes->n_submitted)
                return MUSTER_E_INVALID;
        lanes->is_recorded = true;
        visit_all(lanes, VISIT_TRACE, 0, tracer);
        return 0;
}

/* Trace the results that nobody took before the tracing ends. */
static void tell_untaken(struct lanes *lanes)
{
        struct list *link, *results = &lanes->results;

        for (link = results->next; link != results; link = link->next)
                if (!request_of_link(link)->relay)
                        tracing_untaken(request_of_link(link));
        for (unsigned i = 0; i < lanes->common.n; i++)
                tracing_finish(&lanes->common.lanes[i]->engine);
        lanes->is_recorded = false;
}

void lanes_untrace(struct lanes *lanes)
{
        if (!lanes->is_recorded)
                return;
        visit_all(lanes, VISIT_TRACE_END, 0, NULL);
        outbox_take(&lanes->common.outbox, &lanes->results);
        tell_untaken(lanes);
}

const struct engine *lanes_first_engine(const struct lanes *lanes)
{
        return &lanes->common.lanes[0]->engine;
}
