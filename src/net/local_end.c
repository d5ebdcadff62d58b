/* SPDX-License-Identifier: MIT */
#include "local_end.h"

#include <assert.h>
#include <base/error.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>

/* --- reading it ------------------------------------------------------------------------------ */

static void keep(struct local_end *end, const struct sockaddr *address)
{
        const struct sockaddr_in *v4 = (const void *)address;
        const struct sockaddr_in6 *v6 = (const void *)address;

        if (!address)
                return;
        if (address->sa_family == AF_INET && !end->v4.family)
                end->v4 = (struct net_address){ .family = AF_INET, .u.v4 = v4->sin_addr };
        if (address->sa_family == AF_INET6 && !end->v6.family &&
                !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
                end->v6 = (struct net_address){ .family = AF_INET6, .u.v6 = v6->sin6_addr };
}

/* The addresses of the interface serve those who may not choose the interface itself. */
static void take_device(struct local_end *end, const char *name)
{
        struct ifaddrs *list = NULL;

        snprintf(end->device, sizeof(end->device), "%s", name);
        if (getifaddrs(&list) < 0)
                return;
        for (struct ifaddrs *one = list; one; one = one->ifa_next)
                if (strcmp(one->ifa_name, name) == 0)
                        keep(end, one->ifa_addr);
        freeifaddrs(list);
}

static bool is_device(const char *name)
{
        return strlen(name) < IFNAMSIZ && if_nametoindex(name) != 0;
}

static int take_host(struct local_end *end, const char *host, struct muster_error *error)
{
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        struct addrinfo *list = NULL;
        struct net_address address;
        int r;

        if (address_parse(str_of(host), &address)) {
                *(address.family == AF_INET ? &end->v4 : &end->v6) = address;
                return 0;
        }
        r = getaddrinfo(host, NULL, &hints, &list);
        if (r != 0)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_TCP, 0,
                        "invalid: --interface \"%.100s\" is no interface, address or host name of this machine (%s)",
                        host, gai_strerror(r));
        for (struct addrinfo *one = list; one; one = one->ai_next)
                keep(end, one->ai_addr);
        freeaddrinfo(list);
        return 0;
}

static int read_interface(struct local_end *end, const char *text, struct muster_error *error)
{
        bool is_host = str_starts(str_of(text), "host!");
        bool is_if = str_starts(str_of(text), "if!");
        const char *name = is_host ? text + 5 : is_if ? text + 3 : text;

        if (!is_host && is_device(name)) {
                take_device(end, name);
                return 0;
        }
        if (!is_if && *name)
                return take_host(end, name, error);
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_TCP, 0,
                "invalid: --interface \"%.100s\": there is no such interface", text);
}

static int read_ports(struct local_end *end, const char *text, struct muster_error *error)
{
        struct muster_str rest = str_of(text), first;
        uint64_t from = 0, to = 0;

        str_split(&rest, '-', &first);
        if (!str_to_u64(first, &from) || (rest.at && !str_to_u64(rest, &to)) || from == 0 ||
                from > 65535 || (rest.at && (to < from || to > 65535)))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_TCP, 0,
                        "invalid: --local-port \"%.40s\" is not a port or FROM-TO, each from 1 to 65535",
                        text);
        end->first_port = (uint16_t)from;
        end->last_port = (uint16_t)(rest.at ? to : from);
        return 0;
}

int local_end_parse(struct local_end *end, const char *interface, const char *ports,
        struct muster_error *error)
{
        int r = 0;

        *end = (struct local_end){ 0 };
        if (interface)
                r = read_interface(end, interface, error);
        if (r == 0 && ports)
                r = read_ports(end, ports, error);
        return r;
}

/* --- binding --------------------------------------------------------------------------------- */

/* True if the kernel lets us choose the interface; otherwise its address must do. */
static bool bind_device(const struct local_end *end, int fd)
{
        return end->device[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, end->device,
                                         (socklen_t)strlen(end->device) + 1) == 0;
}

static int bind_address(const struct local_end *end, int fd, const struct net_address *address)
{
        unsigned port = end->first_port;
        int yes = 1;

        /* The port is chosen when it connects: then one port serves many destinations. */
        if (!port)
                (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
        do {
                struct sockaddr_storage to;
                socklen_t len = address_to_sockaddr(address, (uint16_t)port, &to);

                if (bind(fd, (struct sockaddr *)&to, len) == 0)
                        return 0;
        } while (errno == EADDRINUSE && port++ < end->last_port);
        return -errno;
}

int local_end_bind(const struct local_end *end, int fd, sa_family_t family, int *ret_sys)
{
        const struct net_address any = { .family = family };
        const struct net_address *own = family == AF_INET ? &end->v4 : &end->v6;
        bool is_bound = bind_device(end, fd);
        int r = 0;

        assert(family == AF_INET || family == AF_INET6);
        if (!is_bound && own->family)
                r = bind_address(end, fd, own);
        else if (!is_bound && (end->device[0] || end->v4.family || end->v6.family))
                r = -EAFNOSUPPORT; /* our end has no address of this family */
        else if (end->first_port)
                r = bind_address(end, fd, &any);
        *ret_sys = -r;
        return r < 0 ? MUSTER_E_CONNECT : 0;
}
