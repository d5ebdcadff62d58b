/* SPDX-License-Identifier: MIT */
/*
 * The pace that refusals teach: against servers that limit in each of the usual ways, in simulated
 * time
 *
 * A batch is asked of a limiter that knows nothing of the client. It must be let in as a whole, in
 * about the time that the limit takes, with few refusals once the first ones were heard.
 */
#include "unit.h"

#include <base/clock.h>
#include <base/minmax.h>
#include <base/rand.h>
#include <core/doubt.h>
#include <core/throttle.h>
#include <math.h>

#define T0         (1000 * NS_PER_S)
#define N_MAX      40000
#define N_FLIGHT   64
#define JITTER_NS  (200 * NS_PER_US) /* of the way there */
#define RETRIES    10
#define BACKOFF_NS (500 * NS_PER_MS)

/* --- limiters -------------------------------------------------------------------------------- */

enum limit_kind {
        BUCKET, /* `at_once`, and then evenly: nginx with burst and nodelay; 1: without burst */
        WINDOW, /* `at_once` in each window of at_once / per_s */
        LOG,    /* `at_once` in any stretch of that length */
        CHANCE, /* refuses `at_once` percent, however slowly it is asked; per_s says nothing */
};

struct limit {
        enum limit_kind kind;
        double per_s;
        unsigned at_once;
};

struct limiter {
        struct limit limit;
        uint64_t next_ns; /* BUCKET */
        uint64_t window;  /* WINDOW: its number */
        unsigned n;       /* in it; LOG: in all */
        uint64_t log[4096];
};

static uint64_t window_ns(const struct limit *limit)
{
        return (uint64_t)(limit->at_once / limit->per_s * (double)NS_PER_S);
}

/* 0: let in; else how long until the next one would be. */
static uint64_t ask_bucket(struct limiter *limiter, uint64_t now_ns)
{
        uint64_t interval_ns = (uint64_t)((double)NS_PER_S / limiter->limit.per_s);
        uint64_t early_ns = interval_ns * (limiter->limit.at_once - 1);
        uint64_t due_ns = limiter->next_ns > now_ns ? limiter->next_ns : now_ns;

        if (due_ns - now_ns > early_ns)
                return due_ns - now_ns - early_ns;
        limiter->next_ns = due_ns + interval_ns;
        return 0;
}

static uint64_t ask_window(struct limiter *limiter, uint64_t now_ns)
{
        uint64_t length_ns = window_ns(&limiter->limit), shifted_ns = now_ns + length_ns / 3;

        if (shifted_ns / length_ns != limiter->window) {
                limiter->window = shifted_ns / length_ns;
                limiter->n = 0;
        }
        if (limiter->n == limiter->limit.at_once)
                return length_ns - shifted_ns % length_ns;
        limiter->n++;
        return 0;
}

static uint64_t ask_log(struct limiter *limiter, uint64_t now_ns)
{
        unsigned at_once = limiter->limit.at_once;
        uint64_t oldest_ns = limiter->log[limiter->n % at_once];

        if (limiter->n >= at_once && now_ns - oldest_ns < window_ns(&limiter->limit))
                return window_ns(&limiter->limit) - (now_ns - oldest_ns);
        limiter->log[limiter->n++ % at_once] = now_ns;
        return 0;
}

static uint64_t ask(struct limiter *limiter, struct rand *rand, uint64_t now_ns)
{
        switch (limiter->limit.kind) {
        case BUCKET:
                return ask_bucket(limiter, now_ns);
        case WINDOW:
                return ask_window(limiter, now_ns);
        case LOG:
                return ask_log(limiter, now_ns);
        case CHANCE:
                return rand_up_to(rand, 99) < limiter->limit.at_once;
        }
        return 0;
}

/* --- a batch --------------------------------------------------------------------------------- */

struct
try {
        unsigned request;
        struct throttle_start start;
        uint64_t wait_ns;   /* 0: let in */
        uint64_t answer_ns; /* when that is known */
        uint64_t again_ns;  /* when it may be tried again */
};

struct batch {
        struct limiter limiter;
        struct throttle throttle;
        struct doubt doubt;
        bool is_throttled;
        bool says_when; /* Retry-After, in whole seconds */
        uint64_t now_ns, round_trip_ns;
        uint64_t settled_ns; /* when a 503 was known to be chance */
        struct rand rand;
        unsigned n, n_fresh, n_let_in, n_lost, n_refused, n_refused_late;
        unsigned n_tries[N_MAX];
        struct try flight[N_FLIGHT]; /* in order of their answers, as a ring */
        unsigned first, n_flight, n_flight_max;
        struct try waiting[N_MAX]; /* for another try, in no order */
        unsigned n_waiting;
};

static uint64_t next_start_ns(const struct batch *batch)
{
        return batch->is_throttled ? throttle_next_ns(&batch->throttle) : 0;
}

/* One that may be tried again goes first. UINT64_MAX: when the next one may. */
static uint64_t next_again_ns(const struct batch *batch, unsigned *ret_index)
{
        uint64_t next_ns = UINT64_MAX;

        for (unsigned i = 0; i < batch->n_waiting; i++) {
                if (batch->waiting[i].again_ns < next_ns) {
                        next_ns = batch->waiting[i].again_ns;
                        *ret_index = i;
                }
        }
        return next_ns;
}

static void start(struct batch *batch, unsigned request)
{
        struct try *try = &batch->flight[(batch->first + batch->n_flight++) % N_FLIGHT];
        uint64_t there_ns = batch->now_ns + batch->round_trip_ns / 2;

        *try = (struct try){ .request = request,
                .start = { batch->now_ns, INFINITY, false },
                .answer_ns = batch->now_ns + batch->round_trip_ns };
        if (batch->is_throttled)
                try->start = throttle_begin(&batch->throttle, batch->now_ns);
        try->wait_ns =
                ask(&batch->limiter, &batch->rand, there_ns + rand_up_to(&batch->rand, JITTER_NS));
}

static bool start_one(struct batch *batch)
{
        unsigned index = 0;

        if (batch->n_flight == batch->n_flight_max || next_start_ns(batch) > batch->now_ns)
                return false;
        if (next_again_ns(batch, &index) <= batch->now_ns) {
                unsigned request = batch->waiting[index].request;

                batch->waiting[index] = batch->waiting[--batch->n_waiting];
                start(batch, request);
        } else if (batch->n_fresh < batch->n) {
                start(batch, batch->n_fresh++);
        } else {
                return false;
        }
        return true;
}

/* As refusal.c does it. */
static int tried(struct batch *batch, bool is_503)
{
        int r = doubt_tried(&batch->doubt, is_503);

        if (r == DOUBT_TRY)
                throttle_free_starts(&batch->throttle, DOUBT_TRIAL - DOUBT_FIRST);
        if (r == DOUBT_CHANCE) {
                batch->is_throttled = false;
                batch->settled_ns = batch->now_ns;
        }
        return r;
}

/* As refusal.c does it: a 429 with Retry-After is a limit, a 503 without it may be one. */
static bool is_refusal(struct batch *batch, const struct try *try)
{
        struct doubt *doubt = &batch->doubt;

        if (batch->says_when)
                return true;
        if (doubt->is_trying && try->start.is_free)
                return tried(batch, true) == DOUBT_LIMIT;
        if (doubt->is_trying || doubt->is_chance)
                return false;
        if (!batch->is_throttled || !isfinite(try->start.per_s))
                return true;
        doubt_paced(doubt, true);
        if (doubt_hold(doubt) != DOUBT_TRY)
                return true;
        throttle_free_starts(&batch->throttle, DOUBT_FIRST);
        return false;
}

static void refused(struct batch *batch, struct try *try)
{
        uint64_t asked_ns = 0, wait_ns;

        if (batch->says_when)
                asked_ns = (try->wait_ns + NS_PER_S - 1) / NS_PER_S * NS_PER_S;
        batch->n_refused++;
        batch->n_refused_late += batch->now_ns > T0 + NS_PER_S;
        if (is_refusal(batch, try)) {
                if (!batch->is_throttled)
                        throttle_init(&batch->throttle, T0, batch->n_let_in);
                batch->is_throttled = true;
                throttle_refused(&batch->throttle, &try->start, batch->now_ns, asked_ns);
        }
        throttle_end(&batch->throttle, &try->start);
        wait_ns = asked_ns ? asked_ns
                           : rand_up_to(&batch->rand, BACKOFF_NS << batch->n_tries[try->request]);
        if (batch->n_tries[try->request]++ == RETRIES) {
                batch->n_lost++;
                return;
        }
        try->again_ns = batch->now_ns + wait_ns;
        batch->waiting[batch->n_waiting++] = *try;
}

static void answered(struct batch *batch)
{
        struct try *try = &batch->flight[batch->first];

        batch->first = (batch->first + 1) % N_FLIGHT;
        batch->n_flight--;
        if (try->wait_ns) {
                refused(batch, try);
                return;
        }
        batch->n_let_in++;
        if (!batch->is_throttled)
                return;
        if (batch->doubt.is_trying && try->start.is_free) {
                tried(batch, false);
                return;
        }
        if (isfinite(try->start.per_s))
                doubt_paced(&batch->doubt, false);
        throttle_let_in(&batch->throttle, &try->start, batch->now_ns);
        throttle_end(&batch->throttle, &try->start);
}

/* The next thing that can happen. */
static uint64_t next_event_ns(const struct batch *batch)
{
        uint64_t next_ns = UINT64_MAX, start_ns = next_start_ns(batch);
        unsigned index;

        if (batch->n_flight)
                next_ns = batch->flight[batch->first].answer_ns;
        if (batch->n_flight == batch->n_flight_max || start_ns == UINT64_MAX)
                return next_ns;
        if (batch->n_fresh < batch->n)
                return min_u64(next_ns, start_ns);
        if (next_again_ns(batch, &index) > start_ns)
                start_ns = next_again_ns(batch, &index);
        return min_u64(next_ns, start_ns);
}

static void run(struct batch *batch)
{
        batch->now_ns = T0;
        while (batch->n_let_in + batch->n_lost < batch->n) {
                uint64_t next_ns;

                while (start_one(batch))
                        ;
                next_ns = next_event_ns(batch);
                assert_true(next_ns != UINT64_MAX);
                if (next_ns > batch->now_ns)
                        batch->now_ns = next_ns;
                while (batch->n_flight && batch->flight[batch->first].answer_ns <= batch->now_ns)
                        answered(batch);
        }
}

/* --- what it comes to ------------------------------------------------------------------------ */

struct expected {
        struct limit limit;
        unsigned n;
        unsigned n_flight;
        uint64_t round_trip_ns;
        bool says_when;
        double wall;     /* at most, as a multiple of what the limit takes */
        unsigned n_late; /* refusals after the first second, at most */
};

static void check(const struct expected *expected, uint64_t seed)
{
        static struct batch batch;
        double wall, least = expected->n / expected->limit.per_s;

        batch = (struct batch){ .limiter = { .limit = expected->limit },
                .n = expected->n,
                .n_flight_max = expected->n_flight,
                .round_trip_ns = expected->round_trip_ns,
                .says_when = expected->says_when };
        rand_init(&batch.rand, seed);
        run(&batch);
        wall = (double)(batch.now_ns - T0) / (double)NS_PER_S;
        if (batch.n_lost || wall > least * expected->wall ||
                batch.n_refused_late > expected->n_late)
                print_error(
                        "limit of kind %d, %g a second, %u at once: %.2f of its time, %u refused "
                        "late, %u lost\n",
                        expected->limit.kind, expected->limit.per_s, expected->limit.at_once,
                        wall / least, batch.n_refused_late, batch.n_lost);
        assert_false(batch.doubt.is_chance);
        assert_int_equal(batch.n_lost, 0);
        assert_true(wall <= least * expected->wall);
        assert_true(batch.n_refused_late <= expected->n_late);
}

#define MS NS_PER_MS

static void test_batches(void **state)
{
        static const struct expected cases[] = {
                /* Nothing is saved up: nginx without burst. Each hold is lost. */
                { { BUCKET, 50, 1 }, 2000, 64, MS, true, 1.12, 3 },
                { { BUCKET, 50, 1 }, 2000, 64, 50 * MS, true, 1.12, 3 },
                { { BUCKET, 50, 1 }, 2000, 8, MS, true, 1.12, 3 },
                { { BUCKET, 50, 1 }, 2000, 64, MS, false, 1.08, 3 },
                { { BUCKET, 50, 1 }, 2000, 64, 50 * MS, false, 1.08, 3 },
                { { BUCKET, 5, 1 }, 500, 64, MS, true, 1.12, 8 },
                { { BUCKET, 5, 1 }, 500, 64, MS, false, 1.12, 17 },
                { { BUCKET, 15, 1 }, 900, 64, MS, true, 1.12, 6 },
                /* The way there varies by a tenth of the interval: so evenly they never arrive. */
                { { BUCKET, 500, 1 }, 20000, 64, MS, true, 1.3, 6 },
                { { BUCKET, 500, 1 }, 20000, 64, MS, false, 1.2, 6 },
                /* Something is. */
                { { BUCKET, 50, 5 }, 2000, 64, MS, true, 1.17, 8 },
                { { BUCKET, 50, 5 }, 2000, 64, 50 * MS, true, 1.17, 9 },
                { { BUCKET, 50, 5 }, 2000, 64, MS, false, 1.05, 8 },
                { { BUCKET, 50, 20 }, 2000, 64, MS, true, 1.15, 10 },
                { { BUCKET, 50, 20 }, 2000, 64, 50 * MS, true, 1.15, 25 },
                { { BUCKET, 50, 20 }, 2000, 64, MS, false, 1.05, 19 },
                { { BUCKET, 50, 50 }, 2000, 64, MS, true, 1.05, 25 },
                { { BUCKET, 50, 200 }, 2000, 64, MS, true, 1, 45 },
                { { BUCKET, 50, 200 }, 2000, 64, MS, false, 1, 20 },
                { { BUCKET, 500, 1000 }, 20000, 64, MS, true, 1, 250 },
                /*
                 * The hold may be as long as the window, and what is not asked for in it is lost.
                 */
                { { WINDOW, 50, 50 }, 2000, 64, MS, true, 1.25, 25 },
                { { WINDOW, 50, 50 }, 2000, 64, 50 * MS, true, 1.15, 50 },
                { { WINDOW, 50, 50 }, 2000, 64, MS, false, 1.08, 65 },
                { { WINDOW, 20, 20 }, 100, 16, MS, true, 1.08, 4 },
                { { LOG, 50, 50 }, 2000, 64, MS, true, 1.15, 20 },
                { { LOG, 50, 50 }, 2000, 64, MS, false, 1.15, 78 },
                /* Long windows: as many at once as are in flight meet the end of one. */
                { { WINDOW, 50, 500 }, 2000, 64, MS, true, 0.75, 150 },
                { { WINDOW, 50, 500 }, 2000, 64, MS, false, 0.75, 160 },
                { { WINDOW, 10, 600 }, 2000, 64, MS, true, 0.95, 150 },
                { { WINDOW, 10, 600 }, 2000, 64, MS, false, 1, 190 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                for (uint64_t seed = 1; seed <= 3; seed++)
                        check(&cases[i], seed);
}

/* Servers in trouble: their 503 are not taken for a limit for long. */
static void test_chance(void **state)
{
        static const unsigned percents[] = { 5, 10, 25, 50, 75 };
        static struct batch batch;

        (void)state;
        for (size_t i = 0; i < LENGTH(percents); i++) {
                for (uint64_t seed = 1; seed <= 10; seed++) {
                        batch = (struct batch){
                                .limiter = { .limit = { .kind = CHANCE, .at_once = percents[i] } },
                                .n = 10000,
                                .n_flight_max = 64,
                                .round_trip_ns = 20 * MS
                        };
                        rand_init(&batch.rand, seed);
                        run(&batch);
                        if (!batch.doubt.is_chance || batch.settled_ns - T0 > 60 * NS_PER_S)
                                fail_msg("%u %%, seed %d: settled after %.1f s", percents[i],
                                        (int)seed,
                                        (double)(batch.settled_ns - T0) / (double)NS_PER_S);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_batches),
                cmocka_unit_test(test_chance),
        };

        return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}
