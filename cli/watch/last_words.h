/* SPDX-License-Identifier: MIT */
/*
 * Last words: what the kernel knew of a connection when it was over
 *
 * The kernel tells whoever listens (sock_diag, without rights) of each TCP socket that it takes
 * away. So the figures of a connection that was closed between two looks are complete. It tells of
 * all programs' sockets in our network namespace: who is meant says the socket's cookie.
 */
#ifndef CLI_WATCH_LAST_WORDS_H
#define CLI_WATCH_LAST_WORDS_H

#include <linux/tcp.h>
#include <stdbool.h>
#include <stdint.h>

/* Listen. -1: this kernel does not tell. */
int last_words_open(void);

struct last_words {
        uint64_t cookie;
        struct tcp_info info;
};

/* The next of what has come; false: that was all. */
bool last_words_read(int fd, struct last_words *ret_words);

#endif
