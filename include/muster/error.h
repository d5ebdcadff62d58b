/* SPDX-License-Identifier: MIT */
/*
 * Errors are values
 *
 * A function that returns int returns 0 on success, a negative `enum muster_code` on failure, or a
 * positive condition (enum muster_condition) that its declaration names and the caller handles. A
 * failed request is not a failed call: the request's result has a `struct muster_error`.
 */
#ifndef MUSTER_ERROR_H
#define MUSTER_ERROR_H

#include <muster/version.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Text that somebody else owns; not terminated unless its source says so. */
struct muster_str {
        const char *at;
        size_t len;
};

enum muster_code {
        MUSTER_OK = 0,
        MUSTER_E_INVALID = -1, /* the API was misused: a missing argument, a value out of range */
        MUSTER_E_URL = -2,     /* not a URL that can be fetched */
        MUSTER_E_INPUT = -3,   /* a request, or its body, that could not be read from its source */
        MUSTER_E_RESOLVE = -4, /* the host's name has no address, or no name server answered */
        MUSTER_E_CONNECT = -5, /* no address of the host accepted a connection */
        MUSTER_E_TLS = -6,     /* the handshake failed, or a record was bad */
        MUSTER_E_TLS_VERIFY = -7, /* the server's certificate is not trusted for this host */
        MUSTER_E_SEND = -8,       /* the request could not be written */
        MUSTER_E_CLOSED = -9,     /* the connection ended before the response was complete */
        MUSTER_E_PROTOCOL = -10,  /* what the server sent is not valid HTTP, or ambiguous */
        MUSTER_E_TIMEOUT = -11,   /* one of the timeouts; the text names it and what used it up */
        MUSTER_E_TOO_LARGE = -12, /* header or body above the cap */
        MUSTER_E_DECODE = -13,    /* the compressed body is corrupt, truncated or a bomb */
        MUSTER_E_REDIRECT = -14,  /* too many, a loop, or a target that is not allowed */
        MUSTER_E_STATUS = -15,    /* status 400 and above, if the caller asked for this */
        MUSTER_E_CANCELLED = -16, /* by the caller */
        MUSTER_E_PROCESS = -17,   /* the caller's processing of the body failed */
        MUSTER_E_RESOURCE = -18,  /* this machine ran out of memory, descriptors, ports or disk */
        MUSTER_E_INTERNAL = -19,  /* a defect of muster: please report it */
        MUSTER_E_PROXY = -20,     /* the proxy refused, or did not answer as a proxy does */
        MUSTER_E_DENIED = -21,    /* the options forbid this host, address or port: deny_private */
};

/*
 * The phases of a request. Every nanosecond belongs to exactly one of them, so they add up to the
 * whole time. A failure names the phase in which it happened.
 */
enum muster_phase {
        MUSTER_PHASE_QUEUE,   /* waited for a slot */
        MUSTER_PHASE_BACKOFF, /* waited before a retry, holding no slot */
        MUSTER_PHASE_DNS,     /* resolving the host's name */
        MUSTER_PHASE_TCP,     /* connecting */
        MUSTER_PHASE_TLS,     /* the TLS handshake */
        MUSTER_PHASE_SEND,    /* handing the request to the kernel */
        MUSTER_PHASE_WAIT,    /* until the kernel had the response's first byte: network, server */
        MUSTER_PHASE_LAG,     /* until we read that byte: this program's own delay */
        MUSTER_PHASE_RECEIVE, /* until the last byte */
        MUSTER_PHASE_DECODE,  /* undoing the Content-Encoding */
        MUSTER_PHASE_PROCESS, /* the caller's processing, the wait for a worker included */
        MUSTER_PHASE_DELIVER, /* finished, until the caller took the result */
        /* with a proxy: TLS with it and its answer to CONNECT or SOCKS; between tcp and tls */
        MUSTER_PHASE_TUNNEL,
        MUSTER_N_PHASES,
};

/* Room for phases that later versions add: in arrays of them nothing moves then. */
#define MUSTER_PHASES_MAX 16

struct muster_error {
        enum muster_code code;
        enum muster_phase stage; /* the phase in which the request was */
        int sys;                 /* errno, if a system call failed; else 0 */
        char text[252];          /* one line: what happened, to what, what to do */
};

/*
 * The short name of a code, as in result lines: "timeout", "tls_verify"; a constant. "ok" for
 * MUSTER_OK, "unknown" for a value that is not a code.
 */
MUSTER_PUBLIC const char *muster_code_name(enum muster_code code);

/* The short name of a phase: "queue", "dns", ...; a constant. */
MUSTER_PUBLIC const char *muster_phase_name(enum muster_phase phase);

#ifdef __cplusplus
}
#endif

#endif
