/* SPDX-License-Identifier: MIT */
/*
 * A client's connection that speaks HTTP/2 (RFC 9113), over nghttp2: bytes in, bytes out
 *
 *      peer ──bytes──▶ peer_h2 ──a request──▶ peer_stream: task ──▶ reply
 *      wire ◀──frames── flush ◀──what is to be sent──────┘
 *
 * What arrives is handed to nghttp2, which calls back for each frame; these callbacks only queue
 * what is to be sent. peer_h2_flush() sends it, after the bytes that came are all used, and when a
 * timer or a worker has let a stream go on. No connection is closed anywhere else.
 */
#ifndef LAB_PEER_H2_H
#define LAB_PEER_H2_H

#include "peer.h"
#include <nghttp2/nghttp2.h>

/* How the connection is to end, once what was queued before is sent. */
enum h2_end { H2_GOES_ON, H2_ENDS, H2_IS_CUT };

struct peer_h2 {
        struct peer *peer;
        nghttp2_session *session;
        struct list streams;
        unsigned n_streams;
        uint64_t n_requests;
        int32_t last_id; /* of the newest request that is answered */
        enum h2_end end;
        bool is_leaving; /* GOAWAY was queued: later requests are not looked at */
        bool is_held;    /* nothing is sent before the SETTINGS, which wait */
        bool is_sending; /* `out` is borrowed by the wire */
        struct buf out;  /* frames */
        struct loop_timer settings_timer;
        struct loop_timer window_timer; /* until received bytes may be acknowledged again */
        size_t unacknowledged_bytes;    /* of the connection's window */
};

/* Begin on a peer that has read no request. MUSTER_E_RESOURCE. */
int peer_h2_new(struct peer_h2 **ret_conn, struct peer *peer);

/* The peer is closed: nothing is served any more. May be called twice. */
void peer_h2_stop(struct peer_h2 *conn);

/* Free it; takes NULL, returns NULL. It is stopped. */
struct peer_h2 *peer_h2_free(struct peer_h2 *conn);

/* Bytes came; what was being sent is sent; the peer was idle too long. The peer may be DEAD then. */
void peer_h2_receive(struct peer_h2 *conn, struct muster_str bytes);
void peer_h2_sent(struct peer_h2 *conn);
void peer_h2_say_goodbye(struct peer_h2 *conn);

/* --- for its streams ------------------------------------------------------------------------- */

/* Send what is queued. The peer may be DEAD afterwards. */
void peer_h2_flush(struct peer_h2 *conn);

/* No request after the one of `last_id` is answered; those up to it still are. */
void peer_h2_leave(struct peer_h2 *conn, int32_t last_id, uint32_t code);

#endif
