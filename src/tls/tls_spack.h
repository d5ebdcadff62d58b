/* SPDX-License-Identifier: MIT */
/*
 * One session as bytes, in the form in which curl 8.12 and later packs it: a version, then members
 * of a tag and a value each, numbers in network order
 */
#ifndef TLS_TLS_SPACK_H
#define TLS_TLS_SPACK_H

#include <base/buf.h>

struct spack {
        struct muster_str session; /* as i2d_SSL_SESSION() writes it */
        int64_t expires_s;         /* by the wall clock */
        uint16_t version;          /* 0x0304: TLS 1.3 */
        struct muster_str alpn;    /* empty: none */
};

/* Append the bytes. MUSTER_E_RESOURCE, also for a session that is too large for this form. */
int spack_write(struct buf *to, const struct spack *spack);

/* Read them; the texts are borrowed from `bytes`. MUSTER_E_INPUT if they are no packed session. */
int spack_read(struct spack *ret_spack, struct muster_str bytes);

#endif
