/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <assert.h>
#include <base/clock.h>
#include <base/error.h>
#include <base/fd.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAVING_MS 100 /* what is just being started gets so long to be known */

/* --- those that run -------------------------------------------------------------------------- */

/*
 * Process ids, for a signal handler. A global, as the handler has no argument. Each thread has one
 * child at a time, and there are at most 1024 of these threads; one that finds no place only is not
 * killed when the program leaves in a hurry.
 */
#define N_PLACES 1025
static _Atomic(pid_t) running[N_PLACES]; /* the first is not used */

static atomic_bool is_leaving;
static atomic_uint n_starting;

static unsigned register_pid(pid_t pid)
{
        for (unsigned i = 1; i < N_PLACES; i++) {
                pid_t none = 0;

                if (atomic_compare_exchange_strong(&running[i], &none, pid))
                        return i;
        }
        return 0;
}

/*
 * A worker whose command is killed here goes on to the next: so first nothing is started any more,
 * and what is just being started gets its place.
 */
void child_kill_all(void)
{
        const struct timespec pause = { .tv_nsec = (long)NS_PER_MS };

        atomic_store(&is_leaving, true);
        for (int i = 0; i < LEAVING_MS && atomic_load(&n_starting); i++)
                nanosleep(&pause, NULL);
        for (unsigned i = 1; i < N_PLACES; i++) {
                pid_t pid = atomic_load(&running[i]);

                if (pid)
                        kill(-pid, SIGKILL);
        }
}

/* --- the beginning --------------------------------------------------------------------------- */

/* Above the three that the child is to have, so that giving it one does not overwrite another. */
static int lift(int *fd)
{
        int lifted;

        if (*fd > STDERR_FILENO)
                return 0;
        lifted = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (lifted < 0)
                return errno;
        close(*fd);
        *fd = lifted;
        return 0;
}

/* All are closed on exec: the other threads' children must not hold them open. Returns an errno. */
static int open_pipe(int *ret_read, int *ret_write)
{
        int fds[2], sys;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return errno;
        *ret_read = fds[0];
        *ret_write = fds[1];
        sys = lift(ret_read);
        return sys ? sys : lift(ret_write);
}

static int unblock(int fd)
{
        return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? errno : 0;
}

static int open_pipes(struct child *child, int theirs[3])
{
        int sys = open_pipe(&theirs[0], &child->in_fd);

        if (!sys)
                sys = open_pipe(&child->out_fd, &theirs[1]);
        if (!sys)
                sys = open_pipe(&child->err_fd, &theirs[2]);
        if (!sys)
                sys = unblock(child->in_fd);
        if (!sys)
                sys = unblock(child->out_fd);
        return sys ? sys : unblock(child->err_fd);
}

/*
 * A worker blocks every signal and this program ignores SIGPIPE and SIGXFSZ; neither is for a
 * command.
 */
static int set_attributes(posix_spawnattr_t *attributes)
{
        sigset_t blocked, by_default;

        sigemptyset(&blocked);
        sigemptyset(&by_default);
        sigaddset(&by_default, SIGPIPE);
        sigaddset(&by_default, SIGXFSZ);
        posix_spawnattr_setsigmask(attributes, &blocked);
        posix_spawnattr_setsigdefault(attributes, &by_default);
        posix_spawnattr_setpgroup(attributes, 0);
        return posix_spawnattr_setflags(attributes,
                POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

static int spawn(pid_t *ret_pid, const char *command, char *const *environment, const int theirs[3])
{
        char *const argv[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                (char *)(uintptr_t)command, NULL };
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int sys = posix_spawn_file_actions_init(&actions);

        if (sys)
                return sys;
        sys = posix_spawnattr_init(&attributes);
        if (!sys) {
                for (int i = 0; i < 3 && !sys; i++)
                        sys = posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
                if (!sys)
                        sys = set_attributes(&attributes);
                if (!sys)
                        sys = posix_spawn(ret_pid, "/bin/sh", &actions, &attributes, argv,
                                environment);
                posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
        return sys;
}

static int spawn_and_register(struct child *child, const char *command, char *const *environment,
        const int theirs[3])
{
        int sys = ECANCELED;

        atomic_fetch_add(&n_starting, 1);
        if (!atomic_load(&is_leaving))
                sys = spawn(&child->pid, command, environment, theirs);
        if (!sys)
                child->place = register_pid(child->pid);
        atomic_fetch_sub(&n_starting, 1);
        return sys;
}

static void close_pipes(struct child *child)
{
        fd_close(&child->in_fd);
        fd_close(&child->out_fd);
        fd_close(&child->err_fd);
}

int child_start(struct child *child, const char *command, char *const *environment,
        struct muster_error *error)
{
        int theirs[3] = { -1, -1, -1 };
        int sys;

        assert(!child->pid);
        child->in_fd = child->out_fd = child->err_fd = child->pid_fd = -1;
        sys = open_pipes(child, theirs);
        if (!sys)
                sys = spawn_and_register(child, command, environment, theirs);
        for (int i = 0; i < 3; i++)
                fd_close(&theirs[i]);
        if (sys) {
                child->pid = 0;
                close_pipes(child);
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_PROCESS, sys,
                        "the command cannot be run: %s", error_sys_text(sys));
        }
        child->pid_fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
        return 0;
}

/* --- is it there? ---------------------------------------------------------------------------- */

bool child_is_over(const struct child *child)
{
        siginfo_t info = { 0 };

        if (!child->pid)
                return true;
        /* It stays a zombie, so that its number, and its group's, belong to nobody else. */
        if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
                return errno != EINTR;
        return info.si_pid != 0;
}

enum child_state child_look(const struct child *child)
{
        struct pollfd out = { .fd = child->out_fd, .events = POLLIN };

        if (!child->pid || child->in_fd < 0 || child->out_fd < 0 || child_is_over(child))
                return CHILD_IS_GONE;
        if (poll(&out, 1, 0) <= 0)
                return CHILD_IS_READY;
        return out.revents & POLLIN ? CHILD_HAS_SPOKEN : CHILD_IS_GONE;
}

/* --- the end --------------------------------------------------------------------------------- */

void child_say_end(struct child *child)
{
        if (child->pid)
                fd_close(&child->in_fd);
}

void child_terminate(const struct child *child)
{
        if (child->pid)
                kill(-child->pid, SIGTERM);
}

int child_end(struct child *child)
{
        int status = 0;

        if (!child->pid)
                return 0;
        kill(-child->pid, SIGKILL);
        /* Before it is waited for: from then on the number may be another's. */
        if (child->place)
                atomic_store(&running[child->place], 0);
        child->place = 0;
        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
                ;
        child->pid = 0;
        fd_close(&child->pid_fd);
        close_pipes(child);
        return status;
}

void child_deinit(struct child *child)
{
        child_end(child);
        buf_deinit(&child->out);
}
