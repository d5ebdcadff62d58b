/* SPDX-License-Identifier: MIT */
/*
 * Modes: how a program ends, its processes, threads and handlers
 */
#include "subject.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* --- ends ------------------------------------------------------------------------------------ */

int mode_crash(void)
{
        volatile uintptr_t nowhere = 8;

        ask(connect_to());
        fflush(stdout);
        *(volatile int *)nowhere = 1;
        return 0;
}

int mode_abort(void)
{
        ask(connect_to());
        fflush(stdout);
        abort();
}

int mode_quick_exit(void)
{
        ask(connect_to());
        fflush(stdout);
        _exit(5);
}

int mode_exit(void)
{
        ask(connect_to());
        exit(6);
}

static int n_alarms;
static int handler_fd;

static void on_alarm(int number)
{
        (void)number;
        n_alarms++;
        if (n_alarms == 1 && handler_fd > 0)
                (void)!write(handler_fd, request, request_size);
}

/* A handler that sends while the program does, and interrupts its calls. */
int mode_handlers(void)
{
        struct sigaction action = { .sa_handler = on_alarm };
        struct itimerval every = { .it_interval.tv_usec = 20000, .it_value.tv_usec = 20000 };
        struct pollfd p = { .events = 0 };
        int fd = connect_to();

        handler_fd = connect_to();
        p.fd = fd;
        CHECK(sigaction(SIGALRM, &action, NULL));
        CHECK(setitimer(ITIMER_REAL, &every, NULL));
        printf("poll %d", poll(&p, 1, 10000));
        printf(" %s\n", strerror(errno));
        every = (struct itimerval){ 0 };
        CHECK(setitimer(ITIMER_REAL, &every, NULL));
        print_response(handler_fd);
        ask(fd);
        printf("%d\n", n_alarms > 0);
        return 0;
}

/* --- processes ------------------------------------------------------------------------------- */

static int wait_for(pid_t child)
{
        int status;

        CHECK(waitpid(child, &status, 0));
        printf("child %d %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        fflush(stdout);
        return 0;
}

/* The child asks on a connection of its own and on its parent's; a second closes all and does nothing else. */
int mode_fork(void)
{
        int fd = connect_to();
        pid_t child;

        ask(fd);
        fflush(stdout);
        child = CHECK(fork());
        if (child == 0) {
                ask(connect_to());
                ask(fd);
                exit(3);
        }
        wait_for(child);
        child = CHECK(fork());
        if (child == 0) {
                close(fd);
                closefrom(3);
                _exit(4);
        }
        wait_for(child);
        /* Past the C library. */
        child = CHECK(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
        if (child == 0) {
                ask(connect_to());
                exit(2);
        }
        wait_for(child);
        ask(fd);
        return 0;
}

static int run_in_memory(void *argument)
{
        int fd = *(int *)argument;

        for (int i = 3; i <= fd; i++)
                close(i);
        dup2(STDERR_FILENO, fd);
        _exit(7);
}

/* Children that share the parent's memory close its descriptors, which are not closed in the parent. */
int mode_vfork(void)
{
        static char stack[65536] __attribute__((aligned(16)));
        int fd = connect_to();
        pid_t child;

        ask(fd);
        fflush(stdout);
        child = vfork();
        if (child == 0) {
                close(fd);
                dup2(STDERR_FILENO, fd);
                execl("/bin/sh", "sh", "-c", "exit 4", (char *)NULL);
                _exit(99);
        }
        CHECK(child);
        wait_for(child);
        ask(fd);
        fflush(stdout);
        child = CHECK(clone(run_in_memory, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD,
                &fd));
        wait_for(child);
        ask(fd);
        child = vfork();
        if (child == 0) {
                execl("/no/such/file", "x", (char *)NULL);
                _exit(8);
        }
        wait_for(child);
        return 0;
}

int mode_spawn(void)
{
        char *arguments[] = { (char *)(uintptr_t)subject_self, (char *)(uintptr_t) "get",
                (char *)(uintptr_t)subject_port, NULL };
        pid_t child;

        int r = posix_spawn(&child, subject_self, NULL, NULL, arguments, environ);

        wait_for(child);
        printf("%d\n", r);
        printf("%d\n", posix_spawnp(&child, "sh", NULL, NULL,
                               (char *[]){ (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                                       (char *)(uintptr_t) "exit 2", NULL },
                               environ));
        wait_for(child);
        printf("%d\n", posix_spawn(&child, "/no/such/file", NULL, NULL, arguments, environ));
        printf("%d\n", system("exit 3"));
        return 0;
}

int mode_exec(void)
{
        ask(connect_to());
        printf("%d\n", execl("/no/such/file", "x", (char *)NULL));
        fflush(stdout);
        execlp(subject_self, subject_self, "get", subject_port, (char *)NULL);
        return 1;
}

int mode_execle(void)
{
        char *environment[] = { (char *)(uintptr_t) "A=b", NULL };

        ask(connect_to());
        fflush(stdout);
        execle("/bin/sh", "sh", "-c", "echo $A $MUSTER_WATCH", (char *)NULL, environment);
        return 1;
}

/* --- threads --------------------------------------------------------------------------------- */

static void *ask_often(void *argument)
{
        int fd = connect_to();
        long n = 0;

        for (int i = 0; i < 200; i++) {
                char text[4096];
                ssize_t size;

                CHECK(send(fd, request, request_size, 0));
                do
                        size = recv(fd, text, sizeof text, 0);
                while (size > 0 && text[size - 1] != '\n');
                n += size > 0;
        }
        close(fd);
        *(long *)argument = n;
        return argument;
}

int mode_threads(void)
{
        enum { N = 8 };
        pthread_t threads[N];
        long n[N], sum = 0;

        for (int i = 0; i < N; i++)
                if (pthread_create(&threads[i], NULL, ask_often, &n[i]) != 0)
                        return 1;
        for (int i = 0; i < N; i++) {
                void *result;

                pthread_join(threads[i], &result);
                sum += result == &n[i] ? n[i] : -1000;
        }
        printf("%ld\n", sum);
        return 0;
}

static void *wait_forever(void *argument)
{
        char c;

        recv(*(int *)argument, &c, 1, 0);
        return NULL;
}

/* A thread that is cancelled in a call of ours. */
int mode_cancel(void)
{
        int fd = connect_to();
        pthread_t thread;
        void *result;

        if (pthread_create(&thread, NULL, wait_forever, &fd) != 0)
                return 1;
        usleep(50000);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        printf("%d\n", result == PTHREAD_CANCELED);
        ask(fd);
        return 0;
}
