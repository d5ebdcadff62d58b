/* SPDX-License-Identifier: MIT */
/*
 * The floor: what any HTTP/1.1 client on epoll must pay
 *
 * N connections, each sends one fixed request and counts the bytes of the response, whose length is
 * learnt from the first one. Nothing is parsed, stamped, kept or limited.
 *
 *      floor_epoll PORT PATH CONCURRENCY REQUESTS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES (128 * 1024)

struct conn {
        int fd;
        size_t got;
};

static char request[512], buffer[BUFFER_BYTES];
static size_t request_len, response_len;

static void die(const char *what)
{
        perror(what);
        exit(1);
}

static int dial(unsigned short port)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                die("connect");
        return fd;
}

/* One request in blocking mode: head and Content-Length say how long each response is. */
static void learn(unsigned short port)
{
        const char *end, *length;
        size_t got = 0;
        int fd = dial(port);

        if (send(fd, request, request_len, 0) < 0)
                die("send");
        while (got < sizeof(buffer) - 1) {
                ssize_t n = recv(fd, buffer + got, sizeof(buffer) - 1 - got, 0);

                if (n <= 0)
                        die("recv");
                got += (size_t)n;
                buffer[got] = '\0';
                end = strstr(buffer, "\r\n\r\n");
                length = strcasestr(buffer, "content-length:");
                if (end && length) {
                        response_len = (size_t)(end - buffer) + 4 + strtoul(length + 15, NULL, 10);
                        break;
                }
        }
        close(fd);
}

static void ask(struct conn *conn)
{
        conn->got = 0;
        if (send(conn->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
                die("send");
}

int main(int argc, char **argv)
{
        struct epoll_event events[512];
        unsigned long n_asked = 0, n_done = 0, n_wanted;
        unsigned concurrency;
        struct conn *conns;
        int epoll_fd = epoll_create1(0);

        if (argc != 5)
                return 2;
        request_len = (size_t)snprintf(request, sizeof(request),
                "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n", argv[2]);
        concurrency = (unsigned)strtoul(argv[3], NULL, 10);
        n_wanted = strtoul(argv[4], NULL, 10);
        learn((unsigned short)strtoul(argv[1], NULL, 10));
        conns = calloc(concurrency, sizeof(*conns));
        if (!conns || epoll_fd < 0)
                die("setup");
        for (unsigned i = 0; i < concurrency && n_asked < n_wanted; i++, n_asked++) {
                struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = &conns[i] };

                conns[i].fd = dial((unsigned short)strtoul(argv[1], NULL, 10));
                if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, conns[i].fd, &event) < 0)
                        die("epoll_ctl");
                ask(&conns[i]);
        }
        while (n_done < n_wanted) {
                int n = epoll_wait(epoll_fd, events, 512, -1);

                for (int i = 0; i < n; i++) {
                        struct conn *conn = events[i].data.ptr;
                        bool is_empty = false;

                        while (!is_empty && conn->got < response_len) {
                                ssize_t got = recv(conn->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

                                if (got == 0)
                                        errno = ECONNRESET;
                                if (got == 0 || (got < 0 && errno != EAGAIN))
                                        die("recv");
                                is_empty = got < (ssize_t)sizeof(buffer);
                                conn->got += got > 0 ? (size_t)got : 0;
                        }
                        if (conn->got < response_len)
                                continue;
                        n_done++;
                        if (n_asked < n_wanted) {
                                n_asked++;
                                ask(conn);
                        }
                }
        }
        printf("%lu\n", n_done);
        return 0;
}
