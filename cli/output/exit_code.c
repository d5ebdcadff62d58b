/* SPDX-License-Identifier: MIT */
#include "exit_code.h"

/* curl(1), EXIT CODES. */
static const struct {
        enum muster_code code;
        unsigned curl;
} exit_codes[] = {
        { MUSTER_E_INVALID, 43 },    /* a function was called with a bad parameter */
        { MUSTER_E_URL, 3 },         /* URL malformed */
        { MUSTER_E_INPUT, 26 },      /* read error */
        { MUSTER_E_RESOLVE, 6 },     /* could not resolve host */
        { MUSTER_E_CONNECT, 7 },     /* failed to connect */
        { MUSTER_E_TLS, 35 },        /* the handshaking failed */
        { MUSTER_E_TLS_VERIFY, 60 }, /* the certificate cannot be authenticated */
        { MUSTER_E_SEND, 55 },       /* failed sending network data */
        { MUSTER_E_CLOSED, 18 },     /* partial file; 52 where nothing came */
        { MUSTER_E_PROTOCOL, 8 },    /* weird server reply */
        { MUSTER_E_TIMEOUT, 28 },    /* operation timeout */
        { MUSTER_E_TOO_LARGE, 63 },  /* maximum file size exceeded */
        { MUSTER_E_DECODE, 61 },     /* unrecognised transfer encoding */
        { MUSTER_E_REDIRECT, 47 },   /* too many redirects */
        { MUSTER_E_STATUS, 22 },     /* HTTP page not retrieved */
        { MUSTER_E_CANCELLED, 42 },  /* aborted by callback */
        { MUSTER_E_PROCESS, 23 },    /* write error */
        { MUSTER_E_RESOURCE, 27 },   /* out of memory */
        { MUSTER_E_PROXY, 97 },      /* proxy handshake error */
        { MUSTER_E_DENIED, 7 },      /* failed to connect: curl has nothing that forbids it */
};

unsigned exit_code_of(const struct muster_error *error)
{
        if (!error)
                return 0;
        if (error->code == MUSTER_E_CLOSED && error->stage == MUSTER_PHASE_WAIT)
                return 52;
        for (size_t i = 0; i < sizeof(exit_codes) / sizeof(exit_codes[0]); i++)
                if (exit_codes[i].code == error->code)
                        return exit_codes[i].curl;
        return 2; /* failed to initialise: there is none that fits better */
}
