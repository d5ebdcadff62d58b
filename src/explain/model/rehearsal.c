/* SPDX-License-Identifier: MIT */
#include "rehearsal.h"

#include "crew.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/intake.h>
#include <explain/facts/life.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>

/* The making of one. */
struct making {
        struct rehearsal *rehearsal;
        const struct facts *facts;
        /* by submission; value: where its attempts begin in by_request */
        struct sort_pair *requests;
        size_t n_requests;
        uint64_t stride;      /* of so many runs of requests one is taken */
        uint32_t *place_of;   /* by index of a request's last attempt: which of `requests` it is */
        uint64_t *process_ns; /* by index of attempt; or NULL */
        size_t before_of[UINT8_MAX +
                         1]; /* by thread: the place of its last request by now, plus 1 */
        /* by now: time in which the client was full; then they would have come as much earlier */
        uint64_t blocked_ns;
        uint64_t submitted_ns;
        uint64_t turn_ns; /* in which the loop found the last ones, and began the first of them */
};

/* --- a request as it was --------------------------------------------------------------------- */

static const struct trace_attempt *attempt_at(const struct facts *facts, size_t at)
{
        return &facts->record->attempts[facts->by_request[at]];
}

/* An attempt's part of work that is only known in total. */
static uint64_t even_part(const struct facts *facts, enum trace_work work)
{
        return facts->n_attempts ? facts->loop_ns[work] / facts->n_attempts : 0;
}

static void add_attempt(struct replay_request *request, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = record_conn(facts->record, attempt->conn);
        struct life life;
        uint64_t at_ns;

        life_of(&life, facts, attempt);
        at_ns = life.start_ns;
        for (size_t i = 0; i < life.n; i++) {
                if (life.pieces[i].part >= PART_DNS && life.pieces[i].part <= PART_RECEIVE)
                        request->slot_ns[life.pieces[i].part] += life.pieces[i].end_ns - at_ns;
                at_ns = life.pieces[i].end_ns;
        }
        request->n_attempts++;
        request->n_conns += attempt->conn && !attempt->is_reused;
        request->loop_ns += even_part(facts, TRACE_WORK_IO) + even_part(facts, TRACE_WORK_CALLER) +
                            attempt->stamps.decode_ns;
        /* Of a program that was watched it is in what its loop did for its caller. */
        if (conn && !attempt->is_reused && !facts->program)
                request->loop_ns += conn->tls_work_ns;
        request->wire_bytes += attempt->wire_bytes;
}

/*
 * It was begun before the server had told how many streams it allows, was sent back for that, and
 * waited for a stream then: that is one visit, and no two.
 */
static bool was_too_early(const struct facts *facts, size_t at, size_t to)
{
        return at + 1 < to && attempt_at(facts, at)->outcome == TRACE_REPEATED &&
               attempt_at(facts, at + 1)->wait == TRACE_WAIT_STREAM;
}

/* With a slot or without, and behind its end. */
static void describe(const struct making *making, size_t from, struct replay_request *request)
{
        const struct facts *facts = making->facts;
        size_t to = facts_request_end(facts, from);
        const struct trace_attempt *last = attempt_at(facts, to - 1);
        uint64_t process_ns = life_process_end_ns(last) - life_end_ns(last);

        *request = (struct replay_request){ .last = last, .origin = last->origin };
        for (size_t at = from; at < to; at++)
                if (attempt_at(facts, at)->stamps.slot_ns && !was_too_early(facts, at, to))
                        add_attempt(request, facts, attempt_at(facts, at));
        request->backoff_ns = facts_backoff_ns(facts, from, to);
        if (making->process_ns)
                request->process_ns = making->process_ns[facts->by_request[to - 1]];
        else if (life_process_part(facts->record) == PART_LOOP_PROCESS)
                request->loop_ns += process_ns;
}

/* --- when it comes --------------------------------------------------------------------------- */

/*
 * When a request comes: as long after the one before it as it did. Time in which there was no room
 * is taken away.
 */
static uint64_t due_ns(struct making *making, const struct sort_pair *request)
{
        const struct trace_attempt *first = attempt_at(making->facts, request->value);

        assert(request->key >= making->submitted_ns); /* they come in their order */
        if (intake_why(making->facts, first) == INTAKE_ROOM)
                making->blocked_ns += request->key - making->submitted_ns;
        making->submitted_ns = request->key;
        return request->key - making->facts->start_ns - making->blocked_ns;
}

/*
 * How long after that the loop looked at it: those that it finds there in one turn are there together,
 * and hosts share the slots whichever of them was submitted first. Known of one that begins at once.
 */
static uint64_t until_turn_ns(struct making *making, const struct sort_pair *request)
{
        const struct trace_attempt *first = attempt_at(making->facts, request->value);
        uint64_t slot_ns = first->stamps.slot_ns;

        if (request->key > making->turn_ns && slot_ns > request->key &&
                slot_ns - request->key < SHORT_TURN_NS)
                making->turn_ns = slot_ns;
        return making->turn_ns - min_u64(request->key, making->turn_ns);
}

/* Of a program that was watched: a thread without a loop, whose calls block. */
static bool is_of_blocking_thread(const struct facts *facts, const struct trace_attempt *attempt)
{
        const struct programs *programs = &facts->record->programs;
        const struct program_call *call = programs_call(programs, attempt->number);
        const struct program_process *process =
                call ? programs_process(programs, call->process) : NULL;

        return process && !process->loop.len && attempt->engine && attempt->engine < UINT8_MAX;
}

static const struct trace_attempt *last_attempt(const struct making *making, size_t place)
{
        size_t from = making->requests[place].value;

        return attempt_at(making->facts, facts_request_end(making->facts, from) - 1);
}

/*
 * The request that its thread made before, if the thread had its result by then; NULL: none. What
 * the results of other threads were worth to it nobody knows.
 */
static const struct trace_attempt *taken_by_thread(struct making *making, size_t place)
{
        const struct trace_attempt *first =
                attempt_at(making->facts, making->requests[place].value);
        size_t *before = &making->before_of[first->engine];
        const struct trace_attempt *last;

        if (!is_of_blocking_thread(making->facts, first))
                return NULL;
        last = *before ? last_attempt(making, *before - 1) : NULL;
        *before = place + 1;
        return last && last->taken_ns && last->taken_ns <= making->requests[place].key ? last
                                                                                       : NULL;
}

/*
 * Lets a request follow the result that its program waited for, or one that is as many requests
 * before it in the sample. The first ones of the sample are there at the start.
 */
static void follow(const struct making *making, size_t place,
        const struct trace_attempt *taken_by_thread, struct rehearsed *rehearsed, uint32_t index)
{
        const struct facts *facts = making->facts;
        const struct sort_pair *request = &making->requests[place];
        const struct trace_attempt *taken = taken_by_thread;
        size_t taken_place;

        assert(place < making->n_requests && index < making->rehearsal->n);
        if (!taken) {
                if (intake_why(facts, attempt_at(facts, request->value)) != INTAKE_RESULT)
                        return;
                taken = intake_taken_before(facts, request->key);
        }
        taken_place = taken ? making->place_of[taken - facts->record->attempts] : place;
        if (taken_place >= place)
                return;
        rehearsed->follows = true;
        rehearsed->after = SIMULATE_NONE;
        if (place - taken_place > index)
                return;
        rehearsed->after = index - (uint32_t)(place - taken_place);
        rehearsed->after_ns = request->key - taken->taken_ns;
        making->rehearsal->n_following++;
}

/* --- which of them --------------------------------------------------------------------------- */

/* The last of them are. */
static bool is_sampled(const struct making *making, size_t place)
{
        return (making->n_requests - 1 - place) / REPLAY_RUN % making->stride == 0;
}

static size_t choose_sample(struct making *making)
{
        size_t n_sampled = 0;

        assert(making->n_requests > 0);
        making->stride = (making->n_requests + REPLAY_MOST - 1) / REPLAY_MOST;
        for (size_t i = 0; i < making->n_requests; i++)
                n_sampled += is_sampled(making, i);
        assert(n_sampled > 0 && n_sampled <= making->n_requests);
        making->rehearsal->n_each = (double)making->n_requests / (double)n_sampled;
        return n_sampled;
}

/*
 * A request that was stopped took as long as the run did, whatever limits there were. It is left
 * out unless all were stopped.
 */
static bool is_left_out(const struct facts *facts, size_t to)
{
        return attempt_at(facts, to - 1)->code == MUSTER_E_CANCELLED &&
               facts->n_codes[-MUSTER_E_CANCELLED] < facts->n_requests;
}

static void sort_requests(struct making *making)
{
        const struct facts *facts = making->facts;

        for (size_t from = 0, to; from < facts->record->n_attempts; from = to) {
                to = facts_request_end(facts, from);
                if (!is_left_out(facts, to))
                        making->requests[making->n_requests++] =
                                (struct sort_pair){ life_submit_ns(attempt_at(facts, from)), from };
        }
        sort_pairs(making->requests, making->n_requests);
        for (size_t i = 0; i < making->n_requests; i++) {
                size_t to = facts_request_end(facts, making->requests[i].value);

                making->place_of[facts->by_request[to - 1]] = (uint32_t)i;
        }
        making->submitted_ns = facts->start_ns;
}

/* --- all of it ------------------------------------------------------------------------------- */

static int begin(struct making *making)
{
        struct rehearsal *rehearsal = making->rehearsal;
        size_t n = making->facts->record->n_attempts;

        making->requests = mem_array(n, sizeof(*making->requests));
        making->place_of = mem_array(n, sizeof(*making->place_of));
        if (!making->requests || !making->place_of ||
                crew_work(making->facts, &making->process_ns) < 0)
                return MUSTER_E_RESOURCE;
        sort_requests(making);
        rehearsal->list = mem_array(choose_sample(making), sizeof(*rehearsal->list));
        return rehearsal->list ? 0 : MUSTER_E_RESOURCE;
}

static void describe_all(struct making *making)
{
        for (size_t place = 0; place < making->n_requests; place++) {
                uint64_t at_ns = due_ns(making, &making->requests[place]) +
                                 until_turn_ns(making, &making->requests[place]);
                const struct trace_attempt *taken = taken_by_thread(making, place);
                struct rehearsed *rehearsed;
                uint32_t index;

                if (!is_sampled(making, place))
                        continue;
                index = making->rehearsal->n++;
                rehearsed = &making->rehearsal->list[index];
                describe(making, making->requests[place].value, &rehearsed->as_it_was);
                rehearsed->as_it_was.submit_ns = at_ns;
                follow(making, place, taken, rehearsed, index);
        }
}

int rehearsal_new(struct rehearsal **ret_rehearsal, const struct facts *facts)
{
        struct making making = { .facts = facts,
                .rehearsal = mem_zalloc(sizeof(struct rehearsal)) };
        int r = making.rehearsal ? begin(&making) : MUSTER_E_RESOURCE;

        if (r == 0)
                describe_all(&making);
        mem_free(making.requests);
        mem_free(making.place_of);
        mem_free(making.process_ns);
        if (r < 0)
                rehearsal_free(making.rehearsal);
        else
                *ret_rehearsal = making.rehearsal;
        return r;
}

struct rehearsal *rehearsal_free(struct rehearsal *rehearsal)
{
        if (rehearsal)
                mem_free(rehearsal->list);
        return mem_free(rehearsal);
}
