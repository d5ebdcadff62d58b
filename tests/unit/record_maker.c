/* SPDX-License-Identifier: MIT */
#include "record_maker.h"

#include <base/heap.h>
#include <base/mem.h>
#include <base/str.h>
#include <stdio.h>

#define N_SAMPLES 20

static const char *const host_keys[RECORD_MAKER_HOSTS] = {
        "http://host1.example:80",
        "http://host2.example:80",
        "http://host3.example:80",
        "http://host4.example:80",
        "http://host5.example:80",
        "http://host6.example:80",
        "http://host7.example:80",
        "http://host8.example:80",
};

/* A request on its way: in the heap by when its next attempt enters the queue. */
struct pending {
        struct heap_node node;
        struct record_maker_request is;
        unsigned n_made; /* attempts */
        uint64_t submitted_ns;
};

/* When a slot is free, and by whose end; a slot of a host, or one of all. */
struct place {
        uint64_t free_ns;
        uint64_t by;
};

struct making {
        struct record *record;
        const struct record_maker *maker;
        uint64_t slots, per_host, n_hosts, rtt_ns;
        struct pending *pendings;
        struct heap ready;
        struct place *places;      /* slots */
        struct place *host_places; /* per_host for each host */
        uint64_t *conns;           /* id by slot and host; 0: none */
        uint64_t n_started;
        size_t n_attempts, n_conns; /* allocated */
};

static uint64_t or_default(uint64_t value, uint64_t other)
{
        return value ? value : other;
}

/* --- what there is to make ------------------------------------------------------------------- */

static void describe(struct making *making, size_t i)
{
        const struct record_maker *maker = making->maker;
        struct pending *pending = &making->pendings[i];

        pending->is = maker->each;
        pending->is.host = (uint32_t)(i % making->n_hosts);
        if (maker->vary)
                maker->vary(&pending->is, i, maker);
        pending->submitted_ns = RECORD_MAKER_START_NS + pending->is.submit_after_ns;
        making->n_attempts += 1 + pending->is.n_retries;
}

static int begin(struct making *making)
{
        struct record *record = making->record;
        size_t n = making->maker->n;

        making->pendings = mem_array(n + 1, sizeof(*making->pendings));
        making->places = mem_array(making->slots, sizeof(*making->places));
        making->host_places =
                mem_array(making->n_hosts * making->per_host + 1, sizeof(*making->host_places));
        making->conns = mem_array(making->slots * making->n_hosts, sizeof(*making->conns));
        if (!making->pendings || !making->places || !making->host_places || !making->conns)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < n; i++)
                describe(making, i);
        making->n_conns =
                making->maker->no_reuse ? making->n_attempts : making->slots * making->n_hosts;
        record->attempts = mem_array(making->n_attempts + 1, sizeof(*record->attempts));
        record->conns = mem_array(making->n_conns + 1, sizeof(*record->conns));
        record->origins = mem_array(making->n_hosts, sizeof(*record->origins));
        record->samples = mem_array(N_SAMPLES + 1, sizeof(*record->samples));
        if (!record->attempts || !record->conns || !record->origins || !record->samples)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < n; i++)
                if (heap_set(&making->ready, &making->pendings[i].node,
                            making->pendings[i].submitted_ns) < 0)
                        return MUSTER_E_RESOURCE;
        return 0;
}

static void end(struct making *making)
{
        heap_deinit(&making->ready);
        mem_free(making->pendings);
        mem_free(making->places);
        mem_free(making->host_places);
        mem_free(making->conns);
}

/* --- slots ----------------------------------------------------------------------------------- */

static struct place *first_free(struct place *places, size_t n)
{
        struct place *best = NULL;

        for (size_t i = 0; i < n; i++)
                if (!best || places[i].free_ns < best->free_ns)
                        best = &places[i];
        return best;
}

/* Its slot, its moment, and what it waited for last. */
static struct place *take_slot(struct making *making, const struct pending *pending,
        struct trace_attempt *attempt)
{
        struct place *place = first_free(making->places, making->slots);
        struct place *host_place =
                first_free(making->host_places + pending->is.host * making->per_host,
                        making->per_host);
        uint64_t slot_ns = attempt->stamps.start_ns;

        if (making->maker->rate_per_s > 0) {
                attempt->planned_ns =
                        RECORD_MAKER_START_NS +
                        (uint64_t)((double)making->n_started * 1e9 / making->maker->rate_per_s);
                if (attempt->planned_ns > slot_ns) {
                        slot_ns = attempt->planned_ns;
                        attempt->wait = TRACE_WAIT_RATE;
                }
        }
        if (place->free_ns > slot_ns) {
                slot_ns = place->free_ns;
                attempt->slot_from = place->by;
                attempt->wait = TRACE_WAIT_SLOT;
        }
        if (host_place && host_place->free_ns > slot_ns) {
                slot_ns = host_place->free_ns;
                attempt->slot_from = host_place->by;
                attempt->wait = TRACE_WAIT_HOST;
        }
        making->n_started++;
        attempt->stamps.slot_ns = slot_ns;
        return place;
}

static void give_back(struct making *making, const struct trace_attempt *attempt, uint32_t host,
        struct place *place)
{
        struct place *host_place =
                first_free(making->host_places + host * making->per_host, making->per_host);

        place->free_ns = attempt->stamps.end_ns;
        place->by = attempt->number;
        if (host_place)
                *host_place = *place;
}

/* --- an attempt ------------------------------------------------------------------------------ */

static struct trace_conn *conn_for(struct making *making, size_t slot, uint32_t host,
        struct trace_attempt *attempt)
{
        struct record *record = making->record;
        uint64_t *id = &making->conns[slot * making->n_hosts + host];
        struct trace_conn *conn;

        attempt->is_reused = *id != 0 && !making->maker->no_reuse;
        if (!attempt->is_reused) {
                *id = record->n_conns + 1;
                record->conns[record->n_conns++] = (struct trace_conn){
                        .id = *id,
                        .origin = host + 1,
                        .opened_ns = attempt->stamps.slot_ns,
                        .n_addresses = 1,
                        .family = 4,
                        .closer = making->maker->no_reuse ? TRACE_CLOSED_BY_SERVER
                                                          : TRACE_CLOSED_BY_END,
                        .rtt_us = (uint32_t)(making->rtt_ns / NS_PER_US),
                        .min_rtt_us = (uint32_t)(making->rtt_ns / NS_PER_US),
                        .cwnd = 10,
                        .remote = str_of("127.0.0.1:80"),
                };
        }
        attempt->conn = *id;
        conn = &record->conns[*id - 1];
        if (attempt->is_reused)
                attempt->conn_idle_ns = attempt->stamps.slot_ns - conn->closed_ns;
        conn->n_attempts++;
        return conn;
}

static void connect_it(const struct record_maker_request *is, struct attempt *stamps,
        struct trace_conn *conn, uint64_t *at)
{
        if (is->dns_ns)
                conn->dns_end_ns = stamps->dns_end_ns = *at += is->dns_ns;
        if (is->tcp_ns)
                conn->tcp_end_ns = stamps->tcp_end_ns = *at += is->tcp_ns;
        if (is->tunnel_ns)
                conn->tunnel_end_ns = stamps->tunnel_end_ns = *at += is->tunnel_ns;
        if (is->tls_ns)
                conn->tls_end_ns = stamps->tls_end_ns = *at += is->tls_ns;
        conn->is_tls = is->tls_ns != 0;
}

static void answer(const struct record_maker_request *is, struct attempt *stamps, uint64_t *at)
{
        stamps->first_byte_kernel_ns = *at;
        stamps->first_byte_read_ns = *at += is->lag_ns;
        stamps->last_byte_kernel_ns = stamps->last_byte_read_ns = *at += is->receive_ns;
        stamps->decode_ns = is->decode_ns;
        *at += is->decode_ns;
        stamps->stage = MUSTER_PHASE_RECEIVE;
}

static void live(const struct record_maker_request *is, struct trace_attempt *attempt,
        struct trace_conn *conn)
{
        struct attempt *stamps = &attempt->stamps;
        uint64_t at = stamps->slot_ns;

        if (!attempt->is_reused)
                connect_it(is, stamps, conn, &at);
        stamps->send_start_ns = at;
        stamps->send_end_ns = at += is->send_ns;
        at += is->network_ns + is->server_ns;
        stamps->stage = MUSTER_PHASE_WAIT;
        if (attempt->status)
                answer(is, stamps, &at);
        stamps->end_ns = at;
        conn->closed_ns = at;
        conn->bytes_received += is->wire_bytes;
}

/* What became of it: all but the last are answered with 503 and tried again. */
static void conclude(const struct pending *pending, struct trace_attempt *attempt)
{
        const struct record_maker_request *is = &pending->is;

        attempt->is_last = attempt->n > is->n_retries;
        if (!attempt->is_last) {
                attempt->status = 503;
                attempt->outcome = TRACE_RETRIED;
                return;
        }
        attempt->code = is->code;
        attempt->status = is->status ? is->status : is->code ? 0 : 200;
        attempt->outcome = is->code ? TRACE_FAILED : TRACE_RESULT;
}

static void finish(const struct record_maker_request *is, struct trace_attempt *attempt)
{
        attempt->finished_ns = attempt->stamps.end_ns + is->process_ns;
        if (is->process_ns)
                attempt->process_end_ns = attempt->finished_ns;
        attempt->taken_ns = attempt->finished_ns + is->deliver_ns;
        attempt->wire_bytes = attempt->body_bytes = is->wire_bytes;
}

/* The next attempt of the request that is ready first. */
static int make_attempt(struct making *making)
{
        uint64_t now_ns = heap_top_key(&making->ready);
        struct pending *pending = (struct pending *)heap_top(&making->ready);
        struct record *record = making->record;
        struct trace_attempt *attempt = &record->attempts[record->n_attempts++];
        struct place *place;

        heap_remove(&making->ready, &pending->node);
        *attempt = (struct trace_attempt){
                .number = record->n_attempts,
                .request = (uint64_t)(pending - making->pendings) + 1,
                .submitted_ns = pending->submitted_ns,
                .origin = pending->is.host + 1,
                .n = (uint16_t)++pending->n_made,
                .stamps.start_ns = now_ns,
                .http_version = 11,
                .n_receives = 1,
                .is_safe = true,
                .is_plain = true,
        };
        conclude(pending, attempt);
        place = take_slot(making, pending, attempt);
        live(&pending->is, attempt,
                conn_for(making, (size_t)(place - making->places), pending->is.host, attempt));
        give_back(making, attempt, pending->is.host, place);
        if (attempt->is_last) {
                finish(&pending->is, attempt);
                return 0;
        }
        return heap_set(&making->ready, &pending->node,
                attempt->stamps.end_ns + pending->is.backoff_ns);
}

/* --- what follows from the attempts ---------------------------------------------------------- */

static uint64_t last_end(const struct record *record)
{
        uint64_t end_ns = RECORD_MAKER_START_NS;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                if (attempt->stamps.end_ns > end_ns)
                        end_ns = attempt->stamps.end_ns;
                if (attempt->taken_ns > end_ns)
                        end_ns = attempt->taken_ns;
        }
        return end_ns;
}

static void sample(const struct record *record, uint64_t loop_ns, struct trace_sample *sample)
{
        uint64_t at = sample->at_ns, n_over = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                const struct attempt *stamps = &attempt->stamps;
                bool is_submitted = attempt->submitted_ns <= at;

                sample->n_submitted += attempt->n == 1 && is_submitted;
                sample->n_held += attempt->is_last && is_submitted && attempt->taken_ns > at;
                sample->n_queued += stamps->start_ns <= at && stamps->slot_ns > at;
                sample->n_in_flight += stamps->slot_ns <= at && stamps->end_ns > at;
                sample->n_processing += stamps->end_ns <= at && attempt->process_end_ns > at;
                sample->n_attempts += stamps->slot_ns <= at;
                sample->n_conns_opened += stamps->slot_ns <= at && !attempt->is_reused;
                n_over += stamps->end_ns <= at;
        }
        sample->n_turns = n_over + 1;
        sample->work_ns[TRACE_WORK_IO] = n_over * loop_ns;
        sample->thread_cpu_ns = sample->process_cpu_ns = n_over * loop_ns;
}

static void add_samples(struct making *making)
{
        struct record *record = making->record;
        uint64_t life_ns = record->run.end_ns - RECORD_MAKER_START_NS;

        for (size_t i = 0; i <= N_SAMPLES; i++) {
                struct trace_sample *it = &record->samples[record->n_samples++];

                it->at_ns = i ? RECORD_MAKER_START_NS + life_ns / N_SAMPLES * i
                              : RECORD_MAKER_START_NS - 1;
                if (i == N_SAMPLES)
                        it->at_ns = record->run.end_ns;
                sample(record, making->maker->loop_ns, it);
        }
}

/*
 * Is it still under way when another gets its slot? Of those that end in that moment, one after the
 * other gives its slot away.
 */
static bool is_beside(const struct trace_attempt *attempt, const struct trace_attempt *other)
{
        if (attempt->stamps.end_ns != other->stamps.slot_ns)
                return attempt->stamps.end_ns > other->stamps.slot_ns;
        return other->slot_from && attempt->number > other->slot_from;
}

/* How many had a slot when it got its own. Near: of the last few that came before. */
static void count_in_flight(struct record *record, uint64_t slots)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];
                size_t most = slots < 256 ? 4 * slots : 1024;

                attempt->in_flight = attempt->host_in_flight = 1;
                for (size_t k = i > most ? i - most : 0; k < i; k++) {
                        const struct trace_attempt *other = &record->attempts[k];

                        if (!is_beside(other, attempt))
                                continue;
                        attempt->in_flight++;
                        attempt->host_in_flight += other->origin == attempt->origin;
                }
        }
}

static void add_run(struct making *making)
{
        struct record *record = making->record;
        const struct record_maker *maker = making->maker;

        record->run.end_ns = last_end(record);
        record->run.is_complete = true;
        record->run.wall_clock_ns = UINT64_C(1700000000) * NS_PER_S;
        record->run.start_ns = NS_PER_S;
        record->run.options = (struct record_options){
                .concurrency = making->slots,
                .per_host = maker->per_host ? maker->per_host : making->slots,
                .queue_size = maker->n + 1024,
                .rate_per_s = maker->rate_per_s,
                .workers = 2,
        };
        for (uint32_t i = 0; i < making->n_hosts; i++)
                record->origins[record->n_origins++] =
                        (struct trace_origin){ .number = i + 1, .key = str_of(host_keys[i]) };
}

int record_make(struct record *record, const struct record_maker *maker)
{
        struct making making = {
                .record = record,
                .maker = maker,
                .slots = or_default(maker->slots, 64),
                .per_host = maker->per_host,
                .n_hosts = or_default(maker->n_hosts, 1),
                .rtt_ns = or_default(maker->rtt_ns, maker->each.network_ns),
        };
        int r;

        *record = (struct record){ 0 };
        r = begin(&making);
        while (r == 0 && heap_top(&making.ready))
                r = make_attempt(&making);
        if (r == 0) {
                count_in_flight(record, making.slots);
                add_run(&making);
                add_samples(&making);
        } else {
                record_deinit(record);
        }
        end(&making);
        return r;
}

/* --- more rows ------------------------------------------------------------------------------- */

static void *one_more(void *rows, size_t n, size_t size)
{
        return mem_realloc(rows, (n + 1) * size);
}

int record_make_turn(struct record *record, const struct trace_turn *turn)
{
        struct trace_turn *turns = one_more(record->turns, record->n_turns, sizeof(*turn));

        if (!turns)
                return MUSTER_E_RESOURCE;
        record->turns = turns;
        turns[record->n_turns++] = *turn;
        return 0;
}

int record_make_try(struct record *record, const struct trace_try *try)
{
        struct trace_try *tries = one_more(record->tries, record->n_tries, sizeof(*try));

        if (!tries)
                return MUSTER_E_RESOURCE;
        record->tries = tries;
        tries[record->n_tries++] = *try;
        record->has_tries = true;
        return 0;
}

int record_make_lookup(struct record *record, const struct trace_lookup *lookup)
{
        struct trace_lookup *lookups =
                one_more(record->lookups, record->n_lookups, sizeof(*lookup));

        if (!lookups)
                return MUSTER_E_RESOURCE;
        record->lookups = lookups;
        lookups[record->n_lookups++] = *lookup;
        return 0;
}

int record_make_counter(struct record *record, const char *name, int64_t before, int64_t after)
{
        struct record_counter *counters =
                one_more(record->counters, record->n_counters, sizeof(*counters));
        struct record_counter *counter;

        if (!counters)
                return MUSTER_E_RESOURCE;
        record->counters = counters;
        counter = &counters[record->n_counters++];
        *counter = (struct record_counter){ .before = before, .after = after };
        snprintf(counter->name, sizeof(counter->name), "%s", name);
        return 0;
}
