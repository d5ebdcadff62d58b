/* SPDX-License-Identifier: MIT */
#include "link_spec.h"

#include "quantity.h"
#include <base/error.h>

enum {
        NAMED_RTT = 1 << 0,
        NAMED_JITTER = 1 << 1,
        NAMED_UP = 1 << 2,
        NAMED_DOWN = 1 << 3,
        NAMED_LOSS_UP = 1 << 4,
        NAMED_LOSS_DOWN = 1 << 5,
        NAMED_QUEUE = 1 << 6,
        NAMED_MTU = 1 << 7,
        NAMED_SEED = 1 << 8,
};

#define KEYS "at, rtt, jitter, rate, up, down, loss, loss-up, loss-down, queue, mtu, seed"

/* --- values ---------------------------------------------------------------------------------- */

static bool set_rtt(struct link_change *change, struct muster_str value)
{
        return quantity_duration(value, &change->rtt_ns);
}

static bool set_jitter(struct link_change *change, struct muster_str value)
{
        return quantity_duration(value, &change->jitter_ns);
}

static bool read_rate(struct muster_str value, uint64_t *ret_bits_per_s)
{
        if (!str_is_nocase(value, "unlimited"))
                return quantity_bit_rate(value, ret_bits_per_s);
        *ret_bits_per_s = 0;
        return true;
}

static bool set_up(struct link_change *change, struct muster_str value)
{
        return read_rate(value, &change->up_bits_per_s);
}

static bool set_down(struct link_change *change, struct muster_str value)
{
        return read_rate(value, &change->down_bits_per_s);
}

static bool set_rate(struct link_change *change, struct muster_str value)
{
        return set_up(change, value) && set_down(change, value);
}

static bool set_loss_up(struct link_change *change, struct muster_str value)
{
        return quantity_share(value, &change->loss_up);
}

static bool set_loss_down(struct link_change *change, struct muster_str value)
{
        return quantity_share(value, &change->loss_down);
}

static bool set_loss(struct link_change *change, struct muster_str value)
{
        return set_loss_up(change, value) && set_loss_down(change, value);
}

static bool set_queue(struct link_change *change, struct muster_str value)
{
        return quantity_count(value, 1, LINK_QUEUE_MAX, &change->queue);
}

static bool set_mtu(struct link_change *change, struct muster_str value)
{
        return quantity_count(value, LINK_MTU_MIN, LINK_MTU_MAX, &change->mtu);
}

static bool set_seed(struct link_change *change, struct muster_str value)
{
        return quantity_count(value, 0, UINT64_MAX, &change->seed);
}

/* --- words ----------------------------------------------------------------------------------- */

#define A_DURATION "needs a duration, such as 80ms or 1.5s"
#define A_RATE     "needs a bit rate, such as 20mbit, 64kbit or unlimited"
#define A_SHARE    "needs a share from 0 to 100%, such as 1% or 0.01"

static const struct key {
        const char *name;
        unsigned named;
        bool (*set)(struct link_change *change, struct muster_str value);
        const char *wanted;
} keys[] = {
        { "rtt", NAMED_RTT, set_rtt, A_DURATION },
        { "jitter", NAMED_JITTER, set_jitter, A_DURATION },
        { "rate", NAMED_UP | NAMED_DOWN, set_rate, A_RATE },
        { "up", NAMED_UP, set_up, A_RATE },
        { "down", NAMED_DOWN, set_down, A_RATE },
        { "loss", NAMED_LOSS_UP | NAMED_LOSS_DOWN, set_loss, A_SHARE },
        { "loss-up", NAMED_LOSS_UP, set_loss_up, A_SHARE },
        { "loss-down", NAMED_LOSS_DOWN, set_loss_down, A_SHARE },
        { "queue", NAMED_QUEUE, set_queue, "needs a number of packets from 1 to 100000" },
        { "mtu", NAMED_MTU, set_mtu, "needs a number of bytes from 576 to 9000" },
        { "seed", NAMED_SEED, set_seed, "needs a whole number" },
};

static const struct key *find_key(struct muster_str name)
{
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
                if (str_is(name, keys[i].name))
                        return &keys[i];
        }
        return NULL;
}

static int refuse_word(struct muster_error *error, struct muster_str word, const char *why)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "\"%.*s\": %s",
                STR_ARGS(word), why);
}

static int refuse_key(struct muster_error *error, struct muster_str word, struct muster_str name)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "\"%.*s\": unknown \"%.*s\"; known are " KEYS, STR_ARGS(word), STR_ARGS(name));
}

static int parse_at(struct link_change *change, struct muster_str word, struct muster_str value,
        bool is_first, struct muster_error *error)
{
        if (!is_first)
                return refuse_word(error, word, "at= must come first");
        if (!quantity_duration(value, &change->at_ns))
                return refuse_word(error, word, A_DURATION " after COMMAND's start");
        return 0;
}

static int parse_word(struct link_change *change, struct muster_str word, bool is_first,
        struct muster_error *error)
{
        struct muster_str value = word, name = { 0 };
        const struct key *key;

        if (!memchr(word.at, '=', word.len))
                return refuse_word(error, word, "needs key=value, such as rtt=80ms");
        str_split(&value, '=', &name);
        if (str_is(name, "at"))
                return parse_at(change, word, value, is_first, error);
        key = find_key(name);
        if (!key)
                return refuse_key(error, word, name);
        if (!key->set(change, value))
                return refuse_word(error, word, key->wanted);
        if (change->at_ns && key->named & (NAMED_MTU | NAMED_SEED))
                return refuse_word(error, word,
                        "applies to the whole run and cannot change with at=");
        change->named |= key->named;
        return 0;
}

/* --- the schedule ---------------------------------------------------------------------------- */

static int add_change(struct link_spec *spec, const struct link_change *change,
        struct muster_error *error)
{
        size_t i = spec->n_changes;

        if (i == LINK_CHANGES_MAX)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "more than %d changes", LINK_CHANGES_MAX);
        for (; i > 0 && spec->changes[i - 1].at_ns > change->at_ns; i--)
                spec->changes[i] = spec->changes[i - 1];
        spec->changes[i] = *change;
        spec->n_changes++;
        if (change->named & NAMED_MTU)
                spec->mtu = change->mtu;
        if (change->named & NAMED_SEED)
                spec->seed = change->seed;
        return 0;
}

int link_spec_parse(struct link_spec *spec, struct muster_str text, struct muster_error *error)
{
        struct link_change change = { 0 };
        struct muster_str rest = text, word;

        for (bool is_first = true; str_split(&rest, ',', &word); is_first = false) {
                int r = parse_word(&change, str_trim(word), is_first, error);

                if (r < 0)
                        return r;
        }
        if (!change.named)
                return refuse_word(error, text, "needs at least one condition, such as rtt=80ms");
        return add_change(spec, &change, error);
}

size_t link_spec_mtu(const struct link_spec *spec)
{
        return spec->mtu ? (size_t)spec->mtu : LINK_MTU_DEFAULT;
}

/* --- conditions ------------------------------------------------------------------------------ */

struct link_conditions link_conditions_default(void)
{
        return (struct link_conditions){ .up.queue = LINK_QUEUE_DEFAULT,
                .down.queue = LINK_QUEUE_DEFAULT };
}

void link_change_apply(const struct link_change *change, struct link_conditions *conditions)
{
        struct pipe_conditions *up = &conditions->up, *down = &conditions->down;

        if (change->named & NAMED_RTT) {
                up->delay_ns = change->rtt_ns / 2;
                down->delay_ns = change->rtt_ns - up->delay_ns;
        }
        if (change->named & NAMED_JITTER)
                up->jitter_ns = down->jitter_ns = change->jitter_ns;
        if (change->named & NAMED_UP)
                up->bits_per_s = change->up_bits_per_s;
        if (change->named & NAMED_DOWN)
                down->bits_per_s = change->down_bits_per_s;
        if (change->named & NAMED_LOSS_UP)
                up->loss = change->loss_up;
        if (change->named & NAMED_LOSS_DOWN)
                down->loss = change->loss_down;
        if (change->named & NAMED_QUEUE)
                up->queue = down->queue = (size_t)change->queue;
}
