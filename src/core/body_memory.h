/* SPDX-License-Identifier: MIT */
/*
 * Body memory: one cap for the bodies that a client holds in memory, over all its requests
 *
 *      ask ──▶ MOVING ──finish, take──▶ TAKEN ──free──▶ NONE
 *      │ ▲        ▲                                       ▲
 *      │ └─ more ─┤                                       │
 *      └─▶ WAITING┴─ there is room, or nobody else moves  │
 *             └───── REFUSED ── the request fails ────────┘
 *
 * A body of some size asks before it is received: for all of it where its length is known, else
 * step by step. What does not fit waits, first come, first served, those first that have begun; the
 * others are received meanwhile. What moves is on its way to be freed: it is received, decoded, or
 * waits to be taken. When nothing moves, waiting would not end:
 *
 *   - If the caller's results do not fill the cap by themselves, the first that waits goes on, to
 *     its end. So at most one body at a time is held beyond the cap.
 *   - If they do, only the caller can free memory. It is waited for, unless it waits for us without
 *     a time limit; then the first that waits is refused, and so is a request in the queue.
 *
 * Small bodies, which most are, do not ask. Each thread counts those in a share of its own, and
 * tells the sum now and then; they only keep new requests from starting. Larger ones take a lock,
 * which they do not notice.
 */
#ifndef CORE_BODY_MEMORY_H
#define CORE_BODY_MEMORY_H

#include <base/list.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BODY_ASKS_BYTES   (64u * 1024)  /* smaller bodies do not ask */
#define BODY_STEP_BYTES   (256u * 1024) /* what one of unknown length asks for at once */
#define BODY_UNTOLD_BYTES (256 * 1024)  /* the most that a share keeps to itself */
#define BODY_SHARES_MAX   129           /* those of 128 engines, and the caller's */

#define BODY_WAITS 1

struct body_memory;

/* One engine's share, or the caller's. Only its thread uses it, except for the atomic members. */
struct body_share {
        struct body_memory *memory;
        int64_t untold;       /* bytes counted here, which the sum does not have yet */
        struct list answered; /* holds that waited, for body_share_next(); has the memory's lock */
        atomic_bool has_answer;                 /* there are some */
        atomic_bool is_wanting;                 /* it is to be woken when requests may start */
        void (*wake)(struct body_share *share); /* called by any thread; NULL: nobody waits */
};

enum body_state {
        BODY_NONE,
        BODY_MOVING,
        BODY_WAITING,
        BODY_REFUSED,
        BODY_TAKEN,
};

/* What one request holds. Embedded in it; zeroed is none. */
struct body_hold {
        uint64_t bytes;
        uint64_t wanted_bytes; /* beside these, while it waits */
        enum body_state state; /* NONE: it has not asked; a small one is only counted */
        bool goes_on;          /* it need not wait any more, whatever the cap */
        struct body_share *share;
        struct list link; /* WAITING: in memory->waiting; answered: in share->answered */
};

struct body_memory {
        uint64_t cap_bytes; /* UINT64_MAX: none */
        _Atomic int64_t bytes;
        /* Of these, in results that the caller has: those that asked, and small ones at last look. */
        _Atomic uint64_t taken_bytes, small_taken_bytes;
        _Atomic size_t n_waiting;
        _Atomic uint64_t n_waited; /* in all */
        atomic_bool caller_waits;  /* for a result, without a time limit */

        pthread_mutex_t lock; /* of what follows, and of holds but those in state NONE */
        size_t n_moving;
        struct list waiting; /* those that hold something come first */
        unsigned n_shares;
        struct body_share *shares[BODY_SHARES_MAX];
};

void body_memory_init(struct body_memory *memory, uint64_t cap_bytes);
void body_memory_deinit(struct body_memory *memory);

/* Add a share, before any is used. */
void body_share_init(struct body_share *share, struct body_memory *memory,
        void (*wake)(struct body_share *share));

/* Add what this thread has counted to the sum. */
void body_share_tell(struct body_share *share);

/* Count a small body, or with a negative number that it is gone. */
static inline void body_share_count(struct body_share *share, int64_t bytes)
{
        share->untold += bytes;
        if ((uint64_t)(share->untold + BODY_UNTOLD_BYTES) > 2 * BODY_UNTOLD_BYTES)
                body_share_tell(share);
}

/* Before its thread waits: nothing stays untold. */
static inline void body_share_settle(struct body_share *share)
{
        if (share->untold)
                body_share_tell(share);
}

/* All bytes held, as this thread knows. */
static inline uint64_t body_share_sum(const struct body_share *share)
{
        int64_t sum =
                atomic_load_explicit(&share->memory->bytes, memory_order_relaxed) + share->untold;

        return sum > 0 ? (uint64_t)sum : 0;
}

/* Is the cap reached, or does a body wait already? Then no request should start. */
static inline bool body_share_is_full(const struct body_share *share)
{
        return body_share_sum(share) >= share->memory->cap_bytes ||
               atomic_load_explicit(&share->memory->n_waiting, memory_order_relaxed);
}

/*
 * The engine has requests to start, but the cap is reached: wake it when that is over. False: it is
 * over already.
 */
bool body_share_await(struct body_share *share);

/* May an engine start one request all the same, as it has none and nobody else frees memory? */
bool body_memory_may_start_one(struct body_memory *memory);

/*
 * Is the caller waiting without end for a result, while it holds all of the memory? True once for
 * each time that it waits: a request must fail.
 */
bool body_memory_must_refuse(struct body_memory *memory);

/*
 * The caller comes to us to wait, and has so many bytes of small bodies. This need be told only
 * while the cap is reached.
 */
void body_memory_caller_has(struct body_memory *memory, uint64_t small_bytes);

/* It begins to wait for a result without a time limit, or ends. */
void body_memory_caller_waits(struct body_memory *memory, bool waits);

/* All bytes that it has, as was told last. */
uint64_t body_memory_taken_bytes(struct body_memory *memory);

/*
 * A body has `bytes` in memory, and wants room for `more`. 0: it may have that. BODY_WAITS:
 * body_share_next() will tell.
 */
int body_hold_ask(struct body_share *share, struct body_hold *hold, uint64_t bytes, uint64_t more);

/* A body that asked has this many bytes now, with or without room for them. Any thread. */
void body_hold_fit(struct body_memory *memory, struct body_hold *hold, uint64_t bytes);

/* It does not wait any more, whatever the answer. */
void body_hold_leave(struct body_memory *memory, struct body_hold *hold);

/* The body of an engine's request, which asked, is gone; not for bodies that the caller has. */
void body_hold_drop(struct body_memory *memory, struct body_hold *hold);

/* The caller takes the result with this body, which asked, and frees it. */
void body_hold_take(struct body_memory *memory, struct body_hold *hold);
void body_hold_free(struct body_memory *memory, struct body_hold *hold);

/* A hold that waited and may go on, or is refused (its state); NULL: none. */
struct body_hold *body_share_next(struct body_share *share);

#endif
