/* SPDX-License-Identifier: MIT */
/*
 * The users of a connection: exchanges that wait for it, and those that have begun
 *
 *      join ──▶ conn->waiting ──begin──▶ conn->exchanges ──complete, cancel, fail──▶ over
 *                    └── put back: the request waits in the queue for another connection
 *
 * Who leaves makes room, which goes to those that wait here, and then to the pool. An exchange ends
 * alone where its protocol allows that; otherwise the connection takes no others and is closed when
 * the last one has left. How requests and responses look is not known here.
 */
#ifndef CORE_USERS_H
#define CORE_USERS_H

#include "conn.h"
#include "request.h"

/* The request belongs to the connection from now on, and waits until it can begin. */
void users_join(struct conn *conn, struct muster_request *request);

/* Begin the exchange of a request that waits for the connection, which has room. */
void users_begin(struct muster_request *request, uint64_t now_ns);

/*
 * Give what room there is to those that wait for the connection, and to the pool. When the server
 * has told how much it is, nobody waits here any more.
 */
void users_offer_room(struct conn *conn);

/* Note in the attempt how far the making of its connection has come. */
void users_note_progress(struct muster_request *request);

/* Detach the request from its connection. The result keeps what is known about that. */
void users_leave(struct muster_request *request);

/* The response is complete, or the rest of it is unwanted. */
void users_complete(struct muster_request *request);

/* End the exchange with this error. */
void users_cancel(struct muster_request *request, const struct muster_error *error);

/* Fail a request, and clear *error. A failure that has set no error is one of memory. */
void users_fail(struct muster_request *request, int code, struct muster_error *error);

/*
 * The connection is unusable: all its exchanges fail. If it never was usable, that is the failure of
 * the first request that waits for it; the others find out for themselves.
 */
void users_fail_all(struct conn *conn, const struct muster_error *error);

/* The request cannot begin on its connection, if it has one, and waits in the queue again. */
void users_put_back(struct muster_request *request, enum trace_wait why);

/* The same for all in the list; each is put before the others, so the last one comes first. */
void users_put_back_all(struct list *waiting, enum trace_wait why);

/* The exchange is over, and has no connection any more: see struct exchange_ops. */
void users_report_over(struct muster_request *request, const struct muster_error *error);

#endif
