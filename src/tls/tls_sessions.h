/* SPDX-License-Identifier: MIT */
/*
 * Sessions for resumption: the tickets that servers have issued
 *
 * A context has one store, shared by all threads. The store has a struct tls_sessions for each peer,
 * and that has the peer's tickets:
 *
 *      store ──▶ example.com:443 ──▶ oldest ticket · … · newest
 *            └─▶ example.net:443 ──▶ …
 *
 * A TLS 1.3 ticket is used once, so that nobody can link two connections by it (RFC 8446, appendix
 * C.4): to resume 64 connections at once takes 64 tickets. The oldest goes first, as it expires
 * first. A session of TLS 1.2 may be used many times, so the newest one is all that a peer needs.
 *
 * How many are kept: a peer has at most two for each of the connections that it had at once, which
 * is what full handshakes bring; a newer one then takes the place of the oldest. Peers that nobody
 * uses are kept, too; beyond TLS_TICKETS_MAX tickets in all, the peer unused for longest is
 * forgotten.
 */
#ifndef TLS_TLS_SESSIONS_H
#define TLS_TLS_SESSIONS_H

#include "tls_saved.h"
#include <pthread.h>
#include <stdatomic.h>

#define TLS_TICKETS_MIN 8    /* of a peer, however few connections it has */
#define TLS_TICKETS_MAX 8192 /* in all, before unused peers are forgotten: at 1 to 5 KB each */

struct ssl_session_st; /* OpenSSL's SSL_SESSION */

struct tls_store {
        pthread_mutex_t lock; /* of the map and the list */
        struct map peers;
        struct list unused; /* peers with tickets and without users, longest unused first */
        atomic_size_t n_tickets;
        struct saved saved; /* from earlier runs, and not asked for yet */
        /*
         * Behind the name of each peer where sessions are saved: what its certificate was checked
         * against. NULL: sessions are not to be saved, nor those of earlier runs to be used.
         */
        const char *trust;
};

struct tls_sessions {
        struct tls_store *store;
        struct map_node node;    /* in store->peers, by "host:port" */
        struct list unused_link; /* in store->unused */
        atomic_uint n_users; /* it becomes 0, and more than that again, under the store's lock */

        pthread_mutex_t lock; /* of all below */
        struct list tickets;  /* oldest first */
        size_t n_tickets;
        size_t n_open, n_open_max; /* connections, now and at most */
};

/* `borrow_trust` stays the caller's. */
void tls_store_init(struct tls_store *store, const char *borrow_trust);

/* Release the store and its peers, which must have no users. */
void tls_store_deinit(struct tls_store *store);

/*
 * The sessions of a peer, "host:port", made if there are none yet. They stay until tls_sessions_free()
 * was called as often as this. NULL if memory is out.
 */
struct tls_sessions *tls_store_get(struct tls_store *store, struct muster_str peer);

/*
 * Read the sessions of earlier runs, as tls_store_save() or curl has written them. Peers that exist
 * already do not get any. As saved_read().
 */
int tls_store_load(struct tls_store *store, struct muster_str text, const char *name,
        struct muster_error *error);

/*
 * Append all sessions as text, with those of `other`, which was loaded from the same text; NULL:
 * there is none. MUSTER_E_RESOURCE.
 */
int tls_store_save(struct tls_store *store, struct tls_store *other, struct buf *to);

/* Give back what tls_store_get() gave. Takes NULL, returns NULL. */
struct tls_sessions *tls_sessions_free(struct tls_sessions *sessions);

/* A connection to the peer begins, which uses the sessions; it ends. */
void tls_sessions_opened(struct tls_sessions *sessions);
void tls_sessions_closed(struct tls_sessions *sessions);

/*
 * Take the session to offer next: the oldest that has not expired. The caller owns a reference to
 * it. NULL: there is none.
 */
struct ssl_session_st *tls_sessions_take(struct tls_sessions *sessions);

/*
 * Keep a session that the server has issued. Takes the caller's reference, unless false is
 * returned: it is of no use, or memory is out.
 */
bool tls_sessions_put(struct tls_sessions *sessions, struct ssl_session_st *take_session);

#endif
