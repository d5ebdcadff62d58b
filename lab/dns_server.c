/* SPDX-License-Identifier: MIT */
#include "dns_server.h"

#include "dns_conn.h"
#include <base/error.h>
#include <base/fd.h>
#include <base/mem.h>
#include <errno.h>
#include <unistd.h>

#define BATCH   64 /* datagrams read in a row, so that others get a turn */
#define BACKLOG 1024
/* a herd asks at once; what is lost is for the zone to say */
#define UDP_RECEIVE_BYTES (4 * 1024 * 1024)
#define PORT_TRIES        16
#define CNAMES_MAX        8 /* names in a chain; a longer chain is a loop */

/* An answer to be sent later. */
struct delayed {
        struct dns_server *server;
        struct list link;
        struct loop_timer timer;
        struct dns_asker asker;
        struct dns_query query;
};

static struct delayed *delayed_of(struct list *link)
{
        return LIST_OWNER(link, struct delayed, link);
}

/* --- sending --------------------------------------------------------------------------------- */

static bool send_udp(struct dns_server *server, const struct dns_asker *asker, const void *at,
        size_t len)
{
        return sendto(server->udp_fd, at, len, MSG_NOSIGNAL,
                       (const struct sockaddr *)&asker->address, asker->address_len) >= 0;
}

static void send_message(struct dns_server *server, const struct dns_asker *asker, const void *at,
        size_t len)
{
        bool is_sent = asker->conn ? dns_conn_send(asker->conn, at, len)
                                   : send_udp(server, asker, at, len);

        server->stats.n_answered += is_sent;
        server->stats.n_lost += !is_sent;
        if (asker->conn && !is_sent)
                asker->conn->is_broken = true;
}

/* --- answering ------------------------------------------------------------------------------- */

static void add_addresses(struct dns_answer *answer, const struct zone_name *name, uint16_t type)
{
        sa_family_t family = type == DNS_TYPE_A ? AF_INET : AF_INET6;

        if (type != DNS_TYPE_A && type != DNS_TYPE_AAAA)
                return;
        for (size_t i = 0; i < name->n_addresses; i++)
                if (name->addresses[i].family == family)
                        dns_answer_add_address(answer, &name->addresses[i], name->ttl_s);
}

/* Follows other names as far as the zone knows them; the code is the last one's (RFC 6604). */
static enum dns_rcode add_records(struct dns_answer *answer, const struct zone *zone,
        const struct dns_query *query)
{
        const struct zone_name *name = zone_find(zone, dns_query_name(query));

        if (query->class != DNS_CLASS_IN)
                return DNS_REFUSED;
        for (int i = 0; name && i < CNAMES_MAX; i++) {
                if (name->rcode)
                        return name->rcode;
                if (name->has_broken_aaaa && query->type == DNS_TYPE_AAAA)
                        return DNS_SERVFAIL;
                if (!name->cname) {
                        add_addresses(answer, name, query->type);
                        return DNS_NOERROR;
                }
                dns_answer_add_cname(answer, str_of(name->cname), name->ttl_s);
                if (query->type == DNS_TYPE_CNAME)
                        return DNS_NOERROR;
                name = zone_find(zone, str_of(name->cname));
        }
        return name ? DNS_SERVFAIL : DNS_NXDOMAIN;
}

static void send_answer(struct dns_server *server, const struct dns_asker *asker,
        const struct dns_query *query)
{
        const struct zone_name *name = zone_find(server->zone, dns_query_name(query));
        unsigned char bytes[DNS_MESSAGE_BYTES_MAX];
        struct dns_answer answer;
        enum dns_rcode rcode;
        size_t len;

        dns_answer_begin(&answer, query, bytes, asker->conn ? sizeof(bytes) : query->udp_bytes);
        rcode = add_records(&answer, server->zone, query);
        if (name && name->is_truncated && !asker->conn)
                dns_answer_truncate(&answer);
        len = dns_answer_end(&answer, rcode);
        server->stats.n_truncated += answer.is_truncated;
        send_message(server, asker, bytes, len);
}

/* --- answering later ------------------------------------------------------------------------- */

static void delayed_free(struct delayed *delayed)
{
        loop_timer_stop(delayed->server->loop, &delayed->timer);
        list_remove(&delayed->link);
        delayed->server->n_delayed--;
        if (delayed->asker.conn)
                delayed->asker.conn->n_delayed--;
        mem_free(delayed);
}

static void delayed_send(struct delayed *delayed)
{
        send_answer(delayed->server, &delayed->asker, &delayed->query);
        delayed_free(delayed);
}

static void delayed_fire(struct loop_timer *timer, uint64_t late_ns)
{
        struct delayed *delayed = LIST_OWNER(timer, struct delayed, timer);
        struct dns_conn *conn = delayed->asker.conn;

        (void)late_ns;
        if (!conn) {
                delayed_send(delayed);
                return;
        }
        list_remove(&delayed->link);
        list_push_back(&conn->due, &delayed->link);
        dns_conn_work(conn);
}

void dns_server_send_first(struct list *answers)
{
        delayed_send(delayed_of(list_first(answers)));
}

void dns_server_drop(struct list *answers)
{
        struct list *link;

        while ((link = list_first(answers))) {
                delayed_of(link)->server->stats.n_lost++;
                delayed_free(delayed_of(link));
        }
}

static struct delayed *delayed_new(struct dns_server *server, const struct dns_asker *asker,
        const struct dns_query *query)
{
        struct delayed *delayed;

        if (server->n_delayed == DNS_DELAYED_MAX)
                return NULL;
        delayed = mem_alloc(sizeof(*delayed));
        if (!delayed)
                return NULL;
        *delayed = (struct delayed){
                .server = server, .timer.fire = delayed_fire, .asker = *asker, .query = *query
        };
        server->n_delayed++;
        if (asker->conn)
                asker->conn->n_delayed++;
        list_push_back(asker->conn ? &asker->conn->delayed : &server->delayed, &delayed->link);
        return delayed;
}

static void answer_later(struct dns_server *server, const struct dns_asker *asker,
        const struct dns_query *query, uint64_t delay_ns)
{
        struct delayed *delayed = delayed_new(server, asker, query);
        uint64_t at = clock_after(server->loop->now_ns, delay_ns);

        if (delayed && loop_timer_set(server->loop, &delayed->timer, at) == 0)
                return;
        server->stats.n_lost++;
        if (delayed)
                delayed_free(delayed);
}

/* --- questions ------------------------------------------------------------------------------- */

static bool is_drawn(struct rand *rand, double share)
{
        return share > 0 && (double)(rand_next(rand) >> 11) * 0x1p-53 < share;
}

static bool is_lost(struct dns_server *server, struct zone_name *name, bool is_aaaa)
{
        bool is_early = name->n_asked++ < name->n_loss_first;

        return is_early || name->is_silent || (is_aaaa && name->is_silent_aaaa) ||
               is_drawn(server->rand, name->loss);
}

static uint64_t draw_delay(struct dns_server *server, const struct zone_name *name, bool is_aaaa)
{
        return spread_draw(is_aaaa && name->has_delay_aaaa ? &name->delay_aaaa : &name->delay,
                server->rand);
}

static void refuse_message(struct dns_server *server, const struct dns_asker *asker,
        struct muster_str bytes)
{
        unsigned char out[DNS_HEADER_BYTES];
        size_t len = dns_refusal_write(bytes, out);

        server->stats.n_malformed++;
        if (len)
                send_message(server, asker, out, len);
}

void dns_server_take(struct dns_server *server, const struct dns_asker *asker,
        struct muster_str bytes)
{
        struct dns_query query;
        struct zone_name *name;
        uint64_t delay = 0;
        bool is_aaaa;

        if (!dns_query_parse(bytes, &query)) {
                refuse_message(server, asker, bytes);
                return;
        }
        name = zone_find(server->zone, dns_query_name(&query));
        is_aaaa = query.type == DNS_TYPE_AAAA;
        if (name && is_lost(server, name, is_aaaa)) {
                server->stats.n_lost++;
                return;
        }
        if (name)
                delay = draw_delay(server, name, is_aaaa);
        if (delay)
                answer_later(server, asker, &query, delay);
        else
                send_answer(server, asker, &query);
}

static void udp_ready(struct loop_watch *watch, bool readable, bool writable)
{
        struct dns_server *server = LIST_OWNER(watch, struct dns_server, udp_watch);
        char bytes[DNS_MESSAGE_BYTES_MAX];

        (void)readable;
        (void)writable;
        for (int i = 0; i < BATCH; i++) {
                struct dns_asker asker = { .address_len = sizeof(asker.address) };
                ssize_t n = recvfrom(server->udp_fd, bytes, sizeof(bytes), 0,
                        (struct sockaddr *)&asker.address, &asker.address_len);

                if (n < 0 && errno == EAGAIN)
                        return;
                if (n < 0)
                        continue; /* what became of an answer of ours; reading it clears it */
                server->stats.n_queries_udp++;
                dns_server_take(server, &asker, (struct muster_str){ bytes, (size_t)n });
        }
}

/* --- starting and stopping ------------------------------------------------------------------- */

static int fail_sys(const struct sockaddr *address, const char *what, int sys,
        struct muster_error *error)
{
        char text[ADDRESS_TEXT_MAX];

        address_text(address, text, sizeof(text));
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DNS, sys,
                "resource: DNS server: cannot %s on %s: %s", what, text, error_sys_text(sys));
}

static int open_bound(int type, const struct sockaddr *address, socklen_t len)
{
        int fd = socket(address->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int yes = 1, bytes = UDP_RECEIVE_BYTES, sys;

        if (fd < 0)
                return -1;
        /*
         * The kernel may refuse either option. Then a restart has to wait, and a burst loses
         * queries.
         */
        if (type == SOCK_STREAM)
                (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        else
                (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
        if (bind(fd, address, len) < 0 || (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
                sys = errno;
                close(fd);
                errno = sys;
                return -1;
        }
        return fd;
}

/* One UDP socket, and one for TCP on the port that it got. */
static int open_both(struct dns_server *server, const struct sockaddr *address, socklen_t len,
        struct muster_error *error)
{
        struct sockaddr_storage bound;
        socklen_t bound_len = sizeof(bound);

        server->udp_fd = open_bound(SOCK_DGRAM, address, len);
        if (server->udp_fd < 0)
                return fail_sys(address, "take UDP queries", errno, error);
        if (getsockname(server->udp_fd, (struct sockaddr *)&bound, &bound_len) < 0)
                return fail_sys(address, "tell the port", errno, error);
        server->tcp_fd = open_bound(SOCK_STREAM, (struct sockaddr *)&bound, bound_len);
        if (server->tcp_fd < 0)
                return fail_sys((struct sockaddr *)&bound, "take TCP queries", errno, error);
        return 0;
}

static uint16_t port_of(const struct sockaddr *address)
{
        const struct sockaddr_in *v4 = (const void *)address;
        const struct sockaddr_in6 *v6 = (const void *)address;

        return ntohs(address->sa_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

/* A port that is free for UDP may be in use for TCP: if any port will do, try another. */
static int open_free(struct dns_server *server, const struct sockaddr *address, socklen_t len,
        struct muster_error *error)
{
        for (int i = 1;; i++) {
                struct muster_error last = { 0 };
                int r = open_both(server, address, len, &last);

                if (r == 0)
                        return 0;
                fd_close(&server->udp_fd);
                if (i == PORT_TRIES || port_of(address) || last.sys != EADDRINUSE)
                        return error_set(error, last.code, last.stage, last.sys, "%s", last.text);
        }
}

static int watch_both(struct dns_server *server, const struct sockaddr *address,
        struct muster_error *error)
{
        struct loop *loop = server->loop;

        if (loop_watch_set(loop, &server->udp_watch, server->udp_fd, true, false) < 0 ||
                loop_watch_set(loop, &server->tcp_watch, server->tcp_fd, true, false) < 0)
                return fail_sys(address, "listen", errno, error);
        return 0;
}

int dns_server_start(struct dns_server *server, struct loop *loop, struct zone *zone,
        struct rand *rand, const struct sockaddr *address, socklen_t len,
        struct muster_error *error)
{
        int r;

        *server = (struct dns_server){
                .loop = loop,
                .zone = zone,
                .rand = rand,
                .udp_watch.ready = udp_ready,
                .tcp_watch.ready = dns_conn_ready,
                .accept_timer.fire = dns_conn_accept_again,
                .udp_fd = -1,
                .tcp_fd = -1,
        };
        list_init(&server->conns);
        list_init(&server->delayed);
        r = open_free(server, address, len, error);
        if (r == 0)
                r = watch_both(server, address, error);
        if (r < 0)
                dns_server_stop(server);
        return r;
}

uint16_t dns_server_port(const struct dns_server *server)
{
        struct sockaddr_storage bound;
        socklen_t len = sizeof(bound);

        if (!server->loop || getsockname(server->udp_fd, (struct sockaddr *)&bound, &len) < 0)
                return 0;
        return port_of((struct sockaddr *)&bound);
}

void dns_server_stop(struct dns_server *server)
{
        struct list *link;

        if (!server->loop)
                return;
        while ((link = list_first(&server->conns)))
                dns_conn_drop(dns_conn_of(link));
        dns_server_drop(&server->delayed);
        loop_timer_stop(server->loop, &server->accept_timer);
        loop_watch_set(server->loop, &server->udp_watch, server->udp_fd, false, false);
        loop_watch_set(server->loop, &server->tcp_watch, server->tcp_fd, false, false);
        fd_close(&server->udp_fd);
        fd_close(&server->tcp_fd);
        server->loop = NULL;
}
