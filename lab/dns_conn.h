/* SPDX-License-Identifier: MIT */
/*
 * A connection to the DNS server: questions come in and answers go out, each behind its length (RFC
 * 7766)
 *
 * It has one buffer for what it was sent and one for the answer that goes out. While that answer
 * waits for the peer to read, nothing is read from the peer. So a client that only asks costs at
 * most a message and one received slice. Whatever happens to a connection ends in dns_conn_work(),
 * which alone drops it while the server runs.
 */
#ifndef LAB_DNS_CONN_H
#define LAB_DNS_CONN_H

#include "dns_server.h"
#include <base/buf.h>

struct dns_conn {
        struct dns_server *server;
        struct loop_socket socket;
        struct list link; /* in the server's list */
        struct buf in, out;
        struct list delayed; /* answers whose moment has not come */
        struct list due;     /* answers that wait for the one that is being sent */
        unsigned n_delayed;  /* in both */
        bool is_sending;
        bool is_ended;  /* the peer asks no more: close when all is answered */
        bool is_broken; /* close now */
};

static inline struct dns_conn *dns_conn_of(struct list *link)
{
        return LIST_OWNER(link, struct dns_conn, link);
}

/* Handlers of the server's tcp_watch and accept_timer: connections are accepted. */
void dns_conn_ready(struct loop_watch *watch, bool readable, bool writable);
void dns_conn_accept_again(struct loop_timer *timer, uint64_t late_ns);

/* Send one message; call it while nothing is being sent. False: the connection is dead. */
bool dns_conn_send(struct dns_conn *conn, const void *at, size_t len);

/*
 * Do everything that can be done now, then set whether to go on reading. The connection may be gone
 * afterwards.
 */
void dns_conn_work(struct dns_conn *conn);

/* Close and free; answers that it waits for are lost. */
void dns_conn_drop(struct dns_conn *conn);

#endif
