/* SPDX-License-Identifier: MIT */
/*
 * What begins a message of HTTP in plain text
 */
#ifndef SHIM_TEXT_H
#define SHIM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum text_kind {
        TEXT_NONE,
        TEXT_MESSAGE, /* begins with a method and a blank, or with "HTTP/" */
        TEXT_H2,      /* HTTP/2's preface */
        TEXT_TLS,     /* the first message of a TLS handshake */
};

/* What the first `size` bytes of `n` parts begin with. */
enum text_kind text_kind_of(const struct iovec *parts, size_t n, size_t size);

/* So many of the first bytes of parts. */
void text_copy(void *to, const struct iovec *parts, size_t n, size_t size);

#endif
