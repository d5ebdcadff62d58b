/* SPDX-License-Identifier: MIT */
#include "turns.h"

#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <base/thread_time.h>

#define STRIDE 16 /* turns from one sum to the next */
#define NEAR   4  /* turns: so soon most answers are read */

struct sums {
        uint64_t busy_ns, tls_ns;
        /* busy_ns, divided */
        uint64_t work_ns[TRACE_N_WORKS], delay_ns, stopped_ns;
};

/* Of one loop. */
struct turns {
        const struct trace_turn *list; /* by start */
        size_t n;
        const struct trace_sample *samples; /* by moment */
        size_t n_samples;
        uint64_t *ends;    /* by turn: when it and all before it were over */
        struct sums *sums; /* of all before each STRIDE-th turn */
};

struct all_turns {
        struct turns *loops;
        size_t n;
        /* The rows by loop, where there are several. */
        struct trace_turn *list;
        struct trace_sample *samples;
};

/* A turn that began late begins for us when it should have begun. */
static uint64_t start_of(const struct turns *turns, size_t i)
{
        const struct trace_turn *turn = &turns->list[i];
        uint64_t due_ns = turn->start_ns - min_u64(turn->late_ns, turn->start_ns);

        return max_u64(due_ns, i ? turns->ends[i - 1] : 0);
}

/* --- dividing -------------------------------------------------------------------------------- */

/* Divides a time as the work was divided. What was not counted goes to the loop's own. */
static void divide_by_work(uint64_t ns, const uint64_t was_ns[TRACE_N_WORKS],
        uint64_t work_ns[TRACE_N_WORKS])
{
        double sum = 0;
        uint64_t left = ns;

        for (size_t i = 0; i < TRACE_N_WORKS; i++)
                sum += (double)was_ns[i];
        for (size_t i = 0; i < TRACE_N_WORKS && sum > 0; i++) {
                uint64_t piece;

                if (i == TRACE_WORK_IO)
                        continue;
                piece = min_u64(whole_of((double)ns * ((double)was_ns[i] / sum)), left);
                work_ns[i] += piece;
                left -= piece;
        }
        work_ns[TRACE_WORK_IO] += left;
}

static uint64_t share_of(uint64_t ns, uint64_t part_ns, uint64_t whole_ns)
{
        if (ns == whole_ns || !whole_ns)
                return min_u64(part_ns, ns);
        return min_u64(whole_of((double)ns * ((double)part_ns / (double)whole_ns)), ns);
}

/*
 * How much of a turn that took `took_ns` the thread was ready and had no processor, and how much it
 * was stopped. What is known of both is of the time since the row before, the turn included. So
 * where both are more than the turn, they share it; and only what began late and is explained by
 * neither is surely a stop, as the program itself does nothing in a wait.
 */
static void split_turn(const struct trace_turn *turn, uint64_t took_ns, uint64_t *ret_delay_ns,
        uint64_t *ret_stopped_ns)
{
        uint64_t delay_ns = turn->run_delay_ns > 0 ? (uint64_t)turn->run_delay_ns : 0;
        uint64_t known_ns = delay_ns + turn->thread_cpu_ns;

        *ret_delay_ns = known_ns > took_ns ? share_of(took_ns, delay_ns, known_ns) : delay_ns;
        *ret_stopped_ns = turn->run_delay_ns < 0 || known_ns >= took_ns
                                  ? 0
                                  : min_u64(turn->late_ns, took_ns - known_ns);
}

/* The first sample at or after `at_ns`. */
static size_t first_sample(const struct turns *turns, uint64_t at_ns)
{
        size_t low = 0, high = turns->n_samples;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (turns->samples[middle].at_ns >= at_ns)
                        high = middle;
                else
                        low = middle + 1;
        }
        return low;
}

/*
 * Time outside of long turns is divided as the loop divided its work around that time. Somebody
 * waited for the thread then: it was at work, or it had no processor.
 */
static void divide_by_sample(const struct turns *turns, uint64_t ns, uint64_t at_ns,
        struct sums *sums)
{
        uint64_t was_ns[TRACE_N_WORKS] = { 0 }, delay_ns = 0;
        size_t after = first_sample(turns, at_ns);

        if (after > 0 && after < turns->n_samples) {
                const struct trace_sample *from = &turns->samples[after - 1], *to = from + 1;
                int64_t kept_ns = thread_time_growth(from->run_delay_ns, to->run_delay_ns);

                for (size_t i = 0; i < TRACE_N_WORKS; i++)
                        was_ns[i] = to->work_ns[i] - min_u64(from->work_ns[i], to->work_ns[i]);
                if (kept_ns > 0)
                        delay_ns = share_of(ns, (uint64_t)kept_ns,
                                (uint64_t)kept_ns + to->thread_cpu_ns -
                                        min_u64(from->thread_cpu_ns, to->thread_cpu_ns));
                delay_ns = min_u64(delay_ns, kept_ns > 0 ? (uint64_t)kept_ns : 0);
        }
        sums->delay_ns += delay_ns;
        divide_by_work(ns - delay_ns, was_ns, sums->work_ns);
}

/* --- sums ------------------------------------------------------------------------------------ */

/* Adds the part of a turn that lies between two moments. */
static void add_turn(const struct turns *turns, size_t i, uint64_t from_ns, uint64_t to_ns,
        struct sums *sums)
{
        const struct trace_turn *turn = &turns->list[i];
        uint64_t start_ns = max_u64(start_of(turns, i), from_ns);
        uint64_t end_ns = min_u64(turns->ends[i], to_ns), took_ns, delay_ns, stopped_ns, ns;

        if (end_ns <= start_ns)
                return;
        assert(i < turns->n);
        ns = end_ns - start_ns;
        sums->busy_ns += ns;
        sums->tls_ns += min_u64(turn->work_ns[TRACE_WORK_TLS], ns);
        took_ns = turns->ends[i] - start_of(turns, i);
        split_turn(turn, took_ns, &delay_ns, &stopped_ns);
        delay_ns = share_of(ns, delay_ns, took_ns);
        stopped_ns = min_u64(share_of(ns, stopped_ns, took_ns), ns - delay_ns);
        sums->delay_ns += delay_ns;
        sums->stopped_ns += stopped_ns;
        divide_by_work(ns - delay_ns - stopped_ns, turn->work_ns, sums->work_ns);
}

static void add_growth(struct sums *sums, const struct sums *from, const struct sums *to)
{
        assert(to->busy_ns >= from->busy_ns && to->tls_ns >= from->tls_ns);
        sums->busy_ns += to->busy_ns - from->busy_ns;
        sums->tls_ns += to->tls_ns - from->tls_ns;
        sums->delay_ns += to->delay_ns - from->delay_ns;
        sums->stopped_ns += to->stopped_ns - from->stopped_ns;
        for (size_t i = 0; i < TRACE_N_WORKS; i++)
                sums->work_ns[i] += to->work_ns[i] - from->work_ns[i];
}

/* How many turns are over at that moment. */
static size_t n_over(const struct turns *turns, uint64_t at_ns)
{
        size_t low = 0, high = turns->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (turns->ends[middle] > at_ns)
                        high = middle;
                else
                        low = middle + 1;
        }
        return low;
}

/* The same of a moment after one at which `first` were over: mostly the next one, or one of the next. */
static size_t n_over_after(const struct turns *turns, size_t first, uint64_t at_ns)
{
        for (size_t i = first; i < first + NEAR; i++)
                if (i == turns->n || turns->ends[i] > at_ns)
                        return i;
        return n_over(turns, at_ns);
}

/*
 * The first and the last turn may lie in that time in part. Between them whole turns are added by
 * their sums.
 */
static struct sums between(const struct turns *turns, uint64_t from_ns, uint64_t to_ns)
{
        size_t first = n_over(turns, from_ns), last = n_over_after(turns, first, to_ns);
        struct sums sums = { 0 };

        for (size_t i = first; i <= last && i < turns->n;) {
                if (i > first && i % STRIDE == 0 && last / STRIDE > i / STRIDE) {
                        add_growth(&sums, &turns->sums[i / STRIDE], &turns->sums[last / STRIDE]);
                        i = last / STRIDE * STRIDE;
                } else {
                        add_turn(turns, i++, from_ns, to_ns, &sums);
                }
        }
        return sums;
}

/* --- making and unmaking --------------------------------------------------------------------- */

static void sum_up(struct turns *turns)
{
        struct sums sums = { 0 };
        size_t n = turns->n;

        assert(turns->ends && turns->sums);
        for (size_t i = 0; i < n; i++) {
                turns->ends[i] = max_u64(turns->list[i].end_ns, i ? turns->ends[i - 1] : 0);
                if (i % STRIDE == 0)
                        turns->sums[i / STRIDE] = sums;
                add_turn(turns, i, 0, UINT64_MAX, &sums);
        }
        if (n % STRIDE == 0)
                turns->sums[n / STRIDE] = sums;
}

static size_t index_of(uint8_t engine)
{
        return engine ? engine - 1u : 0;
}

static size_t count_loops(const struct record *record)
{
        size_t n = 1;

        for (size_t i = 0; i < record->n_turns; i++)
                if (index_of(record->turns[i].engine) >= n)
                        n = index_of(record->turns[i].engine) + 1;
        for (size_t i = 0; i < record->n_samples; i++)
                if (index_of(record->samples[i].engine) >= n)
                        n = index_of(record->samples[i].engine) + 1;
        return n;
}

/* Each loop's rows stand together, in their order. */
static int sort_by_loop(struct all_turns *all, const struct record *record)
{
        size_t n_turns = 0, n_samples = 0;

        all->list = mem_array(record->n_turns + 1, sizeof(*all->list));
        all->samples = mem_array(record->n_samples + 1, sizeof(*all->samples));
        if (!all->list || !all->samples)
                return MUSTER_E_RESOURCE;
        for (size_t loop = 0; loop < all->n; loop++) {
                struct turns *turns = &all->loops[loop];

                turns->list = all->list + n_turns;
                turns->samples = all->samples + n_samples;
                for (size_t i = 0; i < record->n_turns; i++)
                        if (index_of(record->turns[i].engine) == loop)
                                all->list[n_turns++] = record->turns[i];
                for (size_t i = 0; i < record->n_samples; i++)
                        if (index_of(record->samples[i].engine) == loop)
                                all->samples[n_samples++] = record->samples[i];
                turns->n = (size_t)(all->list + n_turns - turns->list);
                turns->n_samples = (size_t)(all->samples + n_samples - turns->samples);
        }
        return 0;
}

static int share_out(struct all_turns *all, const struct record *record)
{
        struct turns *only = &all->loops[0];

        if (all->n > 1)
                return sort_by_loop(all, record);
        only->list = record->turns;
        only->n = record->n_turns;
        only->samples = record->samples;
        only->n_samples = record->n_samples;
        return 0;
}

static int sum_up_all(struct all_turns *all)
{
        for (size_t i = 0; i < all->n; i++) {
                struct turns *turns = &all->loops[i];

                turns->ends = mem_array(turns->n + 1, sizeof(*turns->ends));
                turns->sums = mem_array(turns->n / STRIDE + 1, sizeof(*turns->sums));
                if (!turns->ends || !turns->sums)
                        return MUSTER_E_RESOURCE;
                sum_up(turns);
        }
        return 0;
}

int turns_new(struct all_turns **ret_all, const struct record *record)
{
        struct all_turns *all = mem_zalloc(sizeof(*all));

        if (!all)
                return MUSTER_E_RESOURCE;
        all->n = count_loops(record);
        all->loops = mem_array(all->n, sizeof(*all->loops));
        if (!all->loops || share_out(all, record) < 0 || sum_up_all(all) < 0) {
                turns_free(all);
                return MUSTER_E_RESOURCE;
        }
        *ret_all = all;
        return 0;
}

struct all_turns *turns_free(struct all_turns *all)
{
        if (!all)
                return NULL;
        for (size_t i = 0; all->loops && i < all->n; i++) {
                mem_free(all->loops[i].ends);
                mem_free(all->loops[i].sums);
        }
        mem_free(all->loops);
        mem_free(all->list);
        mem_free(all->samples);
        return mem_free(all);
}

/* A record that was cut off may have attempts of a loop that told nothing of itself. */
static const struct turns *of_engine(const struct all_turns *all, uint8_t engine)
{
        size_t i = index_of(engine);

        return &all->loops[i < all->n ? i : 0];
}

uint64_t turn_idle_ns(const struct trace_turn *turn)
{
        uint64_t took_ns = turn->end_ns - min_u64(turn->start_ns, turn->end_ns) + turn->late_ns;
        uint64_t known_ns = turn->thread_cpu_ns;

        if (turn->run_delay_ns < 0 || turn->n_major_faults > 0)
                return 0;
        known_ns += (uint64_t)turn->run_delay_ns;
        return took_ns - min_u64(known_ns, took_ns);
}

/* --- answers --------------------------------------------------------------------------------- */

uint64_t turns_busy_ns(const struct all_turns *all, uint8_t engine, uint64_t from_ns,
        uint64_t to_ns)
{
        return between(of_engine(all, engine), from_ns, to_ns).busy_ns;
}

uint64_t turns_tls_ns(const struct all_turns *all, uint8_t engine, uint64_t from_ns, uint64_t to_ns)
{
        return between(of_engine(all, engine), from_ns, to_ns).tls_ns;
}

static const enum part parts[TRACE_N_WORKS] = {
        [TRACE_WORK_IO] = PART_LOOP_IO,
        [TRACE_WORK_TLS] = PART_LOOP_TLS,
        [TRACE_WORK_DECODE] = PART_LOOP_DECODE,
        [TRACE_WORK_PROCESS] = PART_LOOP_PROCESS,
        [TRACE_WORK_CALLER] = PART_LOOP_CALLER,
};

void turns_parts(const struct all_turns *all, uint8_t engine, uint64_t from_ns, uint64_t to_ns,
        uint64_t part_ns[PART_N])
{
        const struct turns *turns = of_engine(all, engine);
        struct sums sums;

        if (to_ns <= from_ns)
                return;
        sums = between(turns, from_ns, to_ns);
        assert(sums.busy_ns <= to_ns - from_ns);
        divide_by_sample(turns, to_ns - from_ns - sums.busy_ns, from_ns + (to_ns - from_ns) / 2,
                &sums);
        part_ns[PART_PROCESSOR] += sums.delay_ns;
        part_ns[PART_STOPPED] += sums.stopped_ns;
        for (size_t i = 0; i < TRACE_N_WORKS; i++)
                part_ns[parts[i]] += sums.work_ns[i];
}
