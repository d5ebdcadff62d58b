/* SPDX-License-Identifier: MIT */
/*
 * What is known of each TLS connection: which descriptor is below it
 *
 * An SSL may have a socket of its own and be asked. One that reads and writes by functions of the
 * program (curl) uses it within a call: what the thread sends or receives meanwhile is it. One whose
 * bytes are in memory (asyncio) has said hello when SSL_do_handshake() returns, and the hello that the
 * thread sends next is that; in a server, what the thread received last was for it.
 */
#ifndef SHIM_SESSION_H
#define SHIM_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "library.h"

struct session {
        uint64_t ssl; /* its address; 0: free */
        int32_t fd;   /* + 1; 0: not known */
        uint32_t is_h2;
};

/* The one of that SSL, which may be new; NULL only if it is not wanted to be made. */
struct session *session_of(const SSL *ssl, bool is_wanted);

/* A call of libssl by this thread, which was within none. */
void session_begin(void);

/* It is over. Its descriptor, or -1. */
int session_end(struct session *session, const struct library *library, const SSL *ssl);

/* It is freed. */
void session_forget(struct session *session);

/* A handshake goes on. Whether it has said hello to a server, and that is in memory. */
bool session_says_hello(struct session *session, const struct library *library, const SSL *ssl);

/* A thread sends something by that descriptor which is the begin of TLS. */
void session_hello_sent(int fd);

#endif
