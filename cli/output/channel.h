/* SPDX-License-Identifier: MIT */
/*
 * A pipe, socket or terminal that may have no room, written to without waiting for it
 *
 * The descriptor itself cannot be made non-blocking: other programs have it, too. So it is opened
 * once more where that can be done; where not, it is asked first and given no more than it must
 * take.
 */
#ifndef CLI_OUTPUT_CHANNEL_H
#define CLI_OUTPUT_CHANNEL_H

#include <stdbool.h>
#include <sys/types.h>

struct channel {
        int fd;     /* the caller's; a regular file never waits but for its disk */
        int own_fd; /* the same, opened once more; 0: it could not be */
        bool never_waits;
        bool has_reader; /* a pipe or a socket: whoever reads can go away */
};

void channel_open(struct channel *channel, int borrow_fd);
/* Zeroed is closed. May be called twice. */
void channel_close(struct channel *channel);

/* As write(2), but EAGAIN where it would wait. */
ssize_t channel_write(const struct channel *channel, const char *at, size_t size);

/* Is there room? Waits until there is, or a signal comes, if `waits`. */
bool channel_has_room(const struct channel *channel, bool waits);

/*
 * Has whoever read gone away? So known without a write, for who has nothing to write. Of a pipe or
 * a socket only; a socket whose other end sends no more is still read.
 */
bool channel_is_left(const struct channel *channel);

/* The same of standard error, for what may be left out when nobody reads. */
bool stderr_has_room(void);

#endif
