/* SPDX-License-Identifier: MIT */
/*
 * What held loops: which turn each hold was in, and for how long requests were held
 *
 * A long run has as many holds, turns and requests as one likes, so none of them are gone through
 * for each of the others. Turns of one engine stand in order, and a hold looks at those around it;
 * how long loops were held between two moments is the difference of what they were until each.
 */
#include "account.h"
#include <base/mem.h>
#include <base/minmax.h>
#include <stdlib.h>

/* --- turns ------------------------------------------------------------------------------------ */

/* The turns of each engine, in order of their beginnings: list[first[engine]] and on. */
struct turns {
        const struct trace_turn **list;
        uint64_t *ends; /* the latest end of its engine up to there */
        size_t first[UINT8_MAX + 2];
        uint8_t *engines; /* by process: its first thread's that has one */
};

static void list_turns(const struct record *record, struct turns *turns)
{
        size_t at[UINT8_MAX + 1];

        for (size_t i = 0; i < record->n_turns; i++)
                turns->first[record->turns[i].engine + 1]++;
        for (size_t i = 1; i <= UINT8_MAX + 1; i++)
                turns->first[i] += turns->first[i - 1];
        memcpy(at, turns->first, sizeof(at));
        for (size_t i = 0; i < record->n_turns; i++) {
                const struct trace_turn *turn = &record->turns[i];
                size_t place = at[turn->engine]++;

                turns->list[place] = turn;
                turns->ends[place] = place > turns->first[turn->engine]
                                             ? max_u64(turns->ends[place - 1], turn->end_ns)
                                             : turn->end_ns;
        }
}

static void list_engines(const struct watched *all, struct turns *turns)
{
        for (uint32_t i = 1; i <= all->threads.n; i++) {
                const struct thread *thread = watched_thread(all, i);

                if (!turns->engines[thread->process])
                        turns->engines[thread->process] = thread->engine;
        }
}

static int turns_init(struct turns *turns, const struct account *account)
{
        *turns = (struct turns){
                .list = mem_array(account->record->n_turns + 1, sizeof(*turns->list)),
                .ends = mem_array(account->record->n_turns + 1, sizeof(*turns->ends)),
                .engines = mem_array(account->all->processes.n + 1, sizeof(*turns->engines)),
        };
        if (!turns->list || !turns->ends || !turns->engines)
                return MUSTER_E_RESOURCE;
        list_turns(account->record, turns);
        list_engines(account->all, turns);
        return 0;
}

static void turns_deinit(struct turns *turns)
{
        mem_free(turns->list);
        mem_free(turns->ends);
        mem_free(turns->engines);
}

/* Behind the last turn of an engine that began before a moment. */
static size_t end_of(const struct turns *turns, unsigned engine, uint64_t until_ns)
{
        size_t low = turns->first[engine], high = turns->first[engine + 1];

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (turns->list[middle]->start_ns < until_ns)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* --- holds ------------------------------------------------------------------------------------ */

static uint64_t hold_start_ns(const void *row)
{
        return ((const struct program_hold *)row)->start_ns;
}

static uint64_t known_ns(int64_t ns)
{
        return ns > 0 ? (uint64_t)ns : 0;
}

static uint64_t shared_ns(const struct trace_turn *turn, const struct program_hold *hold)
{
        uint64_t from_ns = max_u64(turn->start_ns, hold->start_ns);
        uint64_t to_ns = min_u64(turn->end_ns, hold->end_ns);

        return to_ns - min_u64(from_ns, to_ns);
}

/* The turn of its process that has most of a hold; NULL: none has half of it. */
static const struct trace_turn *turn_of(const struct account *account, const struct turns *turns,
        const struct program_hold *hold)
{
        const struct trace_turn *best = NULL;
        uint64_t best_ns = (hold->end_ns - hold->start_ns) / 2;

        for (unsigned engine = 0; engine <= UINT8_MAX; engine++) {
                if (account->engines[engine] != hold->process)
                        continue;
                for (size_t i = end_of(turns, engine, hold->end_ns);
                        i > turns->first[engine] && turns->ends[i - 1] > hold->start_ns; i--) {
                        const struct trace_turn *turn = turns->list[i - 1];
                        uint64_t ns = shared_ns(turn, hold);

                        if (ns < best_ns || (ns == best_ns && (!best || turn > best)))
                                continue;
                        best_ns = ns;
                        best = turn;
                }
        }
        return best;
}

/*
 * What the thread was ready for and had no processor is the machine's doing: a hold is as much
 * shorter, and one that seemed to wait may have computed.
 */
static void leave_out_delay(struct program_hold *hold, const struct trace_turn *turn)
{
        uint64_t took_ns = hold->end_ns - hold->start_ns;
        double share = (double)min_u64(took_ns, turn->end_ns - turn->start_ns) /
                       (double)(turn->end_ns - turn->start_ns);
        uint64_t delay_ns = (uint64_t)((double)known_ns(turn->run_delay_ns) * share);

        delay_ns = min_u64(delay_ns, took_ns - min_u64(hold->cpu_ns, took_ns));
        hold->end_ns -= delay_ns;
        if (delay_ns && hold->kind == PROGRAM_HOLD_BLOCKED &&
                hold->cpu_ns >= (took_ns - delay_ns) / 2)
                hold->kind = PROGRAM_HOLD_COMPUTES;
}

/*
 * The thread of a hold, which the hook does not tell, is that of the turn. Where the hook does not
 * know either what the thread did, the turn does.
 */
static void ask_turn(const struct account *account, const struct turns *turns,
        struct program_hold *hold)
{
        const struct trace_turn *turn = turn_of(account, turns, hold);
        uint64_t took_ns = turn ? turn->end_ns - turn->start_ns : 0;

        if (turn)
                hold->engine = turn->engine;
        if (!hold->engine)
                hold->engine = turns->engines[hold->process];
        if (!turn)
                return;
        if (hold->kind != PROGRAM_HOLD_UNKNOWN) {
                leave_out_delay(hold, turn);
                return;
        }
        hold->kind = turn->thread_cpu_ns + known_ns(turn->run_delay_ns) >= took_ns / 2
                             ? PROGRAM_HOLD_COMPUTES
                             : PROGRAM_HOLD_BLOCKED;
        hold->cpu_ns = min_u64(turn->thread_cpu_ns, hold->end_ns - hold->start_ns);
        leave_out_delay(hold, turn);
}

int account_put_holds(struct account *account)
{
        struct programs *programs = &account->record->programs;
        struct turns turns;
        int r = turns_init(&turns, account);

        if (r == 0)
                r = rows_sort(&account->all->holds, hold_start_ns);
        if (r == 0)
                programs->holds = rows_give(&account->all->holds, &programs->n_holds);
        for (size_t i = 0; i < programs->n_holds; i++) {
                struct program_hold *hold = &programs->holds[i];

                account_rebase(account, &hold->start_ns, &hold->end_ns);
                ask_turn(account, &turns, hold);
        }
        turns_deinit(&turns);
        return r;
}

/* --- sums ------------------------------------------------------------------------------------- */

/* Moments of one process in order, and the sum of all before each. */
struct moments {
        uint64_t *at_ns, *sums;
        size_t n;
};

/* Of each process where its holds begin, and where they end. */
struct account_holds {
        struct moments *starts, *ends;
        uint64_t *memory;
};

static int compare_moments(const void *a, const void *b)
{
        uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

        return one < other ? -1 : one > other;
}

static void add_up(struct moments *moments)
{
        if (moments->n)
                qsort(moments->at_ns, moments->n, sizeof(*moments->at_ns), compare_moments);
        for (size_t i = 0; i < moments->n; i++)
                moments->sums[i + 1] = moments->sums[i] + moments->at_ns[i];
}

/* Room for so many moments of a process, and one sum more. */
static uint64_t *cut_off(struct moments *moments, uint64_t *memory, size_t n)
{
        moments->at_ns = memory;
        moments->sums = memory + n;
        return memory + 2 * n + 1;
}

static void collect(struct account_holds *holds, const struct programs *programs,
        size_t n_processes)
{
        uint64_t *memory = holds->memory;

        for (size_t i = 0; i < programs->n_holds; i++)
                holds->starts[programs->holds[i].process].n++;
        for (size_t i = 0; i <= n_processes; i++) {
                memory = cut_off(&holds->starts[i], memory, holds->starts[i].n);
                memory = cut_off(&holds->ends[i], memory, holds->starts[i].n);
                holds->starts[i].n = 0;
        }
        for (size_t i = 0; i < programs->n_holds; i++) {
                const struct program_hold *hold = &programs->holds[i];
                struct moments *starts = &holds->starts[hold->process];
                struct moments *ends = &holds->ends[hold->process];

                starts->at_ns[starts->n++] = hold->start_ns;
                ends->at_ns[ends->n++] = hold->end_ns;
        }
        for (size_t i = 0; i <= n_processes; i++) {
                add_up(&holds->starts[i]);
                add_up(&holds->ends[i]);
        }
}

struct account_holds *account_holds_new(const struct account *account)
{
        const struct programs *programs = &account->record->programs;
        size_t n_processes = account->all->processes.n;
        struct account_holds *holds = mem_zalloc(sizeof(*holds));

        if (!holds)
                return NULL;
        holds->starts = mem_array(n_processes + 1, sizeof(*holds->starts));
        holds->ends = mem_array(n_processes + 1, sizeof(*holds->ends));
        holds->memory =
                mem_array(4 * programs->n_holds + 2 * (n_processes + 1), sizeof(*holds->memory));
        if (!holds->starts || !holds->ends || !holds->memory)
                return account_holds_free(holds);
        collect(holds, programs, n_processes);
        return holds;
}

struct account_holds *account_holds_free(struct account_holds *holds)
{
        if (holds) {
                mem_free(holds->starts);
                mem_free(holds->ends);
                mem_free(holds->memory);
                mem_free(holds);
        }
        return NULL;
}

/* The sum of how long before `until_ns` each of them was; those behind it are not counted. */
static uint64_t sum_before(const struct moments *moments, uint64_t until_ns)
{
        size_t low = 0, high = moments->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (moments->at_ns[middle] < until_ns)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low * until_ns - moments->sums[low];
}

static uint64_t held_until(const struct account_holds *holds, uint32_t process, uint64_t until_ns)
{
        return sum_before(&holds->starts[process], until_ns) -
               sum_before(&holds->ends[process], until_ns);
}

uint64_t account_held_ns(const struct account_holds *holds, uint32_t process, uint64_t from_ns,
        uint64_t to_ns)
{
        if (to_ns <= from_ns)
                return 0;
        return held_until(holds, process, to_ns) - held_until(holds, process, from_ns);
}
