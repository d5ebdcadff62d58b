/* SPDX-License-Identifier: MIT */
/*
 * Modes: how sockets and descriptors are used
 */
#include "subject.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* --- plain ----------------------------------------------------------------------------------- */

int mode_get(void)
{
        int fd = connect_to();

        ask(fd);
        ask(fd);
        CHECK(shutdown(fd, SHUT_WR));
        CHECK(close(fd));
        return 0;
}

/* Each function that sends, each that receives. */
int mode_ways(void)
{
        char text[4096] = "", control[64];
        struct iovec out[2] = { { (void *)(uintptr_t)request, 7 },
                { (void *)(uintptr_t)(request + 7), request_size - 7 } };
        struct iovec in[2] = { { text, 5 }, { text + 5, sizeof text - 6 } };
        struct msghdr message = { .msg_iov = out, .msg_iovlen = 2 };
        struct mmsghdr two = { .msg_hdr = { .msg_iov = out, .msg_iovlen = 2 } };
        struct pollfd p = { .events = POLLIN };
        volatile size_t room = sizeof text - 1;
        int fd = p.fd = connect_to();
        FILE *file = tmpfile();

        fputs(request, file);
        fflush(file);
        for (int way = 0; way < 6; way++) {
                ssize_t n = 0;

                switch (way) {
                case 0:
                        CHECK(write(fd, request, request_size));
                        break;
                case 1:
                        CHECK(writev(fd, out, 2));
                        break;
                case 2:
                        CHECK(sendto(fd, request, request_size, 0, NULL, 0));
                        break;
                case 3:
                        CHECK(sendmsg(fd, &message, 0));
                        break;
                case 4:
                        CHECK(sendmmsg(fd, &two, 1, 0));
                        break;
                case 5: {
                        off_t from = 0;

                        CHECK(sendfile(fd, fileno(file), &from, request_size));
                        break;
                }
                }
                CHECK(poll(&p, 1, 10000));
                usleep(100000); /* the body is there as well */
                switch (way) {
                case 0:
                        n = CHECK(read(fd, text, room));
                        break;
                case 1:
                        n = CHECK(readv(fd, in, 2));
                        break;
                case 2:
                        n = CHECK(recvfrom(fd, text, room, 0, NULL, NULL));
                        break;
                case 3: {
                        struct msghdr got = { .msg_iov = in,
                                .msg_iovlen = 2,
                                .msg_control = control,
                                .msg_controllen = sizeof control };

                        n = CHECK(recvmsg(fd, &got, 0));
                        printf("control %zu flags %d\n", got.msg_controllen, got.msg_flags);
                        break;
                }
                case 4:
                        n = CHECK(recv(fd, text, 4, MSG_PEEK));
                        n = CHECK(recv(fd, text, room, 0));
                        break;
                case 5:
                        n = CHECK(recv(fd, NULL, 4, MSG_TRUNC));
                        n = CHECK(recv(fd, text, room, 0));
                        break;
                }
                text[n] = '\0';
                printf("%d %.8s\n", way, text);
        }
        return 0;
}

/* Errors are the program's: errno is as it was. */
int mode_errors(void)
{
        struct sockaddr_in nobody = { .sin_family = AF_INET,
                .sin_port = htons(1),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = CHECK(socket(AF_INET, SOCK_STREAM, 0));
        char c;

        printf("send %zd", send(fd, "x", 1, MSG_NOSIGNAL));
        printf(" %s\n", strerror(errno));
        printf("connect %d", connect(fd, (struct sockaddr *)&nobody, sizeof nobody));
        printf(" %s\n", strerror(errno));
        printf("null %d", connect(fd, NULL, 0));
        printf(" %s\n", strerror(errno));
        close(fd);
        printf("recv %zd", recv(fd, &c, 1, 0));
        printf(" %s\n", strerror(errno));
        fd = connect_to();
        CHECK(ioctl(fd, FIONBIO, &(int){ 1 }));
        printf("recv %zd", recv(fd, &c, 1, 0));
        printf(" %s\n", strerror(errno));
        printf("bad %zd", send(fd, (void *)8, 4, 0));
        printf(" %s\n", strerror(errno));
        printf("close %d", close(-1));
        printf(" %s\n", strerror(errno));
        printf("fd %d\n", fcntl(123456, F_GETFD));
        errno = 77;
        close(fd);
        printf("errno %d\n", errno);
        return 0;
}

static int connect_slowly(void)
{
        struct sockaddr_in address = server_address();
        int fd = CHECK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));

        if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
                fail("connect");
        return fd;
}

/* A loop of four connections, that is away for 20 ms in its midst. */
int mode_loop(void)
{
        int epoll = CHECK(epoll_create1(0)), n_done = 0;
        struct timespec idle = { .tv_nsec = 3000000 };
        struct epoll_event event;

        CHECK(epoll_wait(epoll, &event, 1, 0)); /* finds nothing, takes nothing */
        CHECK(epoll_pwait(epoll, &event, 1, 3, NULL));
        CHECK(epoll_pwait2(epoll, &event, 1, &idle, NULL));
        for (int i = 0; i < 4; i++) {
                int fd = connect_slowly();

                event = (struct epoll_event){ .events = EPOLLOUT, .data.fd = fd };
                CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)));
                CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
        }
        while (n_done < 4) {
                int error;

                CHECK(epoll_wait(epoll, &event, 1, 10000));
                if (event.events & EPOLLOUT) {
                        CHECK(getsockopt(event.data.fd, SOL_SOCKET, SO_ERROR, &error,
                                &(socklen_t){ sizeof error }));
                        CHECK(send(event.data.fd, request, request_size, 0));
                        event.events = EPOLLIN;
                        CHECK(epoll_ctl(epoll, EPOLL_CTL_MOD, event.data.fd, &event));
                } else {
                        char text[4096];
                        struct timespec begin, now;

                        CHECK(recv(event.data.fd, text, sizeof text, 0));
                        CHECK(close(event.data.fd));
                        n_done++;
                        clock_gettime(CLOCK_MONOTONIC, &begin);
                        do
                                clock_gettime(CLOCK_MONOTONIC, &now);
                        while (n_done == 2 && (now.tv_sec - begin.tv_sec) * 1000000000 +
                                                              now.tv_nsec - begin.tv_nsec <
                                                      20000000);
                }
        }
        printf("%d\n", n_done);
        return 0;
}

int mode_waits(void)
{
        struct timespec t = { .tv_nsec = 5000000 };
        int fd = connect_to();
        struct pollfd p = { .fd = fd, .events = POLLIN };
        volatile nfds_t one = 1;
        fd_set set;

        FD_ZERO(&set);
        FD_SET(fd, &set);
        CHECK(poll(&p, 1, 0));
        CHECK(poll(&p, one, 5));
        CHECK(ppoll(&p, one, &t, NULL));
        CHECK(select(fd + 1, &set, NULL, NULL, &(struct timeval){ .tv_usec = 5000 }));
        FD_SET(fd, &set);
        CHECK(pselect(fd + 1, &set, NULL, NULL, &t, NULL));
        CHECK(usleep(5000));
        CHECK(nanosleep(&t, NULL));
        CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
        CHECK(select(0, NULL, NULL, NULL, &(struct timeval){ .tv_usec = 5000 }));
        CHECK(poll(NULL, 0, 5));
        puts("done");
        return 0;
}

int mode_lookup(void)
{
        struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;

        printf("%d\n", getaddrinfo("localhost", subject_port, &hints, &found));
        freeaddrinfo(found);
        hints.ai_flags = AI_NUMERICHOST;
        printf("%d\n", getaddrinfo("no number", subject_port, &hints, &found));
        printf("%d\n", getaddrinfo(NULL, subject_port, &hints, &found));
        return 0;
}

/* A server of its own, on a name in the file system, and one on a port. */
int mode_serve(void)
{
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof address;
        int listener, client, peer, pair[2];
        char text[100];

        snprintf(name.sun_path, sizeof name.sun_path, "subject.sock");
        listener = CHECK(socket(AF_UNIX, SOCK_STREAM, 0));
        CHECK(bind(listener, (struct sockaddr *)&name, sizeof name));
        CHECK(listen(listener, 1));
        client = CHECK(socket(AF_UNIX, SOCK_STREAM, 0));
        CHECK(connect(client, (struct sockaddr *)&name, sizeof name));
        peer = CHECK(accept(listener, NULL, NULL));
        CHECK(write(client, request, request_size));
        printf("%d\n", CHECK(read(peer, text, sizeof text)));
        CHECK(close(client));
        printf("%d\n", CHECK(read(peer, text, sizeof text)));
        unlink(name.sun_path);

        listener = CHECK(socket(AF_INET, SOCK_STREAM, 0));
        CHECK(bind(listener, (struct sockaddr *)&address, sizeof address));
        CHECK(listen(listener, 1));
        CHECK(getsockname(listener, (struct sockaddr *)&address, &size));
        client = CHECK(socket(AF_INET, SOCK_STREAM, 0));
        CHECK(connect(client, (struct sockaddr *)&address, sizeof address));
        peer = CHECK(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
        CHECK(send(peer, "HTTP/1.1 200 OK\r\n\r\n", 19, 0));
        printf("%d\n", CHECK(recv(client, text, sizeof text, 0)));

        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        CHECK(send(pair[0], request, request_size + 1, 0));
        printf("%d\n", CHECK(recv(pair[1], text, sizeof text, 0)));
        return 0;
}

/* --- descriptors ----------------------------------------------------------------------------- */

int mode_dup(void)
{
        int fd = connect_to();
        int a = CHECK(dup(fd)), b = CHECK(fcntl(fd, F_DUPFD_CLOEXEC, 50)), c = CHECK(dup2(fd, 60)),
            d = CHECK(dup3(fd, 70, O_CLOEXEC));
        int other = connect_to();

        CHECK(close(fd));
        ask(a);
        ask(b);
        ask(c);
        ask(d);
        CHECK(dup2(STDERR_FILENO, other)); /* the connection is closed by it */
        printf("%d %d %d %d\n", a > 0, b >= 50, c, d);
        printf("dup2 %d", dup2(999, a));
        printf(" %s\n", strerror(errno));
        ask(a);
        return 0;
}

int mode_close_all(void)
{
        int fd = connect_to();

        ask(fd);
        for (int i = 3; i < 1024; i++)
                close(i);
        fd = connect_to();
        printf("fd %d\n", fd);
        ask(fd);
        CHECK(close_range(3, ~0u, 0));
        fd = connect_to();
        printf("fd %d\n", fd);
        ask(fd);
        closefrom(3);
        fd = connect_to();
        printf("fd %d\n", fd);
        ask(fd);
        /* As libuv does. */
        CHECK(syscall(SYS_close, fd));
        fd = CHECK(open("/dev/null", O_RDWR));
        printf("fd %d %zd\n", fd, write(fd, request, request_size));
        return 0;
}

/* Closed by stdio, and then past the library that watches: the same descriptor is a file's. */
int mode_behind(void)
{
        int (*real_close)(int) = NULL;
        void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
        FILE *file = fdopen(connect_to(), "r+");
        char text[5] = "";
        int fd = fileno(file);

        fputs(request, file);
        fflush(file);
        fclose(file);
        printf("%d\n", fd == CHECK(open("/dev/null", O_RDWR)));
        CHECK(write(fd, request, request_size));
        close(fd);

        fd = connect_to();
        CHECK(send(fd, request, request_size, 0));
        usleep(20000);
        *(void **)&real_close = libc ? dlsym(libc, "close") : NULL;
        CHECK(real_close ? real_close(fd) : -1);
        printf("%d\n", fd == CHECK(open(subject_self, O_RDONLY)));
        CHECK(read(fd, text, 4));
        puts(text + 1);
        CHECK(send(connect_to(), request, request_size, 0));
        return 0;
}

/* 10,000 sockets, each with a connection that is asked for and not awaited. */
int mode_many(void)
{
        enum { N = 10000 };
        struct rlimit limit = { N + 100, N + 100 };
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof address;
        static int fds[N];
        int listener, n = 0;

        if (setrlimit(RLIMIT_NOFILE, &limit) < 0 &&
                (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < N + 100))
                return 77;
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){ N + 100, limit.rlim_max });
        listener = CHECK(socket(AF_INET, SOCK_STREAM, 0));
        CHECK(bind(listener, (struct sockaddr *)&address, sizeof address));
        CHECK(listen(listener, 100));
        CHECK(getsockname(listener, (struct sockaddr *)&address, &size));
        for (int i = 0; i < N; i++)
                fds[i] = CHECK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        for (int i = 0; i < N; i++) {
                connect(fds[i], (struct sockaddr *)&address, sizeof address);
                if (i % 2) /* makes room in the listener's queue, and in the table */
                        close(CHECK(accept(listener, NULL, NULL)));
                if (i % 2)
                        close(CHECK(accept(listener, NULL, NULL)));
        }
        for (int i = 0; i < N; i++)
                n += close(fds[i]) == 0;
        printf("%d\n", n);
        return 0;
}
