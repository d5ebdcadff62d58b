/* SPDX-License-Identifier: MIT */
/*
 * Names
 */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "log.h"
#include "next.h"
#include "thread.h"

HOOK int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
        struct addrinfo **ret_result)
{
        uint64_t at_ns;
        int r, sys;

        if (!shim_watches())
                return NEXT(getaddrinfo)(name, service, hints, ret_result);
        at_ns = shim_now();
        r = NEXT(getaddrinfo)(name, service, hints, ret_result);
        sys = errno;
        if (name)
                log_data(WATCH_LOOKUP, -1, at_ns, shim_since(at_ns), r, name, strlen(name));
        errno = sys;
        return r;
}
