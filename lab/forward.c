/* SPDX-License-Identifier: MIT */
#include "forward.h"

#include <unistd.h>

/* Packets read in a row before those that are due get a turn. */
#define READ_BATCH 64

/*
 * One more than the longest packet would do; some more in case somebody raises the mtu of an
 * interface.
 */
#define READ_BYTES (64 * 1024)

static struct forward_way *way_of_timer(struct loop_timer *timer)
{
        return LIST_OWNER(timer, struct forward_way, timer);
}

static struct forward_way *way_of_watch(struct loop_watch *watch)
{
        return LIST_OWNER(watch, struct forward_way, watch);
}

static struct forward *forward_of(struct loop_timer *change_timer)
{
        return LIST_OWNER(change_timer, struct forward, change_timer);
}

/* --- packets --------------------------------------------------------------------------------- */

/* Is the packet for one receiver? The others are multicast and IPv4's limited broadcast. */
static bool is_unicast(struct muster_str packet)
{
        const unsigned char *at = (const unsigned char *)packet.at;

        switch (packet.len ? at[0] >> 4 : 0) {
        case 4:
                return packet.len >= 20 && at[16] < 224;
        case 6:
                return packet.len >= 40 && at[24] != 0xff;
        }
        return false;
}

/*
 * Write the packets that are due. A write fails if COMMAND took the interface down: as with a
 * pulled cable, the packet is lost.
 */
static void write_due(struct forward_way *way)
{
        const struct clock *clock = way->forward->loop->clock;
        struct muster_str packet;

        while (pipe_pop(&way->pipe, clock_now(clock), &packet)) {
                if (write(way->to_fd, packet.at, packet.len) < 0)
                        continue;
        }
}

/* A timer that was set once has its place in the heap: moving it needs no memory. */
static int set_timer(struct forward_way *way)
{
        return loop_timer_set(way->forward->loop, &way->timer, pipe_next_ns(&way->pipe));
}

static void packet_due(struct loop_timer *timer, uint64_t late_ns)
{
        struct forward_way *way = way_of_timer(timer);

        (void)late_ns;
        write_due(way);
        (void)set_timer(way);
}

static void tun_ready(struct loop_watch *watch, bool readable, bool writable)
{
        struct forward_way *way = way_of_watch(watch);
        const struct loop *loop = watch->loop;
        char bytes[READ_BYTES];

        (void)readable;
        (void)writable;
        for (int i = 0; i < READ_BATCH; i++) {
                ssize_t n = read(watch->fd, bytes, sizeof(bytes));
                struct muster_str packet = { bytes, n > 0 ? (size_t)n : 0 };

                if (n <= 0)
                        break;
                if (is_unicast(packet))
                        pipe_push(&way->pipe, packet, clock_now(loop->clock));
        }
        write_due(way);
        (void)set_timer(way);
}

/* --- the schedule ---------------------------------------------------------------------------- */

/* Apply the changes that are due by `since_start_ns`. */
static void apply_changes(struct forward *forward, uint64_t since_start_ns)
{
        const struct link_spec *spec = forward->spec;

        for (; forward->n_changes < spec->n_changes; forward->n_changes++) {
                const struct link_change *change = &spec->changes[forward->n_changes];

                if (change->at_ns > since_start_ns)
                        return;
                link_change_apply(change, &forward->conditions);
        }
}

static int set_change_timer(struct forward *forward)
{
        uint64_t at_ns = UINT64_MAX;

        if (forward->n_changes < forward->spec->n_changes)
                at_ns = forward->start_ns + forward->spec->changes[forward->n_changes].at_ns;
        return loop_timer_set(forward->loop, &forward->change_timer, at_ns);
}

static void change_due(struct loop_timer *timer, uint64_t late_ns)
{
        struct forward *forward = forward_of(timer);
        uint64_t now_ns = clock_now(forward->loop->clock);

        (void)late_ns;
        apply_changes(forward, now_ns - forward->start_ns);
        pipe_configure(&forward->up.pipe, &forward->conditions.up, now_ns);
        pipe_configure(&forward->down.pipe, &forward->conditions.down, now_ns);
        (void)set_timer(&forward->up);
        (void)set_timer(&forward->down);
        (void)set_change_timer(forward);
}

int forward_start_schedule(struct forward *forward)
{
        forward->start_ns = clock_now(forward->loop->clock);
        return set_change_timer(forward);
}

/* --- making and unmaking --------------------------------------------------------------------- */

static int init_way(struct forward_way *way, struct forward *forward, int from_fd, int to_fd)
{
        way->forward = forward;
        way->to_fd = to_fd;
        way->watch.ready = tun_ready;
        way->timer.fire = packet_due;
        return loop_watch_set(forward->loop, &way->watch, from_fd, true, false);
}

static void deinit_way(struct forward_way *way)
{
        if (!way->forward)
                return;
        if (way->watch.loop)
                loop_watch_set(way->forward->loop, &way->watch, way->watch.fd, false, false);
        loop_timer_stop(way->forward->loop, &way->timer);
        pipe_deinit(&way->pipe);
        way->forward = NULL;
}

int forward_init(struct forward *forward, struct loop *loop, const struct link_spec *spec,
        int lab_fd, int command_fd, struct link_stats *stats)
{
        size_t mtu = link_spec_mtu(spec);
        struct rand seeds;
        int r;

        *forward = (struct forward){ .loop = loop,
                .spec = spec,
                .conditions = link_conditions_default(),
                .change_timer.fire = change_due };
        apply_changes(forward, 0);
        rand_init(&seeds, spec->seed);
        pipe_init(&forward->up.pipe, &forward->conditions.up, rand_next(&seeds), mtu, &stats->up);
        pipe_init(&forward->down.pipe, &forward->conditions.down, rand_next(&seeds), mtu,
                &stats->down);
        r = init_way(&forward->up, forward, command_fd, lab_fd);
        if (r == 0)
                r = init_way(&forward->down, forward, lab_fd, command_fd);
        if (r < 0)
                forward_deinit(forward);
        return r;
}

void forward_deinit(struct forward *forward)
{
        if (!forward->loop)
                return;
        loop_timer_stop(forward->loop, &forward->change_timer);
        deinit_way(&forward->up);
        deinit_way(&forward->down);
        forward->loop = NULL;
}
