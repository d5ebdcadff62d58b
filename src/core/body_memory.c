/* SPDX-License-Identifier: MIT */
#include "body_memory.h"

#include <assert.h>

void body_memory_init(struct body_memory *memory, uint64_t cap_bytes)
{
        *memory = (struct body_memory){ .cap_bytes = cap_bytes };
        pthread_mutex_init(&memory->lock, NULL);
        list_init(&memory->waiting);
}

void body_memory_deinit(struct body_memory *memory)
{
        pthread_mutex_destroy(&memory->lock);
}

void body_share_init(struct body_share *share, struct body_memory *memory,
        void (*wake)(struct body_share *share))
{
        assert(memory->n_shares < BODY_SHARES_MAX);
        *share = (struct body_share){ .memory = memory, .wake = wake };
        list_init(&share->answered);
        memory->shares[memory->n_shares++] = share;
}

static struct body_hold *hold_of_link(struct list *link)
{
        return LIST_OWNER(link, struct body_hold, link);
}

/* --- the sum --------------------------------------------------------------------------------- */

static uint64_t sum_of(struct body_memory *memory)
{
        int64_t bytes = atomic_load(&memory->bytes);

        return bytes > 0 ? (uint64_t)bytes : 0;
}

static bool is_full(struct body_memory *memory)
{
        return sum_of(memory) >= memory->cap_bytes || atomic_load(&memory->n_waiting);
}

static bool has_room(struct body_memory *memory, uint64_t more)
{
        uint64_t sum = sum_of(memory);

        return sum <= memory->cap_bytes && more <= memory->cap_bytes - sum;
}

static void set_bytes(struct body_memory *memory, struct body_hold *hold, uint64_t bytes)
{
        atomic_fetch_add(&memory->bytes, (int64_t)bytes - (int64_t)hold->bytes);
        hold->bytes = bytes;
}

/* --- who goes on ----------------------------------------------------------------------------- */

static void wake(struct body_share *share)
{
        if (share->wake)
                share->wake(share);
}

static void wake_wanting(struct body_memory *memory)
{
        for (unsigned i = 0; i < memory->n_shares; i++)
                if (atomic_load(&memory->shares[i]->is_wanting) &&
                        atomic_exchange(&memory->shares[i]->is_wanting, false))
                        wake(memory->shares[i]);
}

static void answer(struct body_memory *memory, struct body_hold *hold, enum body_state state)
{
        assert(hold->state == BODY_WAITING);
        list_remove(&hold->link);
        atomic_fetch_sub(&memory->n_waiting, 1);
        hold->state = state;
        if (state == BODY_MOVING) {
                memory->n_moving++;
                set_bytes(memory, hold, hold->bytes + hold->wanted_bytes);
        }
        list_push_back(&hold->share->answered, &hold->link);
        atomic_store(&hold->share->has_answer, true);
        wake(hold->share);
}

uint64_t body_memory_taken_bytes(struct body_memory *memory)
{
        return atomic_load(&memory->taken_bytes) + atomic_load(&memory->small_taken_bytes);
}

static bool caller_fills(struct body_memory *memory)
{
        return body_memory_taken_bytes(memory) >= memory->cap_bytes;
}

/* Something has changed: let go on what can, and what must. Under the lock. */
static void look_again(struct body_memory *memory)
{
        struct list *link;

        while ((link = list_first(&memory->waiting))) {
                struct body_hold *first = hold_of_link(link);

                if (has_room(memory, first->wanted_bytes)) {
                        answer(memory, first, BODY_MOVING);
                } else if (memory->n_moving) {
                        break;
                } else if (!caller_fills(memory)) {
                        first->goes_on = true;
                        answer(memory, first, BODY_MOVING);
                } else {
                        if (atomic_exchange(&memory->caller_waits, false))
                                answer(memory, first, BODY_REFUSED);
                        break;
                }
        }
        if (!is_full(memory))
                wake_wanting(memory);
}

void body_share_tell(struct body_share *share)
{
        struct body_memory *memory = share->memory;
        int64_t untold = share->untold;

        share->untold = 0;
        atomic_fetch_add(&memory->bytes, untold);
        /* Only where the cap is reached can somebody wait for less. */
        if (untold > 0 || memory->cap_bytes == UINT64_MAX)
                return;
        if (!atomic_load(&memory->n_waiting) &&
                sum_of(memory) + (uint64_t)-untold < memory->cap_bytes)
                return;
        pthread_mutex_lock(&memory->lock);
        look_again(memory);
        pthread_mutex_unlock(&memory->lock);
}

bool body_share_await(struct body_share *share)
{
        atomic_store(&share->is_wanting, true);
        if (is_full(share->memory))
                return true;
        atomic_store(&share->is_wanting, false);
        return false;
}

bool body_memory_may_start_one(struct body_memory *memory)
{
        bool may;

        pthread_mutex_lock(&memory->lock);
        may = !memory->n_moving && !atomic_load(&memory->n_waiting) && !caller_fills(memory);
        pthread_mutex_unlock(&memory->lock);
        return may;
}

bool body_memory_must_refuse(struct body_memory *memory)
{
        bool must;

        pthread_mutex_lock(&memory->lock);
        must = !memory->n_moving && !atomic_load(&memory->n_waiting) && caller_fills(memory) &&
               atomic_exchange(&memory->caller_waits, false);
        pthread_mutex_unlock(&memory->lock);
        return must;
}

void body_memory_caller_has(struct body_memory *memory, uint64_t small_bytes)
{
        atomic_store(&memory->small_taken_bytes, small_bytes);
}

void body_memory_caller_waits(struct body_memory *memory, bool waits)
{
        atomic_store(&memory->caller_waits, waits);
        if (!waits || !caller_fills(memory))
                return;
        pthread_mutex_lock(&memory->lock);
        look_again(memory);
        wake_wanting(memory); /* theirs may be the request that must fail */
        pthread_mutex_unlock(&memory->lock);
}

/* --- one body -------------------------------------------------------------------------------- */

static void begin(struct body_memory *memory, struct body_share *share, struct body_hold *hold)
{
        if (hold->state != BODY_NONE)
                return;
        hold->state = BODY_MOVING;
        hold->share = share;
        memory->n_moving++;
}

static void wait_for_room(struct body_memory *memory, struct body_hold *hold, uint64_t more)
{
        struct list *before = &memory->waiting;

        hold->wanted_bytes = more;
        hold->state = BODY_WAITING;
        memory->n_moving--;
        if (hold->bytes) /* behind the others that hold something: what they hold is of no use yet */
                for (before = memory->waiting.next; before != &memory->waiting;
                        before = before->next)
                        if (!hold_of_link(before)->bytes)
                                break;
        list_push_back(before, &hold->link); /* in front of that one */
        atomic_fetch_add(&memory->n_waiting, 1);
        atomic_fetch_add(&memory->n_waited, 1);
}

int body_hold_ask(struct body_share *share, struct body_hold *hold, uint64_t bytes, uint64_t more)
{
        struct body_memory *memory = share->memory;
        bool has_to_wait;

        assert(hold->state == BODY_NONE || hold->state == BODY_MOVING);
        pthread_mutex_lock(&memory->lock);
        begin(memory, share, hold);
        if (hold->bytes < bytes)
                set_bytes(memory, hold, bytes);
        has_to_wait = !hold->goes_on && (!has_room(memory, more) ||
                                                (!hold->bytes && atomic_load(&memory->n_waiting)));
        if (has_to_wait) {
                wait_for_room(memory, hold, more);
                look_again(memory);
                /* It may have been its own turn: then there is nothing to wait for. */
                if (hold->state == BODY_MOVING) {
                        list_remove(&hold->link);
                        has_to_wait = false;
                }
        } else {
                set_bytes(memory, hold, hold->bytes + more);
        }
        pthread_mutex_unlock(&memory->lock);
        return has_to_wait ? BODY_WAITS : 0;
}

void body_hold_fit(struct body_memory *memory, struct body_hold *hold, uint64_t bytes)
{
        pthread_mutex_lock(&memory->lock);
        assert(hold->state != BODY_TAKEN);
        if (hold->state != BODY_NONE && hold->bytes != bytes) {
                bool is_less = bytes < hold->bytes;
                uint64_t more = is_less ? 0 : bytes - hold->bytes;

                /* What comes while it waits is a part of what it waits for. */
                hold->wanted_bytes -= more < hold->wanted_bytes ? more : hold->wanted_bytes;
                set_bytes(memory, hold, bytes);
                if (is_less)
                        look_again(memory);
        }
        pthread_mutex_unlock(&memory->lock);
}

static void leave(struct body_memory *memory, struct body_hold *hold)
{
        list_remove(&hold->link);
        if (hold->state == BODY_WAITING)
                atomic_fetch_sub(&memory->n_waiting, 1);
        if (hold->state == BODY_WAITING || hold->state == BODY_REFUSED) {
                hold->state = BODY_MOVING;
                memory->n_moving++;
        }
}

void body_hold_leave(struct body_memory *memory, struct body_hold *hold)
{
        if (hold->state == BODY_NONE)
                return;
        pthread_mutex_lock(&memory->lock);
        leave(memory, hold);
        look_again(memory);
        pthread_mutex_unlock(&memory->lock);
}

static void end(struct body_memory *memory, struct body_hold *hold)
{
        pthread_mutex_lock(&memory->lock);
        leave(memory, hold);
        memory->n_moving -= hold->state == BODY_MOVING;
        set_bytes(memory, hold, 0);
        *hold = (struct body_hold){ 0 };
        look_again(memory);
        pthread_mutex_unlock(&memory->lock);
}

void body_hold_drop(struct body_memory *memory, struct body_hold *hold)
{
        assert(hold->state != BODY_TAKEN);
        if (hold->state != BODY_NONE)
                end(memory, hold);
}

void body_hold_take(struct body_memory *memory, struct body_hold *hold)
{
        pthread_mutex_lock(&memory->lock);
        assert(hold->state == BODY_MOVING);
        hold->state = BODY_TAKEN;
        memory->n_moving--;
        atomic_fetch_add(&memory->taken_bytes, hold->bytes);
        look_again(memory);
        pthread_mutex_unlock(&memory->lock);
}

void body_hold_free(struct body_memory *memory, struct body_hold *hold)
{
        assert(hold->state == BODY_TAKEN);
        atomic_fetch_sub(&memory->taken_bytes, hold->bytes);
        end(memory, hold);
}

struct body_hold *body_share_next(struct body_share *share)
{
        struct list *link;

        if (!atomic_load_explicit(&share->has_answer, memory_order_acquire))
                return NULL;
        pthread_mutex_lock(&share->memory->lock);
        link = list_pop(&share->answered);
        if (!link)
                atomic_store(&share->has_answer, false);
        pthread_mutex_unlock(&share->memory->lock);
        return link ? hold_of_link(link) : NULL;
}
