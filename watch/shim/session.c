/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "log.h"
#include "thread.h"

#define N_SESSIONS (1u << 14)
#define N_WAYS     8 /* places in which one may be: with more, the last is forgotten */

static struct session sessions[N_SESSIONS + N_WAYS];

/* How many have begun here, and how many hellos went out: those in excess are of a TLS that is not seen. */
static uint32_t n_begun, n_hellos;

static void reset(struct session *session)
{
        session->fd = 0;
        session->is_h2 = 0;
}

struct session *session_of(const SSL *ssl, bool is_wanted)
{
        uint64_t key = (uintptr_t)ssl;
        struct session *first = &sessions[(key >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - 14)];

        for (unsigned i = 0; i < N_WAYS; i++)
                if (__atomic_load_n(&first[i].ssl, __ATOMIC_ACQUIRE) == key)
                        return &first[i];
        if (!is_wanted)
                return NULL;
        __atomic_add_fetch(&n_begun, 1, __ATOMIC_RELAXED);
        for (unsigned i = 0; i < N_WAYS; i++) {
                uint64_t none = 0;

                if (__atomic_compare_exchange_n(&first[i].ssl, &none, key, false, __ATOMIC_ACQ_REL,
                            __ATOMIC_RELAXED)) {
                        reset(&first[i]);
                        return &first[i];
                }
        }
        __atomic_store_n(&first[N_WAYS - 1].ssl, key, __ATOMIC_RELEASE);
        reset(&first[N_WAYS - 1]);
        return &first[N_WAYS - 1];
}

void session_forget(struct session *session)
{
        for (unsigned i = 0; i < this_thread.n_hellos; i++) /* it never said it */
                if (this_thread.hellos[i] == session)
                        this_thread.hellos[i] = this_thread.hellos[--this_thread.n_hellos];
        __atomic_store_n(&session->ssl, 0, __ATOMIC_RELEASE);
}

void session_begin(void)
{
        this_thread.used_fd = 0;
        this_thread.is_in_tls = true;
}

int session_end(struct session *session, const struct library *library, const SSL *ssl)
{
        int fd = library->SSL_get_fd ? library->SSL_get_fd(ssl) : -1;

        this_thread.is_in_tls = false;
        if (fd >= 0)
                return fd;
        if (this_thread.used_fd)
                session->fd = this_thread.used_fd;
        else if (!session->fd && library->SSL_is_server && library->SSL_is_server(ssl))
                session->fd = this_thread.received_fd;
        return (session->fd ? session->fd : this_thread.received_fd) - 1;
}

bool session_says_hello(struct session *session, const struct library *library, const SSL *ssl)
{
        unsigned n = this_thread.n_hellos;

        if (session->fd || this_thread.used_fd || !library->SSL_is_server ||
                library->SSL_is_server(ssl))
                return false;
        if (library->SSL_get_fd && library->SSL_get_fd(ssl) >= 0)
                return false;
        if (n > 0 && this_thread.hellos[n - 1] == session)
                return true;
        if (n == N_HELLOS) /* those that were never sent */
                n = 0;
        this_thread.hellos[n] = session;
        this_thread.n_hellos = n + 1;
        return true;
}

void session_hello_sent(int fd)
{
        struct thread *thread = &this_thread;

        if (__atomic_add_fetch(&n_hellos, 1, __ATOMIC_RELAXED) >
                __atomic_load_n(&n_begun, __ATOMIC_RELAXED))
                log_unseen(WATCH_UNSEEN_TLS);
        if (thread->is_in_tls || thread->n_hellos == 0)
                return;
        thread->hellos[0]->fd = fd + 1;
        thread->n_hellos--;
        for (unsigned i = 0; i < thread->n_hellos; i++)
                thread->hellos[i] = thread->hellos[i + 1];
}
