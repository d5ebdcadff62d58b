/* SPDX-License-Identifier: MIT */
/*
 * Our own end of connections: which interface, address and port they come from
 */
#ifndef NET_LOCAL_END_H
#define NET_LOCAL_END_H

#include "address.h"
#include <muster/error.h>
#include <net/if.h>

/* Zeroed: the system chooses. */
struct local_end {
        char device[IFNAMSIZ];          /* connections use this interface; "": any */
        struct net_address v4, v6;      /* family 0: none */
        uint16_t first_port, last_port; /* 0: the system chooses */
};

static inline bool local_end_is_given(const struct local_end *end)
{
        return end->device[0] || end->v4.family || end->v6.family || end->first_port;
}

/*
 * Read them from text, as curl's --interface and --local-port. `interface` is the name of one, an
 * address or a host name, which is looked up now and for which this waits; "if!NAME" is only an
 * interface, "host!NAME" none. `ports` is "N" or "N-M". Both may be NULL. MUSTER_E_INVALID with
 * *error.
 */
int local_end_parse(struct local_end *end, const char *interface, const char *ports,
        struct muster_error *error);

/* Bind a socket of this family. Negative with *ret_sys: that is not possible. */
int local_end_bind(const struct local_end *end, int fd, sa_family_t family, int *ret_sys);

#endif
