/* SPDX-License-Identifier: MIT */
/*
 * When results are on the disk, and not only with the kernel: --sync
 *
 * Nothing is needed for a program that is killed: what it wrote the kernel has. This is for power
 * that fails, and for a kernel that does.
 *
 *      each     before anything else is done, all lines so far are on the disk: the loop waits for it
 *      second   a thread of its own does that once a second: the loop waits for nothing
 *      end      once, before the run says that it is over; the others do so as well
 *
 * Files of bodies are brought to the disk at the end. Before that a line may survive its body;
 * --resume sees that by the file's size.
 */
#ifndef CLI_OUTPUT_SYNC_H
#define CLI_OUTPUT_SYNC_H

#include <muster/error.h>
#include <pthread.h>
#include <stdbool.h>

enum sync_way { SYNC_NEVER, SYNC_EACH, SYNC_SECOND, SYNC_END };

/* Zeroed is never. */
struct sync {
        enum sync_way way;
        int fd; /* borrowed */
        pthread_t thread;
        bool has_thread;
        pthread_mutex_t lock; /* of the rest, which the thread shares */
        pthread_cond_t is_wanted;
        bool is_dirty, is_ending;
        int sys; /* what the thread met; 0: nothing */
};

/*
 * Results go to this regular file, at `path` (NULL: not known). MUSTER_E_INVALID with *error: it is
 * none, so there is no disk; MUSTER_E_RESOURCE.
 */
int sync_begin(struct sync *sync, enum sync_way way, int borrow_fd, const char *path,
        struct muster_error *error);

/* Bring to the disk that there is a file of this name. */
void sync_name(const char *path);

/* Lines were written. An errno, or 0: also that of an earlier second. */
int sync_written(struct sync *sync);

/* All is written, also into files of the file system of `folder` (NULL: none). An errno, or 0. */
int sync_end(struct sync *sync, const char *folder);

/* Without a last time. May be called twice. */
void sync_deinit(struct sync *sync);

#endif
