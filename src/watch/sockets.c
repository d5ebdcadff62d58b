/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include "log.h"
#include "talk.h"
#include <arpa/inet.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/un.h>

#define FIRST_FDS 64

void sockets_deinit(struct sockets *sockets)
{
        mem_free(sockets->links);
        *sockets = (struct sockets){ 0 };
}

int sockets_copy(struct sockets *to, const struct sockets *from)
{
        *to = (struct sockets){ .links = mem_array(from->n + 1, sizeof(*to->links)) };
        if (!to->links)
                return MUSTER_E_RESOURCE;
        if (from->n)
                memcpy(to->links, from->links, from->n * sizeof(*to->links));
        to->n = from->n;
        return 0;
}

uint32_t sockets_get(const struct sockets *sockets, int32_t fd)
{
        return fd >= 0 && (size_t)fd < sockets->n ? sockets->links[fd] : 0;
}

/* MUSTER_E_RESOURCE. No process has such a descriptor: it is left out. */
static int set(struct sockets *sockets, int32_t fd, uint32_t link)
{
        size_t n = max_u64(FIRST_FDS, sockets->n);
        uint32_t *links;

        if (fd < 0 || fd >= SOCKETS_FD_MAX)
                return 0;
        if ((size_t)fd >= sockets->n) {
                while (n <= (size_t)fd)
                        n *= 2;
                links = mem_realloc(sockets->links, n * sizeof(*links));
                if (!links)
                        return MUSTER_E_RESOURCE;
                memset(links + sockets->n, 0, (n - sockets->n) * sizeof(*links));
                sockets->links = links;
                sockets->n = n;
        }
        sockets->links[fd] = link;
        return 0;
}

/* --- closing ---------------------------------------------------------------------------------- */

static void end_link(struct watched *all, uint32_t number, uint64_t at_ns, uint8_t closer)
{
        struct link *link = watched_link(all, number);

        if (link->is_closed)
                return;
        link->is_idle_at_end = talk_is_idle(all, number);
        talk_closed(all, number, at_ns);
        link->is_closed = true;
        link->row.closed_ns = max_u64(at_ns, link->row.opened_ns);
        link->row.closer = closer;
        if (!link->is_connected && link->was_seen_to_begin)
                link->row.closer = TRACE_NEVER_OPEN;
}

static void note_tcp(struct link *link, struct muster_str data)
{
        struct watch_tcp tcp;

        if (data.len < sizeof(tcp))
                return;
        memcpy(&tcp, data.at, sizeof(tcp));
        link->row.rtt_us = tcp.rtt_us;
        link->row.min_rtt_us = tcp.min_rtt_us;
        link->row.n_retransmits = tcp.n_retransmits;
        link->row.cwnd = tcp.cwnd;
        link->row.bytes_received = tcp.bytes_received;
        link->row.delivery_rate = tcp.delivery_rate;
        link->row.busy_us = tcp.busy_us;
        link->row.rwnd_limited_us = tcp.rwnd_limited_us;
        link->row.sndbuf_limited_us = tcp.sndbuf_limited_us;
        link->n_unread = tcp.n_unread;
        if (tcp.state == TCP_CLOSE_WAIT || tcp.state == TCP_LAST_ACK)
                link->has_eof = true;
}

static uint8_t closer_of(const struct link *link)
{
        if (link->says_close)
                return TRACE_CLOSED_BY_SERVER;
        return link->has_eof && !link->says_goodbye ? TRACE_CLOSED_BY_SERVER
                                                    : TRACE_CLOSED_BY_CLIENT;
}

/* Let go of a descriptor. */
static void drop(struct sockets *sockets, struct watched *all, int32_t fd, uint64_t at_ns,
        struct muster_str tcp)
{
        uint32_t number = sockets_get(sockets, fd);
        struct link *link;

        if (!number)
                return;
        link = watched_link(all, number);
        sockets->links[fd] = 0;
        if (link->n_fds && --link->n_fds)
                return;
        note_tcp(link, tcp);
        end_link(all, number, at_ns, closer_of(link));
}

void sockets_close(struct sockets *sockets, struct watched *all, const struct watch_event *event)
{
        drop(sockets, all, event->fd, event->at_ns, event_data(event));
}

void sockets_end(struct sockets *sockets, struct watched *all, size_t n_before, uint64_t at_ns)
{
        for (size_t i = n_before; i < all->links.n; i++) {
                uint32_t number = (uint32_t)i + 1;

                end_link(all, number, at_ns,
                        closer_of(watched_link(all, number)) == TRACE_CLOSED_BY_SERVER
                                ? TRACE_CLOSED_BY_SERVER
                                : TRACE_CLOSED_BY_END);
        }
        sockets_deinit(sockets);
}

/* --- opening ---------------------------------------------------------------------------------- */

static struct link *add_link(struct sockets *sockets, struct watched *all, int32_t fd,
        uint32_t process, uint32_t thread, uint64_t at_ns)
{
        struct link *link;

        drop(sockets, all, fd, at_ns, (struct muster_str){ "", 0 });
        link = all->links.n < UINT32_MAX ? rows_add(&all->links) : NULL;
        if (!link)
                return NULL;
        link->process = process;
        link->thread = thread;
        link->row.opened_ns = link->last_use_ns = at_ns;
        link->n_fds = 1;
        return set(sockets, fd, (uint32_t)all->links.n) < 0 ? NULL : link;
}

uint32_t sockets_adopt(struct sockets *sockets, struct watched *all, int32_t fd, uint32_t process,
        uint32_t thread, uint64_t at_ns)
{
        struct link *link = add_link(sockets, all, fd, process, thread, at_ns);

        if (!link)
                return 0;
        link->is_connected = true;
        return (uint32_t)all->links.n;
}

/* The address as people write it, with its port. */
static int name_remote(struct watched *all, struct link *link, struct muster_str address)
{
        char text[INET6_ADDRSTRLEN], whole[sizeof(struct sockaddr_un) + 16] = "";
        struct sockaddr_storage storage = { 0 };
        const struct sockaddr_in *v4 = (const void *)&storage;
        const struct sockaddr_in6 *v6 = (const void *)&storage;
        const struct sockaddr_un *un = (const void *)&storage;

        if (address.len < sizeof(storage.ss_family))
                return 0;
        memcpy(&storage, address.at, min_size(address.len, sizeof(storage) - 1));
        if (storage.ss_family == AF_INET && address.len >= sizeof(*v4)) {
                link->row.family = 4;
                link->port = ntohs(v4->sin_port);
                snprintf(whole, sizeof(whole), "%s:%u",
                        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text)), link->port);
        } else if (storage.ss_family == AF_INET6 && address.len >= sizeof(*v6)) {
                link->row.family = 6;
                link->port = ntohs(v6->sin6_port);
                snprintf(whole, sizeof(whole), "[%s]:%u",
                        inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text)), link->port);
        } else if (storage.ss_family == AF_UNIX) {
                snprintf(whole, sizeof(whole), "unix:%.*s", (int)sizeof(un->sun_path),
                        un->sun_path);
        }
        link->is_inet = link->row.family > 0;
        for (char *at = whole; *at; at++) /* in a record addresses are of one word */
                if ((unsigned char)*at <= 0x20 || (unsigned char)*at >= 0x7f)
                        *at = '?';
        return arena_add(all->text, str_of(whole), &link->row.remote);
}

void sockets_connected(struct watched *all, uint32_t number, uint64_t at_ns, int64_t sys)
{
        struct link *link = watched_link(all, number);

        if (link->is_connected || link->is_closed)
                return;
        if (sys) {
                link->sys = (uint16_t)min_u64((uint64_t)(sys < 0 ? -sys : sys), UINT16_MAX);
                return;
        }
        link->is_connected = true;
        link->sys = 0;
        link->row.tcp_end_ns = at_ns;
}

static bool is_pending(const struct watched *all, uint32_t number)
{
        const struct link *link = number ? watched_link(all, number) : NULL;

        return link && link->was_seen_to_begin && !link->is_connected && !link->sys;
}

/* connect() on one that is being connected asks how it goes. */
int sockets_connect(struct sockets *sockets, struct watched *all, const struct watch_event *event,
        uint32_t process, uint32_t thread)
{
        uint32_t number = sockets_get(sockets, event->fd);
        int64_t sys = event->value < 0 ? -event->value : event->value;
        struct link *link;

        if (event->fd < 0 || event->fd >= SOCKETS_FD_MAX || sys == EALREADY)
                return 0;
        if (sys == EISCONN) {
                if (number)
                        sockets_connected(all, number, event_end_ns(event), 0);
                return 0;
        }
        if (!is_pending(all, number)) {
                link = add_link(sockets, all, event->fd, process, thread, event->at_ns);
                if (!link || name_remote(all, link, event_data(event)) < 0)
                        return MUSTER_E_RESOURCE;
                link->was_seen_to_begin = true;
                link->row.n_addresses = 1;
                number = (uint32_t)all->links.n;
        }
        if (sys != EINPROGRESS && sys != EAGAIN && sys != EINTR)
                sockets_connected(all, number, event_end_ns(event), sys);
        return 0;
}

int sockets_accept(struct sockets *sockets, struct watched *all, const struct watch_event *event,
        uint32_t process, uint32_t thread)
{
        struct link *link;

        if (event->fd < 0 || event->fd >= SOCKETS_FD_MAX)
                return 0;
        link = add_link(sockets, all, event->fd, process, thread, event_end_ns(event));
        if (!link)
                return MUSTER_E_RESOURCE;
        link->is_server = link->is_connected = true;
        return 0;
}

int sockets_dup(struct sockets *sockets, struct watched *all, const struct watch_event *event)
{
        uint32_t number = sockets_get(sockets, event->fd);
        int32_t other =
                event->value >= 0 && event->value < SOCKETS_FD_MAX ? (int32_t)event->value : -1;

        if (!number || other < 0 || other == event->fd)
                return 0;
        drop(sockets, all, other, event->at_ns, (struct muster_str){ "", 0 });
        if (set(sockets, other, number) < 0)
                return MUSTER_E_RESOURCE;
        watched_link(all, number)->n_fds++;
        return 0;
}
