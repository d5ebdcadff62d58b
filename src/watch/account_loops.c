/* SPDX-License-Identifier: MIT */
/*
 * What threads did between their waits, as turns and samples
 *
 * A time away from waiting in which the thread stood in a call that blocks was not the program's
 * own: it is cut out, so that what is left are its turns. Samples count up how long each thread
 * waited, and all else as the program's own work.
 */
#include "account.h"
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <record/row.h>

#define TURN_NS_MIN   NS_PER_MS
#define SAMPLES_MAX   500 /* of a thread */
#define SAMPLE_NS_MIN (10 * NS_PER_MS)

static uint64_t block_start_ns(const void *row)
{
        return ((const struct block *)row)->start_ns;
}

static uint64_t wait_start_ns(const void *row)
{
        return ((const struct wait *)row)->start_ns;
}

static uint64_t away_start_ns(const void *row)
{
        return ((const struct away *)row)->start_ns;
}

/* --- turns ------------------------------------------------------------------------------------ */

static uint64_t share_of(uint64_t part, uint64_t whole, uint64_t of)
{
        return whole ? min_u64((uint64_t)((double)of * ((double)part / (double)whole)), part) : 0;
}

static int add_turn(struct account *account, const struct away *away, uint64_t from_ns,
        uint64_t to_ns, uint64_t own_ns, struct rows *turns)
{
        struct trace_turn *turn;
        uint64_t took_ns = to_ns - min_u64(from_ns, to_ns);

        if (took_ns < TURN_NS_MIN)
                return 0;
        turn = rows_add(turns);
        if (!turn)
                return MUSTER_E_RESOURCE;
        turn->start_ns = from_ns;
        turn->end_ns = to_ns;
        turn->work_ns[TRACE_WORK_CALLER] = took_ns;
        turn->thread_cpu_ns = share_of(took_ns, own_ns, away->cpu_ns);
        turn->run_delay_ns = (int64_t)share_of(took_ns, own_ns, (uint64_t)away->run_delay_ns);
        turn->n_forced = turn->n_major_faults = -1;
        turn->engine = watched_thread(account->all, away->thread)->engine;
        row_rebase(ROW_TURN, turn, account->start_ns);
        return 0;
}

/* Of a thread: its blocks, in order. */
struct blocks {
        const struct block **list;
        size_t n, at;
};

static uint64_t blocked_ns(const struct blocks *blocks, size_t from, const struct away *away)
{
        uint64_t sum_ns = 0;

        for (size_t i = from; i < blocks->n && blocks->list[i]->start_ns < away->end_ns; i++) {
                uint64_t start_ns = max_u64(blocks->list[i]->start_ns, away->start_ns);
                uint64_t end_ns = min_u64(blocks->list[i]->end_ns, away->end_ns);

                sum_ns += end_ns - min_u64(start_ns, end_ns);
        }
        return min_u64(sum_ns, away->end_ns - away->start_ns);
}

static int cut_away(struct account *account, const struct away *away, struct blocks *blocks,
        struct rows *turns)
{
        uint64_t at_ns = away->start_ns, own_ns;
        int r = 0;

        while (blocks->at < blocks->n && blocks->list[blocks->at]->end_ns <= at_ns)
                blocks->at++;
        own_ns = away->end_ns - away->start_ns - blocked_ns(blocks, blocks->at, away);
        for (size_t i = blocks->at;
                r == 0 && i < blocks->n && blocks->list[i]->start_ns < away->end_ns; i++) {
                r = add_turn(account, away, at_ns, blocks->list[i]->start_ns, own_ns, turns);
                at_ns = max_u64(at_ns, blocks->list[i]->end_ns);
        }
        return r < 0 ? r : add_turn(account, away, at_ns, away->end_ns, own_ns, turns);
}

/* --- samples ---------------------------------------------------------------------------------- */

/* What is counted up of a thread. */
struct tally {
        struct account *account;
        const struct thread *thread;
        uint64_t every_ns, next_ns;
        uint64_t wait_ns, away_ns, cpu_ns, delay_ns, n_turns;
        struct rows *samples;
};

/* Processor time of all processes until then: they are taken to have used theirs evenly. */
static uint64_t process_cpu_ns(const struct watched *all, uint64_t at_ns)
{
        uint64_t sum_ns = 0;

        for (uint32_t i = 1; i <= all->processes.n; i++) {
                const struct program_process *row = &watched_process(all, i)->row;
                uint64_t lived_ns = row->end_ns - min_u64(row->start_ns, row->end_ns);

                if (at_ns >= row->end_ns)
                        sum_ns += row->cpu_ns;
                else if (at_ns > row->start_ns && lived_ns)
                        sum_ns += (uint64_t)((double)row->cpu_ns *
                                             ((double)(at_ns - row->start_ns) / (double)lived_ns));
        }
        return sum_ns;
}

static int add_sample(struct tally *tally, uint64_t at_ns)
{
        struct trace_sample *sample = rows_add(tally->samples);
        uint64_t lived_ns = at_ns - min_u64(tally->thread->first_ns, at_ns);
        uint64_t own_ns = lived_ns - min_u64(tally->wait_ns, lived_ns);

        if (!sample)
                return MUSTER_E_RESOURCE;
        sample->at_ns = at_ns;
        sample->engine = tally->thread->engine;
        sample->n_turns = tally->n_turns;
        sample->wait_ns = min_u64(tally->wait_ns, lived_ns);
        sample->work_ns[TRACE_WORK_CALLER] = own_ns;
        /* Short turns are taken to be at work all the time. */
        sample->thread_cpu_ns = tally->cpu_ns + own_ns - min_u64(tally->away_ns, own_ns);
        sample->process_cpu_ns = process_cpu_ns(tally->account->all, at_ns);
        sample->run_delay_ns = (int64_t)tally->delay_ns;
        sample->n_forced = -1;
        row_rebase(ROW_SAMPLE, sample, tally->account->start_ns);
        return 0;
}

static int go_on_to(struct tally *tally, uint64_t at_ns)
{
        if (at_ns < tally->next_ns)
                return 0;
        tally->next_ns = at_ns + tally->every_ns;
        return add_sample(tally, at_ns);
}

/* --- threads ---------------------------------------------------------------------------------- */

/* Rows of a thread, in the order of their beginnings. */
struct piles {
        const struct wait **waits;
        const struct away **aways;
        struct blocks blocks;
        size_t n_waits, n_aways;
};

static int count_thread(struct account *account, const struct thread *thread, struct piles *piles,
        struct rows *turns, struct rows *samples)
{
        uint64_t span_ns = thread->last_ns - min_u64(thread->first_ns, thread->last_ns);
        struct tally tally = { .account = account,
                .thread = thread,
                .every_ns = max_u64(SAMPLE_NS_MIN, span_ns / SAMPLES_MAX),
                .samples = samples };
        size_t wait = 0, away = 0, block = 0;
        int r = add_sample(&tally, thread->first_ns);

        while (r == 0 &&
                (wait < piles->n_waits || away < piles->n_aways || block < piles->blocks.n)) {
                uint64_t wait_at =
                        wait < piles->n_waits ? piles->waits[wait]->start_ns : UINT64_MAX;
                uint64_t away_at =
                        away < piles->n_aways ? piles->aways[away]->start_ns : UINT64_MAX;
                uint64_t block_at =
                        block < piles->blocks.n ? piles->blocks.list[block]->start_ns : UINT64_MAX;

                if (wait_at <= away_at && wait_at <= block_at) {
                        const struct wait *row = piles->waits[wait++];

                        tally.wait_ns += row->end_ns - row->start_ns;
                        tally.n_turns++;
                        r = go_on_to(&tally, row->end_ns);
                } else if (block_at <= away_at) {
                        const struct block *row = piles->blocks.list[block++];

                        tally.wait_ns += row->end_ns - row->start_ns;
                        r = go_on_to(&tally, row->end_ns);
                } else {
                        const struct away *row = piles->aways[away++];

                        tally.away_ns += row->end_ns - row->start_ns;
                        tally.cpu_ns += row->cpu_ns;
                        tally.delay_ns += (uint64_t)row->run_delay_ns;
                        r = cut_away(account, row, &piles->blocks, turns);
                }
        }
        return r < 0 ? r : add_sample(&tally, max_u64(thread->last_ns, thread->first_ns));
}

/* Those of one thread stand together, in their order: first[thread] is where they begin. */
static const void **by_thread(const struct rows *rows, uint32_t (*thread)(const void *row),
        size_t n_threads, size_t *first)
{
        const void **list = mem_array(rows->n + 1, sizeof(*list));

        if (!list)
                return NULL;
        for (size_t i = 0; i < rows->n; i++)
                first[thread(rows_at(rows, i)) + 1]++;
        for (size_t i = 1; i <= n_threads + 1; i++)
                first[i] += first[i - 1];
        for (size_t i = 0; i < rows->n; i++)
                list[first[thread(rows_at(rows, i))]++] = rows_at(rows, i);
        for (size_t i = n_threads + 1; i > 0; i--)
                first[i] = first[i - 1];
        first[0] = 0;
        return list;
}

static uint32_t wait_thread(const void *row)
{
        return ((const struct wait *)row)->thread;
}

static uint32_t away_thread(const void *row)
{
        return ((const struct away *)row)->thread;
}

static uint32_t block_thread(const void *row)
{
        return ((const struct block *)row)->thread;
}

static int count_all(struct account *account, struct rows *turns, struct rows *samples)
{
        const struct watched *all = account->all;
        size_t n = all->threads.n, *first[3] = { 0 };
        const void **lists[3] = { 0 };
        bool is_good = true;
        int r = 0;

        for (size_t i = 0; i < 3; i++)
                is_good = (first[i] = mem_array(n + 2, sizeof(size_t))) && is_good;
        if (is_good) {
                lists[0] = by_thread(&all->waits, wait_thread, n, first[0]);
                lists[1] = by_thread(&all->aways, away_thread, n, first[1]);
                lists[2] = by_thread(&all->blocks, block_thread, n, first[2]);
                is_good = lists[0] && lists[1] && lists[2];
        }
        for (uint32_t i = 1; is_good && r == 0 && i <= n; i++) {
                struct piles piles = {
                        .waits = (const struct wait **)lists[0] + first[0][i],
                        .n_waits = first[0][i + 1] - first[0][i],
                        .aways = (const struct away **)lists[1] + first[1][i],
                        .n_aways = first[1][i + 1] - first[1][i],
                        .blocks = { .list = (const struct block **)lists[2] + first[2][i],
                                .n = first[2][i + 1] - first[2][i] },
                };

                /* From outside it is not seen what they do. */
                if (watched_thread(all, i)->engine &&
                        !watched_is_outside(all, watched_thread(all, i)->process))
                        r = count_thread(account, watched_thread(all, i), &piles, turns, samples);
        }
        for (size_t i = 0; i < 3; i++) {
                mem_free(first[i]);
                mem_free(lists[i]);
        }
        return is_good ? r : MUSTER_E_RESOURCE;
}

/* --- levels ----------------------------------------------------------------------------------- */

static uint64_t sample_at_ns(const void *row)
{
        return ((const struct trace_sample *)row)->at_ns;
}

static uint64_t turn_start_ns(const void *row)
{
        return ((const struct trace_turn *)row)->start_ns;
}

int account_loops(struct account *account)
{
        struct watched *all = account->all;
        struct record *record = account->record;
        struct rows turns = { .size = sizeof(struct trace_turn) };
        struct rows samples = { .size = sizeof(struct trace_sample) };
        int r = 0;

        if (rows_sort(&all->waits, wait_start_ns) < 0 ||
                rows_sort(&all->aways, away_start_ns) < 0 ||
                rows_sort(&all->blocks, block_start_ns) < 0)
                return MUSTER_E_RESOURCE;
        r = count_all(account, &turns, &samples);
        if (r == 0)
                r = rows_sort(&turns, turn_start_ns);
        if (r == 0)
                r = rows_sort(&samples, sample_at_ns);
        record->turns = rows_give(&turns, &record->n_turns);
        record->samples = rows_give(&samples, &record->n_samples);
        return r;
}
