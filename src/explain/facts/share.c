/* SPDX-License-Identifier: MIT */
/*
 * A sweep over time. Requests under way sit in a heap, ordered by the end of their present piece of
 * life. So memory goes with what is in flight and not with what there was.
 */
#include "share.h"

#include "chain.h"
#include "life.h"
#include "sort.h"
#include <assert.h>
#include <base/heap.h>
#include <base/mem.h>

struct active {
        struct heap_node node;
        struct life life;
        size_t at; /* piece */
        struct active *next_free;
};

struct sweep {
        const struct facts *facts;
        struct sort_pair *slots; /* moments at which attempts got theirs; value: index */
        size_t n_slots, n_begun;
        struct heap active;
        struct active *free;
        uint64_t n_doing[PART_N]; /* how many are at it */
        uint32_t doing;           /* a bit for each part that somebody is at: hardly ever many */
        double owed[PART_N];      /* less than a nanosecond each, that rounding kept from them */
        uint64_t *part_ns;
};

static struct active *active_of(struct heap_node *node)
{
        return (struct active *)node; /* its first member */
}

static void end(struct sweep *sweep)
{
        struct heap_node *node;

        while ((node = heap_top(&sweep->active))) {
                heap_remove(&sweep->active, node);
                mem_free(active_of(node));
        }
        heap_deinit(&sweep->active);
        while (sweep->free) {
                struct active *next = sweep->free->next_free;

                mem_free(sweep->free);
                sweep->free = next;
        }
        mem_free(sweep->slots);
}

static int begin(struct sweep *sweep)
{
        const struct record *record = sweep->facts->record;

        assert(!sweep->slots && !sweep->n_slots);
        sweep->slots = mem_array(record->n_attempts, sizeof(*sweep->slots));
        if (!sweep->slots)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < record->n_attempts; i++)
                if (record->attempts[i].stamps.slot_ns)
                        sweep->slots[sweep->n_slots++] =
                                (struct sort_pair){ record->attempts[i].stamps.slot_ns, i };
        sort_pairs(sweep->slots, sweep->n_slots);
        return 0;
}

/* --- who is at what -------------------------------------------------------------------------- */

static void add_processing(struct life *life, const struct record *record,
        const struct trace_attempt *attempt)
{
        uint64_t end_ns = life_process_end_ns(attempt);

        assert(life->n < LIFE_PIECES);
        if (end_ns > life->end_ns)
                life->pieces[life->n++] = (struct life_piece){ life_process_part(record), end_ns };
}

static struct active *new_active(struct sweep *sweep)
{
        struct active *active = sweep->free;

        if (!active)
                return mem_zalloc(sizeof(*active));
        sweep->free = active->next_free;
        return active;
}

static void drop(struct sweep *sweep, struct active *active)
{
        assert(active != sweep->free && !heap_has(&active->node));
        active->next_free = sweep->free;
        sweep->free = active;
}

static void begin_part(struct sweep *sweep, enum part part)
{
        static_assert(PART_N <= 32, "a bit for each");
        sweep->n_doing[part]++;
        sweep->doing |= UINT32_C(1) << part;
}

static void end_part(struct sweep *sweep, enum part part)
{
        assert(sweep->n_doing[part] > 0);
        if (!--sweep->n_doing[part])
                sweep->doing &= ~(UINT32_C(1) << part);
}

/* The next part from `from` on that somebody is at; PART_N: there is none. */
static size_t next_doing(const struct sweep *sweep, size_t from)
{
        uint32_t left = sweep->doing >> from << from;

        return left ? (size_t)__builtin_ctz(left) : PART_N;
}

/* Enters the present piece of its life until that ends; behind the last piece it is dropped. */
static int put(struct sweep *sweep, struct active *active)
{
        const struct life *life = &active->life;
        int r;

        assert(active->at <= life->n);
        if (active->at == life->n) {
                heap_remove(&sweep->active, &active->node);
                drop(sweep, active);
                return 0;
        }
        r = heap_set(&sweep->active, &active->node, life->pieces[active->at].end_ns);
        if (r < 0)
                drop(sweep, active);
        else
                begin_part(sweep, life->pieces[active->at].part);
        return r;
}

static int start(struct sweep *sweep, const struct trace_attempt *attempt)
{
        struct active *active = new_active(sweep);

        if (!active)
                return MUSTER_E_RESOURCE;
        life_of(&active->life, sweep->facts, attempt);
        add_processing(&active->life, sweep->facts->record, attempt);
        active->at = 0;
        return put(sweep, active);
}

static int advance(struct sweep *sweep)
{
        struct active *active = active_of(heap_top(&sweep->active));

        assert(active->at < active->life.n);
        end_part(sweep, active->life.pieces[active->at].part);
        active->at++;
        return put(sweep, active);
}

/* --- time ------------------------------------------------------------------------------------ */

/* Whole nanoseconds go to each part, and what is left goes to those that are owed most. */
static void divide(struct sweep *sweep, uint64_t ns)
{
        uint64_t left_ns = ns;
        double all = (double)sweep->active.n;

        assert(sweep->active.n > 0); /* so that somebody is at something */
        for (size_t i = next_doing(sweep, 0); i < PART_N; i = next_doing(sweep, i + 1)) {
                uint64_t whole_ns;
                double due;

                due = (double)ns * (double)sweep->n_doing[i] / all + sweep->owed[i];
                whole_ns = whole_of(due);
                if (whole_ns > left_ns)
                        whole_ns = left_ns;
                sweep->part_ns[i] += whole_ns;
                sweep->owed[i] = due - (double)whole_ns;
                left_ns -= whole_ns;
        }
        while (left_ns > 0) {
                size_t most = next_doing(sweep, 0);
                uint64_t some_ns = left_ns < PART_N ? 1 : left_ns;

                for (size_t i = most; i < PART_N; i = next_doing(sweep, i + 1))
                        if (sweep->owed[i] > sweep->owed[most])
                                most = i;
                assert(most < PART_N);
                sweep->part_ns[most] += some_ns;
                sweep->owed[most] -= (double)some_ns;
                left_ns -= some_ns;
        }
}

static const struct trace_attempt *last_of_all(const struct facts *facts)
{
        const struct trace_attempt *last = facts->record->attempts;

        for (size_t i = 1; i < facts->record->n_attempts; i++)
                if (life_last_ns(&facts->record->attempts[i]) > life_last_ns(last))
                        last = &facts->record->attempts[i];
        return last;
}

/* No request was under way: the time goes to what the next one waited for. */
static void account_for_nobody(struct sweep *sweep, uint64_t from_ns, uint64_t to_ns)
{
        const struct facts *facts = sweep->facts;
        const struct trace_attempt *next =
                sweep->n_begun < sweep->n_slots
                        ? &facts->record->attempts[sweep->slots[sweep->n_begun].value]
                        : last_of_all(facts);

        chain_follow(facts, next, from_ns, to_ns, sweep->part_ns);
}

/* Everything that begins or ends at this moment. */
static int happen(struct sweep *sweep, uint64_t at_ns)
{
        int r = 0;

        while (r == 0 && heap_top_key(&sweep->active) <= at_ns)
                r = advance(sweep);
        while (r == 0 && sweep->n_begun < sweep->n_slots &&
                sweep->slots[sweep->n_begun].key <= at_ns)
                r = start(sweep,
                        &sweep->facts->record->attempts[sweep->slots[sweep->n_begun++].value]);
        return r;
}

static uint64_t next_moment(const struct sweep *sweep)
{
        uint64_t next_ns = sweep->facts->end_ns;

        if (heap_top_key(&sweep->active) < next_ns)
                next_ns = heap_top_key(&sweep->active);
        if (sweep->n_begun < sweep->n_slots && sweep->slots[sweep->n_begun].key < next_ns)
                next_ns = sweep->slots[sweep->n_begun].key;
        return next_ns;
}

int share_sweep(const struct facts *facts, uint64_t part_ns[PART_N])
{
        struct sweep sweep = { .facts = facts, .part_ns = part_ns };
        uint64_t at_ns = facts->start_ns;
        int r;

        assert(facts->wall_ns == facts->end_ns - facts->start_ns);
        assert(facts->intake && facts->turns);
        for (size_t i = 0; i < PART_N; i++)
                part_ns[i] = 0;
        r = begin(&sweep);
        while (r == 0 && at_ns < facts->end_ns) {
                uint64_t next_ns;

                r = happen(&sweep, at_ns);
                next_ns = next_moment(&sweep);
                assert(r < 0 || next_ns > at_ns);
                if (r == 0 && sweep.active.n)
                        divide(&sweep, next_ns - at_ns);
                else if (r == 0)
                        account_for_nobody(&sweep, at_ns, next_ns);
                at_ns = next_ns;
        }
        end(&sweep);
        return r;
}
