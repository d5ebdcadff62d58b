/* SPDX-License-Identifier: MIT */
#include "turns.h"

#include "engine.h"
#include <assert.h>
#include <string.h>

#define LONG_TURN_NS  (1 * NS_PER_MS) /* nobody would notice a shorter one */
#define SAMPLE_NS_MIN (5 * NS_PER_MS)
#define SAMPLE_NS_MAX (1 * NS_PER_S)
/*
 * samples for each doubling of the time since the start: short runs are sampled as finely as long
 * ones
 */
#define SAMPLES_PER_DOUBLING 256

void turns_received(struct engine *engine, uint64_t kernel_ns)
{
        struct tracing *tracing = &engine->tracing;

        if (!tracing->oldest_ns || kernel_ns < tracing->oldest_ns)
                tracing->oldest_ns = kernel_ns;
}

void turns_worked(struct engine *engine, enum trace_work work, uint64_t ns, uint64_t attempt)
{
        struct tracing *tracing = &engine->tracing;

        tracing->turn_work_ns[work] += ns;
        if (ns <= tracing->culprit_ns)
                return;
        tracing->culprit_ns = ns;
        tracing->culprit = attempt;
}

/*
 * What the kernel did with the thread so far. Time on a manual clock is not the kernel's: nothing
 * is known then. A program may hand a client from one thread to another, which begins anew.
 */
static void look_at_thread(struct engine *engine, struct thread_time *ret_now)
{
        struct tracing *tracing = &engine->tracing;

        if (engine->clock.is_manual)
                *ret_now = (struct thread_time){
                        .run_delay_ns = -1, .n_forced = -1, .n_major_faults = -1
                };
        else if (thread_meter_read(&tracing->meter, ret_now) == THREAD_METER_NEW)
                tracing->seen = *ret_now;
}

void turns_begin(struct engine *engine)
{
        struct tracing *tracing = &engine->tracing;

        tracing->began_ns = tracing->left_ns = tracing->wait_began_ns = engine_now(engine);
        look_at_thread(engine, &tracing->seen);
}

/* Complete the row of a turn that is over. */
static void tell_turn(struct engine *engine, struct trace_turn *row)
{
        struct tracing *tracing = &engine->tracing;
        struct thread_time now, *seen = &tracing->seen;

        look_at_thread(engine, &now);
        row->engine = engine->number;
        row->thread_cpu_ns = now.cpu_ns - seen->cpu_ns;
        row->run_delay_ns = thread_time_growth(seen->run_delay_ns, now.run_delay_ns);
        row->n_forced = thread_time_growth(seen->n_forced, now.n_forced);
        row->n_major_faults = thread_time_growth(seen->n_major_faults, now.n_major_faults);
        *seen = now;
        tracing->tracer->ops->turn(tracing->tracer, row);
}

static uint64_t sample_interval_ns(const struct tracing *tracing, uint64_t now_ns)
{
        uint64_t interval = (now_ns - tracing->began_ns) / SAMPLES_PER_DOUBLING;

        if (interval < SAMPLE_NS_MIN)
                return SAMPLE_NS_MIN;
        return interval < SAMPLE_NS_MAX ? interval : SAMPLE_NS_MAX;
}

void turns_sample(struct engine *engine, uint64_t now_ns)
{
        struct tracing *tracing = &engine->tracing;
        struct trace_sample *row = &tracing->totals;
        struct thread_time now;

        row->at_ns = now_ns;
        row->engine = engine->number;
        row->n_in_flight = engine->sched.n_running;
        row->n_queued = engine->sched.n_queued;
        row->n_processing = engine->n_processing;
        row->n_held = engine->n_held;
        row->is_full = engine->sched.is_full;
        row->n_submitted = engine->stats.n_submitted;
        row->n_attempts = engine->stats.n_attempts;
        row->n_conns_opened = engine->stats.n_conns_opened;
        row->n_lookups = resolver_n_lookups(engine->resolver);
        row->n_turns = engine->loop.stats.n_turns;
        row->n_open_conns = engine->pool.n_conns;
        look_at_thread(engine, &now);
        row->thread_cpu_ns = now.cpu_ns;
        row->run_delay_ns = now.run_delay_ns;
        row->n_forced = now.n_forced;
        row->process_cpu_ns = engine->clock.is_manual ? 0 : clock_ns_of(CLOCK_PROCESS_CPUTIME_ID);
        tracing->seen = now;
        tracing->next_sample_ns = now_ns + sample_interval_ns(tracing, now_ns);
        tracing->tracer->ops->sample(tracing->tracer, row);
}

/* How long what ended the wait before this turn had been there when the turn began. */
static uint64_t late_ns(const struct engine *engine)
{
        const struct loop *loop = &engine->loop;

        return loop->due_ns && loop->wait_ended_ns == engine->tracing.turn_began_ns
                       ? loop->wait_ended_ns - loop->due_ns
                       : 0;
}

static void tell_long_turn(struct engine *engine, uint64_t now_ns)
{
        struct tracing *tracing = &engine->tracing;
        struct trace_turn row = { .start_ns = tracing->turn_began_ns,
                .end_ns = now_ns,
                .late_ns = late_ns(engine),
                .culprit = tracing->culprit };

        memcpy(row.work_ns, tracing->turn_work_ns, sizeof(row.work_ns));
        tell_turn(engine, &row);
}

/* End the turn that began at turn_began_ns, and report what its time was spent on. */
static void end_turn(struct engine *engine, uint64_t now_ns)
{
        struct tracing *tracing = &engine->tracing;
        uint64_t *work_ns = tracing->turn_work_ns;
        uint64_t rest_ns = now_ns > tracing->turn_began_ns ? now_ns - tracing->turn_began_ns : 0;
        bool is_long = rest_ns >= LONG_TURN_NS || late_ns(engine) >= LONG_TURN_NS;

        assert(tracing->tracer);
        for (int i = TRACE_WORK_IO + 1; i < TRACE_N_WORKS; i++) {
                if (work_ns[i] > rest_ns)
                        work_ns[i] = rest_ns;
                rest_ns -= work_ns[i];
        }
        work_ns[TRACE_WORK_IO] = rest_ns;
        for (int i = 0; i < TRACE_N_WORKS; i++)
                tracing->totals.work_ns[i] += work_ns[i];
        if (is_long)
                tell_long_turn(engine, now_ns);
        if (now_ns >= tracing->next_sample_ns)
                turns_sample(engine, now_ns);
        memset(work_ns, 0, sizeof(tracing->turn_work_ns));
        tracing->culprit = tracing->culprit_ns = 0;
}

/* Begin a turn where the wait before it ended, as nobody worked during that wait. */
static void begin_turn(struct engine *engine)
{
        struct tracing *tracing = &engine->tracing;
        uint64_t ended_ns = engine->loop.wait_ended_ns;

        tracing->turn_began_ns = tracing->wait_began_ns;
        if (ended_ns <= tracing->wait_began_ns)
                return;
        tracing->totals.wait_ns += ended_ns - tracing->wait_began_ns;
        tracing->turn_began_ns = ended_ns;
}

static void tell_busy_caller(struct engine *engine, uint64_t busy_ns)
{
        struct tracing *tracing = &engine->tracing;
        struct trace_turn row = { .start_ns = tracing->entered_ns - busy_ns,
                .end_ns = tracing->entered_ns };

        row.work_ns[TRACE_WORK_CALLER] = busy_ns;
        tell_turn(engine, &row);
}

/*
 * Account for the time from left_ns to entered_ns, when a foreign loop was in charge. It may have
 * waited, as we would have, or been busy: then input lay unread, and the oldest of it shows since
 * when.
 */
static void judge_absence(struct engine *engine)
{
        struct tracing *tracing = &engine->tracing;
        uint64_t away_ns = tracing->entered_ns - tracing->left_ns, busy_ns = 0;

        if (tracing->oldest_ns && tracing->oldest_ns < tracing->entered_ns)
                busy_ns = tracing->entered_ns - tracing->oldest_ns;
        if (busy_ns > away_ns)
                busy_ns = away_ns;
        tracing->oldest_ns = 0;
        tracing->totals.wait_ns += away_ns - busy_ns;
        tracing->totals.work_ns[TRACE_WORK_CALLER] += busy_ns;
        if (busy_ns >= LONG_TURN_NS)
                tell_busy_caller(engine, busy_ns);
}

void turns_enter(struct engine *engine)
{
        struct tracing *tracing = &engine->tracing;

        if (!tracing->tracer)
                return;
        tracing->entered_ns = engine_now(engine);
        if (engine->has_foreign_loop)
                tracing->turn_began_ns = tracing->wait_began_ns = tracing->entered_ns;
        else
                turns_worked(engine, TRACE_WORK_CALLER, tracing->entered_ns - tracing->left_ns, 0);
}

void turns_over(struct engine *engine)
{
        struct tracing *tracing = &engine->tracing;

        if (!tracing->tracer)
                return;
        if (!engine->has_foreign_loop)
                begin_turn(engine);
        tracing->wait_began_ns = engine_now(engine);
        end_turn(engine, tracing->wait_began_ns);
}

void turns_leave(struct engine *engine)
{
        struct tracing *tracing = &engine->tracing;

        if (!tracing->tracer)
                return;
        if (engine->has_foreign_loop) {
                judge_absence(engine);
                begin_turn(engine);
        }
        tracing->left_ns = engine_now(engine);
        if (engine->has_foreign_loop)
                end_turn(engine, tracing->left_ns);
}
