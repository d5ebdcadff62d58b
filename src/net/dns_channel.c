/* SPDX-License-Identifier: MIT */
#include "dns_channel.h"

#include "resolv_conf.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define TRY_TIMEOUT_MS 2000 /* for each name server in turn; c-ares doubles it each round */
#define TRIES          3
#define DOMAINS_MAX    64 /* each short name is looked up in all of them: more are a mistake */

/* A watch on one descriptor of c-ares. */
struct ares_watch {
        struct loop_watch watch;
        struct list link;
        struct dns_channel *channel;
};

void dns_channel_set_timer(struct dns_channel *channel)
{
        struct timeval left;
        uint64_t at = UINT64_MAX;

        assert(channel->ares);
        if (ares_timeout(channel->ares, NULL, &left))
                at = clock_now(channel->loop->clock) + (uint64_t)left.tv_sec * NS_PER_S +
                     (uint64_t)left.tv_usec * NS_PER_US;
        /*
         * Without memory for the timer the lookup ends with its next packet or the request's
         * timeout.
         */
        (void)loop_timer_set(channel->loop, &channel->timer, at);
}

static void channel_timer_fire(struct loop_timer *timer, uint64_t late_ns)
{
        struct dns_channel *channel = LIST_OWNER(timer, struct dns_channel, timer);

        (void)late_ns;
        ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        dns_channel_set_timer(channel);
}

/* `watch` may be gone after ares_process_fd(), which frees it through socket_state(). */
static void socket_ready(struct loop_watch *watch, bool readable, bool writable)
{
        struct dns_channel *channel = LIST_OWNER(watch, struct ares_watch, watch)->channel;
        int fd = watch->fd;

        ares_process_fd(channel->ares, readable ? fd : ARES_SOCKET_BAD,
                writable ? fd : ARES_SOCKET_BAD);
        dns_channel_set_timer(channel);
}

static struct ares_watch *find_watch(struct dns_channel *channel, int fd)
{
        for (struct list *link = channel->sockets.next; link != &channel->sockets;
                link = link->next) {
                struct ares_watch *watch = LIST_OWNER(link, struct ares_watch, link);

                if (watch->watch.fd == fd)
                        return watch;
        }
        return NULL;
}

static void drop_watch(struct ares_watch *watch)
{
        assert(list_is_linked(&watch->link) && watch->watch.fd >= 0);
        loop_watch_set(watch->channel->loop, &watch->watch, watch->watch.fd, false, false);
        list_remove(&watch->link);
        mem_free(watch);
}

/* Called by c-ares: what it waits for on a descriptor. It wants neither before it closes one. */
static void socket_state(void *data, ares_socket_t fd, int want_read, int want_write)
{
        struct dns_channel *channel = data;
        struct ares_watch *watch = find_watch(channel, fd);

        assert(fd >= 0);
        if (!want_read && !want_write) {
                if (watch)
                        drop_watch(watch);
                return;
        }
        if (!watch) {
                watch = mem_zalloc(sizeof(*watch));
                if (!watch)
                        return; /* the lookup ends by its timeout */
                watch->watch.ready = socket_ready;
                watch->channel = channel;
                watch->watch.fd = fd;
                list_push_back(&channel->sockets, &watch->link);
        }
        if (loop_watch_set(channel->loop, &watch->watch, fd, want_read, want_write) < 0)
                drop_watch(watch);
}

/* --- answers that are none ------------------------------------------------------------------- */

/* The RCODE of a message (RFC 1035 section 4.1.1) as a status of c-ares. */
static int rejection_of(const unsigned char *message)
{
        switch (message[3] & 15) {
        case 2:
                return ARES_ESERVFAIL;
        case 4:
                return ARES_ENOTIMP;
        case 5:
                return ARES_EREFUSED;
        default:
                return ARES_SUCCESS;
        }
}

/*
 * Replaces recvfrom(2) and notes failures: c-ares tries another server then and forgets the answer.
 */
static ares_ssize_t receive_answer(ares_socket_t fd, void *data, size_t size, int flags,
        struct sockaddr *from, ares_socklen_t *from_len, void *user)
{
        struct dns_channel *channel = user;
        ssize_t n = recvfrom(fd, data, size, flags, from, from_len);
        int rejection = from && n >= 4 ? rejection_of(data) : ARES_SUCCESS;

        if (rejection != ARES_SUCCESS) {
                channel->rejection = rejection;
                channel->rejected_ns = clock_now(channel->loop->clock);
        }
        return n;
}

/* The other functions that c-ares needs: they do what c-ares itself would do. */
static ares_socket_t open_socket(int family, int type, int protocol, void *user)
{
        (void)user;
        return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int close_socket(ares_socket_t fd, void *user)
{
        (void)user;
        return close(fd);
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t len,
        void *user)
{
        (void)user;
        return connect(fd, to, len);
}

static ares_ssize_t send_pieces(ares_socket_t fd, const struct iovec *pieces, int n, void *user)
{
        (void)user;
        return writev(fd, pieces, n);
}

static const struct ares_socket_functions functions = { .asocket = open_socket,
        .aclose = close_socket,
        .aconnect = connect_socket,
        .arecvfrom = receive_answer,
        .asendv = send_pieces };

int dns_channel_status(const struct dns_channel *channel, int status, uint64_t since_ns)
{
        bool was_rejected = channel->rejection && channel->rejected_ns >= since_ns;

        return status == ARES_ECONNREFUSED && was_rejected ? channel->rejection : status;
}

/* --- making ---------------------------------------------------------------------------------- */

/* For old versions only; new ones have deprecated ares_set_socket_functions(). */
static void set_functions_of_old(struct dns_channel *channel)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        if (ARES_VERSION < 0x011400)
                ares_set_socket_functions(channel->ares, &functions, channel);
#pragma GCC diagnostic pop
}

/* `n_domains` -1: the system's. */
static int open_ares(struct dns_channel *channel, char **domains, int n_domains)
{
        struct ares_options options = { .timeout = TRY_TIMEOUT_MS,
                .tries = TRIES,
                .domains = domains,
                .ndomains = n_domains,
                .sock_state_cb = socket_state,
                .sock_state_cb_data = channel };
        int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
        int r = ares_init_options(&channel->ares, &options,
                n_domains < 0 ? mask : mask | ARES_OPT_DOMAINS);

        if (r != ARES_SUCCESS)
                channel->ares = NULL;
        else
                set_functions_of_old(channel);
        return r;
}

/*
 * Drop search domains in which no name can exist. With one of them c-ares would build a malformed
 * name and report that, rather than that the name does not exist.
 */
static int drop_odd_domains(struct dns_channel *channel)
{
        char text[RESOLV_CONF_SEARCH_MAX], *domains[DOMAINS_MAX], *rest = text, *domain;
        int n = 0, n_odd = 0;

        resolv_conf_search(RESOLV_CONF, text);
        while ((domain = strtok_r(rest, " \t,", &rest)) && n < DOMAINS_MAX) {
                if (resolv_conf_is_domain(domain))
                        domains[n++] = domain;
                else
                        n_odd++;
        }
        if (!n_odd)
                return ARES_SUCCESS;
        ares_destroy(channel->ares);
        return open_ares(channel, domains, n);
}

int dns_channel_init(struct dns_channel *channel, struct loop *loop, const char *servers,
        struct muster_error *error)
{
        int r;

        *channel = (struct dns_channel){ .loop = loop, .timer.fire = channel_timer_fire };
        list_init(&channel->sockets);
        r = open_ares(channel, NULL, -1);
        if (r == ARES_SUCCESS)
                r = drop_odd_domains(channel);
        if (r != ARES_SUCCESS)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DNS, 0,
                        "resource: cannot set up the resolver: %s", ares_strerror(r));
        if (servers &&
                (!*servers || ares_set_servers_ports_csv(channel->ares, servers) != ARES_SUCCESS))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_DNS, 0,
                        "invalid: name server \"%.80s\" is not ADDRESS or ADDRESS:PORT; separate several with commas",
                        servers);
        if (servers && !(channel->servers = mem_strdup(servers)))
                return error_set_memory(error, MUSTER_PHASE_DNS);
        return 0;
}

void dns_channel_describe_servers(const struct dns_channel *channel, char *text, size_t size)
{
        if (channel->servers)
                snprintf(text, size, "%.80s (--dns-server)", channel->servers);
        else
                resolv_conf_describe(RESOLV_CONF, text, size);
}

void dns_channel_deinit(struct dns_channel *channel)
{
        struct list *link;

        channel->servers = mem_free(channel->servers);
        if (!channel->ares)
                return;
        ares_destroy(channel->ares);
        channel->ares = NULL;
        while ((link = list_first(&channel->sockets)))
                drop_watch(LIST_OWNER(link, struct ares_watch, link));
        loop_timer_stop(channel->loop, &channel->timer);
}
