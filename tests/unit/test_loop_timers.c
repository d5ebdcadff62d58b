/* SPDX-License-Identifier: MIT */
/*
 * The loop: timers, waking, watches, and the order in which things happen
 */
#include "loop_world.h"

#include <net/loop_backend.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

/* --- timers ---------------------------------------------------------------------------------- */

struct alarm {
        struct loop_timer timer;
        struct world *world;
        uint64_t fired_at, late_ns;
        int n, again;
};

static void alarm_fire(struct loop_timer *timer, uint64_t late_ns)
{
        struct alarm *alarm = LIST_OWNER(timer, struct alarm, timer);

        alarm->n++;
        alarm->late_ns = late_ns;
        alarm->fired_at = clock_now(&alarm->world->clock);
        if (alarm->again-- > 0)
                loop_timer_set(&alarm->world->loop, timer, alarm->fired_at);
}

static void test_timers_on_a_manual_clock(void **state)
{
        static struct world w;
        struct alarm alarms[3] = { 0 };

        (void)state;
        open_world(&w, true);
        for (int i = 0; i < 3; i++)
                alarms[i] = (struct alarm){ .timer.fire = alarm_fire, .world = &w };
        loop_timer_set(&w.loop, &alarms[0].timer, START_NS + 3600 * NS_PER_S);
        loop_timer_set(&w.loop, &alarms[1].timer, START_NS + NS_PER_S);
        loop_timer_set(&w.loop, &alarms[2].timer, START_NS + 2 * NS_PER_S);
        loop_timer_stop(&w.loop, &alarms[2].timer);
        turn_until(&w, &alarms[1].n); /* in steps of 10 ms: turn_until() limits them */
        assert_int_equal(alarms[1].fired_at, START_NS + NS_PER_S);
        assert_int_equal(alarms[1].late_ns, 0);
        assert_int_equal(loop_turn(&w.loop, UINT64_MAX), 0);
        assert_int_equal(alarms[0].fired_at, START_NS + 3600 * NS_PER_S);
        assert_int_equal(alarms[2].n, 0);
        close_world(&w);
}

static void test_late_timer_says_so(void **state)
{
        static struct world w;
        struct alarm alarm = { .timer.fire = alarm_fire, .world = &w };

        (void)state;
        open_world(&w, true);
        loop_timer_set(&w.loop, &alarm.timer, START_NS + NS_PER_S);
        w.clock.manual_ns += 5 * NS_PER_S;
        loop_turn(&w.loop, UINT64_MAX);
        assert_int_equal(alarm.late_ns, 4 * NS_PER_S);
        close_world(&w);
}

/* Of what was there while the loop slept, the first moment is when it should have gone on. */
static void test_since_when_it_should_have_gone_on(void **state)
{
        struct loop loop = { .wait_ended_ns = 200 };

        (void)state;
        loop_note_due(&loop, 150); /* it did not sleep */
        assert_int_equal(loop.due_ns, 0);
        loop.slept_from_ns = 100;
        loop_note_due(&loop, 99);         /* before it slept: not what it waited for */
        loop_note_due(&loop, UINT64_MAX); /* no timer */
        assert_int_equal(loop.due_ns, 0);
        loop_note_due(&loop, 150);
        loop_note_due(&loop, 120);
        loop_note_due(&loop, 130);
        assert_int_equal(loop.due_ns, 120);
}

/*
 * A timer that sets itself to the present moment fires again in the next turn, not for ever in this
 * one.
 */
static void test_timer_cannot_keep_the_turn(void **state)
{
        static struct world w;
        struct alarm alarm = { .timer.fire = alarm_fire, .world = &w, .again = 1000000 };

        (void)state;
        open_world(&w, false);
        loop_timer_set(&w.loop, &alarm.timer, clock_now(&w.clock));
        loop_turn(&w.loop, UINT64_MAX);
        assert_true(alarm.n >= 1 && alarm.n < 1000);
        loop_timer_stop(&w.loop, &alarm.timer);
        close_world(&w);
}

/* The present moment of a turn is when its wait ended, which is how requests are asked again. */
static void test_timer_set_to_the_moment_of_its_turn(void **state)
{
        static struct world w;
        struct alarm alarm = { .timer.fire = alarm_fire, .world = &w, .again = 3 };

        (void)state;
        open_world(&w, true);
        loop_timer_set(&w.loop, &alarm.timer, w.clock.manual_ns);
        for (int n = 1; n <= 4; n++) {
                loop_turn(&w.loop, UINT64_MAX);
                assert_int_equal(alarm.n, n);
        }
        assert_true(alarm.late_ns <= 1 && w.clock.manual_ns - START_NS <= 3);
        close_world(&w);
}

/* What is there already is delivered before the timer that is due. */
static void test_input_comes_before_timers(void **state)
{
        static struct world w;
        struct alarm alarm = { .timer.fire = alarm_fire, .world = &w };

        (void)state;
        open_world(&w, true);
        open_pair(&w);
        send_text(&w.b, "in time", "");
        loop_timer_set(&w.loop, &alarm.timer, w.clock.manual_ns + NS_PER_S);
        w.clock.manual_ns += 10 * NS_PER_S;
        w.a.closes_on_receive = true;
        loop_turn(&w.loop, UINT64_MAX);
        assert_int_equal(w.a.len, 7);
        assert_int_equal(alarm.n, 1);
        close_world(&w);
}

/* --- waking and foreign loops ---------------------------------------------------------------- */

static void *wake_soon(void *loop)
{
        usleep(20000);
        loop_wake(loop);
        return NULL;
}

static void test_wake_from_another_thread(void **state)
{
        static struct world w;
        pthread_t thread;

        (void)state;
        open_world(&w, false);
        pthread_create(&thread, NULL, wake_soon, &w.loop);
        while (!w.loop.was_woken)
                assert_int_equal(loop_turn(&w.loop, UINT64_MAX), 0);
        pthread_join(thread, NULL);
        close_world(&w);
}

static bool is_readable(int fd, int ms)
{
        struct pollfd p = { .fd = fd, .events = POLLIN };

        return poll(&p, 1, ms) == 1;
}

static void test_pollable_fd_tells_of_timers(void **state)
{
        static struct world w;
        struct alarm alarm = { .timer.fire = alarm_fire, .world = &w };
        int fd;

        (void)state;
        open_world(&w, false);
        fd = loop_pollable_fd(&w.loop);
        assert_true(fd >= 0);
        assert_false(is_readable(fd, 0));
        loop_timer_set(&w.loop, &alarm.timer, clock_now(&w.clock) + 5 * NS_PER_MS);
        assert_true(is_readable(fd, 5000));
        for (int i = 0; i < 1000 && !alarm.n; i++)
                loop_turn(&w.loop, 0);
        assert_int_equal(alarm.n, 1);
        loop_turn(&w.loop, 0);
        assert_false(is_readable(fd, 0));
        close_world(&w);
}

struct ear {
        struct loop_watch watch;
        int n_read, n_write;
};

static void ear_ready(struct loop_watch *watch, bool readable, bool writable)
{
        struct ear *ear = LIST_OWNER(watch, struct ear, watch);

        ear->n_read += readable;
        ear->n_write += writable;
}

static void test_watch_is_level_triggered(void **state)
{
        static struct world w;
        struct ear ear = { .watch.ready = ear_ready };
        int ends[2];

        (void)state;
        open_world(&w, false);
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(loop_watch_set(&w.loop, &ear.watch, ends[0], true, false), 0);
        loop_turn(&w.loop, 0);
        assert_int_equal(ear.n_read, 0);
        assert_int_equal(write(ends[1], "x", 1), 1);
        loop_turn(&w.loop, 0);
        loop_turn(&w.loop, 0);
        assert_int_equal(ear.n_read, 2);
        assert_int_equal(loop_watch_set(&w.loop, &ear.watch, ends[0], false, false), 0);
        loop_turn(&w.loop, 0);
        assert_int_equal(ear.n_read, 2);
        assert_int_equal(loop_watch_set(&w.loop, &ear.watch, ends[1], false, true), 0);
        loop_turn(&w.loop, 0);
        assert_int_equal(ear.n_write, 1);
        loop_watch_set(&w.loop, &ear.watch, ends[1], false, false);
        close(ends[0]);
        close(ends[1]);
        close_world(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_timers_on_a_manual_clock),
                cmocka_unit_test(test_late_timer_says_so),
                cmocka_unit_test(test_since_when_it_should_have_gone_on),
                cmocka_unit_test(test_timer_cannot_keep_the_turn),
                cmocka_unit_test(test_timer_set_to_the_moment_of_its_turn),
                cmocka_unit_test(test_input_comes_before_timers),
                cmocka_unit_test(test_wake_from_another_thread),
                cmocka_unit_test(test_pollable_fd_tells_of_timers),
                cmocka_unit_test(test_watch_is_level_triggered),
        };

        return cmocka_run_group_tests_name("loop_timers", tests, NULL, NULL);
}
