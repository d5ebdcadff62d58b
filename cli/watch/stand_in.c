/* SPDX-License-Identifier: MIT */
#include "stand_in.h"

#include <errno.h>
#include <muster/error.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 500

/* --- the process ----------------------------------------------------------------------------- */

/* Neither the terminal's keys nor what was left open here is its concern. */
static void stand_apart(int keep, int also)
{
        sigset_t all;
        int low = keep < also ? keep : also, high = keep < also ? also : keep;

        setsid();
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        close_range(0, (unsigned)low - 1, 0);
        if (high - low > 1)
                close_range((unsigned)low + 1, (unsigned)high - 1, 0);
        close_range((unsigned)high + 1, ~0U, 0);
        (void)!chdir("/");
        prctl(PR_SET_NAME, "muster-stand-in");
}

static void let_one_go(int listener)
{
        union filter_room room;
        struct filter_call call;

        if (filter_take(listener, &room, &call))
                filter_let_go(listener, call.id);
}

/* One that was taken, and whose taker did not get to let it go. */
static void let_taken_go(int listener, const struct stand_in_desk *desk)
{
        uint64_t id = __atomic_load_n(&desk->room.id, __ATOMIC_ACQUIRE);

        if (id)
                filter_let_go(listener, id);
}

/* Until nobody has the filter. */
_Noreturn static void take_over(int listener, const struct stand_in_desk *desk)
{
        struct pollfd poll_fd = { .fd = listener, .events = POLLIN };

        let_taken_go(listener, desk);
        for (;;) {
                poll_fd.revents = 0;
                if (poll(&poll_fd, 1, -1) < 0)
                        continue;
                if (poll_fd.revents & POLLIN)
                        let_one_go(listener);
                else if (poll_fd.revents)
                        _exit(0);
        }
}

static uint64_t progress(const struct stand_in_desk *desk)
{
        return __atomic_load_n(&desk->n_taken, __ATOMIC_ACQUIRE) +
               __atomic_load_n(&desk->n_let_go, __ATOMIC_ACQUIRE);
}

/* Does a call wait that nobody has taken, or one that was taken? */
static bool is_behind(int listener, const struct stand_in_desk *desk)
{
        struct pollfd poll_fd = { .fd = listener, .events = POLLIN };

        if (__atomic_load_n(&desk->n_taken, __ATOMIC_ACQUIRE) !=
                __atomic_load_n(&desk->n_let_go, __ATOMIC_ACQUIRE))
                return true;
        return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLIN);
}

/* Twice in a row nothing had moved, and something waits. */
static void help(int listener, const struct stand_in_desk *desk)
{
        struct pollfd poll_fd = { .fd = listener, .events = POLLIN };

        let_taken_go(listener, desk);
        while (poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLIN))
                let_one_go(listener);
}

_Noreturn static void watch_over(int listener, int lifeline, const struct stand_in_desk *desk)
{
        struct pollfd poll_fds[2] = { { .fd = lifeline, .events = POLLIN }, { .fd = listener } };
        uint64_t before = progress(desk);
        bool was_behind = false;

        for (;;) {
                bool stands;

                poll_fds[0].revents = poll_fds[1].revents = 0;
                if (poll(poll_fds, 2, PATIENCE_MS) < 0)
                        continue;
                if (poll_fds[1].revents)
                        _exit(0);
                if (poll_fds[0].revents)
                        take_over(listener, desk);
                stands = progress(desk) == before && is_behind(listener, desk);
                if (stands && was_behind)
                        help(listener, desk);
                was_behind = stands;
                before = progress(desk);
        }
}

/* --- from outside ---------------------------------------------------------------------------- */

int stand_in_init(struct stand_in *stand_in, int listener)
{
        int pipe_fds[2];

        *stand_in = (struct stand_in){ .lifeline = -1 };
        stand_in->desk = mmap(NULL, sizeof(*stand_in->desk), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (stand_in->desk == MAP_FAILED)
                stand_in->desk = NULL;
        if (!stand_in->desk || pipe2(pipe_fds, O_CLOEXEC) < 0) {
                stand_in_deinit(stand_in, listener);
                return MUSTER_E_RESOURCE;
        }
        fflush(NULL);
        stand_in->pid = fork();
        if (stand_in->pid == 0) {
                close(pipe_fds[1]);
                stand_apart(listener, pipe_fds[0]);
                watch_over(listener, pipe_fds[0], stand_in->desk);
        }
        close(pipe_fds[0]);
        stand_in->lifeline = pipe_fds[1];
        if (stand_in->pid > 0)
                return 0;
        stand_in->pid = 0;
        stand_in_deinit(stand_in, listener);
        return MUSTER_E_RESOURCE;
}

static bool is_needed(int listener)
{
        struct pollfd poll_fd = { .fd = listener };

        return poll(&poll_fd, 1, 0) == 0;
}

void stand_in_deinit(struct stand_in *stand_in, int listener)
{
        bool is_over = stand_in->pid && !is_needed(listener);

        if (stand_in->lifeline >= 0)
                close(stand_in->lifeline);
        if (is_over) /* it ends by itself, at once */
                waitpid(stand_in->pid, NULL, 0);
        if (stand_in->desk)
                munmap(stand_in->desk, sizeof(*stand_in->desk));
        *stand_in = (struct stand_in){ .lifeline = -1 };
}
