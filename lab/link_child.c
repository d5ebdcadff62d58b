/* SPDX-License-Identifier: MIT */
#include "link_child.h"

#include "netns.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/fd.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The first message of a child. With code 0 the descriptor of the TUN comes with it, and `error`
 * may have a warning.
 */
struct hello {
        int code;
        struct muster_error error;
};

/* Room for one descriptor. */
union control {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
};

/* --- the child's side ------------------------------------------------------------------------ */

static void send_hello(int control_fd, struct hello *hello, int tun_fd)
{
        union control control = { 0 };
        struct iovec iov = { hello, sizeof(*hello) };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (tun_fd >= 0) {
                struct cmsghdr *c;

                message.msg_control = control.bytes;
                message.msg_controllen = sizeof(control.bytes);
                c = CMSG_FIRSTHDR(&message);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(c), &tun_fd, sizeof(int));
        }
        if (sendmsg(control_fd, &message, MSG_NOSIGNAL) < 0)
                _exit(1); /* nobody is there to hear more */
}

static int settle(const struct link_child_plan *plan, int *ret_tun_fd, struct muster_error *error)
{
        int r = netns_enter(error);

        if (r == 0)
                r = tun_open(&plan->tun, ret_tun_fd, error);
        return r;
}

/* Entering a namespace may change our user, which resets this setting; so set it afterwards. */
static void die_with(pid_t parent)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(1);
}

_Noreturn static void live(const struct link_child_plan *plan, int control_fd, pid_t parent)
{
        struct hello hello = { 0 };
        int tun_fd = -1, status = 1;
        char go;

        hello.code = settle(plan, &tun_fd, &hello.error);
        die_with(parent);
        if (hello.code == 0 && plan->resolve_at)
                netns_resolve_at(plan->resolve_at, &hello.error);
        send_hello(control_fd, &hello, tun_fd);
        if (tun_fd >= 0)
                close(tun_fd);
        if (hello.code == 0 && read(control_fd, &go, 1) == 1) {
                close(control_fd);
                status = plan->run(plan->data);
        }
        fflush(NULL);
        _exit(status);
}

/* --- the parent's side ----------------------------------------------------------------------- */

static int fail_child(struct muster_error *error, int sys, const struct link_child_plan *plan,
        const char *what)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys, "link: %s: %s%s%s",
                plan->noun, what, sys ? ": " : "", sys ? error_sys_text(sys) : "");
}

static void take_descriptor(struct msghdr *message, int *ret_fd)
{
        struct cmsghdr *c = CMSG_FIRSTHDR(message);

        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
                memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
}

static int receive_hello(struct link_child *child, const struct link_child_plan *plan,
        struct muster_error *error)
{
        struct hello hello;
        union control control;
        struct iovec iov = { &hello, sizeof(hello) };
        struct msghdr message = { .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control.bytes,
                .msg_controllen = sizeof(control.bytes) };
        ssize_t n;

        do
                n = recvmsg(child->control_fd, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t)sizeof(hello))
                return fail_child(error, n < 0 ? errno : 0, plan,
                        "its process died before it started");
        take_descriptor(&message, &child->tun_fd);
        if (hello.code == 0)
                child->warning = hello.error;
        else if (error && !error->code)
                *error = hello.error;
        return hello.code;
}

/* Flush stdio, or both processes would write what it holds. */
static int fork_one(struct link_child *child, const struct link_child_plan *plan, int sockets[2],
        struct muster_error *error)
{
        pid_t parent = getpid();

        fflush(NULL);
        child->pid = fork();
        if (child->pid < 0) {
                child->pid = 0;
                return fail_child(error, errno, plan, "cannot start a process");
        }
        if (child->pid == 0) {
                close(sockets[0]);
                live(plan, sockets[1], parent);
        }
        child->pid_fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
        if (child->pid_fd < 0)
                return fail_child(error, errno, plan, "cannot watch its process (needs Linux 5.3)");
        return 0;
}

int link_child_fork(struct link_child *child, const struct link_child_plan *plan,
        struct muster_error *error)
{
        int sockets[2], r;

        *child = LINK_CHILD_NONE;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
                return fail_child(error, errno, plan, "cannot create sockets");
        child->control_fd = sockets[0];
        r = fork_one(child, plan, sockets, error);
        close(sockets[1]);
        if (r == 0)
                r = receive_hello(child, plan, error);
        if (r < 0)
                link_child_deinit(child);
        return r;
}

int link_child_go(struct link_child *child, struct muster_error *error)
{
        if (send(child->control_fd, "", 1, MSG_NOSIGNAL) == 1)
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                "link: a process died before it could start: %s", error_sys_text(errno));
}

/* --- its end --------------------------------------------------------------------------------- */

bool link_child_is_over(const struct link_child *child, uint64_t until_ns)
{
        struct pollfd poll_fd = { .fd = child->pid_fd, .events = POLLIN };

        for (;;) {
                uint64_t now_ns = clock_monotonic();
                uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
                struct timespec left = { .tv_sec = (time_t)(left_ns / NS_PER_S),
                        .tv_nsec = (long)(left_ns % NS_PER_S) };
                int n = ppoll(&poll_fd, 1, &left, NULL);

                if (n >= 0 || errno != EINTR)
                        return n > 0;
        }
}

int link_child_wait(struct link_child *child)
{
        int status;
        pid_t pid;

        do
                pid = waitpid(child->pid, &status, 0);
        while (pid < 0 && errno == EINTR);
        child->pid = 0;
        if (pid < 0)
                /* a handler of the caller took the status: report a failure rather than guess */
                return 1;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void link_child_deinit(struct link_child *child)
{
        if (child->pid > 0) {
                kill(child->pid, SIGKILL);
                link_child_wait(child);
        }
        fd_close(&child->pid_fd);
        fd_close(&child->control_fd);
        fd_close(&child->tun_fd);
}
