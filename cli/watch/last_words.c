/* SPDX-License-Identifier: MIT */
#include "last_words.h"

#include <base/fd.h>
#include <base/minmax.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#define ROOM_BYTES (4 * 1024 * 1024) /* of the socket: connections that end while we do not read */

int last_words_open(void)
{
        int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
        struct sockaddr_nl address = { .nl_family = AF_NETLINK,
                .nl_groups = 1U << (SKNLGRP_INET_TCP_DESTROY - 1) |
                             1U << (SKNLGRP_INET6_TCP_DESTROY - 1) };
        int room = ROOM_BYTES;

        if (fd < 0)
                return -1;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
                setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                fd_close(&fd);
        return fd;
}

static bool parse(const char *at, size_t n, struct last_words *ret_words)
{
        struct nlmsghdr head;
        struct inet_diag_msg socket;
        size_t skip = NLMSG_ALIGN(sizeof(head)) + NLMSG_ALIGN(sizeof(socket));
        struct rtattr attribute;

        if (n < skip)
                return false;
        memcpy(&head, at, sizeof(head));
        memcpy(&socket, at + NLMSG_ALIGN(sizeof(head)), sizeof(socket));
        n = min_size(n, head.nlmsg_len);
        memcpy(&ret_words->cookie, socket.id.idiag_cookie, sizeof(ret_words->cookie));
        for (; skip + sizeof(attribute) <= n; skip += RTA_ALIGN(attribute.rta_len)) {
                size_t len;

                memcpy(&attribute, at + skip, sizeof(attribute));
                if (attribute.rta_len < RTA_LENGTH(0) || attribute.rta_len > n - skip)
                        return false;
                len = attribute.rta_len - RTA_LENGTH(0);
                if (attribute.rta_type != INET_DIAG_INFO)
                        continue;
                memset(&ret_words->info, 0, sizeof(ret_words->info));
                memcpy(&ret_words->info, at + skip + RTA_LENGTH(0),
                        min_size(len, sizeof(ret_words->info)));
                return true;
        }
        return false;
}

bool last_words_read(int fd, struct last_words *ret_words)
{
        char bytes[2048];

        for (;;) {
                ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

                if (n < 0 && (errno == EINTR || errno == ENOBUFS))
                        continue; /* some got lost: then it is as if the kernel did not tell */
                if (n <= 0)
                        return false;
                if (parse(bytes, (size_t)n, ret_words))
                        return true;
        }
}
