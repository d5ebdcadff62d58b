/* SPDX-License-Identifier: MIT */
#include "link.h"

#include "link_child.h"
#include "link_error.h"
#include <base/fd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* The time for the server to finish its reports after COMMAND has ended; then it is killed. */
#define SERVER_END_NS (10 * NS_PER_S)

struct link {
        const struct link_spec *spec;
        const struct link_sides *sides;
        struct link_child server, command;
        struct clock clock;
        struct loop loop;
        struct forward forward;
        struct loop_watch server_watch, command_watch, signal_watch;
        struct sigaction child_before;
        sigset_t mask_before;
        bool has_mask;
        bool is_over, is_server_lost;
        int stop_fds[2], ready_fds[2], signal_fd;
};

/* --- the two children ------------------------------------------------------------------------ */

static int run_server(void *data)
{
        struct link *link = data;

        fd_close(&link->stop_fds[1]);
        fd_close(&link->ready_fds[0]);
        /* A terminal sends these to all of us, and COMMAND may want to finish its requests. */
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        return link->sides->serve(link->sides->data, link->stop_fds[0], link->ready_fds[1]);
}

static int run_command(void *data)
{
        struct link *link = data;

        fd_close(&link->stop_fds[1]);
        fd_close(&link->ready_fds[0]);
        fd_close(&link->server.tun_fd);
        fd_close(&link->server.control_fd);
        fd_close(&link->server.pid_fd);
        return link->sides->command(link->sides->data);
}

static int start_server(struct link *link, struct muster_error *error)
{
        const struct link_child_plan plan = {
                .noun = "the lab's server",
                .tun = { "lab0", LINK_LAB_IPV4, LINK_LAB_IPV6, link_spec_mtu(link->spec) },
                .run = run_server,
                .data = link,
        };
        int r = link_child_fork(&link->server, &plan, error);

        if (r == 0)
                r = link_child_go(&link->server, error);
        fd_close(&link->stop_fds[0]);
        fd_close(&link->ready_fds[1]);
        return r;
}

/* The server writes a byte when it listens; if it ends, the pipe is closed. */
static int await_server(struct link *link, struct muster_error *error)
{
        char byte;
        ssize_t n;

        do
                n = read(link->ready_fds[0], &byte, 1);
        while (n < 0 && errno == EINTR);
        if (n == 1)
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                "link: the lab's server ended with status %d before it listened",
                link_child_wait(&link->server));
}

static int start_command(struct link *link, struct muster_error *error)
{
        const struct link_child_plan plan = {
                .noun = "COMMAND",
                .tun = { "link0", LINK_COMMAND_IPV4, LINK_COMMAND_IPV6, link_spec_mtu(link->spec) },
                .resolve_at = LINK_LAB_IPV4,
                .run = run_command,
                .data = link,
        };
        int r = link_child_fork(&link->command, &plan, error);

        if (r == 0 && link->command.warning.code && link->sides->warn)
                link->sides->warn(link->sides->data, link->command.warning.text);
        return r;
}

static int start_sides(struct link *link, struct muster_error *error)
{
        int r;

        if (pipe2(link->stop_fds, O_CLOEXEC) < 0 || pipe2(link->ready_fds, O_CLOEXEC) < 0)
                return link_fail(error, errno, "cannot create a pipe", NULL);
        r = start_server(link, error);
        if (r == 0)
                r = await_server(link, error);
        if (r == 0)
                r = start_command(link, error);
        return r;
}

/* --- while they run -------------------------------------------------------------------------- */

static void command_over(struct loop_watch *watch, bool readable, bool writable)
{
        (void)readable;
        (void)writable;
        LIST_OWNER(watch, struct link, command_watch)->is_over = true;
}

/* Without a server COMMAND would wait for its timeouts: ask it to end. */
static void server_over(struct loop_watch *watch, bool readable, bool writable)
{
        struct link *link = LIST_OWNER(watch, struct link, server_watch);

        (void)readable;
        (void)writable;
        link->is_server_lost = true;
        loop_watch_set(&link->loop, watch, watch->fd, false, false);
        kill(link->command.pid, SIGTERM);
}

/* A terminal's signal goes to all processes of its group, and COMMAND has it already. */
static void signal_ready(struct loop_watch *watch, bool readable, bool writable)
{
        struct link *link = LIST_OWNER(watch, struct link, signal_watch);
        struct signalfd_siginfo info;

        (void)readable;
        (void)writable;
        if (read(watch->fd, &info, sizeof(info)) == sizeof(info) && info.ssi_code != SI_KERNEL)
                kill(link->command.pid, (int)info.ssi_signo);
}

static int catch_signals(struct link *link, struct muster_error *error)
{
        sigset_t mask;

        sigemptyset(&mask);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGHUP);
        link->signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
        if (link->signal_fd < 0)
                return link_fail(error, errno, "cannot create a signalfd", NULL);
        sigprocmask(SIG_BLOCK, &mask, &link->mask_before);
        link->has_mask = true;
        return 0;
}

static int watch_read(struct link *link, struct loop_watch *watch, int fd, loop_watch_ready ready)
{
        watch->ready = ready;
        return loop_watch_set(&link->loop, watch, fd, true, false);
}

static int watch_all(struct link *link, struct link_stats *stats)
{
        int r = forward_init(&link->forward, &link->loop, link->spec, link->server.tun_fd,
                link->command.tun_fd, stats);

        if (r == 0)
                r = watch_read(link, &link->server_watch, link->server.pid_fd, server_over);
        if (r == 0)
                r = watch_read(link, &link->command_watch, link->command.pid_fd, command_over);
        if (r == 0)
                r = watch_read(link, &link->signal_watch, link->signal_fd, signal_ready);
        return r;
}

static int run_loop(struct link *link, struct muster_error *error)
{
        int r = link_child_go(&link->command, error);

        if (r == 0)
                r = forward_start_schedule(&link->forward);
        while (r == 0 && !link->is_over)
                r = loop_turn(&link->loop, UINT64_MAX);
        return r;
}

static int forward_all(struct link *link, struct link_stats *stats, struct muster_error *error)
{
        int sys = 0, r = catch_signals(link, error);

        if (r < 0)
                return r;
        if (loop_init(&link->loop, &link->clock, &sys) < 0)
                return link_fail(error, sys, "cannot create an event loop", NULL);
        r = watch_all(link, stats);
        if (r == 0)
                r = run_loop(link, error);
        if (r < 0)
                error_set(error, r, MUSTER_PHASE_QUEUE, errno, "link: the forwarder: %s",
                        error_sys_text(errno));
        return r;
}

/* --- the end --------------------------------------------------------------------------------- */

/* A server that was there to the end may finish its reports; its status does not count. */
static void stop_server(struct link *link)
{
        fd_close(&link->stop_fds[1]);
        if (link_child_is_over(&link->server, clock_after(clock_now(&link->clock), SERVER_END_NS)))
                link_child_wait(&link->server);
}

/* A signal that came while COMMAND ended would end us when signals are unblocked. */
static void forget_signals(struct link *link)
{
        struct signalfd_siginfo info;

        while (read(link->signal_fd, &info, sizeof(info)) > 0)
                continue;
}

static int finish(struct link *link, int *ret_status, struct muster_error *error)
{
        int status = link_child_wait(&link->command);

        forget_signals(link);
        if (link->is_server_lost)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                        "link: the lab's server ended with status %d while COMMAND ran",
                        link_child_wait(&link->server));
        stop_server(link);
        *ret_status = status;
        return 0;
}

static void unwatch(struct link *link, struct loop_watch *watch)
{
        if (watch->loop)
                loop_watch_set(&link->loop, watch, watch->fd, false, false);
}

static void link_deinit(struct link *link)
{
        if (link->loop.backend) {
                forward_deinit(&link->forward);
                unwatch(link, &link->server_watch);
                unwatch(link, &link->command_watch);
                unwatch(link, &link->signal_watch);
                loop_deinit(&link->loop);
        }
        link_child_deinit(&link->command);
        link_child_deinit(&link->server);
        fd_close(&link->signal_fd);
        for (int i = 0; i < 2; i++) {
                fd_close(&link->stop_fds[i]);
                fd_close(&link->ready_fds[i]);
        }
        if (link->has_mask)
                sigprocmask(SIG_SETMASK, &link->mask_before, NULL);
}

int link_run(const struct link_spec *spec, const struct link_sides *sides,
        struct link_stats *shared_stats, int *ret_status, struct muster_error *error)
{
        struct link link = { .spec = spec,
                .sides = sides,
                .server = LINK_CHILD_NONE,
                .command = LINK_CHILD_NONE,
                .stop_fds = { -1, -1 },
                .ready_fds = { -1, -1 },
                .signal_fd = -1 };
        int r;

        /* A parent may have ignored SIGCHLD, which we inherit; then children leave no status. */
        sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL }, &link.child_before);
        r = start_sides(&link, error);
        if (r == 0)
                r = forward_all(&link, shared_stats, error);
        if (r == 0)
                r = finish(&link, ret_status, error);
        link_deinit(&link);
        sigaction(SIGCHLD, &link.child_before, NULL);
        return r;
}
