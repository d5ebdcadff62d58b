/* SPDX-License-Identifier: MIT */
/*
 * Modes: limits that a program sets itself, and what a watcher must not show or cannot see
 */
#include "subject.h"

#include <errno.h>
#include <fcntl.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* --- limits ---------------------------------------------------------------------------------- */

/* Then all but read(), write() and the like end it. */
static int ask_restricted(int fd)
{
        char text[4096];
        ssize_t n;

        for (int i = 0; i < 1000; i++) {
                if (write(fd, request, request_size) < 0)
                        syscall(SYS_exit, 1);
                do
                        n = read(fd, text, sizeof text);
                while (n > 0 && text[n - 1] != '\n');
        }
        (void)!write(1, "done\n", 5);
        syscall(SYS_exit, 3);
        return 0;
}

int mode_strict(void)
{
        int fd = connect_to();

        CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
        return ask_restricted(fd);
}

#define ALLOW(call)                                                                                \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),                                           \
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

int mode_filter(void)
{
        struct sock_filter steps[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                ALLOW(SYS_read),
                ALLOW(SYS_write),
                ALLOW(SYS_exit),
                ALLOW(SYS_clock_gettime),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        };
        struct sock_fprog filter = { sizeof steps / sizeof steps[0], steps };
        int fd = connect_to();

        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
        return ask_restricted(fd);
}

/* No file may grow, then no memory be had. */
int mode_limits(void)
{
        struct rlimit limit = { 1000, 1000 };

        CHECK(setrlimit(RLIMIT_FSIZE, &limit));
        ask(connect_to());
        return 0;
}

/* There is little room for a file. */
int mode_small_file(void)
{
        struct rlimit limit = { 100 << 10, 100 << 10 };

        CHECK(setrlimit(RLIMIT_FSIZE, &limit));
        return mode_threads();
}

/* Somebody fills the disk on which the log lies. */
int mode_full_disk(void)
{
        static const char zeros[4096];
        const char *folder = getenv("DISK");
        int fd;

        connect_to();
        fd = CHECK(openat(CHECK(open(folder ? folder : ".", O_DIRECTORY)), "fill",
                O_WRONLY | O_CREAT, 0600));
        while (write(fd, zeros, sizeof zeros) > 0)
                ;
        return mode_threads();
}

/* The watching is over long before the program is. */
int mode_goes_on(void)
{
        const char *folder = getenv("MUSTER_WATCH");
        char name[300];

        connect_to();
        if (folder) {
                snprintf(name, sizeof name, "%s.over", folder);
                CHECK(rename(folder, name));
        }
        return mode_threads();
}

int mode_lock(void)
{
        printf("%d\n",
                mlockall(MCL_CURRENT | MCL_FUTURE) == 0 || errno == EPERM || errno == ENOMEM);
        for (int i = 0; i < 3; i++)
                ask(connect_to());
        return 0;
}

/* It reads late; and asks for the kernel's stamps of its own accord. */
int mode_late(void)
{
        int fd = connect_to(), on = 7;
        socklen_t size = sizeof on;

        CHECK(send(fd, request, request_size, 0));
        usleep(50000);
        print_response(fd);
        CHECK(send(fd, request, request_size, 0));
        print_response(fd);
        CHECK(getsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, &size));
        printf("%d\n", on);
        printf("%d\n", has_stamp(fd));
        on = 1;
        CHECK(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on));
        on = 7;
        CHECK(getsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, &size));
        printf("%d\n", on);
        printf("%d\n", has_stamp(fd));
        CHECK(send(fd, request, request_size, 0));
        usleep(50000);
        print_response(fd);
        return 0;
}

/* What another program is given has no settings of ours. */
int mode_inherit(void)
{
        int fd = CHECK(dup2(connect_to(), 0));

        CHECK(fcntl(fd, F_SETFD, 0));
        execlp(subject_self, subject_self, "inherited", subject_port, (char *)NULL);
        return 1;
}

int mode_inherited(void)
{
        printf("%d\n", has_stamp(0));
        return 0;
}

/* TLS of its own: what it says first, and no more. */
int mode_hello(void)
{
        static const char hello[] = "\x16\x03\x01\x00\x02\x01\x00\r\n\r\n";
        int fd = connect_to();

        CHECK(send(fd, hello, sizeof hello - 1, 0));
        print_response(fd);
        return 0;
}

int mode_uring(void)
{
        ask(connect_to());
        printf("%d\n", syscall(SYS_io_uring_setup, 0, NULL) < 0);
        return 0;
}

/* A ring, which is not what it sends by. */
int mode_uring_of_files(void)
{
        mode_uring();
        ask(connect_to());
        return 0;
}

/* HTTP/2: each piece of a connection that began with the preface. */
int mode_h2(void)
{
        static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                          frame[] = "\0\0\0\4\0\0\0\0\0";
        char text[44]; /* as long as one answer */
        int fd = connect_to();

        CHECK(send(fd, preface, sizeof preface - 1, 0));
        CHECK(send(fd, frame, sizeof frame - 1, 0));
        CHECK(recv(fd, text, sizeof text, 0));
        printf("%.8s\n", text);
        return 0;
}

int mode_nothing(void)
{
        puts("nothing");
        return 0;
}
