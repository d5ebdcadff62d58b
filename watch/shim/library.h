/* SPDX-License-Identifier: MIT */
/*
 * The libssl that a caller would have got
 *
 * A process may have several: the distribution's, one that came with a package. Which one a call is
 * for is found by who makes it: the library in which the call stands, and what that depends on. The
 * distribution's may also be out of RTLD_NEXT's sight, for Python loads its module for itself. What
 * was found is kept for each place that calls.
 *
 * To look it up may allocate and lock, as the first call of any function of a library may; libssl is
 * not to be called in signal handlers anyway.
 */
#ifndef SHIM_LIBRARY_H
#define SHIM_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

struct library {
        uintptr_t base; /* where it lies */
        int (*SSL_connect)(SSL *);
        int (*SSL_accept)(SSL *);
        int (*SSL_do_handshake)(SSL *);
        int (*SSL_read)(SSL *, void *, int);
        int (*SSL_read_ex)(SSL *, void *, size_t, size_t *);
        int (*SSL_write)(SSL *, const void *, int);
        int (*SSL_write_ex)(SSL *, const void *, size_t, size_t *);
        int (*SSL_shutdown)(SSL *);
        void (*SSL_free)(SSL *);
        SSL_CTX *(*SSL_CTX_new)(const void *);
        int (*SSL_CTX_load_verify_locations)(SSL_CTX *, const char *, const char *);
        int (*SSL_CTX_load_verify_file)(SSL_CTX *, const char *);
        int (*SSL_CTX_load_verify_dir)(SSL_CTX *, const char *);
        int (*SSL_CTX_load_verify_store)(SSL_CTX *, const char *);
        int (*SSL_CTX_set_default_verify_paths)(SSL_CTX *);
        int (*SSL_CTX_set_default_verify_file)(SSL_CTX *);
        int (*SSL_CTX_set_default_verify_dir)(SSL_CTX *);
        /* Not hooked: what is asked here. */
        int (*SSL_get_fd)(const SSL *);
        int (*SSL_get_error)(const SSL *, int);
        int (*SSL_is_server)(const SSL *);
};

/* That for the call that returns to `caller`; NULL: none is found. */
const struct library *library_of(const void *caller);

/* In a hook. */
#define LIBRARY() library_of(__builtin_return_address(0))

#endif
