/* SPDX-License-Identifier: MIT */
/*
 * A BIO of our own
 *
 * OpenSSL's memory BIO would copy all ciphertext once more. This BIO reads from the slice that was
 * fed, and appends ciphertext to send to a buffer.
 */
#include "tls_internal.h"

#include <assert.h>
#include <base/minmax.h>
#include <limits.h>

static int bio_read(BIO *bio, char *to, int size)
{
        struct tls *tls = BIO_get_data(bio);
        size_t n = size > 0 ? min_size(tls->in.len, (size_t)size) : tls->in.len;

        assert(tls);
        BIO_clear_retry_flags(bio);
        if (size <= 0)
                return 0;
        if (n == 0) {
                BIO_set_retry_read(bio);
                return -1;
        }
        memcpy(to, tls->in.at, n);
        tls->in.at += n;
        tls->in.len -= n;
        return (int)n;
}

static int bio_write(BIO *bio, const char *from, int size)
{
        struct tls *tls = BIO_get_data(bio);

        assert(tls && (from || size <= 0));
        BIO_clear_retry_flags(bio);
        if (size <= 0)
                return 0;
        return buf_add(&tls->out, from, (size_t)size) < 0 ? -1 : size;
}

static long bio_ctrl(BIO *bio, int command, long number, void *at)
{
        (void)bio;
        (void)number;
        (void)at;
        return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *tls_bio_method_new(void)
{
        BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "muster");

        if (method && BIO_meth_set_read(method, bio_read) &&
                BIO_meth_set_write(method, bio_write) && BIO_meth_set_ctrl(method, bio_ctrl))
                return method;
        BIO_meth_free(method);
        return NULL;
}

BIO *tls_bio_new(BIO_METHOD *method, struct tls *tls)
{
        BIO *bio = BIO_new(method);

        if (!bio)
                return NULL;
        BIO_set_data(bio, tls);
        BIO_set_init(bio, 1);
        return bio;
}
