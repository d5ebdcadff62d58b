/* SPDX-License-Identifier: MIT */
#include "rerun.h"

#include "../exit_status.h"
#include <base/error.h>
#include <base/fd.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail_rerun(struct rerun *rerun, const char *what)
{
        return error_set(rerun->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                "confirm: cannot %s: %s", what, error_sys_text(errno));
}

/*
 * Descriptors are inherited: of inputs that were copied. A process group of its own, so that a
 * terminal's Ctrl-C comes to us alone: twice, from there and from us, would mean to leave without a
 * clean end.
 */
static void become(const struct rerun *rerun, char **argv)
{
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        sigprocmask(SIG_SETMASK, &rerun->old_mask, NULL);
        execv("/proc/self/exe", argv);
        execv((const char *)(uintptr_t)getauxval(AT_EXECFN), argv); /* where there is no /proc */
        fprintf(stderr, "muster: cannot start muster again: %s\n", error_sys_text(errno));
        _exit(EXIT_COULD_NOT_RUN);
}

/* Each signal is passed on: one lets what is in flight end, two do not. */
static void pass_signal_on(const struct rerun *rerun, pid_t child)
{
        struct signalfd_siginfo taken; /* else it came once more in the end */

        (void)!read(rerun->signal_fd, &taken, sizeof(taken));
        kill(child, SIGTERM);
}

/* Until the process is over, or a signal says that all shall end. */
static int wait_for(struct rerun *rerun, pid_t child, int child_fd)
{
        struct pollfd fds[2] = { { .fd = child_fd, .events = POLLIN },
                { .fd = rerun->signal_fd, .events = POLLIN } };
        bool is_stopped = false;
        int status = 0;

        while (!(fds[0].revents & POLLIN)) {
                if (poll(fds, 2, -1) < 0 && errno != EINTR)
                        return fail_rerun(rerun, "wait");
                if (fds[1].revents & POLLIN) {
                        pass_signal_on(rerun, child);
                        is_stopped = true;
                }
        }
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
                ;
        if (is_stopped)
                return RERUN_STOPPED;
        if (WIFEXITED(status) && WEXITSTATUS(status) <= EXIT_SOME_FAILED)
                return 0;
        return error_set(rerun->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "confirm: the run ended with status %d",
                WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int rerun_execute(struct rerun *rerun, char **argv)
{
        pid_t child;
        int child_fd, r;

        fflush(NULL);
        child = fork();
        if (child == 0)
                become(rerun, argv);
        if (child < 0)
                return fail_rerun(rerun, "start a process");
        child_fd = (int)syscall(SYS_pidfd_open, child, 0);
        if (child_fd < 0)
                return fail_rerun(rerun, "watch a process");
        r = wait_for(rerun, child, child_fd);
        close(child_fd);
        return r;
}

/* A record, and what SQLite may have beside it. */
void rerun_remove_record(const struct rerun *rerun)
{
        static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
        char path[sizeof(rerun->record) + 10];

        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
                snprintf(path, sizeof(path), "%s%s", rerun->record, suffixes[i]);
                unlink(path);
        }
}

int rerun_begin(struct rerun *rerun, struct muster_error *error)
{
        struct sigaction hangup;
        sigset_t signals;
        int r;

        *rerun = (struct rerun){ .signal_fd = -1, .error = error };
        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        sigaction(SIGHUP, NULL, &hangup);
        if (hangup.sa_handler != SIG_IGN) /* it is with nohup */
                sigaddset(&signals, SIGHUP);
        sigprocmask(SIG_BLOCK, &signals, &rerun->old_mask);
        rerun->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
        if (rerun->signal_fd < 0)
                return fail_rerun(rerun, "watch for signals");
        r = temporary_folder(rerun->folder, error);
        snprintf(rerun->record, sizeof(rerun->record), "%s/run.db", rerun->folder);
        return r;
}

void rerun_end(struct rerun *rerun)
{
        if (rerun->folder[0])
                rmdir(rerun->folder);
        fd_close(&rerun->signal_fd);
        sigprocmask(SIG_SETMASK, &rerun->old_mask, NULL);
}
