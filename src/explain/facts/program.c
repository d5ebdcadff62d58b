/* SPDX-License-Identifier: MIT */
#include "program.h"

#include "life.h"
#include "sort.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <base/str.h>

struct adding {
        const struct facts *facts;
        const struct programs *programs;
        struct program_facts *program;
        uint64_t *n_requests; /* by number of a process, then of a client */
        uint64_t engine_held_ns[UINT8_MAX + 1];
};

static struct program_place *place_of(const struct adding *adding, uint32_t site)
{
        return &adding->program->places[site < adding->program->n_places ? site : 0];
}

/* --- requests -------------------------------------------------------------------------------- */

static void add_call(struct adding *adding, const struct program_call *call)
{
        struct program_facts *program = adding->program;
        const struct trace_attempt *attempt = record_attempt(adding->facts->record, call->attempt);
        struct program_place *place = place_of(adding, call->site);

        if (!attempt)
                return;
        place->n++;
        place->n_unread += call->is_unread;
        place->n_new_conns += attempt->conn && !attempt->is_reused;
        program->n_unread += call->is_unread;
        program->n_asked_to_close += call->asks_close;
        program->n_split += call->is_split;
        program->n_held_calls += call->held_ns > 0;
        program->n_timeouts += call->is_timeout;
        program->n_held_timeouts +=
                call->is_timeout &&
                (double)call->held_ns >=
                        (double)(life_last_ns(attempt) - life_first_ns(attempt)) * MOST_OF_TIME;
        if (call->process <= adding->programs->n_processes)
                adding->n_requests[call->process]++;
        if (call->client && call->client <= adding->programs->n_clients)
                adding->n_requests[adding->programs->n_processes + call->client]++;
}

static uint32_t index_of_most(const uint64_t *values, size_t n)
{
        size_t most = 0;

        for (size_t i = 1; i <= n; i++)
                if (values[i] && (!most || values[i] > values[most]))
                        most = i;
        return (uint32_t)most;
}

static void add_clients(struct adding *adding)
{
        const struct programs *programs = adding->programs;
        const uint64_t *n_requests = adding->n_requests + programs->n_processes;
        const struct program_process *process;

        for (size_t i = 1; i <= programs->n_clients; i++) {
                struct program_place *place = place_of(adding, programs->clients[i - 1].site);

                if (!n_requests[i])
                        continue;
                adding->program->n_clients++;
                place->n_clients++;
                place->n_client_requests += n_requests[i];
        }
        for (size_t i = 1; i <= programs->n_processes; i++)
                adding->program->n_processes += adding->n_requests[i] > 0;
        adding->program->process = index_of_most(adding->n_requests, programs->n_processes);
        process = programs_process(programs, adding->program->process);
        adding->program->is_outside = process && process->unseen & PROGRAM_UNSEEN_REQUESTS;
        adding->program->library_client = index_of_most(n_requests, programs->n_clients);
}

/* --- what was under way ---------------------------------------------------------------------- */

static const struct trace_attempt *attempt_at(const struct facts *facts, size_t at)
{
        return &facts->record->attempts[facts->by_request[at]];
}

struct level {
        uint64_t *slots, *ends; /* moments, sorted */
        uint64_t *at_ns;        /* for how long so many had a slot */
        size_t n;
};

static void measure_levels(struct level *level)
{
        size_t n_begun = 0, n_ended = 0;
        uint64_t at_ns = level->n ? level->slots[0] : 0;

        while (n_ended < level->n) {
                bool begins = n_begun < level->n && level->slots[n_begun] < level->ends[n_ended];
                uint64_t next_ns = begins ? level->slots[n_begun] : level->ends[n_ended];

                level->at_ns[n_begun - n_ended] += next_ns - min_u64(at_ns, next_ns);
                at_ns = next_ns;
                if (begins)
                        n_begun++;
                else
                        n_ended++;
                /* One that took no time ends before it begins. */
                n_begun = n_begun < n_ended ? n_ended : n_begun;
        }
}

/* As many as there were at once, but for a part of the time that says nothing. */
static uint64_t usual_most(const struct level *level)
{
        uint64_t sum_ns = 0, above_ns = 0;
        size_t most = level->n;

        for (size_t i = 1; i <= level->n; i++)
                sum_ns += level->at_ns[i];
        while (most > 1 &&
                (double)(above_ns + level->at_ns[most]) <= (double)sum_ns * EXCEPTIONS_MOST) {
                above_ns += level->at_ns[most];
                most--;
        }
        return most;
}

static int count_most(struct adding *adding)
{
        const struct record *record = adding->facts->record;
        struct level level = { .slots = mem_array(record->n_attempts, sizeof(uint64_t)),
                .ends = mem_array(record->n_attempts, sizeof(uint64_t)),
                .at_ns = mem_array(record->n_attempts + 1, sizeof(uint64_t)) };
        bool has_memory = level.slots && level.ends && level.at_ns;

        for (size_t i = 0; has_memory && i < record->n_attempts; i++) {
                if (!record->attempts[i].stamps.slot_ns)
                        continue;
                level.slots[level.n] = record->attempts[i].stamps.slot_ns;
                level.ends[level.n++] = life_end_ns(&record->attempts[i]);
        }
        if (has_memory && level.n) {
                sort_numbers(level.slots, level.n);
                sort_numbers(level.ends, level.n);
                measure_levels(&level);
                adding->program->most = usual_most(&level);
        }
        mem_free(level.slots);
        mem_free(level.ends);
        mem_free(level.at_ns);
        return has_memory ? 0 : MUSTER_E_RESOURCE;
}

/* Moments at which requests were made; value: where in by_request their last attempt is. */
static size_t collect(struct sort_pair *pairs, const struct facts *facts)
{
        size_t n = 0;

        for (size_t from = 0, to; from < facts->record->n_attempts; from = to) {
                to = facts_request_end(facts, from);
                pairs[n++] = (struct sort_pair){ life_submit_ns(attempt_at(facts, from)), to - 1 };
        }
        return n;
}

static void note_alone(struct adding *adding, size_t at, uint64_t life_ns, uint64_t gap_ns)
{
        const struct facts *facts = adding->facts;
        const struct program_call *call =
                programs_call(adding->programs, attempt_at(facts, at)->number);
        struct program_place *place = place_of(adding, call ? call->site : 0);

        adding->program->gap_ns[facts->by_request[at]] = gap_ns;
        adding->program->n_alone++;
        adding->program->alone_ns += life_ns;
        if (call)
                adding->program->alone_held_ns += min_u64(call->held_ns, life_ns);
        place->n_alone++;
        place->alone_ns += life_ns;
}

static int find_alone(struct adding *adding)
{
        const struct facts *facts = adding->facts;
        struct sort_pair *pairs = mem_array(facts->record->n_attempts, sizeof(*pairs));
        uint64_t over_ns = 0;
        size_t n;

        if (!pairs)
                return MUSTER_E_RESOURCE;
        n = collect(pairs, facts);
        sort_pairs(pairs, n);
        for (size_t i = 0; i < facts->record->n_attempts; i++)
                adding->program->gap_ns[i] = PROGRAM_NOT_ALONE;
        for (size_t i = 0; i < n; i++) {
                uint64_t end_ns = life_last_ns(attempt_at(facts, pairs[i].value));

                if (pairs[i].key >= over_ns && end_ns > pairs[i].key &&
                        (i + 1 == n || pairs[i + 1].key >= end_ns))
                        note_alone(adding, pairs[i].value, end_ns - pairs[i].key,
                                over_ns ? pairs[i].key - over_ns : 0);
                over_ns = max_u64(over_ns, end_ns);
        }
        mem_free(pairs);
        return 0;
}

/* --- limits ---------------------------------------------------------------------------------- */

/* A pool of which half was never used is not what one of its requests waited for. */
static bool was_reached(const struct adding *adding, const struct program_limit *limit)
{
        bool is_pool = limit->kind == PROGRAM_LIMIT_POOL || limit->kind == PROGRAM_LIMIT_HOST;

        return !is_pool || (double)adding->program->most >= (double)limit->value * MOST_OF_THEM;
}

/*
 * A limit counts if requests waited for it, and for longer than it takes to go through; and if there
 * were never more of them than it allows, as else it is that of other work.
 */
static void offer_limit(struct adding *adding, const struct program_limit *limit)
{
        struct program_limit *lowest = &adding->program->limit;

        if (!limit->value || !limit->n_waited || !was_reached(adding, limit) ||
                limit->waited_ns / limit->n_waited < LIMIT_WAIT_LEAST_NS ||
                (double)adding->program->most > (double)limit->value * BEYOND_SCATTER)
                return;
        if (lowest->kind == PROGRAM_LIMIT_NONE || limit->value < lowest->value)
                *lowest = *limit;
}

/* Connections that a client may have at a time: its own limit, or that of each of the hosts. */
static uint64_t room_of(const struct program_client *client, size_t n_hosts,
        enum program_limit_kind *ret_kind)
{
        uint64_t hosts = (uint64_t)client->per_host * (n_hosts ? n_hosts : 1);

        *ret_kind = PROGRAM_LIMIT_POOL;
        if (hosts && (!client->limit || hosts < client->limit)) {
                *ret_kind = PROGRAM_LIMIT_HOST;
                return hosts;
        }
        return client->limit;
}

/* Clients of which requests waited for a connection: all of these together are the limit. */
static int find_pools(struct adding *adding)
{
        const struct programs *programs = adding->programs;
        bool *is_counted = mem_array(programs->n_clients + 1, sizeof(*is_counted));
        struct program_limit limit = { .kind = PROGRAM_LIMIT_NONE };
        size_t n_hosts = adding->facts->record->n_origins;

        if (!is_counted)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < programs->n_calls; i++) {
                const struct program_call *call = &programs->calls[i];
                const struct program_client *client = programs_client(programs, call->client);
                enum program_limit_kind kind;
                uint64_t room = client ? room_of(client, n_hosts, &kind) : 0;

                if (!room || !call->queued_ns)
                        continue;
                limit.n_waited++;
                limit.waited_ns += call->queued_ns;
                if (is_counted[call->client])
                        continue;
                is_counted[call->client] = true;
                limit.kind = kind;
                limit.value += room;
                limit.site = client->site;
        }
        mem_free(is_counted);
        offer_limit(adding, &limit);
        return 0;
}

/* The line whose batches are the largest, where the pool's own line is not known. */
static uint32_t site_of_largest_batch(const struct programs *programs)
{
        const struct program_bound *largest = NULL;

        for (size_t i = 0; i < programs->n_bounds; i++)
                if (programs->bounds[i].kind == PROGRAM_GATHER &&
                        (!largest || programs->bounds[i].value > largest->value))
                        largest = &programs->bounds[i];
        return largest ? largest->site : 0;
}

/* Rows of one semaphore or pool come every few seconds; of each process there is one. */
static void add_bound(struct adding *adding, const struct program_bound *bound,
        struct program_limit *limits)
{
        bool is_semaphore = bound->kind == PROGRAM_SEMAPHORE;
        uint32_t site = bound->site < adding->program->n_places ? bound->site : 0;
        struct program_limit *limit = &limits[2 * site + is_semaphore];

        if (bound->kind == PROGRAM_GATHER && bound->value > 1)
                place_of(adding, site)->n_batches++;
        if (bound->kind == PROGRAM_PAUSE)
                place_of(adding, site)->paused_ns += bound->waited_ns;
        if (bound->kind == PROGRAM_EXECUTOR && bound->n > 1)
                place_of(adding, site)->n_pools++;
        if (!is_semaphore && bound->kind != PROGRAM_EXECUTOR)
                return;
        limit->kind = is_semaphore ? PROGRAM_LIMIT_SEMAPHORE : PROGRAM_LIMIT_EXECUTOR;
        limit->value = bound->value * max_u64(adding->program->n_processes, 1);
        limit->site = site || is_semaphore ? site : site_of_largest_batch(adding->programs);
        /* Of a pool of threads only the sum is known. */
        limit->n_waited += is_semaphore || bound->n_waited ? bound->n_waited : bound->n;
        limit->waited_ns += bound->waited_ns;
}

static int find_bounds(struct adding *adding)
{
        size_t n = 2 * adding->program->n_places;
        struct program_limit *limits = mem_array(n, sizeof(*limits));

        if (!limits)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < adding->programs->n_bounds; i++)
                add_bound(adding, &adding->programs->bounds[i], limits);
        for (size_t i = 0; i < n; i++)
                offer_limit(adding, &limits[i]);
        mem_free(limits);
        return 0;
}

/* --- holds ----------------------------------------------------------------------------------- */

/* Of libraries that make requests, and of what they stand on: not the program's own code. */
static bool is_of_library(struct muster_str name)
{
        static const char *const before[] = { "aiohttp.", "httpx.", "httpcore.", "h11.", "h2.",
                "hpack.", "anyio.", "sniffio.", "asyncio.", "uvloop.", "ssl.", "undici.",
                "node:internal" };

        for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
                if (str_starts(name, before[i]))
                        return true;
        return false;
}

/*
 * What a library for loops does it does for the requests, wherever it was called, and where it was
 * without a processor others had it. Those of its functions that wait are for programs without one.
 */
static bool is_own_work(const struct program_hold *hold)
{
        return is_of_library(hold->name) &&
               (hold->kind != PROGRAM_HOLD_BLOCKED || str_has(hold->name, "Async") ||
                       str_starts(hold->name, "aiohttp.") || str_starts(hold->name, "asyncio."));
}

/* The loop of a process that makes none, such as one that runs those which do, is in nobody's way. */
static bool makes_requests(const struct adding *adding, uint32_t process)
{
        return process > adding->programs->n_processes || adding->n_requests[process] > 0;
}

static void add_hold(struct adding *adding, const struct program_hold *hold)
{
        struct program_place *place = place_of(adding, hold->site);
        uint64_t ns = hold->end_ns - min_u64(hold->start_ns, hold->end_ns);

        if (is_own_work(hold) || !makes_requests(adding, hold->process))
                return;
        adding->program->n_holds++;
        adding->engine_held_ns[hold->engine] += ns;
        place->n_holds++;
        place->held_ns += ns;
        place->held_cpu_ns += min_u64(hold->cpu_ns, ns);
        if (hold->kind == PROGRAM_HOLD_BLOCKED)
                place->blocked_ns += ns;
        if (ns < place->longest_ns)
                return;
        place->longest_ns = ns;
        place->hold_name = hold->name;
}

static void add_context(struct adding *adding, const struct program_chore *context)
{
        struct program_place *place = place_of(adding, context->site);

        adding->program->contexts_ns += context->took_ns;
        place->n_contexts++;
        place->contexts_ns += context->took_ns;
}

static void add_holds(struct adding *adding)
{
        struct program_facts *program = adding->program;

        for (size_t i = 0; i < adding->programs->n_holds; i++)
                add_hold(adding, &adding->programs->holds[i]);
        for (size_t i = 0; i <= UINT8_MAX; i++) {
                if (adding->engine_held_ns[i] <= program->held_ns)
                        continue;
                program->held_ns = adding->engine_held_ns[i];
                program->held_engine = (uint8_t)i;
        }
        for (size_t i = 0; i < adding->programs->n_contexts; i++) {
                const struct program_chore *before = i ? &adding->programs->contexts[i - 1] : NULL;

                add_context(adding, &adding->programs->contexts[i]);
                program->contexts_until_ns[i] =
                        i > 1 ? program->contexts_until_ns[i - 1] + before->took_ns : 0;
        }
}

/* --- all of it ------------------------------------------------------------------------------- */

static int begin(struct adding *adding)
{
        struct program_facts *program = adding->program;
        const struct programs *programs = adding->programs;

        program->n_places = programs->n_sites + 1;
        program->places = mem_array(program->n_places, sizeof(*program->places));
        program->gap_ns = mem_array(adding->facts->record->n_attempts, sizeof(*program->gap_ns));
        adding->n_requests = mem_array(programs->n_processes + programs->n_clients + 1,
                sizeof(*adding->n_requests));
        program->contexts_until_ns =
                mem_array(programs->n_contexts + 1, sizeof(*program->contexts_until_ns));
        return program->places && program->gap_ns && program->contexts_until_ns &&
                               adding->n_requests
                       ? 0
                       : MUSTER_E_RESOURCE;
}

static int add_all(struct adding *adding)
{
        int r = begin(adding);

        if (r < 0)
                return r;
        for (size_t i = 0; i < adding->programs->n_calls; i++)
                add_call(adding, &adding->programs->calls[i]);
        add_clients(adding);
        add_holds(adding);
        r = count_most(adding);
        if (r == 0)
                r = find_bounds(adding);
        if (r == 0)
                r = find_pools(adding);
        if (r == 0)
                r = find_alone(adding);
        return r;
}

int program_measure(struct program_facts **ret_program, const struct facts *facts)
{
        struct adding adding = { .facts = facts, .programs = &facts->record->programs };
        int r;

        assert(facts->by_request);
        if (!adding.programs->n_processes)
                return 0;
        adding.program = mem_zalloc(sizeof(*adding.program));
        r = adding.program ? add_all(&adding) : MUSTER_E_RESOURCE;
        mem_free(adding.n_requests);
        if (r < 0)
                program_free(adding.program);
        else
                *ret_program = adding.program;
        return r;
}

struct program_facts *program_free(struct program_facts *program)
{
        if (!program)
                return NULL;
        mem_free(program->places);
        mem_free(program->gap_ns);
        mem_free(program->contexts_until_ns);
        return mem_free(program);
}

uint32_t program_most(const struct program_facts *program,
        uint64_t (*what)(const struct program_place *place))
{
        uint32_t most = 0;

        for (size_t i = 1; i < program->n_places; i++)
                if (what(&program->places[i]) &&
                        (!most || what(&program->places[i]) > what(&program->places[most])))
                        most = (uint32_t)i;
        return most;
}

uint64_t program_loaded_until_ns(const struct facts *facts, uint64_t moment_ns)
{
        const struct program_chore *contexts = facts->record->programs.contexts;
        size_t low = 0, high = facts->record->programs.n_contexts;
        uint64_t last_ns;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (contexts[middle].start_ns < moment_ns)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low < 2) /* the first one has to be loaded in any case */
                return 0;
        last_ns = moment_ns - contexts[low - 1].start_ns;
        return facts->program->contexts_until_ns[low - 1] +
               min_u64(contexts[low - 1].took_ns, last_ns);
}

uint32_t program_site_of(const struct facts *facts, const struct trace_attempt *attempt)
{
        const struct program_call *call = programs_call(&facts->record->programs, attempt->number);

        return call ? call->site : 0;
}

uint32_t program_caller_of(const struct facts *facts, uint32_t site)
{
        const struct programs *programs = &facts->record->programs;
        uint32_t most = 0;
        size_t n = 0, n_all = 0, lead = 0;

        /* What more than half of them have is the only one that is left over of such pairs. */
        for (size_t i = 0; i < programs->n_calls; i++) {
                const struct program_call *call = &programs->calls[i];

                if (call->site != site)
                        continue;
                if (lead == 0)
                        most = call->caller;
                if (call->caller == most)
                        lead++;
                else
                        lead--;
        }
        for (size_t i = 0; i < programs->n_calls; i++) {
                n_all += programs->calls[i].site == site;
                n += programs->calls[i].site == site && programs->calls[i].caller == most;
        }
        return 2 * n > n_all ? most : 0;
}
