/* SPDX-License-Identifier: MIT */
#include "resolve_error.h"

#include <base/error.h>

#define HOST_SHOWN 80 /* characters of the host, so that the reason still fits */

/* No name server gave a usable answer. */
static int unanswered(struct muster_error *error, const char *host, const char *what,
        const struct dns_channel *channel)
{
        char servers[120];

        dns_channel_describe_servers(channel, servers, sizeof(servers));
        return error_set(error, MUSTER_E_RESOLVE, MUSTER_PHASE_DNS, 0,
                "resolve: %.*s: %s: name server%s %s", HOST_SHOWN, host, what,
                strchr(servers, ',') ? "s" : "", servers);
}

int resolve_error_set(struct muster_error *error, const char *host, int status,
        const struct dns_channel *channel)
{
        enum muster_phase stage = MUSTER_PHASE_DNS;

        switch (status) {
        case ARES_ENOTFOUND:
                return error_set(error, MUSTER_E_RESOLVE, stage, 0,
                        "resolve: %.*s: the name does not exist", HOST_SHOWN, host);
        case ARES_ENODATA:
                return error_set(error, MUSTER_E_RESOLVE, stage, 0,
                        "resolve: %.*s: the name has no address", HOST_SHOWN, host);
        case ARES_ETIMEOUT:
                return unanswered(error, host, "no answer came in time", channel);
        case ARES_ECONNREFUSED:
                return unanswered(error, host, "no answer, the server cannot be reached", channel);
        case ARES_ESERVFAIL:
                return unanswered(error, host, "the server failed to answer (SERVFAIL)", channel);
        case ARES_EREFUSED:
                return unanswered(error, host, "the server refused to answer (REFUSED)", channel);
        case ARES_ENOTIMP:
                return unanswered(error, host, "the server does not implement this query (NOTIMP)",
                        channel);
        case ARES_EFORMERR:
                return unanswered(error, host, "the server could not read the query (FORMERR)",
                        channel);
        case ARES_EBADRESP:
                return unanswered(error, host, "the answer is malformed", channel);
        case ARES_ENOMEM:
                return error_set_memory(error, stage);
        default:
                return unanswered(error, host, ares_strerror(status), channel);
        }
}
