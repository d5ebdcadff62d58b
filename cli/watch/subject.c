/* SPDX-License-Identifier: MIT */
#include "subject.h"

#include <base/clock.h>
#include <base/error.h>
#include <base/fd.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_NS (5 * NS_PER_S) /* between one way of telling it to end and a ruder one */

/* --- signals --------------------------------------------------------------------------------- */

/* What somebody may send to us and means for it. The rest, but SIGCHLD, are faults of our own. */
static const int passed_on[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
        SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGURG, SIGWINCH, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU };

sigset_t subject_signals(void)
{
        sigset_t set;

        sigemptyset(&set);
        for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
                sigaddset(&set, passed_on[i]);
        for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
                sigaddset(&set, signal);
        return set;
}

/* How it was when we were started, and is for each program. */
static bool is_held_back, pipe_was_ignored;
static sigset_t old_mask;
static struct sigaction old_child;

static int hold_back_signals(struct subject *subject)
{
        struct sigaction action = { .sa_handler = SIG_DFL };
        sigset_t set = subject_signals();

        sigaddset(&set, SIGCHLD);
        if (!is_held_back) { /* by the program before */
                sigprocmask(SIG_BLOCK, &set, &old_mask);
                sigaction(SIGCHLD, &action, &old_child); /* ignored, its status would be lost */
                pipe_was_ignored =
                        signal(SIGPIPE, SIG_IGN) == SIG_IGN; /* the page's reader may go */
                is_held_back = true;
        }
        subject->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
        return subject->signal_fd >= 0 ? 0 : MUSTER_E_RESOURCE;
}

/* --- becoming it ----------------------------------------------------------------------------- */

/*
 * Our main() has put something in the place of standard descriptors that were closed: reading from
 * where one can only write to, and the other way round.
 */
static void close_fillers(void)
{
        struct stat status, null;

        if (stat("/dev/null", &null) < 0)
                return;
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                int filler = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

                if (fstat(fd, &status) == 0 && status.st_rdev == null.st_rdev &&
                        S_ISCHR(status.st_mode) && (fcntl(fd, F_GETFL) & O_ACCMODE) == filler)
                        close(fd);
        }
}

static void stand_apart(const struct subject *subject)
{
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
        dup2(subject->output_fd, STDOUT_FILENO);
        dup2(subject->error_fd, STDERR_FILENO);
}

static long call_kernel(long number, long a, long b, long c, long d, long e, long f)
{
        long r = syscall(number, a, b, c, d, e, f);

        return r < 0 ? -errno : r;
}

static void become(const struct subject *subject, int tell_fd)
{
        int why;

        if (subject->is_outside)
                door_knock(subject->place->folder, subject->image, subject->path, call_kernel);
        signal(SIGXFSZ, SIG_DFL); /* see main() */
        signal(SIGPIPE, pipe_was_ignored ? SIG_IGN : SIG_DFL);
        sigaction(SIGCHLD, &old_child, NULL);
        sigprocmask(SIG_SETMASK, &old_mask, NULL);
        if (subject->is_apart)
                stand_apart(subject);
        else
                close_fillers();
        execvpe(subject->argv[0], subject->argv, subject->environment);
        why = errno;
        (void)!write(tell_fd, &why, sizeof(why));
        _exit(127);
}

/* The pipe is closed without a word when the other program has begun. */
static int start(struct subject *subject)
{
        int pipe_fds[2];

        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return MUSTER_E_RESOURCE;
        if (pipe_fds[1] <= STDERR_FILENO) { /* never: main() has filled these */
                close(pipe_fds[0]);
                close(pipe_fds[1]);
                return MUSTER_E_RESOURCE;
        }
        fflush(NULL);
        subject->pid = fork();
        if (subject->pid == 0)
                become(subject, pipe_fds[1]);
        close(pipe_fds[1]);
        while (subject->pid > 0 &&
                read(pipe_fds[0], &subject->could_not_run_errno,
                        sizeof(subject->could_not_run_errno)) < 0 &&
                errno == EINTR)
                ;
        close(pipe_fds[0]);
        if (subject->pid < 0)
                return MUSTER_E_RESOURCE;
        return subject->could_not_run_errno ? SUBJECT_NOT_RUN : 0;
}

/* --- while it runs --------------------------------------------------------------------------- */

/* Ctrl-Z stops it; who has started us is to see the same of us. */
static void follow_stop(const siginfo_t *info)
{
        if (info->si_code == CLD_STOPPED &&
                (info->si_status == SIGTSTP || info->si_status == SIGTTIN ||
                        info->si_status == SIGTTOU))
                kill(getpid(), SIGSTOP);
}

/* True: it is over. */
static bool look_at_child(struct subject *subject)
{
        struct rusage usage;
        siginfo_t info;

        for (;;) {
                info.si_pid = 0;
                if (waitid(P_PID, (id_t)subject->pid, &info,
                            WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT) < 0 ||
                        info.si_pid == 0)
                        return false;
                if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
                        info.si_code == CLD_DUMPED)
                        break;
                waitid(P_PID, (id_t)subject->pid, &info, WSTOPPED | WCONTINUED | WNOHANG);
                follow_stop(&info);
        }
        wait4(subject->pid, &subject->status, 0, &usage);
        subject->cpu_ns = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
                          (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * NS_PER_US;
        return true;
}

/* What comes from the kernel is the terminal's, and for the whole group: it has it already. */
static void pass_on(const struct subject *subject, const struct signalfd_siginfo *info)
{
        if (info->ssi_code <= 0)
                kill(subject->pid, (int)info->ssi_signo);
}

static bool take_signals(struct subject *subject)
{
        struct signalfd_siginfo info;

        if (read(subject->signal_fd, &info, sizeof(info)) != sizeof(info))
                return false;
        if (info.ssi_signo == SIGCHLD)
                return look_at_child(subject);
        if (info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM || info.ssi_signo == SIGHUP ||
                info.ssi_signo == SIGQUIT)
                subject->was_interrupted = true;
        pass_on(subject, &info);
        return false;
}

/* --- an end that is set ---------------------------------------------------------------------- */

struct telling {
        const struct subject *subject;
        int signal;
};

static void tell_process(pid_t pid, void *data)
{
        const struct telling *telling = data;

        if (pid != telling->subject->pid)
                kill(pid, telling->signal);
}

/* As Ctrl-C: a shell's children as well as the shell. Then with more and more force. */
static void tell_to_end(struct subject *subject, unsigned n_told)
{
        static const int signals[] = { SIGINT, SIGTERM, SIGKILL };
        struct telling telling = { subject, signals[n_told] };

        subject->was_told_to_end = true;
        kill(subject->pid, telling.signal);
        place_each_process(subject->place, tell_process, &telling);
        if (telling.signal != SIGKILL)
                kill(subject->pid, SIGCONT); /* one that is stopped takes no notice */
}

static int timeout_ms(uint64_t until_ns)
{
        uint64_t now_ns = clock_monotonic();

        if (until_ns == UINT64_MAX)
                return -1;
        if (until_ns <= now_ns)
                return 0;
        return until_ns - now_ns > 3600 * NS_PER_S ? 3600000
                                                   : (int)((until_ns - now_ns) / NS_PER_MS) + 1;
}

static void wait_for_end(struct subject *subject, uint64_t start_ns)
{
        struct pollfd poll_fd = { .fd = subject->signal_fd, .events = POLLIN };
        uint64_t next_ns = subject->for_ns ? clock_after(start_ns, subject->for_ns) : UINT64_MAX;
        unsigned n_told = 0;

        for (;;) {
                poll_fd.revents = 0;
                poll(&poll_fd, 1, timeout_ms(next_ns));
                if ((poll_fd.revents & POLLIN) && take_signals(subject))
                        return;
                if (clock_monotonic() < next_ns)
                        continue;
                tell_to_end(subject, n_told);
                next_ns = ++n_told < 3 ? clock_after(clock_monotonic(), PATIENCE_NS) : UINT64_MAX;
        }
}

/* --- the whole ------------------------------------------------------------------------------- */

static int fail(struct muster_error *error)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                "cannot start the program: %s", error_sys_text(errno));
}

int subject_run(struct subject *subject, struct muster_error *error)
{
        uint64_t start_ns;
        int r;

        subject->signal_fd = -1;
        if (hold_back_signals(subject) < 0 ||
                lookout_begin(subject->lookout, subject->is_wanted_outside,
                        subject->place->folder) < 0)
                return fail(error);
        start_ns = clock_monotonic();
        r = start(subject);
        if (r == 0)
                wait_for_end(subject, start_ns);
        else if (r == SUBJECT_NOT_RUN)
                waitpid(subject->pid, NULL, 0);
        else
                r = fail(error);
        subject->wall_ns = clock_monotonic() - start_ns;
        lookout_end(subject->lookout);
        fd_close(&subject->signal_fd);
        return r;
}

bool subject_ended_by_itself(const struct subject *subject)
{
        return WIFEXITED(subject->status) && !subject->was_told_to_end && !subject->was_interrupted;
}

int subject_exit_status(const struct subject *subject)
{
        if (WIFSIGNALED(subject->status))
                return 128 + WTERMSIG(subject->status);
        return WEXITSTATUS(subject->status);
}
