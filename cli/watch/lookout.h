/* SPDX-License-Identifier: MIT */
/*
 * The lookout: connections of programs that nothing can be loaded into, seen from outside
 *
 *      about to be such a program ──▶ door ──▶ its filter's listener
 *      program: connect() ──▶ filter ──▶ lookout: whose, whereto, which descriptor ──▶ let go
 *                                           │
 *                             bytes come, or it is connected (epoll) ──▶ TCP_INFO
 *
 * A thread of ours takes listeners at the door (watch/door.h), answers their calls and notes what
 * becomes of each connection. Of what is said nothing is read: only what the kernel counts. For that
 * the lookout borrows the program's descriptor for a moment (pidfd_getfd), and gives it back at
 * once: while we had one, a connection that the program closes would stay open. It hears of bytes by
 * an epoll of its own, in which a connection stays without a descriptor of ours for as long as the
 * program has it open.
 *
 * What it was when it ended the kernel tells by itself (last_words.h).
 *
 * It looks no more often than once a millisecond, and so that looking takes at most a fiftieth of
 * one processor's time: then moments become less exact, and exchanges that are shorter run together.
 *
 * What it sees of each process is a log as the shim writes one, FOLDER/outside.PID.START.
 */
#ifndef CLI_WATCH_LOOKOUT_H
#define CLI_WATCH_LOOKOUT_H

#include "executable.h"
#include "sighting.h"
#include "stand_in.h"
#include <poll.h>
#include <pthread.h>
#include <watch/door.h>

/* A program that ran and was not seen. */
struct unseen_program {
        char name[DOOR_NAME_MAX];
        enum executable_kind kind;
        int why; /* the errno; 0: it was not asked for */
        uint64_t n_times;
};

#define UNSEEN_MAX 8 /* names; of more only the number is known */

struct lookout {
        bool is_wanted;
        int door; /* -1: there is none */
        int stop_fd, sockets_fd, words_fd;
        struct pollfd *poll_fds;    /* of the thread: what is ours, and the listeners, */
        struct stand_in *stand_ins; /* ... by the same index */
        size_t n_polled, polled_size;
        struct sightings seen;
        struct unseen_program unseen[UNSEEN_MAX];
        size_t n_unseen;
        uint64_t n_more_unseen;
        pthread_t thread;
        bool is_begun;
        uint64_t look_ns;  /* the next one */
        uint64_t round_ns; /* when all are looked at */
};

#define LOOKOUT_NONE                                                                               \
        {                                                                                          \
                .door = -1, .stop_fd = -1, .sockets_fd = -1, .words_fd = -1                        \
        }

/*
 * Open the door in `folder`, where logs go as well. If it is not wanted, who knocks is counted and
 * sent away. Where the door cannot be nothing is seen. MUSTER_E_RESOURCE.
 */
int lookout_begin(struct lookout *lookout, bool is_wanted, const char *folder);

/* The program is over: look a last time, and write what was seen. May be called twice. */
void lookout_end(struct lookout *lookout);

/* May be called twice. */
void lookout_deinit(struct lookout *lookout);

#endif
