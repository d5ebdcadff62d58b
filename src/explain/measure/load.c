/* SPDX-License-Identifier: MIT */
#include "load.h"

#include "load_answers.h"
#include "processors.h"
#include "waiting.h"
#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>
#include <stdbool.h>

bool load_is_answer(const struct load *load, const struct trace_attempt *attempt)
{
        return attempt->origin == load->origin && trace_is_answered(attempt) &&
               attempt->status != 429 && attempt->status != 503 &&
               attempt->stamps.first_byte_kernel_ns && attempt->stamps.slot_ns;
}

static uint32_t busiest_origin(const struct facts *facts)
{
        const struct host_facts *busiest = NULL;

        for (size_t i = 0; i < facts->n_hosts; i++)
                if (!busiest || facts->hosts[i].mean_in_flight > busiest->mean_in_flight)
                        busiest = &facts->hosts[i];
        return busiest ? busiest->origin : 0;
}

/* What a server sent back untouched, to be repeated, was no load. */
static void find_most(struct answers *answers)
{
        for (size_t i = 0; i < answers->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &answers->record->attempts[i];

                if (attempt->origin == answers->load->origin &&
                        attempt->outcome != TRACE_REPEATED &&
                        attempt->host_in_flight > answers->load->most)
                        answers->load->most = attempt->host_in_flight;
        }
}

static uint64_t part_of(uint64_t n, double share)
{
        return whole_of((double)n * share);
}

/* "Few" is up to two where at most 4 are out: one alone would be a group of one. */
static uint64_t few_at_most(uint64_t most)
{
        uint64_t least = most / 2 < 2 ? most / 2 : 2;

        return max_u64(part_of(most, FEW_OUT), least);
}

/* How many are as good as alone: FEW_OUT of the few, but not so few that one of them decides. */
static uint64_t alone_at_most(uint64_t few)
{
        uint64_t least = few < ALONE_LEAST ? few : ALONE_LEAST;

        return max_u64(part_of(few, FEW_OUT), least);
}

uint64_t load_many_at_least(uint64_t most)
{
        return most - part_of(most, 1 - MANY_OUT);
}

static void sort_out(struct answers *answers)
{
        struct load *load = answers->load;
        uint64_t few = few_at_most(load->most);
        uint64_t alone = alone_at_most(few);
        uint64_t many = load_many_at_least(load->most);
        struct stops stops;

        stops_of(&stops, answers->facts);
        for (size_t i = 0; i < answers->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &answers->record->attempts[i];
                uint64_t answer_ns;

                if (!load_is_answer(load, attempt))
                        continue;
                answer_ns = waiting_ns(&stops, answers->facts, attempt);
                assert(answers->n_ends < answers->record->n_attempts);
                if (!answers->n_ends || answer_ns < load->least_ns)
                        load->least_ns = answer_ns;
                answers->slots[answers->n_ends] = attempt->stamps.slot_ns;
                answers->ends[answers->n_ends++] = attempt->stamps.end_ns;
                if (attempt->stamps.slot_ns > answers->last_slot_ns)
                        answers->last_slot_ns = attempt->stamps.slot_ns;
                if (attempt->host_in_flight <= alone) {
                        answers->alone_sum_ns += answer_ns;
                        answers->n_alone++;
                }
                if (attempt->host_in_flight <= few)
                        answers->few[load->n_few++] = answer_ns;
                else if (attempt->host_in_flight >= many)
                        answers->many[load->n_many++] = answer_ns;
        }
        sort_numbers(answers->few, load->n_few);
        sort_numbers(answers->many, load->n_many);
        sort_numbers(answers->slots, answers->n_ends);
        sort_numbers(answers->ends, answers->n_ends);
        if (answers->n_ends)
                load->took_ns = answers->ends[answers->n_ends - 1] - answers->slots[0];
}

/*
 * Those of a burst begin when few are there, one after the other, and then all of them are. So who
 * had few others there is told by the middle of its time, too.
 */
static void find_truly_few(struct answers *answers)
{
        uint64_t few = few_at_most(answers->load->most);
        struct stops stops;

        stops_of(&stops, answers->facts);
        for (size_t i = 0; i < answers->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &answers->record->attempts[i];
                uint64_t middle_ns = attempt->stamps.slot_ns +
                                     (attempt->stamps.end_ns - attempt->stamps.slot_ns) / 2;
                size_t n_begun, n_over;

                if (!load_is_answer(answers->load, attempt) || attempt->host_in_flight > few)
                        continue;
                n_begun = sort_n_below(answers->slots, answers->n_ends, middle_ns + 1);
                n_over = sort_n_below(answers->ends, answers->n_ends, middle_ns + 1);
                if (n_begun - n_over <= few)
                        answers->truly_few[answers->n_truly_few++] =
                                waiting_ns(&stops, answers->facts, attempt);
        }
        sort_numbers(answers->truly_few, answers->n_truly_few);
}

/* Nobody is slower for the others' being there: as those show that had few others. */
static void judge_flat(struct answers *answers)
{
        struct load *load = answers->load;
        uint64_t few_ns = quantile_of(answers->truly_few, answers->n_truly_few, 0.5);

        if (answers->n_truly_few < 2 || !few_ns ||
                (double)load->many_ns >= (double)few_ns * FLAT_GROWTH)
                return;
        load->few_ns = few_ns;
        load->growth = (double)load->many_ns / (double)few_ns;
        load->answer = LOAD_FLAT;
}

/*
 * One quick answer among few would make everything look grown, and one slow one would hide it. So
 * the slow ones of few are held against the fast ones of many, and the middle of both against each
 * other.
 */
static void judge(struct answers *answers)
{
        struct load *load = answers->load;
        uint64_t many_fast_ns = quantile_of(answers->many, load->n_many, FAST_OF_MANY);
        uint64_t few_slow_ns = quantile_of(answers->few, load->n_few, SLOW_OF_FEW);

        assert(load->n_few + load->n_many <= answers->n_ends);
        load->growth = 1;
        /* One alone has no slow ones and no fast ones. */
        if (load->n_few < 2 || load->n_many < 2 || !answers->n_alone)
                return;
        load->alone_ns = answers->alone_sum_ns / answers->n_alone;
        load->few_ns = quantile_of(answers->few, load->n_few, 0.5);
        load->many_ns = quantile_of(answers->many, load->n_many, 0.5);
        if (!load->few_ns)
                /* it came before we had told that the request was sent: nothing to measure by */
                return;
        load->growth = (double)load->many_ns / (double)load->few_ns;
        if (load->growth >= FULL_GROWTH && many_fast_ns > few_slow_ns)
                load->answer = LOAD_GROWS;
        else if (load->growth < FLAT_GROWTH)
                judge_flat(answers);
}

/* --- or the machine -------------------------------------------------------------------------- */

/*
 * Where all processors are in use a server here answers as it gets one, evenly and late, and a queue
 * for processors looks like one at the server. A server that is full works on fewer than are there;
 * by Little's law that is its pace times what the quickest answer takes. If that is most of all that
 * were there, all were being worked on, and what they waited for were processors. If it is nearly all
 * and all came at once nobody need know of processors: no queue is left. Where more followed, each of
 * these may have waited as long at a server that lets them through evenly.
 */
static bool may_be_processors(const struct answers *answers)
{
        const struct load *load = answers->load;
        bool is_once = answers->n_ends <= load->most;
        double n_at_work = load->full_per_s * (double)load->least_ns / (double)NS_PER_S;

        return (is_once && n_at_work >= (double)load->most * NEARLY_ALL) ||
               (n_at_work >= (double)load->most * MOST_OF_THEM &&
                       processors_are_full(answers->facts));
}

/* By the same law, of all answers. */
static bool are_at_work(const struct answers *answers)
{
        const struct load *load = answers->load;
        double work_ns = (double)answers->n_ends * (double)load->least_ns;

        return work_ns >= (double)load->took_ns * (double)load->most * MOST_OF_THEM;
}

/*
 * A run of which nobody waits for the end, and answers that follow each other faster than turns and
 * schedulers let anybody tell what each of them waited for. Where most of those that were there were
 * being worked on at once, it is what an answer takes that can be told, however fast they follow.
 */
static bool is_brisk(const struct load *load)
{
        return load->took_ns < BRIEF_RUN_NS && load->is_quick && !load->is_at_work;
}

static void leave_to_machine(struct load *load)
{
        load->answer = LOAD_UNKNOWN;
        load->growth = 1;
        load->is_paced = load->is_row = false;
        load->bunch_n = 0;
}

void load_measure_host(struct load *load, const struct facts *facts, uint32_t origin)
{
        struct answers answers = { .load = load, .facts = facts, .record = facts->record };
        size_t n = facts->record->n_attempts;

        *load = (struct load){ .origin = origin, .growth = 1 };
        answers.few = mem_array(n, sizeof(*answers.few));
        answers.many = mem_array(n, sizeof(*answers.many));
        answers.truly_few = mem_array(n, sizeof(*answers.truly_few));
        answers.slots = mem_array(n, sizeof(*answers.slots));
        answers.ends = mem_array(n, sizeof(*answers.ends));
        if (answers.few && answers.many && answers.truly_few && answers.slots && answers.ends) {
                find_most(&answers);
                sort_out(&answers);
                find_truly_few(&answers);
                judge(&answers);
                load_watch_the_end(&answers);
                load_judge_order(&answers);
                load->is_at_work = are_at_work(&answers);
                load->is_quick =
                        (double)load->took_ns <
                        (double)(answers.n_ends ? answers.n_ends - 1 : 0) * (double)GAP_LEAST_NS;
                load->is_brisk = is_brisk(load);
                if (load->answer == LOAD_GROWS && (load->is_brisk || may_be_processors(&answers)))
                        leave_to_machine(load);
        }
        mem_free(answers.few);
        mem_free(answers.many);
        mem_free(answers.truly_few);
        mem_free(answers.slots);
        mem_free(answers.ends);
}

int load_new(struct load **ret_load, const struct facts *facts)
{
        struct load *load = mem_zalloc(sizeof(*load));

        if (!load)
                return MUSTER_E_RESOURCE;
        load_measure_host(load, facts, busiest_origin(facts));
        *ret_load = load;
        return 0;
}

void load_measure(struct load *load, const struct facts *facts)
{
        assert(facts->load);
        *load = *facts->load;
}

bool load_is_full(const struct load *load)
{
        return load->answer == LOAD_GROWS && load->full_per_s > 0;
}

bool load_may_fill_server(const struct load *load, const struct facts *facts)
{
        if (load->is_brisk)
                return true;
        if (load->answer != LOAD_UNKNOWN)
                return false;
        if (load->is_quick && !load->is_at_work && processors_are_full(facts))
                return true;
        return (load->growth >= FLAT_GROWTH || (load->is_quick && !load->is_at_work)) &&
               processors_may_fill_server(facts, load->least_ns);
}

double load_factor_when_raised(const struct load *load, double raise)
{
        double seen = load->growth > 1 + HIDDEN_GROWTH ? load->growth - 1 : HIDDEN_GROWTH;

        if (seen > 1)
                seen = 1;
        return raise > 1 ? 1 + seen * (raise - 1) : 1;
}
