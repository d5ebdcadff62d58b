/* SPDX-License-Identifier: MIT */
#include "listener.h"

#include "lab.h"
#include "peer.h"
#include <assert.h>
#include <base/error.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#define ACCEPTED_AT_ONCE 64 /* connections accepted in a row, so that others get a turn */
#define NO_FILES_WAIT_NS (100 * NS_PER_MS) /* wait before the next try when descriptors are out */

/* --- accepting ------------------------------------------------------------------------------- */

static void watch(struct listener *listener, bool wants)
{
        (void)loop_watch_set(listener->lab->loop, &listener->watch, listener->fd, wants, false);
}

/*
 * Stop accepting for a while: new connections wait in the kernel's queue, and beyond it their SYNs
 * are dropped.
 */
static void look_away(struct listener *listener, uint64_t ns)
{
        struct loop *loop = listener->lab->loop;

        watch(listener, false);
        if (loop_timer_set(loop, &listener->accept_timer, clock_after(clock_now(loop->clock), ns)) <
                0)
                watch(listener, true);
}

static void accept_fire(struct loop_timer *timer, uint64_t late_ns)
{
        (void)late_ns;
        watch(LIST_OWNER(timer, struct listener, accept_timer), true);
}

static bool has_room(const struct listener *listener)
{
        const struct listener_config *config = listener->config;

        return !config->max_connections || listener->n_admitted < config->max_connections;
}

void listener_release(struct listener *listener)
{
        assert(listener->n_admitted > 0);
        listener->n_admitted--;
        if (!listener->is_full)
                return;
        listener->is_full = false;
        watch(listener, true);
}

/* A connection was taken off the kernel's queue. */
static void take_in(struct listener *listener, int take_fd)
{
        bool is_beyond = !has_room(listener);

        listener->stats.n_turned_away += is_beyond;
        if (is_beyond && listener->config->beyond == BEYOND_CLOSED) {
                listener->stats.n_accepted++;
                close(take_fd);
                return;
        }
        listener->n_admitted += !is_beyond;
        if (peer_accept(listener, take_fd, is_beyond) < 0 && !is_beyond)
                listener_release(listener);
}

static void accept_ready(struct loop_watch *loop_watch, bool readable, bool writable)
{
        struct listener *listener = LIST_OWNER(loop_watch, struct listener, watch);
        uint64_t interval_ns = listener->config->accept_interval_ns;

        (void)readable;
        (void)writable;
        for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
                int fd;

                if (listener->config->beyond == BEYOND_WAITS && !has_room(listener)) {
                        listener->is_full = true;
                        watch(listener, false);
                        return;
                }
                fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
                                      errno == ENOBUFS)) {
                        look_away(listener, NO_FILES_WAIT_NS);
                        return;
                }
                if (fd < 0)
                        return;
                take_in(listener, fd);
                if (interval_ns) {
                        look_away(listener, interval_ns);
                        return;
                }
        }
}

/* --- starting -------------------------------------------------------------------------------- */

static int fail_listener(const struct listener *listener, struct muster_error *error,
        const char *what)
{
        struct sockaddr_storage address;
        char text[ADDRESS_TEXT_MAX];
        int sys = errno;

        address_to_sockaddr(&listener->config->address, listener->config->port, &address);
        address_text((struct sockaddr *)&address, text, sizeof(text));
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys,
                "listener %s: cannot %s %s: %s", listener->config->name, what, text,
                sys == EADDRNOTAVAIL ? "this machine does not have that address"
                                     : error_sys_text(sys));
}

static int open_socket(struct listener *listener, struct muster_error *error)
{
        const struct listener_config *config = listener->config;
        struct sockaddr_storage address;
        socklen_t len = address_to_sockaddr(&config->address, config->port, &address);
        int yes = 1;

        listener->fd =
                socket(config->address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (listener->fd < 0)
                return fail_listener(listener, error, "open a socket for");
        (void)setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        if (config->congestion &&
                setsockopt(listener->fd, IPPROTO_TCP, TCP_CONGESTION, config->congestion,
                        (socklen_t)strlen(config->congestion)) < 0)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                        "listener %s: the kernel does not offer congestion control %.20s; see sysctl net.ipv4.tcp_allowed_congestion_control",
                        config->name, config->congestion);
        if (bind(listener->fd, (struct sockaddr *)&address, len) < 0)
                return fail_listener(listener, error, "bind to");
        if (listen(listener->fd, config->backlog ? (int)config->backlog : SOMAXCONN) < 0 ||
                getsockname(listener->fd, (struct sockaddr *)&address, &len) < 0)
                return fail_listener(listener, error, "listen on");
        listener->port =
                ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                    : ((struct sockaddr_in *)&address)->sin_port);
        return 0;
}

static int open_tls(struct listener *listener, struct muster_error *error)
{
        const struct listener_config *config = listener->config;
        struct tls_server_options options = { .no_resumption = config->tls_no_resumption,
                .only_old_ones = config->tls_fault == TLS_OLD_PROTOCOL,
                .max_minor = config->tls_max_minor,
                .h2 = config->h2.is_on };
        const char *names = listener->lab->config->certificate_names.at;
        struct buf chain = { 0 }, key = { 0 };
        int r;

        if (!config->has_tls)
                return 0;
        r = authority_issue(listener->lab->authority, config->tls_fault, names ? names : "", &chain,
                &key, error);
        options.chain_pem = chain.at;
        options.key_pem = key.at;
        if (r == 0)
                r = tls_server_context_new(&listener->tls_context, &options, error);
        buf_deinit(&chain);
        buf_deinit(&key);
        return r;
}

int listener_start(struct listener *listener, struct lab *lab, const struct listener_config *config,
        struct muster_error *error)
{
        int r;

        *listener = (struct listener){
                .lab = lab, .config = config, .fd = -1, .pauses = config->pauses
        };
        listener->pauses.since_ns = clock_now(lab->loop->clock);
        listener->watch.ready = accept_ready;
        listener->accept_timer.fire = accept_fire;
        list_init(&listener->peers);
        capacity_init(&listener->capacity, lab->loop, &lab->rand, config, &listener->pauses);
        r = open_tls(listener, error);
        if (r == 0)
                r = open_socket(listener, error);
        if (r == 0 && loop_watch_set(lab->loop, &listener->watch, listener->fd, true, false) < 0)
                r = error_set_memory(error, MUSTER_PHASE_QUEUE);
        return r;
}

void listener_stop(struct listener *listener)
{
        struct list *link;

        if (!listener->lab)
                return;
        while ((link = list_first(&listener->peers)))
                peer_close(peer_of_link(link));
        loop_timer_stop(listener->lab->loop, &listener->accept_timer);
        if (listener->fd >= 0) {
                watch(listener, false);
                close(listener->fd);
        }
        listener->fd = -1;
        listener->tls_context = tls_context_free(listener->tls_context);
        listener->lab = NULL;
}

void listener_url(const struct listener *listener, const char *host, char *text, size_t size)
{
        struct sockaddr_storage address;
        char where[ADDRESS_TEXT_MAX];
        const char *scheme = listener->config->has_tls ? "https" : "http";

        if (host) {
                snprintf(text, size, "%s://%s:%u", scheme, host, listener->port);
                return;
        }
        address_to_sockaddr(&listener->config->address, listener->port, &address);
        address_text((struct sockaddr *)&address, where, sizeof(where));
        snprintf(text, size, "%s://%s", scheme, where);
}
