/* SPDX-License-Identifier: MIT */
#include "run.h"

#include "../exit_status.h"
#include "../ourselves.h"
#include "where.h"
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CA_FILE "ca.pem"

static struct loop *waking; /* by the signal handler */

/* --- the certificate of the root ------------------------------------------------------------- */

static bool has_tls(const struct lab_config *config)
{
        for (unsigned i = 0; i < config->n_listeners; i++)
                if (config->listeners[i].has_tls)
                        return true;
        return false;
}

/*
 * {ca} stands in what a shell reads: a folder whose name a shell would take apart is none for us.
 */
static bool is_plain(const char *folder)
{
        static const char plain[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@%";

        return *folder && !folder[strspn(folder, plain)] && strlen(folder) < LAB_PATH_MAX - 40;
}

static int make_directory(struct lab_run *run)
{
        const char *parent = getenv("TMPDIR");

        if (!has_tls(run->config))
                return 0;
        if (!parent || !is_plain(parent))
                parent = "/tmp";
        snprintf(run->directory, sizeof(run->directory), "%s/muster-lab-XXXXXX", parent);
        if (mkdtemp(run->directory))
                return 0;
        run->directory[0] = '\0';
        return error_set(&run->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                "cannot make a directory in %s: %s; set TMPDIR to another", parent,
                error_sys_text(errno));
}

static const char *ca_file(const struct lab_run *run, char *text, size_t size)
{
        if (!run->directory[0])
                return NULL;
        snprintf(text, size, "%s/" CA_FILE, run->directory);
        return text;
}

static int write_ca(struct lab_run *run)
{
        char path[LAB_PATH_MAX];
        const char *file = ca_file(run, path, sizeof(path));
        FILE *to = file ? fopen(file, "we") : NULL;
        bool is_good;

        if (!file)
                return 0;
        is_good = to && fputs(authority_root_pem(run->lab.authority), to) >= 0;
        if (to && fclose(to) != 0)
                is_good = false;
        return is_good ? 0
                       : error_set(&run->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                                 "cannot write %s: %s", file, error_sys_text(errno));
}

static void remove_directory(struct lab_run *run)
{
        char path[LAB_PATH_MAX];
        const char *file = ca_file(run, path, sizeof(path));

        if (!file)
                return;
        unlink(file);
        rmdir(run->directory);
}

/* --- serving --------------------------------------------------------------------------------- */

static void stop_ready(struct loop_watch *watch, bool readable, bool writable)
{
        struct lab_run *run = LIST_OWNER(watch, struct lab_run, stop_watch);

        (void)readable;
        (void)writable;
        run->is_stopping = true;
        loop_watch_set(&run->loop, watch, watch->fd, false, false);
}

static int start_lab(struct lab_run *run)
{
        int sys = 0;
        int r = loop_init(&run->loop, &run->clock, &sys);

        if (r < 0)
                return error_set(&run->error, r, MUSTER_PHASE_QUEUE, sys,
                        "cannot set up the event loop: %s", error_sys_text(sys));
        r = lab_start(&run->lab, &run->loop, run->config, &run->error);
        run->lab.link_stats = run->link_stats;
        if (r == 0)
                where_settle(run->config, &run->lab);
        return r == 0 ? write_ca(run) : r;
}

/* Serve until told to stop. */
static int serve(struct lab_run *run)
{
        int r = 0;

        if (run->stop_fd >= 0) {
                run->stop_watch.ready = stop_ready;
                r = loop_watch_set(&run->loop, &run->stop_watch, run->stop_fd, true, false);
        }
        while (r == 0 && !run->is_stopping) {
                r = loop_turn(&run->loop, UINT64_MAX);
                lab_reap(&run->lab);
                if (run->loop.was_woken)
                        run->is_stopping = true;
        }
        return r == 0 ? 0
                      : error_set(&run->error, r, MUSTER_PHASE_QUEUE, 0, "the event loop failed");
}

static void stop_lab(struct lab_run *run)
{
        lab_stop(&run->lab);
        loop_deinit(&run->loop);
}

static void wake(int signal)
{
        (void)signal;
        loop_wake(waking);
}

/* Before there is anything that a signal could leave behind. */
static void hold_signals(struct lab_run *run)
{
        sigset_t held;

        sigemptyset(&held);
        sigaddset(&held, SIGINT);
        sigaddset(&held, SIGTERM);
        sigaddset(&held, SIGHUP);
        sigprocmask(SIG_BLOCK, &held, &run->mask_before);
}

static void release_signals(const struct lab_run *run)
{
        sigprocmask(SIG_SETMASK, &run->mask_before, NULL);
}

static void catch_signals(struct lab_run *run, void (*interrupt)(int))
{
        struct sigaction action = { .sa_handler = wake };

        waking = &run->loop;
        sigaction(SIGTERM, &action, NULL);
        if (signal(SIGHUP, wake) == SIG_IGN)
                signal(SIGHUP, SIG_IGN); /* nohup */
        action.sa_handler = interrupt;
        sigaction(SIGINT, &action, NULL);
        action.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &action, NULL);
        release_signals(run);
}

/* As a command expects them. */
static void reset_signals(const struct lab_run *run)
{
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
        release_signals(run);
}

/* --- the command ----------------------------------------------------------------------------- */

/*
 * Where this program is comes first: what the command calls muster is this one. To be done before a
 * link is made: in a chroot, a process with mounts of its own is told a path that begins at the
 * root of the machine.
 */
static void put_ourselves_into_path(void)
{
        char self[PATH_MAX], path[2 * PATH_MAX];
        const char *old = getenv("PATH");

        if (!ourselves_folder(self))
                return;
        snprintf(path, sizeof(path), "%s:%s", self, old ? old : "/usr/bin:/bin");
        setenv("PATH", path, 1);
}

static char **replace_words(struct lab_run *run, const char *ca)
{
        static char *shell[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", NULL, NULL };
        size_t n = 0;

        if (run->shell_text) {
                shell[2] = where_replace(run->config, ca, run->shell_text);
                return shell[2] ? shell : NULL;
        }
        for (; run->command[n]; n++) {
                run->command[n] = where_replace(run->config, ca, run->command[n]);
                if (!run->command[n])
                        return NULL;
        }
        return run->command;
}

/* Become the command. Returns an exit status when that failed. */
static int become_command(struct lab_run *run)
{
        char path[LAB_PATH_MAX];
        const char *ca = ca_file(run, path, sizeof(path));
        char **command = replace_words(run, ca);

        if (!command || !where_export(run->config, ca))
                return EXIT_COULD_NOT_RUN;
        reset_signals(run);
        execvp(command[0], command);
        fprintf(stderr, "muster: cannot run %s: %s\n", command[0], error_sys_text(errno));
        return errno == ENOENT ? 127 : 126;
}

static int exit_status_of(int status)
{
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- the three ways -------------------------------------------------------------------------- */

/*
 * Serve while the command runs. A Ctrl-C at the terminal goes to both; the command decides what
 * becomes of it.
 */
static int serve_command(struct lab_run *run)
{
        pid_t child;
        int status = 0, r;

        fflush(NULL);
        child = fork();
        if (child == 0)
                _exit(become_command(run));
        if (child > 0)
                run->stop_fd = (int)syscall(SYS_pidfd_open, child, 0);
        if (child < 0 || run->stop_fd < 0)
                return error_set(&run->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                        "cannot start the command: %s", error_sys_text(errno));
        catch_signals(run, SIG_IGN);
        r = serve(run);
        if (run->loop.was_woken)
                kill(child, SIGTERM);
        close(run->stop_fd);
        waitpid(child, &status, 0);
        run->status = exit_status_of(status);
        return r;
}

static void print_addresses(const struct lab_run *run)
{
        char text[LAB_PATH_MAX];

        for (unsigned i = 0; i < run->config->n_listeners; i++) {
                const struct listener_config *listener = &run->config->listeners[i];

                where_url(listener, text, sizeof(text));
                printf("%-10s %s/%s%s\n", listener->name, text,
                        listener->has_tls ? "  certificate: " : "",
                        listener->has_tls ? tls_fault_name(listener->tls_fault) : "");
        }
        where_dns(run->config, text, sizeof(text));
        printf("%-10s %s\n", "dns", text);
        if (ca_file(run, text, sizeof(text)))
                printf("%-10s %s\n", "ca", text);
        if (run->config->about)
                printf("%-10s %s\n", "about", run->config->about);
        if (isatty(STDOUT_FILENO))
                printf("%-10s open one of these addresses for a list of all paths; Ctrl-C stops the lab\n",
                        "");
        fflush(stdout);
}

static void tell_end(const struct lab_run *run)
{
        for (unsigned i = 0; i < run->lab.n_listeners; i++) {
                const struct listener *listener = &run->lab.listeners[i];
                const struct listener_stats *stats = &listener->stats;

                if (stats->n_accepted)
                        fprintf(stderr,
                                "muster: %s: %llu requests on %llu connections, at most %llu connections open at once\n",
                                listener->config->name, (unsigned long long)stats->n_requests,
                                (unsigned long long)stats->n_accepted,
                                (unsigned long long)stats->n_open_max);
        }
}

static int serve_alone(struct lab_run *run)
{
        int r;

        catch_signals(run, wake);
        print_addresses(run);
        r = serve(run);
        tell_end(run);
        return r;
}

static int link_serve(void *data, int stop_fd, int ready_fd)
{
        struct lab_run *run = data;
        int r;

        signal(SIGPIPE, SIG_IGN);
        run->stop_fd = stop_fd;
        r = start_lab(run);
        if (r == 0 && write(ready_fd, "", 1) == 1)
                r = serve(run);
        if (r < 0)
                error_tell(&run->error);
        stop_lab(run);
        return r < 0 ? EXIT_COULD_NOT_RUN : 0;
}

static int link_command(void *data)
{
        return become_command(data);
}

static void link_warn(void *data, const char *text)
{
        (void)data;
        fprintf(stderr, "muster: %s\n", text);
}

static int serve_over_link(struct lab_run *run)
{
        struct link_sides sides = { link_serve, link_command, link_warn, run };
        struct link_stats *stats = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int r;

        if (stats == MAP_FAILED)
                return error_set_memory(&run->error, MUSTER_PHASE_QUEUE);
        run->link_stats = stats;
        where_settle_link(run->config);
        if (!run->config->link.seed)
                run->config->link.seed = run->config->seed;
        r = link_run(&run->config->link, &sides, stats, &run->status, &run->error);
        munmap(stats, sizeof(*stats));
        return r;
}

int lab_run(struct lab_run *run)
{
        bool has_command = run->command || run->shell_text;
        int r;

        run->ready_fd = run->stop_fd = -1;
        hold_signals(run);
        if (has_command)
                put_ourselves_into_path();
        r = make_directory(run);
        if (r == 0 && run->config->has_link) {
                r = serve_over_link(run);
        } else if (r == 0) {
                r = start_lab(run);
                if (r == 0)
                        r = has_command ? serve_command(run) : serve_alone(run);
                stop_lab(run);
        }
        remove_directory(run);
        release_signals(run);
        return r < 0 ? error_tell(&run->error) : run->status;
}
