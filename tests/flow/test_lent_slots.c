/* SPDX-License-Identifier: MIT */
/*
 * An engine whose slots are lent to it, turn by turn, for what is due
 */
#include "fixture.h"

#define YES "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"

static struct script_answer say_yes(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = YES };
}

static uint64_t leap_to_ns; /* 0: no leap */

static bool enter(struct engine *engine)
{
        (void)engine;
        return true;
}

/* For what is due, as a lane does; and then time passes, until more is due. */
static void lend(struct engine *engine)
{
        struct sched *sched = &engine->sched;

        sched_set_slots(sched, sched->n_running + (unsigned)sched_n_due(sched), 0);
        if (leap_to_ns > engine->clock.manual_ns)
                engine->clock.manual_ns = leap_to_ns;
        leap_to_ns = 0;
}

static void give_back(struct engine *engine)
{
        engine->sched.n_slots = engine->sched.n_running + 1;
}

static void leave(struct engine *engine)
{
        (void)engine;
}

static struct engine *home_of(struct engine *engine, const struct url *url)
{
        (void)url;
        return engine;
}

static void met(struct engine *engine, struct origin *origin)
{
        (void)engine;
        (void)origin;
}

static const struct engine_ops ops = {
        .enter = enter,
        .borrow_slots = lend,
        .return_slots = give_back,
        .leave = leave,
        .home_of = home_of,
        .met = met,
};

/*
 * A request whose moment comes while slots are being lent was not counted, so it has none. It gets
 * one in the next turn, and not when something else happens, which may be never.
 */
static void test_moment_that_comes_while_slots_are_lent(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .rate_per_s = 10 }, say_yes);
        f.client->engine.ops = &ops;
        for (int i = 0; i < 2; i++)
                assert_int_equal(muster_get(f.client, script_url(&f.server, "/"), NULL), 0);
        expect_result(&f, MUSTER_OK, 200);
        leap_to_ns = START_NS + 100 * NS_PER_MS; /* when the second one is planned */
        assert_int_equal(muster_wait(f.client, 10000), 0);
        expect_result(&f, MUSTER_OK, 200);
        assert_true(fixture_now_ns(&f) - START_NS < 200 * NS_PER_MS);
        f.client->engine.ops = NULL;
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_moment_that_comes_while_slots_are_lent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
