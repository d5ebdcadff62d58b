/* SPDX-License-Identifier: MIT */
/*
 * What is known of each descriptor: one word
 *
 * Followed are stream sockets: of the internet from socket() on, of the file system once they are
 * connected. A descriptor of which nothing is known (it was inherited, or came through a socket) is
 * looked at when a call is made that only sockets know. Words are read and written whole; where two
 * threads change one at once a mark may get lost, no more.
 *
 * A child inherits descriptors and closes them: that ends no connection. So a word says of which
 * process it is, and becomes the child's when it uses the descriptor.
 */
#ifndef SHIM_SLOT_H
#define SHIM_SLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "log.h"
#include "thread.h"

#define N_SLOTS (1 << 17) /* what has a higher number is not followed */

enum slot_bits {
        SLOT_INET = 1,
        SLOT_UNIX = 2,
        SLOT_OTHER = 4,        /* neither; 0: not known */
        SLOT_OPEN = 8,         /* a connection: connect() or accept() was called */
        SLOT_NONBLOCK = 16,    /* calls do not wait */
        SLOT_CONNECTING = 32,  /* EINPROGRESS, nobody has asked yet */
        SLOT_SPOKE = 64,       /* something was sent */
        SLOT_H2 = 128,         /* it began with HTTP/2's preface */
        SLOT_TLS = 256,        /* it began with TLS */
        SLOT_ASKED = 512,      /* something was sent, and nothing received since */
        SLOT_STAMPED = 1024,   /* the kernel stamps what it receives, because we asked for it */
        SLOT_UNSTAMPED = 2048, /* it is not to be asked */
        SLOT_GENERATION = 16,  /* bits of the process's generation begin here */
};

extern uint32_t slots[N_SLOTS];
extern uint32_t slots_top; /* no higher one was ever in use */

static inline uint32_t slot_get(int fd)
{
        return LIKELY((unsigned)fd < N_SLOTS) ? __atomic_load_n(&slots[fd], __ATOMIC_RELAXED)
                                              : SLOT_OTHER;
}

static inline void slot_put(int fd, uint32_t bits)
{
        if ((unsigned)fd >= N_SLOTS)
                return;
        bits = (bits & 0xffff) | process_own()->generation << SLOT_GENERATION;
        __atomic_store_n(&slots[fd], bits, __ATOMIC_RELAXED);
        if (UNLIKELY((unsigned)fd > __atomic_load_n(&slots_top, __ATOMIC_RELAXED)))
                __atomic_store_n(&slots_top, (uint32_t)fd, __ATOMIC_RELAXED);
}

static inline void slot_clear(int fd)
{
        if ((unsigned)fd < N_SLOTS)
                __atomic_store_n(&slots[fd], 0, __ATOMIC_RELAXED);
}

static inline bool slot_is_followed(uint32_t bits)
{
        return bits & SLOT_INET || (bits & (SLOT_UNIX | SLOT_OPEN)) == (SLOT_UNIX | SLOT_OPEN);
}

/* A call is made that only sockets know. */
uint32_t slot_look(int fd);

/* A new socket of that kind. */
void slot_new(int fd, int domain, int type);

/* Its descriptor is about to be given back: WATCH_CLOSE. */
void slot_close(int fd);

/* Those from `first` to `last`. */
void slot_close_range(unsigned first, unsigned last);

/* `fd` has become `copy` as well. */
void slot_dup(int fd, int copy);

/* Somebody has found out that it is connected, or why not. */
void slot_connected(int fd, int error);

#endif
