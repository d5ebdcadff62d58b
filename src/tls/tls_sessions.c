/* SPDX-License-Identifier: MIT */
#include "tls_sessions.h"

#include <assert.h>
#include <base/mem.h>
#include <openssl/ssl.h>
#include <time.h>

/* A client must not keep a ticket for longer, whatever the server says (RFC 8446 section 4.6.1). */
#define LIFETIME_MAX_S (7 * 24 * 3600)

struct ticket {
        struct list link; /* in sessions->tickets */
        SSL_SESSION *ssl_session;
        int64_t expires_s; /* by the wall clock, as is all of OpenSSL's session time */
};

static struct ticket *ticket_of(struct list *link)
{
        return LIST_OWNER(link, struct ticket, link);
}

static struct tls_sessions *sessions_of_node(struct map_node *node)
{
        return LIST_OWNER(node, struct tls_sessions, node);
}

static struct tls_sessions *sessions_of_unused_link(struct list *link)
{
        return LIST_OWNER(link, struct tls_sessions, unused_link);
}

/* --- one ticket ------------------------------------------------------------------------------ */

static bool is_single_use(const SSL_SESSION *ssl_session)
{
        return SSL_SESSION_get_protocol_version(ssl_session) >= TLS1_3_VERSION;
}

/* A lifetime of 0 means "do not keep it" in TLS 1.3, and "as you like" before (RFC 5077, 3.3). */
static int64_t lifetime_s(const SSL_SESSION *ssl_session)
{
        uint64_t hint_s = SSL_SESSION_get_ticket_lifetime_hint(ssl_session);

        if (hint_s == 0 && !is_single_use(ssl_session))
                hint_s = (uint64_t)SSL_SESSION_get_timeout(ssl_session);
        return hint_s < LIFETIME_MAX_S ? (int64_t)hint_s : LIFETIME_MAX_S;
}

/* The functions whose time is a long are deprecated since OpenSSL 3.4. */
static int64_t issued_s(const SSL_SESSION *ssl_session)
{
#if OPENSSL_VERSION_PREREQ(3, 4)
        return SSL_SESSION_get_time_ex(ssl_session);
#else
        return SSL_SESSION_get_time(ssl_session);
#endif
}

static int64_t expiry_s(const SSL_SESSION *ssl_session)
{
        return issued_s(ssl_session) + lifetime_s(ssl_session);
}

/* Remove a ticket from its peer. Returns its session. */
static SSL_SESSION *detach(struct tls_sessions *sessions, struct ticket *ticket)
{
        SSL_SESSION *ssl_session = ticket->ssl_session;

        assert(sessions->n_tickets > 0);
        list_remove(&ticket->link);
        sessions->n_tickets--;
        atomic_fetch_sub_explicit(&sessions->store->n_tickets, 1, memory_order_relaxed);
        mem_free(ticket);
        return ssl_session;
}

static void drop(struct tls_sessions *sessions, struct ticket *ticket)
{
        SSL_SESSION_free(detach(sessions, ticket));
}

/* --- the tickets of a peer ------------------------------------------------------------------- */

static void drop_all(struct tls_sessions *sessions)
{
        struct list *link;

        while ((link = list_first(&sessions->tickets)))
                drop(sessions, ticket_of(link));
}

/* One whose lifetime is shorter than that of those before it is found when its turn comes. */
static void drop_expired(struct tls_sessions *sessions)
{
        int64_t now_s = (int64_t)time(NULL);
        struct list *link;

        while ((link = list_first(&sessions->tickets)) && ticket_of(link)->expires_s <= now_s)
                drop(sessions, ticket_of(link));
}

static size_t room_for(const struct tls_sessions *sessions)
{
        size_t n = 2 * sessions->n_open_max;

        return n > TLS_TICKETS_MIN ? n : TLS_TICKETS_MIN;
}

/*
 * Make room for a new session. One that can be used again replaces all others; and where the
 * server has learnt TLS 1.3, its old session is of no more use.
 */
static void make_room(struct tls_sessions *sessions, const SSL_SESSION *newest)
{
        struct list *first = list_first(&sessions->tickets);

        if (first && !(is_single_use(newest) && is_single_use(ticket_of(first)->ssl_session)))
                drop_all(sessions);
        else if (sessions->n_tickets >= room_for(sessions))
                drop(sessions, ticket_of(first));
}

/* Add a session. False: it is of no use, or memory is out. */
static bool add(struct tls_sessions *sessions, SSL_SESSION *take_session)
{
        int64_t expires_s = expiry_s(take_session);
        struct ticket *ticket;

        if (expires_s <= (int64_t)time(NULL) || !SSL_SESSION_is_resumable(take_session) ||
                !(ticket = mem_alloc(sizeof(*ticket))))
                return false;
        *ticket = (struct ticket){ .ssl_session = take_session, .expires_s = expires_s };
        make_room(sessions, take_session);
        list_push_back(&sessions->tickets, &ticket->link);
        sessions->n_tickets++;
        atomic_fetch_add_explicit(&sessions->store->n_tickets, 1, memory_order_relaxed);
        return true;
}

/* --- the store ------------------------------------------------------------------------------- */

void tls_store_init(struct tls_store *store, const char *borrow_trust)
{
        *store = (struct tls_store){ .trust = borrow_trust };
        saved_init(&store->saved);
        pthread_mutex_init(&store->lock, NULL);
        map_init(&store->peers);
        list_init(&store->unused);
}

static void forget(struct tls_sessions *sessions)
{
        assert(!atomic_load(&sessions->n_users) && !sessions->n_open);
        list_remove(&sessions->unused_link);
        map_remove(&sessions->store->peers, &sessions->node);
        drop_all(sessions);
        pthread_mutex_destroy(&sessions->lock);
        mem_free((void *)(uintptr_t)sessions->node.key.at);
        mem_free(sessions);
}

void tls_store_deinit(struct tls_store *store)
{
        struct map_node *node;

        while ((node = map_any(&store->peers)))
                forget(sessions_of_node(node));
        map_deinit(&store->peers);
        saved_deinit(&store->saved);
        pthread_mutex_destroy(&store->lock);
}

/* What a peer is called where its sessions are saved. */
static int make_key(const struct tls_sessions *sessions, struct buf *key)
{
        key->len = 0;
        return buf_add_str(key, sessions->node.key) < 0 ||
                               buf_add_text(key, sessions->store->trust) < 0
                       ? MUSTER_E_RESOURCE
                       : 0;
}

/* A new peer: has it sessions from an earlier run? Without memory they stay where they are. */
static void claim_saved(struct tls_sessions *sessions)
{
        struct tls_store *store = sessions->store;
        struct buf key = { 0 };
        SSL_SESSION *ssl_session;

        if (!store->trust || !store->saved.peers.n)
                return;
        if (make_key(sessions, &key) == 0) {
                while ((ssl_session = saved_take(&store->saved, buf_str(&key)))) {
                        if (sessions->n_tickets >= room_for(sessions))
                                sessions->n_open_max = sessions->n_tickets;
                        if (!add(sessions, ssl_session))
                                SSL_SESSION_free(ssl_session);
                }
        }
        buf_deinit(&key);
}

static struct tls_sessions *make_sessions(struct tls_store *store, struct muster_str peer)
{
        struct tls_sessions *sessions = mem_zalloc(sizeof(*sessions));
        char *key = mem_strndup(peer.at, peer.len);

        if (!sessions || !key ||
                map_add(&store->peers, &sessions->node, (struct muster_str){ key, peer.len }) < 0) {
                mem_free(key);
                return mem_free(sessions);
        }
        sessions->store = store;
        list_init(&sessions->tickets);
        pthread_mutex_init(&sessions->lock, NULL);
        claim_saved(sessions);
        return sessions;
}

struct tls_sessions *tls_store_get(struct tls_store *store, struct muster_str peer)
{
        struct tls_sessions *sessions;
        struct map_node *node;

        pthread_mutex_lock(&store->lock);
        node = map_find(&store->peers, peer);
        sessions = node ? sessions_of_node(node) : make_sessions(store, peer);
        if (sessions && atomic_fetch_add(&sessions->n_users, 1) == 0)
                list_remove(&sessions->unused_link);
        pthread_mutex_unlock(&store->lock);
        return sessions;
}

/* One user fewer, unless it is the last one: that needs the store's lock. */
static bool is_user_left(struct tls_sessions *sessions)
{
        unsigned n = atomic_load(&sessions->n_users);

        assert(n > 0);
        while (n > 1)
                if (atomic_compare_exchange_weak(&sessions->n_users, &n, n - 1))
                        return true;
        return false;
}

struct tls_sessions *tls_sessions_free(struct tls_sessions *sessions)
{
        struct tls_store *store;

        if (!sessions || is_user_left(sessions))
                return NULL;
        store = sessions->store;
        pthread_mutex_lock(&store->lock);
        if (atomic_fetch_sub(&sessions->n_users, 1) == 1) {
                list_push_back(&store->unused, &sessions->unused_link);
                if (!sessions->n_tickets)
                        forget(sessions);
        }
        pthread_mutex_unlock(&store->lock);
        return NULL;
}

/* --- used by connections --------------------------------------------------------------------- */

void tls_sessions_opened(struct tls_sessions *sessions)
{
        atomic_fetch_add_explicit(&sessions->n_users, 1, memory_order_relaxed);
        pthread_mutex_lock(&sessions->lock);
        if (++sessions->n_open > sessions->n_open_max)
                sessions->n_open_max = sessions->n_open;
        pthread_mutex_unlock(&sessions->lock);
}

void tls_sessions_closed(struct tls_sessions *sessions)
{
        pthread_mutex_lock(&sessions->lock);
        assert(sessions->n_open > 0);
        sessions->n_open--;
        pthread_mutex_unlock(&sessions->lock);
        tls_sessions_free(sessions);
}

SSL_SESSION *tls_sessions_take(struct tls_sessions *sessions)
{
        SSL_SESSION *ssl_session = NULL;
        struct list *link;

        pthread_mutex_lock(&sessions->lock);
        drop_expired(sessions);
        link = list_first(&sessions->tickets);
        if (link && is_single_use(ticket_of(link)->ssl_session)) {
                ssl_session = detach(sessions, ticket_of(link));
        } else if (link) {
                ssl_session = ticket_of(link)->ssl_session;
                SSL_SESSION_up_ref(ssl_session);
        }
        pthread_mutex_unlock(&sessions->lock);
        return ssl_session;
}

static bool is_full(struct tls_store *store)
{
        return atomic_load_explicit(&store->n_tickets, memory_order_relaxed) > TLS_TICKETS_MAX;
}

static void forget_unused(struct tls_store *store)
{
        struct list *link;

        pthread_mutex_lock(&store->lock);
        while (is_full(store) && (link = list_first(&store->unused)))
                forget(sessions_of_unused_link(link));
        pthread_mutex_unlock(&store->lock);
}

bool tls_sessions_put(struct tls_sessions *sessions, SSL_SESSION *take_session)
{
        bool is_kept;

        pthread_mutex_lock(&sessions->lock);
        is_kept = add(sessions, take_session);
        pthread_mutex_unlock(&sessions->lock);
        if (is_full(sessions->store))
                forget_unused(sessions->store);
        return is_kept;
}

/* --- across runs ----------------------------------------------------------------------------- */

int tls_store_load(struct tls_store *store, struct muster_str text, const char *name,
        struct muster_error *error)
{
        int r;

        pthread_mutex_lock(&store->lock);
        r = saved_read(&store->saved, text, name, error);
        pthread_mutex_unlock(&store->lock);
        return r;
}

static int save_peer(struct tls_sessions *sessions, struct buf *to, struct buf *key)
{
        int r = make_key(sessions, key);

        pthread_mutex_lock(&sessions->lock);
        drop_expired(sessions);
        for (struct list *link = sessions->tickets.next; link != &sessions->tickets && r == 0;
                link = link->next)
                r = saved_write(&sessions->store->saved, to, buf_str(key),
                        ticket_of(link)->ssl_session, ticket_of(link)->expires_s);
        pthread_mutex_unlock(&sessions->lock);
        return r;
}

static int save_peers(struct tls_store *store, struct buf *to)
{
        struct buf key = { 0 };
        int r = 0;

        for (size_t i = 0; store->trust && i < store->peers.n_chains && r == 0; i++)
                for (struct map_node *node = store->peers.chains[i]; node && r == 0;
                        node = node->next)
                        r = save_peer(sessions_of_node(node), to, &key);
        buf_deinit(&key);
        return r;
}

int tls_store_save(struct tls_store *store, struct tls_store *other, struct buf *to)
{
        int r = saved_write_head(to);

        pthread_mutex_lock(&store->lock);
        if (other)
                pthread_mutex_lock(&other->lock);
        if (r == 0)
                r = save_peers(store, to);
        if (r == 0 && other)
                r = save_peers(other, to);
        if (r == 0)
                r = saved_write_rest(&store->saved, other ? &other->saved : NULL, to);
        if (other)
                pthread_mutex_unlock(&other->lock);
        pthread_mutex_unlock(&store->lock);
        return r;
}
