/* SPDX-License-Identifier: MIT */
#include "pipe.h"

#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>

struct packet {
        struct list link;
        uint64_t arrived_ns;
        uint64_t due_ns; /* flying */
        double luck;     /* share of the jitter that it gets */
        size_t len;
        char bytes[];
};

static struct packet *packet_of(struct list *link)
{
        return link ? LIST_OWNER(link, struct packet, link) : NULL;
}

/* --- making and unmaking --------------------------------------------------------------------- */

void pipe_init(struct pipe *pipe, const struct pipe_conditions *conditions, uint64_t seed,
        size_t longest, struct pipe_stats *stats)
{
        assert(conditions->queue > 0 && longest > 0);
        *pipe = (struct pipe){ .conditions = *conditions, .stats = stats, .slot_bytes = longest };
        pipe->n_allocated_max = PIPE_BYTES_MAX / (sizeof(struct packet) + longest);
        rand_init(&pipe->rand, seed);
        list_init(&pipe->waiting);
        list_init(&pipe->flying);
        list_init(&pipe->unused);
}

void pipe_deinit(struct pipe *pipe)
{
        struct list *link;

        if (!pipe->slot_bytes)
                return;
        list_splice(&pipe->unused, &pipe->waiting);
        list_splice(&pipe->unused, &pipe->flying);
        while ((link = list_pop(&pipe->unused)))
                mem_free(packet_of(link));
        pipe->n_waiting = pipe->n_allocated = 0;
        pipe->slot_bytes = 0;
}

/* --- the serialiser -------------------------------------------------------------------------- */

/* Put the first that waits into the serialiser. */
static void load(struct pipe *pipe)
{
        const struct packet *packet = packet_of(list_first(&pipe->waiting));
        uint64_t rate = pipe->conditions.bits_per_s;

        pipe->finish_ns = max_u64(packet->arrived_ns, pipe->free_ns);
        if (pipe->finish_ns != pipe->free_ns || !rate)
                pipe->carry = 0; /* it was idle: a new run begins on a whole nanosecond */
        if (!rate)
                return;
        pipe->carry += packet->len * 8 * NS_PER_S;
        pipe->finish_ns += pipe->carry / rate;
        pipe->carry %= rate;
}

static uint64_t due_of(const struct pipe *pipe, const struct packet *packet)
{
        const struct pipe_conditions *c = &pipe->conditions;
        uint64_t jitter_ns = (uint64_t)(packet->luck * (double)c->jitter_ns);

        return max_u64(pipe->finish_ns + c->delay_ns + jitter_ns, pipe->last_due_ns);
}

/* Move the packet in the serialiser on to propagation, and load the next. */
static void unload(struct pipe *pipe)
{
        struct packet *packet = packet_of(list_pop(&pipe->waiting));

        assert(pipe->n_waiting > 0);
        pipe->n_waiting--;
        packet->due_ns = pipe->last_due_ns = due_of(pipe, packet);
        pipe->free_ns = pipe->finish_ns;
        list_push_back(&pipe->flying, &packet->link);
        if (pipe->n_waiting)
                load(pipe);
}

static void advance(struct pipe *pipe, uint64_t now_ns)
{
        while (pipe->n_waiting && pipe->finish_ns <= now_ns)
                unload(pipe);
}

void pipe_configure(struct pipe *pipe, const struct pipe_conditions *conditions, uint64_t now_ns)
{
        uint64_t rate = conditions->bits_per_s, before = pipe->conditions.bits_per_s;

        assert(conditions->queue > 0);
        advance(pipe, now_ns);
        /* The rest of the packet in the serialiser goes at the new rate. */
        if (pipe->n_waiting && rate != before) {
                double rest_ns = (double)(pipe->finish_ns - now_ns);

                rest_ns = rate ? rest_ns * (double)before / (double)rate : 0;
                pipe->finish_ns = now_ns + (uint64_t)(rest_ns + 0.5);
        }
        if (rate != before)
                pipe->carry = 0;
        pipe->conditions = *conditions;
        advance(pipe, now_ns);
}

/* --- in and out ------------------------------------------------------------------------------ */

static struct packet *new_packet(struct pipe *pipe)
{
        struct packet *packet = packet_of(list_pop(&pipe->unused));

        if (packet || pipe->n_allocated == pipe->n_allocated_max)
                return packet;
        packet = mem_alloc(sizeof(*packet) + pipe->slot_bytes);
        if (!packet)
                return NULL;
        packet->link = (struct list){ 0 };
        pipe->n_allocated++;
        return packet;
}

/* A random number from 0 to below 1. */
static double draw(struct pipe *pipe)
{
        return (double)(rand_next(&pipe->rand) >> 11) * 0x1p-53;
}

static enum pipe_fate enqueue(struct pipe *pipe, struct muster_str bytes, double luck,
        uint64_t now_ns)
{
        struct packet *packet = NULL;

        if (pipe->n_waiting < pipe->conditions.queue && bytes.len <= pipe->slot_bytes)
                packet = new_packet(pipe);
        if (!packet)
                return PIPE_OVERFLOWED;
        packet->arrived_ns = now_ns;
        packet->luck = luck;
        packet->len = bytes.len;
        memcpy(packet->bytes, bytes.at, bytes.len);
        list_push_back(&pipe->waiting, &packet->link);
        pipe->n_waiting++;
        pipe->stats->most_queued = max_u64(pipe->stats->most_queued, pipe->n_waiting);
        if (pipe->n_waiting == 1)
                load(pipe);
        return PIPE_QUEUED;
}

enum pipe_fate pipe_push(struct pipe *pipe, struct muster_str packet, uint64_t now_ns)
{
        bool is_lost = draw(pipe) < pipe->conditions.loss;
        double luck = draw(pipe);
        enum pipe_fate fate;

        advance(pipe, now_ns);
        fate = is_lost ? PIPE_LOST : enqueue(pipe, packet, luck, now_ns);
        if (fate == PIPE_LOST)
                pipe->stats->n_lost++;
        if (fate == PIPE_OVERFLOWED)
                pipe->stats->n_overflowed++;
        /* Without a rate the packet has already left the serialiser. */
        advance(pipe, now_ns);
        return fate;
}

uint64_t pipe_next_ns(const struct pipe *pipe)
{
        const struct packet *packet = packet_of(list_first(&pipe->flying));

        if (packet)
                return packet->due_ns;
        packet = packet_of(list_first(&pipe->waiting));
        return packet ? due_of(pipe, packet) : UINT64_MAX;
}

bool pipe_pop(struct pipe *pipe, uint64_t now_ns, struct muster_str *ret_packet)
{
        struct packet *packet;

        advance(pipe, now_ns);
        packet = packet_of(list_first(&pipe->flying));
        if (!packet || packet->due_ns > now_ns)
                return false;
        list_remove(&packet->link);
        list_push_front(&pipe->unused, &packet->link);
        pipe->stats->n_packets++;
        pipe->stats->n_bytes += packet->len;
        *ret_packet = (struct muster_str){ packet->bytes, packet->len };
        return true;
}
