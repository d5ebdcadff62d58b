/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM_BYTES 4096 /* PIPE_BUF: what has room takes this much at once */

void channel_open(struct channel *channel, int borrow_fd)
{
        struct stat status = { 0 };
        char path[32];

        *channel = (struct channel){ .fd = borrow_fd };
        channel->never_waits = fstat(borrow_fd, &status) == 0 &&
                               (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
        channel->has_reader = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
        if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
                return;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", borrow_fd);
        channel->own_fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (channel->own_fd < 0)
                channel->own_fd = 0;
}

void channel_close(struct channel *channel)
{
        if (channel->own_fd)
                close(channel->own_fd);
        channel->own_fd = 0;
}

bool channel_has_room(const struct channel *channel, bool waits)
{
        struct pollfd room = { .fd = channel->fd, .events = POLLOUT };

        return channel->never_waits || poll(&room, 1, waits ? -1 : 0) > 0;
}

bool channel_is_left(const struct channel *channel)
{
        struct pollfd end = { .fd = channel->fd };

        return channel->has_reader && poll(&end, 1, 0) > 0 && end.revents & (POLLERR | POLLHUP);
}

ssize_t channel_write(const struct channel *channel, const char *at, size_t size)
{
        if (channel->never_waits)
                return write(channel->fd, at, size);
        if (channel->own_fd)
                return write(channel->own_fd, at, size);
        if (!channel_has_room(channel, false)) {
                errno = EAGAIN;
                return -1;
        }
        return write(channel->fd, at, size < ROOM_BYTES ? size : ROOM_BYTES);
}

bool stderr_has_room(void)
{
        struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };

        return poll(&room, 1, 0) > 0;
}
