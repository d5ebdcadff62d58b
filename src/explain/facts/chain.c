/* SPDX-License-Identifier: MIT */
#include "chain.h"

#include "intake.h"
#include "life.h"
#include "turns.h"
#include <assert.h>
#include <base/minmax.h>
#include <explain/judgement.h>
#include <stdbool.h>

#define CHAINS_MAX 16 /* so many of the last results are followed */

struct walk {
        const struct facts *facts;
        const struct trace_attempt *here;
        uint64_t from_ns; /* the beginning: no further back */
        uint64_t at_ns;   /* explained from here on */
        uint64_t *part_ns;
};

/* --- spending time --------------------------------------------------------------------------- */

/* Adds the time since that moment to a part; nothing where it is known already. */
static void spend(struct walk *walk, enum part part, uint64_t moment_ns)
{
        moment_ns = max_u64(moment_ns, walk->from_ns);
        if (moment_ns >= walk->at_ns)
                return;
        assert(part < PART_N);
        walk->part_ns[part] += walk->at_ns - moment_ns;
        walk->at_ns = moment_ns;
}

/* Adds the time since that moment to what the loop did: the request had all that it needed. */
static void spend_on_loop(struct walk *walk, uint64_t moment_ns)
{
        moment_ns = max_u64(moment_ns, walk->from_ns);
        if (moment_ns >= walk->at_ns)
                return;
        assert(walk->facts->turns);
        turns_parts(walk->facts->turns, walk->here->engine, moment_ns, walk->at_ns, walk->part_ns);
        walk->at_ns = moment_ns;
}

/* In the time since that moment there was nothing to do, as far as the record tells. */
static void spend_on_nothing(struct walk *walk, uint64_t moment_ns)
{
        spend(walk, facts_has_holes(walk->facts) ? PART_MISSING : PART_INPUT, moment_ns);
}

/* Adds the time behind its end: processing, and waiting to be taken. */
static void spend_on_result(struct walk *walk)
{
        spend(walk, PART_DELIVER, life_process_end_ns(walk->here));
        spend(walk, life_process_part(walk->facts->record), life_end_ns(walk->here));
}

static void spend_on_life(struct walk *walk)
{
        struct life life;

        life_of(&life, walk->facts, walk->here);
        for (size_t i = life.n; i-- > 0;)
                spend(walk, life.pieces[i].part, i ? life.pieces[i - 1].end_ns : life.start_ns);
}

/* --- steps ----------------------------------------------------------------------------------- */

static uint64_t moment_of(const struct trace_attempt *attempt)
{
        return attempt->stamps.slot_ns ? attempt->stamps.slot_ns : attempt->stamps.start_ns;
}

/* Where a step may lead. */
static bool is_earlier(const struct walk *walk, const struct trace_attempt *other)
{
        return other && moment_of(other) < moment_of(walk->here);
}

/* The attempt before this one, of the same request; NULL: not recorded. */
static const struct trace_attempt *previous(const struct walk *walk)
{
        const struct record *record = walk->facts->record;
        uint64_t index = (uint64_t)(walk->here - record->attempts);
        size_t low = 0, high = record->n_attempts;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                uint64_t other = walk->facts->by_request[middle];
                uint64_t request = record->attempts[other].request;

                if (request < walk->here->request ||
                        (request == walk->here->request && other < index))
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == 0)
                return NULL;
        low = walk->facts->by_request[low - 1];
        return record->attempts[low].request == walk->here->request ? &record->attempts[low] : NULL;
}

/*
 * The attempt that gave it the slot; NULL: none did. A slot that was free before it was wanted is
 * no gift, an attempt without a slot gives none, and neither a rate nor a pace does.
 */
static const struct trace_attempt *giver(const struct walk *walk)
{
        const struct trace_attempt *giver =
                record_attempt(walk->facts->record, walk->here->slot_from);

        if (walk->here->wait == TRACE_WAIT_RATE || walk->here->wait == TRACE_WAIT_HOST_RATE ||
                walk->here->wait == TRACE_WAIT_REFUSED || walk->here->wait == TRACE_WAIT_PROTOCOL ||
                walk->here->wait == TRACE_WAIT_MEMORY)
                return NULL;
        if (!is_earlier(walk, giver) || !giver->stamps.slot_ns ||
                life_end_ns(giver) < walk->here->stamps.start_ns)
                return NULL;
        return giver;
}

/*
 * The time from when the slot was free to when it was used: the workers had too much to do, or the
 * loop was busy.
 */
static void spend_on_handover(struct walk *walk, uint64_t moment_ns)
{
        if (walk->here->wait == TRACE_WAIT_WORKERS)
                spend(walk, PART_PROCESS, moment_ns);
        else
                spend_on_loop(walk, moment_ns);
}

/* The time in the queue where no other attempt is to be followed. */
static void spend_on_queue(struct walk *walk, uint64_t moment_ns)
{
        switch ((enum trace_wait)walk->here->wait) {
        case TRACE_WAIT_RATE:
        case TRACE_WAIT_HOST_RATE:
                spend(walk, PART_RATE, moment_ns);
                return;
        case TRACE_WAIT_REFUSED:
                spend(walk, PART_REFUSED, moment_ns);
                return;
        case TRACE_WAIT_MEMORY:
                spend(walk, PART_MEMORY, moment_ns);
                return;
        case TRACE_WAIT_SLOT:
        case TRACE_WAIT_HOST:
        case TRACE_WAIT_SHARE:
        case TRACE_WAIT_LOGIN:
        case TRACE_WAIT_STREAM:
        case TRACE_WAIT_PROTOCOL:
                spend(walk, PART_QUEUE, moment_ns);
                return;
        case TRACE_WAIT_NONE:
        case TRACE_WAIT_WORKERS:
        case TRACE_N_WAITS:
                break;
        }
        if (walk->here->stamps.slot_ns)
                spend_on_handover(walk, moment_ns);
        else
                spend(walk, PART_QUEUE, moment_ns);
}

/* Goes back to when it entered the queue. True: another attempt is to be followed. */
static bool leave_queue(struct walk *walk)
{
        const struct trace_attempt *from = giver(walk);

        if (!from) {
                spend_on_queue(walk, walk->here->stamps.start_ns);
                return false;
        }
        spend_on_handover(walk, life_end_ns(from));
        walk->here = from;
        return true;
}

/*
 * In a program that was watched, the attempt that was over in its thread before it made this one,
 * with nothing else under way there: the thread went on from one to the other, however long that
 * took it. NULL: none.
 */
static const struct trace_attempt *before_in_thread(const struct walk *walk)
{
        const struct record *record = walk->facts->record;
        const struct trace_attempt *before = record_attempt(record, walk->here->slot_from);

        if (!record->programs.n_processes || !is_earlier(walk, before) ||
                before->engine != walk->here->engine ||
                life_end_ns(before) > life_submit_ns(walk->here))
                return NULL;
        return before;
}

static bool go_back_to(struct walk *walk, const struct trace_attempt *before)
{
        spend_on_nothing(walk, life_last_ns(before));
        walk->here = before;
        spend_on_result(walk);
        return true;
}

/* Goes back from there to when it was submitted, and to what came before that. */
static bool leave_request(struct walk *walk)
{
        const struct trace_attempt *first = walk->here, *taken;
        enum intake_why why;

        if (walk->here->n > 1) {
                const struct trace_attempt *before = previous(walk);

                if (is_earlier(walk, before)) {
                        spend(walk, PART_BACKOFF, life_end_ns(before));
                        walk->here = before;
                        return true;
                }
                spend(walk, PART_QUEUE, life_submit_ns(first));
        }
        spend_on_loop(walk, life_submit_ns(first));
        taken = before_in_thread(walk);
        if (walk->at_ns > walk->from_ns && taken)
                return go_back_to(walk, taken);
        why = intake_why(walk->facts, first);
        if (walk->at_ns <= walk->from_ns || why == INTAKE_INPUT)
                return false;
        taken = intake_taken_before(walk->facts, walk->at_ns);
        if (!is_earlier(walk, taken))
                return false;
        if (why == INTAKE_RESULT)
                spend_on_nothing(walk, taken->taken_ns);
        spend_on_loop(walk, taken->taken_ns);
        walk->here = taken;
        spend_on_result(walk);
        return true;
}

void chain_follow(const struct facts *facts, const struct trace_attempt *attempt, uint64_t from_ns,
        uint64_t to_ns, uint64_t part_ns[PART_N])
{
        struct walk walk = { facts, attempt, from_ns, to_ns, part_ns };

        assert(from_ns <= to_ns);
        spend_on_result(&walk);
        do {
                spend_on_life(&walk);
        } while (walk.at_ns > from_ns && (leave_queue(&walk) || leave_request(&walk)));
        spend_on_nothing(&walk, from_ns);
        assert(walk.at_ns == from_ns); /* nothing is left over */
}

/* --- several chains -------------------------------------------------------------------------- */

struct last {
        const struct trace_attempt *attempts[CHAINS_MAX]; /* the last one first */
        size_t n, most;
};

static void add_last(struct last *last, const struct trace_attempt *attempt)
{
        size_t at = last->n;

        assert(last->n <= last->most && last->most <= CHAINS_MAX);
        while (at > 0 && life_last_ns(last->attempts[at - 1]) < life_last_ns(attempt))
                at--;
        if (at == last->most)
                return;
        if (last->n < last->most)
                last->n++;
        for (size_t i = last->n - 1; i > at; i--)
                last->attempts[i] = last->attempts[i - 1];
        last->attempts[at] = attempt;
}

/*
 * The last results, but no more than were in flight at once: more would be links of the same chain.
 */
static void find_last(struct last *last, const struct facts *facts)
{
        uint64_t from_ns = facts->end_ns - 1 - whole_of((double)(facts->wall_ns - 1) * LAST_OF_RUN);

        last->most = facts->max_in_flight < CHAINS_MAX ? facts->max_in_flight : CHAINS_MAX;
        if (!last->most)
                last->most = 1;
        for (size_t i = 0; i < facts->record->n_attempts; i++)
                if (life_last_ns(&facts->record->attempts[i]) >= from_ns)
                        add_last(last, &facts->record->attempts[i]);
}

/*
 * Scales the parts so that they add up to the wall time. What rounding leaves goes to the largest.
 */
static void scale(uint64_t part_ns[PART_N], uint64_t sum_ns, uint64_t wall_ns)
{
        double factor = (double)wall_ns / (double)sum_ns;
        uint64_t left_ns = wall_ns;
        size_t largest = 0;

        assert(sum_ns > 0);
        for (size_t i = 0; i < PART_N; i++) {
                uint64_t ns = whole_of((double)part_ns[i] * factor);

                if (part_ns[i] > part_ns[largest])
                        largest = i;
                part_ns[i] = ns < left_ns ? ns : left_ns;
                left_ns -= part_ns[i];
        }
        part_ns[largest] += left_ns;
}

void chain_walk(const struct facts *facts, uint64_t part_ns[PART_N])
{
        struct last last = { .n = 0 };
        uint64_t sum_ns = 0;

        for (size_t i = 0; i < PART_N; i++)
                part_ns[i] = 0;
        find_last(&last, facts);
        assert(last.n > 0);
        for (size_t i = 0; i < last.n; i++) {
                uint64_t to_ns = i ? life_last_ns(last.attempts[i]) : facts->end_ns;

                chain_follow(facts, last.attempts[i], facts->start_ns, to_ns, part_ns);
                sum_ns += to_ns - facts->start_ns;
        }
        if (last.n > 1)
                scale(part_ns, sum_ns, facts->wall_ns);
}
