/* SPDX-License-Identifier: MIT */
/*
 * libssl: handshakes, what is sent and received in plain text, and contexts
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>

#include "library.h"
#include "log.h"
#include "session.h"
#include "text.h"
#include "thread.h"

/* What SSL_get_error() tells; the same in all of its versions. */
enum {
        SSL_ERROR_SSL = 1,
        SSL_ERROR_WANT_READ = 2,
        SSL_ERROR_SYSCALL = 5,
        SSL_ERROR_ZERO_RETURN = 6
};

/* A call, from before the real one to after it. */
struct tls {
        const struct library *library;
        SSL *ssl;
        struct session *session;
        uint64_t at_ns, took_ns;
        int fd, sys;
};

/* False: there is nothing to do. libssl may call itself through its public names. */
static bool begin(struct tls *tls, const struct library *library, SSL *ssl)
{
        if (!shim_watches() || !ssl || this_thread.is_in_tls)
                return false;
        thread_own();
        *tls = (struct tls){ .library = library,
                .ssl = ssl,
                .session = session_of(ssl, true),
                .at_ns = shim_now() };
        session_begin();
        return true;
}

/* The real call has returned, with errno, which end() brings back. */
static void over(struct tls *tls)
{
        tls->sys = errno;
        tls->took_ns = shim_since(tls->at_ns);
        tls->fd = session_end(tls->session, tls->library, tls->ssl);
}

static void end(const struct tls *tls)
{
        errno = tls->sys;
}

static int error_of(const struct tls *tls, int r)
{
        return tls->library->SSL_get_error ? tls->library->SSL_get_error(tls->ssl, r)
                                           : SSL_ERROR_SSL;
}

/* --- handshakes ------------------------------------------------------------------------------ */

static void shaken(struct tls *tls, int r)
{
        int value = 1;

        over(tls);
        if (r != 1) {
                int error = error_of(tls, r);

                value = error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL ||
                                        error == SSL_ERROR_ZERO_RETURN
                                ? -1
                                : 0;
        }
        if (value == 0 && session_says_hello(tls->session, tls->library, tls->ssl))
                tls->fd = -1; /* nobody knows yet by which it goes out */
        log_event(WATCH_TLS_HANDSHAKE, tls->fd, tls->at_ns, tls->took_ns, value,
                (uintptr_t)tls->ssl);
        end(tls);
}

HOOK int SSL_connect(SSL *ssl);
HOOK int SSL_accept(SSL *ssl);
HOOK int SSL_do_handshake(SSL *ssl);

int SSL_connect(SSL *ssl)
{
        const struct library *library = LIBRARY();
        struct tls tls;
        int r;

        if (UNLIKELY(!library))
                return -1;
        if (!begin(&tls, library, ssl))
                return library->SSL_connect(ssl);
        r = library->SSL_connect(ssl);
        shaken(&tls, r);
        return r;
}

int SSL_accept(SSL *ssl)
{
        const struct library *library = LIBRARY();
        struct tls tls;
        int r;

        if (UNLIKELY(!library))
                return -1;
        if (!begin(&tls, library, ssl))
                return library->SSL_accept(ssl);
        r = library->SSL_accept(ssl);
        shaken(&tls, r);
        return r;
}

int SSL_do_handshake(SSL *ssl)
{
        const struct library *library = LIBRARY();
        struct tls tls;
        int r;

        if (UNLIKELY(!library))
                return -1;
        if (!begin(&tls, library, ssl))
                return library->SSL_do_handshake(ssl);
        r = library->SSL_do_handshake(ssl);
        shaken(&tls, r);
        return r;
}

/* --- text ------------------------------------------------------------------------------------ */

static uint16_t look_at(struct session *session, const struct iovec *part)
{
        if (session->is_h2)
                return WATCH_FLAG_H2;
        switch (text_kind_of(part, 1, part->iov_len)) {
        case TEXT_MESSAGE:
                return WATCH_FLAG_TEXT;
        case TEXT_H2:
                session->is_h2 = 1;
                return WATCH_FLAG_H2;
        case TEXT_TLS:
        case TEXT_NONE:
                return 0;
        }
        return 0;
}

static void told(struct tls *tls, enum watch_kind kind, int64_t value, const void *data)
{
        struct iovec part = { (void *)(uintptr_t)data, value > 0 ? (size_t)value : 0 };
        uint16_t flags = value > 0 ? look_at(tls->session, &part) : 0;
        uint32_t n_data = 0;
        struct watch_event *event;

        if (flags)
                n_data = part.iov_len < WATCH_TEXT_MAX ? (uint32_t)part.iov_len : WATCH_TEXT_MAX;
        event = log_begin(kind, tls->fd, tls->at_ns, tls->took_ns, n_data);
        if (event) {
                event->value = value;
                event->extra = (uintptr_t)tls->ssl;
                event->flags = flags;
                memcpy(event->data, data, n_data);
                log_finish(event, kind);
        }
}

/* `n` bytes were sent or received, or none, and the call returned r. */
static void moved(struct tls *tls, enum watch_kind kind, size_t n, int r, const void *data)
{
        over(tls);
        if (n > 0) {
                told(tls, kind, (int64_t)n, data);
        } else {
                int error = error_of(tls, r);

                if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && tls->sys == 0))
                        told(tls, kind, 0, NULL);
                else if (error == SSL_ERROR_SYSCALL)
                        told(tls, kind, -tls->sys, NULL);
                else if (error == SSL_ERROR_SSL)
                        told(tls, kind, -EPROTO, NULL);
                /* else it has only asked */
        }
        end(tls);
}

HOOK int SSL_read(SSL *ssl, void *ret_data, int size);
HOOK int SSL_read_ex(SSL *ssl, void *ret_data, size_t size, size_t *ret_n);
HOOK int SSL_write(SSL *ssl, const void *data, int size);
HOOK int SSL_write_ex(SSL *ssl, const void *data, size_t size, size_t *ret_n);

int SSL_read(SSL *ssl, void *ret_data, int size)
{
        const struct library *library = LIBRARY();
        struct tls tls;
        int n;

        if (UNLIKELY(!library))
                return -1;
        if (!begin(&tls, library, ssl))
                return library->SSL_read(ssl, ret_data, size);
        n = library->SSL_read(ssl, ret_data, size);
        moved(&tls, WATCH_TLS_RECEIVE, n > 0 ? (size_t)n : 0, n, ret_data);
        return n;
}

int SSL_read_ex(SSL *ssl, void *ret_data, size_t size, size_t *ret_n)
{
        const struct library *library = LIBRARY();
        struct tls tls;
        int r;

        if (UNLIKELY(!library))
                return 0;
        if (!begin(&tls, library, ssl))
                return library->SSL_read_ex(ssl, ret_data, size, ret_n);
        r = library->SSL_read_ex(ssl, ret_data, size, ret_n);
        moved(&tls, WATCH_TLS_RECEIVE, r > 0 ? *ret_n : 0, r, ret_data);
        return r;
}

int SSL_write(SSL *ssl, const void *data, int size)
{
        const struct library *library = LIBRARY();
        struct tls tls;
        int n;

        if (UNLIKELY(!library))
                return -1;
        if (!begin(&tls, library, ssl))
                return library->SSL_write(ssl, data, size);
        n = library->SSL_write(ssl, data, size);
        moved(&tls, WATCH_TLS_SEND, n > 0 ? (size_t)n : 0, n, data);
        return n;
}

int SSL_write_ex(SSL *ssl, const void *data, size_t size, size_t *ret_n)
{
        const struct library *library = LIBRARY();
        struct tls tls;
        int r;

        if (UNLIKELY(!library))
                return 0;
        if (!begin(&tls, library, ssl))
                return library->SSL_write_ex(ssl, data, size, ret_n);
        r = library->SSL_write_ex(ssl, data, size, ret_n);
        moved(&tls, WATCH_TLS_SEND, r > 0 ? *ret_n : 0, r, data);
        return r;
}

HOOK int SSL_shutdown(SSL *ssl);

/* Who says it first closes the connection: with bytes in memory it is seen by nothing else. */
int SSL_shutdown(SSL *ssl)
{
        const struct library *library = LIBRARY();
        struct tls tls;
        int r;

        if (UNLIKELY(!library))
                return -1;
        if (!begin(&tls, library, ssl))
                return library->SSL_shutdown(ssl);
        r = library->SSL_shutdown(ssl);
        over(&tls);
        log_event(WATCH_TLS_SHUTDOWN, tls.fd, tls.at_ns, tls.took_ns, r, (uintptr_t)ssl);
        end(&tls);
        return r;
}

HOOK void SSL_free(SSL *ssl);

/* Only for one that did something; the last of several owners is not known here, so the first ends it. */
void SSL_free(SSL *ssl)
{
        const struct library *library = LIBRARY();
        struct session *session;

        if (UNLIKELY(!library))
                return;
        session = ssl && shim_watches() && !this_thread.is_in_tls ? session_of(ssl, false) : NULL;
        if (session) {
                int fd = library->SSL_get_fd ? library->SSL_get_fd(ssl) : -1;

                log_event(WATCH_TLS_FREE, fd >= 0 ? fd : session->fd - 1, shim_now(), 0, 0,
                        (uintptr_t)ssl);
                session_forget(session);
        }
        library->SSL_free(ssl);
}

/* --- contexts -------------------------------------------------------------------------------- */

HOOK SSL_CTX *SSL_CTX_new(const void *method);

SSL_CTX *SSL_CTX_new(const void *method)
{
        const struct library *library = LIBRARY();
        uint64_t at_ns = shim_now();
        SSL_CTX *context;
        int sys;

        if (UNLIKELY(!library))
                return NULL;
        context = library->SSL_CTX_new(method);
        sys = errno;
        if (context && shim_watches())
                log_event(WATCH_TLS_CONTEXT, -1, at_ns, shim_since(at_ns), 0, (uintptr_t)context);
        errno = sys;
        return context;
}

/* A function that loads certificates into a context: the real one's result, and how long it took. */
#define TRUST(name, parameters, arguments)                                                         \
        HOOK int name parameters;                                                                  \
        int name parameters                                                                        \
        {                                                                                          \
                const struct library *library = LIBRARY();                                         \
                uint64_t at_ns;                                                                    \
                int r, sys;                                                                        \
                                                                                                   \
                if (UNLIKELY(!library || !library->name))                                          \
                        return 0;                                                                  \
                if (!shim_watches() || this_thread.is_in_tls)                                      \
                        return library->name arguments;                                            \
                this_thread.is_in_tls = true;                                                      \
                at_ns = shim_now();                                                                \
                r = library->name arguments;                                                       \
                sys = errno;                                                                       \
                this_thread.is_in_tls = false;                                                     \
                log_event(WATCH_TLS_TRUST, -1, at_ns, shim_since(at_ns), r, (uintptr_t)context);   \
                errno = sys;                                                                       \
                return r;                                                                          \
        }

TRUST(SSL_CTX_load_verify_locations, (SSL_CTX * context, const char *file, const char *folder),
        (context, file, folder))
TRUST(SSL_CTX_load_verify_file, (SSL_CTX * context, const char *file), (context, file))
TRUST(SSL_CTX_load_verify_dir, (SSL_CTX * context, const char *folder), (context, folder))
TRUST(SSL_CTX_load_verify_store, (SSL_CTX * context, const char *store), (context, store))
TRUST(SSL_CTX_set_default_verify_paths, (SSL_CTX * context), (context))
TRUST(SSL_CTX_set_default_verify_file, (SSL_CTX * context), (context))
TRUST(SSL_CTX_set_default_verify_dir, (SSL_CTX * context), (context))
