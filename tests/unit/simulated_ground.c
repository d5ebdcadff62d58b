/* SPDX-License-Identifier: MIT */
#include "simulated_ground.h"

#include "unit.h"
#include <base/mem.h>
#include <base/minmax.h>
#include <base/rand.h>
#include <math.h>

#define SLICE_NS (NS_PER_MS / 4) /* of a processor, before the next one has it */

/* Serves so many at a time; each has the moment from which it is free. */
struct station {
        uint64_t free_ns[GROUND_SLOTS_MOST];
        uint64_t n; /* 0: as many as come */
};

enum stage {
        STAGE_BEGIN,
        STAGE_CONNECT,
        STAGE_HANDSHAKE,
        STAGE_SHAKEN,
        STAGE_ASK,
        STAGE_ADMIT,
        STAGE_THINK,
        STAGE_COMPUTE,
        STAGE_LINK,
        STAGE_ARRIVE,
        STAGE_END,
};

/* A slot, and the request that it is at. */
struct slot {
        uint64_t at_ns;
        enum stage stage;
        size_t request;
        uint64_t asked_ns, first_ns, left_cpu_ns;
        bool is_busy, has_conn;
};

struct run {
        const struct ground *ground;
        struct rand rand;
        double pace;
        struct station handshakes, gate, workers, processors, link;
        struct slot slots[GROUND_SLOTS_MOST];
        struct record_maker_request *took;
        size_t n_begun;
        uint64_t end_ns;
};

/* --- what things take ------------------------------------------------------------------------ */

/* From 0 up to but not including 1. */
static double chance(struct run *run)
{
        return (double)(rand_next(&run->rand) >> 11) / 9007199254740992.0;
}

static double normal(struct run *run)
{
        return sqrt(-2 * log(1 - chance(run))) * cos(2 * 3.14159265358979 * chance(run));
}

static double think_factor(struct run *run)
{
        switch (run->ground->think) {
        case THINK_FIXED:
                return 1 + 0.01 * chance(run);
        case THINK_EVEN:
                return 0.5 + chance(run);
        case THINK_RANDOM:
                return -log(1 - chance(run));
        case THINK_SKEWED:
                return exp(0.7 * normal(run) - 0.245);
        }
        return 1;
}

static uint64_t times(uint64_t ns, double factor)
{
        return (uint64_t)((double)ns * factor);
}

/* When it is through the station. */
static uint64_t serve(struct station *station, uint64_t at_ns, uint64_t takes_ns)
{
        uint64_t *first = station->free_ns;

        if (!station->n)
                return at_ns + takes_ns;
        for (uint64_t i = 1; i < station->n; i++)
                if (station->free_ns[i] < *first)
                        first = &station->free_ns[i];
        return *first = max_u64(*first, at_ns) + takes_ns;
}

/* --- a request's way ------------------------------------------------------------------------- */

static void begin_request(struct run *run, struct slot *slot)
{
        const struct ground *ground = run->ground;

        if (run->n_begun == ground->n) {
                slot->is_busy = false;
                return;
        }
        slot->request = run->n_begun++;
        slot->stage = slot->has_conn && !ground->no_reuse ? STAGE_ASK : STAGE_CONNECT;
        slot->has_conn = true;
}

static void connect_it(struct run *run, struct slot *slot)
{
        run->took[slot->request].tcp_ns = run->ground->rtt_ns;
        slot->at_ns += run->ground->rtt_ns;
        slot->stage = run->ground->handshake_ns ? STAGE_HANDSHAKE : STAGE_ASK;
}

/* The next slice of what is left, or all of it where nobody else has the processor. */
static void shake_hands(struct run *run, struct slot *slot)
{
        const struct ground *ground = run->ground;
        uint64_t *tls_ns = &run->took[slot->request].tls_ns;
        uint64_t from_ns = slot->at_ns, slice_ns;

        if (!slot->left_cpu_ns)
                slot->left_cpu_ns = times(ground->handshake_ns, run->pace);
        slice_ns = ground->n_handshakers ? slot->left_cpu_ns : min_u64(slot->left_cpu_ns, SLICE_NS);
        slot->left_cpu_ns -= slice_ns;
        slot->at_ns = serve(ground->n_handshakers ? &run->handshakes : &run->processors, from_ns,
                slice_ns);
        *tls_ns += slot->at_ns - from_ns;
        slot->stage = slot->left_cpu_ns ? STAGE_HANDSHAKE : STAGE_SHAKEN;
}

static void end_handshake(struct run *run, struct slot *slot)
{
        run->took[slot->request].tls_ns += run->ground->rtt_ns;
        slot->at_ns += run->ground->rtt_ns;
        slot->stage = STAGE_ASK;
}

static void compute(struct run *run, struct slot *slot)
{
        uint64_t slice_ns = min_u64(slot->left_cpu_ns, SLICE_NS);

        slot->left_cpu_ns -= slice_ns;
        slot->at_ns = serve(&run->processors, slot->at_ns, slice_ns);
        slot->stage = slot->left_cpu_ns ? STAGE_COMPUTE : STAGE_LINK;
}

/* The first byte is on its way when the server is done; the others come as the link lets them. */
static void send_it(struct run *run, struct slot *slot)
{
        const struct ground *ground = run->ground;

        slot->first_ns = slot->at_ns + ground->rtt_ns / 2;
        if (ground->link_bytes_per_s > 0)
                slot->at_ns = serve(&run->link, slot->at_ns,
                        (uint64_t)((double)ground->body_bytes * 1e9 / ground->link_bytes_per_s));
        slot->at_ns += ground->rtt_ns / 2;
        slot->stage = STAGE_ARRIVE;
}

static void end_request(struct run *run, struct slot *slot)
{
        struct record_maker_request *took = &run->took[slot->request];

        took->network_ns = run->ground->rtt_ns;
        took->server_ns = slot->first_ns - slot->asked_ns - run->ground->rtt_ns;
        took->receive_ns = slot->at_ns - slot->first_ns;
        took->wire_bytes = run->ground->body_bytes;
        run->end_ns = max_u64(run->end_ns, slot->at_ns);
        slot->stage = STAGE_BEGIN;
}

static void step(struct run *run, struct slot *slot)
{
        const struct ground *ground = run->ground;

        switch (slot->stage) {
        case STAGE_BEGIN:
                begin_request(run, slot);
                return;
        case STAGE_CONNECT:
                connect_it(run, slot);
                return;
        case STAGE_HANDSHAKE:
                shake_hands(run, slot);
                return;
        case STAGE_SHAKEN:
                end_handshake(run, slot);
                return;
        case STAGE_ASK:
                slot->asked_ns = slot->at_ns;
                slot->at_ns += ground->rtt_ns / 2;
                slot->stage = STAGE_ADMIT;
                return;
        case STAGE_ADMIT:
                if (ground->allowed_per_s > 0)
                        slot->at_ns = serve(&run->gate, slot->at_ns,
                                (uint64_t)(1e9 / ground->allowed_per_s));
                slot->stage = STAGE_THINK;
                return;
        case STAGE_THINK:
                slot->at_ns = serve(&run->workers, slot->at_ns,
                        times(ground->think_ns, think_factor(run) * run->pace));
                slot->left_cpu_ns = times(ground->cpu_ns, run->pace);
                slot->stage = slot->left_cpu_ns ? STAGE_COMPUTE : STAGE_LINK;
                return;
        case STAGE_COMPUTE:
                compute(run, slot);
                return;
        case STAGE_LINK:
                send_it(run, slot);
                return;
        case STAGE_ARRIVE:
                slot->stage = STAGE_END;
                return;
        case STAGE_END:
                end_request(run, slot);
                return;
        }
}

/* Whoever's turn is next. NULL: all is done. */
static struct slot *next(struct run *run)
{
        struct slot *first = NULL;

        for (uint64_t i = 0; i < run->ground->slots; i++)
                if (run->slots[i].is_busy && (!first || run->slots[i].at_ns < first->at_ns))
                        first = &run->slots[i];
        return first;
}

/* --- the record ------------------------------------------------------------------------------ */

static void as_it_was(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const struct record_maker_request *took = maker->argument;

        *request = took[i];
        request->submit_after_ns = i; /* in this order, and all at once for anybody */
}

static void write_record(const struct run *run, struct record *record)
{
        const struct ground *ground = run->ground;

        assert_int_equal(record_make(record, &(struct record_maker){ .n = ground->n,
                                                     .slots = ground->slots,
                                                     .rtt_ns = ground->rtt_ns,
                                                     .loop_ns = 20 * NS_PER_US,
                                                     .no_reuse = ground->no_reuse,
                                                     .vary = as_it_was,
                                                     .argument = run->took }),
                0);
}

uint64_t ground_run(const struct ground *ground, uint64_t seed, struct record *ret_record)
{
        struct run *run = mem_zalloc(sizeof(*run));
        struct slot *slot;
        uint64_t end_ns;

        assert_non_null(run);
        assert_true(ground->slots > 0 && ground->slots <= GROUND_SLOTS_MOST);
        assert_true(ground->n_workers <= GROUND_SLOTS_MOST);
        run->ground = ground;
        run->took = mem_array(ground->n, sizeof(*run->took));
        assert_non_null(run->took);
        rand_init(&run->rand, seed);
        run->pace = exp(ground->pace_scatter * normal(run));
        run->handshakes.n = max_u64(ground->n_handshakers, 1);
        run->workers.n = ground->n_workers;
        run->processors.n = max_u64(ground->n_processors, 1);
        run->gate.n = run->link.n = 1;
        for (uint64_t i = 0; i < ground->slots; i++)
                run->slots[i].is_busy = true;
        while ((slot = next(run)))
                step(run, slot);
        if (ret_record)
                write_record(run, ret_record);
        end_ns = run->end_ns;
        mem_free(run->took);
        mem_free(run);
        return end_ns;
}
