/* SPDX-License-Identifier: MIT */
#include "sync.h"

#include <base/error.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- once a second --------------------------------------------------------------------------- */

static struct timespec in_a_second(void)
{
        struct timespec then;

        clock_gettime(CLOCK_MONOTONIC, &then);
        then.tv_sec++;
        return then;
}

static void *run(void *argument)
{
        struct sync *sync = argument;
        struct timespec then = in_a_second();

        pthread_mutex_lock(&sync->lock);
        while (!sync->is_ending) {
                int sys = 0;

                if (pthread_cond_timedwait(&sync->is_wanted, &sync->lock, &then) != ETIMEDOUT)
                        continue;
                if (sync->is_dirty) {
                        sync->is_dirty = false;
                        pthread_mutex_unlock(&sync->lock);
                        sys = fdatasync(sync->fd) < 0 ? errno : 0;
                        pthread_mutex_lock(&sync->lock);
                }
                if (sys)
                        sync->sys = sys;
                then = in_a_second();
        }
        pthread_mutex_unlock(&sync->lock);
        return NULL;
}

/* Signals are for the thread of the loop. */
static int start_thread(struct sync *sync)
{
        pthread_condattr_t attributes;
        sigset_t every, before;
        int sys;

        pthread_mutex_init(&sync->lock, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&sync->is_wanted, &attributes);
        pthread_condattr_destroy(&attributes);
        sigfillset(&every);
        pthread_sigmask(SIG_SETMASK, &every, &before);
        sys = pthread_create(&sync->thread, NULL, run, sync);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        sync->has_thread = !sys;
        return sys;
}

static int note_written(struct sync *sync)
{
        int sys;

        pthread_mutex_lock(&sync->lock);
        sync->is_dirty = true;
        sys = sync->sys;
        pthread_mutex_unlock(&sync->lock);
        return sys;
}

/* --- beginning and end ----------------------------------------------------------------------- */

void sync_name(const char *path)
{
        char folder[PATH_MAX];
        int fd;

        if (strlen(path) >= sizeof(folder))
                return;
        memcpy(folder, path, strlen(path) + 1);
        fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return;
        (void)fsync(fd);
        close(fd);
}

int sync_begin(struct sync *sync, enum sync_way way, int borrow_fd, const char *path,
        struct muster_error *error)
{
        struct stat status;
        int sys = 0;

        *sync = (struct sync){ .way = way, .fd = borrow_fd };
        if (way == SYNC_NEVER)
                return 0;
        if (fstat(borrow_fd, &status) < 0 || !S_ISREG(status.st_mode)) {
                sync->way = SYNC_NEVER;
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--sync brings results to the disk, but they do not go to a regular file; name one with -o FILE");
        }
        if (path)
                sync_name(path);
        if (way == SYNC_SECOND)
                sys = start_thread(sync);
        return sys ? error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys,
                             "cannot start a thread for --sync second: %s", error_sys_text(sys))
                   : 0;
}

int sync_written(struct sync *sync)
{
        switch (sync->way) {
        case SYNC_NEVER:
        case SYNC_END:
                return 0;
        case SYNC_EACH:
                return fdatasync(sync->fd) < 0 ? errno : 0;
        case SYNC_SECOND:
                return note_written(sync);
        }
        return 0;
}

static int sync_file_system(const char *folder)
{
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), sys;

        if (fd < 0)
                return errno;
        sys = syncfs(fd) < 0 ? errno : 0;
        close(fd);
        return sys;
}

int sync_end(struct sync *sync, const char *folder)
{
        bool is_wanted = sync->way != SYNC_NEVER;
        int sys = is_wanted && folder ? sync_file_system(folder) : 0, fd = sync->fd;

        sync_deinit(sync);
        if (!sys)
                sys = sync->sys;
        if (!sys && is_wanted && fsync(fd) < 0)
                sys = errno;
        return sys;
}

void sync_deinit(struct sync *sync)
{
        if (sync->has_thread) {
                pthread_mutex_lock(&sync->lock);
                sync->is_ending = true;
                pthread_cond_signal(&sync->is_wanted);
                pthread_mutex_unlock(&sync->lock);
                pthread_join(sync->thread, NULL);
                pthread_cond_destroy(&sync->is_wanted);
                pthread_mutex_destroy(&sync->lock);
        }
        sync->has_thread = false;
        sync->way = SYNC_NEVER;
}
