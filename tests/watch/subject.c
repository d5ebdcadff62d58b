/* SPDX-License-Identifier: MIT */
/*
 * A program to be watched: subject MODE [PORT]
 *
 * Each mode does what a shim could get wrong, and prints what came of it, so that it can be compared with what it
 * prints when nobody watches. PORT is that of a server of HTTP on 127.0.0.1 that keeps connections.
 */
#include "subject.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

const char *subject_self, *subject_port = "0";

const char request[] = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
const size_t request_size = sizeof request - 1;

_Noreturn void fail(const char *what)
{
        printf("%s: %s\n", what, strerror(errno));
        exit(9);
}

int checked(const char *what, long result)
{
        if (result < 0)
                fail(what);
        return (int)result;
}

struct sockaddr_in server_address(void)
{
        return (struct sockaddr_in){ .sin_family = AF_INET,
                .sin_port = htons((uint16_t)atoi(subject_port)),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

int connect_to(void)
{
        struct sockaddr_in address = server_address();
        int fd = CHECK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

        CHECK(connect(fd, (struct sockaddr *)&address, sizeof address));
        return fd;
}

void print_response(int fd)
{
        char text[4096];
        size_t n = 0;
        ssize_t r;
        const char *body, *end;

        for (;;) {
                r = CHECK(recv(fd, text + n, sizeof text - n - 1, 0));
                if (r == 0)
                        break;
                n += (size_t)r;
                text[n] = '\0';
                body = strstr(text, "\r\n\r\n");
                end = strstr(text, "ontent-Length: ");
                if (body && end && strlen(body + 4) >= strtoul(end + 15, NULL, 10))
                        break;
        }
        printf("%.12s %s\n", text, strstr(text, "\r\n\r\n") ? strstr(text, "\r\n\r\n") + 4 : "?");
}

void ask(int fd)
{
        CHECK(send(fd, request, request_size, 0));
        print_response(fd);
}

int has_stamp(int fd)
{
        char text[100], control[200];
        struct iovec part = { text, sizeof text };
        struct msghdr message = { .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof control };
        ssize_t n;

        CHECK(send(fd, request, request_size, 0));
        usleep(50000);
        n = CHECK(recvmsg(fd, &message, 0));
        printf("%zd bytes, %zu of control, flags %d\n", n, message.msg_controllen,
                message.msg_flags);
        return CMSG_FIRSTHDR(&message) && CMSG_FIRSTHDR(&message)->cmsg_type == SCM_TIMESTAMPNS;
}

static const struct {
        const char *name;
        int (*run)(void);
} modes[] = {
        { "get", mode_get },
        { "ways", mode_ways },
        { "errors", mode_errors },
        { "loop", mode_loop },
        { "waits", mode_waits },
        { "lookup", mode_lookup },
        { "serve", mode_serve },
        { "dup", mode_dup },
        { "close-all", mode_close_all },
        { "behind", mode_behind },
        { "many", mode_many },
        { "crash", mode_crash },
        { "abort", mode_abort },
        { "quick-exit", mode_quick_exit },
        { "exit", mode_exit },
        { "handlers", mode_handlers },
        { "fork", mode_fork },
        { "vfork", mode_vfork },
        { "spawn", mode_spawn },
        { "exec", mode_exec },
        { "execle", mode_execle },
        { "threads", mode_threads },
        { "cancel", mode_cancel },
        { "strict", mode_strict },
        { "filter", mode_filter },
        { "limits", mode_limits },
        { "small-file", mode_small_file },
        { "full-disk", mode_full_disk },
        { "goes-on", mode_goes_on },
        { "lock", mode_lock },
        { "late", mode_late },
        { "inherit", mode_inherit },
        { "inherited", mode_inherited },
        { "hello", mode_hello },
        { "uring", mode_uring },
        { "uring-of-files", mode_uring_of_files },
        { "h2", mode_h2 },
        { "nothing", mode_nothing },
};

int main(int argc, char **argv)
{
        subject_self = argv[0];
        if (argc > 2)
                subject_port = argv[2];
        for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof modes[0]; i++)
                if (strcmp(modes[i].name, argv[1]) == 0)
                        return modes[i].run();
        fprintf(stderr, "subject: no such mode\n");
        return 2;
}
