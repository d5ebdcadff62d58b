/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/un.h>

void address_text(const struct sockaddr *address, char *text, size_t size)
{
        const struct sockaddr_in *v4 = (const void *)address;
        const struct sockaddr_in6 *v6 = (const void *)address;
        const struct sockaddr_un *path = (const void *)address;
        char host[INET6_ADDRSTRLEN];

        text[0] = '\0';
        if (address->sa_family == AF_INET && inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host)))
                snprintf(text, size, "%s:%u", host, ntohs(v4->sin_port));
        if (address->sa_family == AF_INET6 &&
                inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host)))
                snprintf(text, size, "[%s]:%u", host, ntohs(v6->sin6_port));
        if (address->sa_family == AF_UNIX)
                snprintf(text, size, "unix:%s%s", path->sun_path[0] ? "" : "@",
                        path->sun_path + !path->sun_path[0]);
}

bool address_parse(struct muster_str text, struct net_address *ret_address)
{
        struct net_address address = { 0 };
        char copy[INET6_ADDRSTRLEN];

        if (text.len >= 2 && text.at[0] == '[' && text.at[text.len - 1] == ']')
                text = (struct muster_str){ text.at + 1, text.len - 2 };
        if (text.len == 0 || text.len >= sizeof(copy) || str_has_char(text, '\0'))
                return false;
        memcpy(copy, text.at, text.len);
        copy[text.len] = '\0';
        if (inet_pton(AF_INET, copy, &address.u.v4) == 1)
                address.family = AF_INET;
        else if (inet_pton(AF_INET6, copy, &address.u.v6) == 1)
                address.family = AF_INET6;
        else
                return false;
        *ret_address = address;
        return true;
}

bool address_eq(const struct net_address *a, const struct net_address *b)
{
        if (a->family != b->family)
                return false;
        if (a->family == AF_INET)
                return a->u.v4.s_addr == b->u.v4.s_addr;
        return memcmp(&a->u.v6, &b->u.v6, sizeof(a->u.v6)) == 0;
}

socklen_t address_to_sockaddr(const struct net_address *address, uint16_t port,
        struct sockaddr_storage *ret_sockaddr)
{
        struct sockaddr_in *v4 = (void *)ret_sockaddr;
        struct sockaddr_in6 *v6 = (void *)ret_sockaddr;

        memset(ret_sockaddr, 0, sizeof(*ret_sockaddr));
        if (address->family == AF_INET) {
                *v4 = (struct sockaddr_in){
                        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address->u.v4
                };
                return sizeof(*v4);
        }
        *v6 = (struct sockaddr_in6){
                .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = address->u.v6
        };
        return sizeof(*v6);
}
