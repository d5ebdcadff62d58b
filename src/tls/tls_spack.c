/* SPDX-License-Identifier: MIT */
#include "tls_spack.h"

#include <assert.h>
#include <muster/error.h>

#define FORMAT_VERSION 1

enum tag {
        TAG_VERSION = 2,     /* the TLS version, 2 bytes */
        TAG_VALID_UNTIL = 3, /* seconds since 1970, 8 bytes */
        TAG_SESSION = 4,     /* a length of 2 bytes, and the session */
        TAG_ALPN = 5,        /* a length of 2 bytes, and the name */
        TAG_EARLY_DATA = 6,  /* 4 bytes; we send none */
        TAG_QUIC = 7, /* a length of 2 bytes, and transport parameters; we have no use for them */
};

static int add_number(struct buf *to, uint64_t value, unsigned n_bytes)
{
        while (n_bytes-- > 0)
                if (buf_add_char(to, (char)(value >> 8 * n_bytes)) < 0)
                        return MUSTER_E_RESOURCE;
        return 0;
}

static int add_tagged(struct buf *to, enum tag tag, uint64_t value, unsigned n_bytes)
{
        int r = buf_add_char(to, (char)tag);

        return r < 0 ? r : add_number(to, value, n_bytes);
}

static int add_text(struct buf *to, enum tag tag, struct muster_str text)
{
        int r = text.len > UINT16_MAX ? MUSTER_E_RESOURCE : add_tagged(to, tag, text.len, 2);

        return r < 0 ? r : buf_add_str(to, text);
}

int spack_write(struct buf *to, const struct spack *spack)
{
        assert(spack->session.len && spack->expires_s > 0);
        if (buf_add_char(to, FORMAT_VERSION) < 0 || add_text(to, TAG_SESSION, spack->session) < 0 ||
                add_tagged(to, TAG_VERSION, spack->version, 2) < 0 ||
                add_tagged(to, TAG_VALID_UNTIL, (uint64_t)spack->expires_s, 8) < 0)
                return MUSTER_E_RESOURCE;
        return spack->alpn.len ? add_text(to, TAG_ALPN, spack->alpn) : 0;
}

static bool take_number(struct muster_str *bytes, unsigned n_bytes, uint64_t *ret_value)
{
        uint64_t value = 0;

        if (bytes->len < n_bytes)
                return false;
        for (unsigned i = 0; i < n_bytes; i++)
                value = value << 8 | (unsigned char)bytes->at[i];
        bytes->at += n_bytes;
        bytes->len -= n_bytes;
        *ret_value = value;
        return true;
}

static bool take_text(struct muster_str *bytes, struct muster_str *ret_text)
{
        uint64_t len;

        if (!take_number(bytes, 2, &len) || bytes->len < len)
                return false;
        *ret_text = (struct muster_str){ bytes->at, (size_t)len };
        bytes->at += len;
        bytes->len -= (size_t)len;
        return true;
}

static bool take_member(struct muster_str *bytes, struct spack *spack)
{
        struct muster_str unused;
        uint64_t tag, value = 0;

        if (!take_number(bytes, 1, &tag))
                return false;
        switch (tag) {
        case TAG_VERSION:
                if (!take_number(bytes, 2, &value))
                        return false;
                spack->version = (uint16_t)value;
                return true;
        case TAG_VALID_UNTIL:
                if (!take_number(bytes, 8, &value) || value > INT64_MAX)
                        return false;
                spack->expires_s = (int64_t)value;
                return true;
        case TAG_SESSION:
                return take_text(bytes, &spack->session);
        case TAG_ALPN:
                return take_text(bytes, &spack->alpn);
        case TAG_EARLY_DATA:
                return take_number(bytes, 4, &value);
        case TAG_QUIC:
                return take_text(bytes, &unused);
        }
        return false;
}

int spack_read(struct spack *ret_spack, struct muster_str bytes)
{
        struct spack spack = { 0 };
        uint64_t version;

        if (!take_number(&bytes, 1, &version) || version != FORMAT_VERSION)
                return MUSTER_E_INPUT;
        while (bytes.len)
                if (!take_member(&bytes, &spack))
                        return MUSTER_E_INPUT;
        if (!spack.session.len)
                return MUSTER_E_INPUT;
        *ret_spack = spack;
        return 0;
}
