/* SPDX-License-Identifier: MIT */
#include "reception.h"

#include <base/fd.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define QUEUE      64
#define PATIENCE_S 1 /* with who knocks and says nothing */

int reception_open(const char *folder)
{
        struct sockaddr_un here = { .sun_family = AF_UNIX };
        int fd, r;

        r = snprintf(here.sun_path, sizeof(here.sun_path), "%s/%s", folder, DOOR_NAME);
        if (r < 0 || r >= (int)sizeof(here.sun_path))
                return -ENAMETOOLONG;
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0 &&
                chmod(here.sun_path, 0600) == 0 && listen(fd, QUEUE) == 0)
                return fd;
        r = -errno;
        fd_close(&fd);
        return r;
}

static bool hear_knock(int fd, struct door_knock *ret_knock)
{
        struct door_knock knock;
        ssize_t n;

        while ((n = recv(fd, &knock, sizeof(knock), 0)) < 0 && errno == EINTR)
                ;
        if (n != sizeof(knock))
                return false;
        knock.name[sizeof(knock.name) - 1] = '\0';
        for (char *at = knock.name; *at; at++) /* people will read it */
                if ((unsigned char)*at < ' ' || *at == 0x7f)
                        *at = '?';
        *ret_knock = knock;
        return true;
}

static int listener_of(struct msghdr *message)
{
        const struct cmsghdr *head = CMSG_FIRSTHDR(message);
        int fd = -1;

        if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
                head->cmsg_len == CMSG_LEN(sizeof(fd)))
                memcpy(&fd, CMSG_DATA(head), sizeof(fd));
        return fd;
}

static bool take_listener(struct visitor *visitor)
{
        struct door_pass pass;
        struct iovec part = { &pass, sizeof(pass) };
        union {
                struct cmsghdr head; /* aligns it */
                char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        struct msghdr message = { .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = control.bytes,
                .msg_controllen = sizeof(control.bytes) };
        ssize_t n;

        while ((n = recvmsg(visitor->fd, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
                ;
        if (n != sizeof(pass))
                return false;
        visitor->listener = listener_of(&message);
        visitor->why = visitor->listener >= 0 ? 0 : pass.why < 0 ? -pass.why : EPIPE;
        return true;
}

static bool says(int fd, char word)
{
        ssize_t n;

        while ((n = send(fd, &word, 1, MSG_NOSIGNAL)) < 0 && errno == EINTR)
                ;
        return n == 1;
}

bool reception_meet(int door_fd, bool is_welcome, struct visitor *ret_visitor)
{
        struct timeval patience = { .tv_sec = PATIENCE_S };
        int fd = accept4(door_fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
                return false;
        *ret_visitor = (struct visitor){ .fd = fd, .listener = -1 };
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        if (hear_knock(fd, &ret_visitor->knock) &&
                (!is_welcome || (says(fd, DOOR_COME) && take_listener(ret_visitor))))
                return true;
        fd_close(&ret_visitor->fd);
        return false;
}

void reception_let_go(struct visitor *visitor)
{
        if (visitor->listener >= 0)
                says(visitor->fd, DOOR_GO);
        fd_close(&visitor->fd);
}
