/* SPDX-License-Identifier: MIT */
#include "resolve_world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#define TYPE_A 1

#define TYPE_AAAA 28

/* --- the server ------------------------------------------------------------------------------ */

static size_t add_record(unsigned char *at, int type, unsigned ttl, const void *data,
        unsigned char len)
{
        const unsigned char head[12] = { 0xc0, 12, 0, (unsigned char)type, 0, 1, 0, 0,
                (unsigned char)(ttl >> 8), (unsigned char)ttl, 0, len };

        memcpy(at, head, 12);
        memcpy(at + 12, data, len);
        return 12u + len;
}

/*
 * "two.test" has two of each; "v4.test" and "v6.test" one kind; "slow6.test" answers AAAA late;
 * "fails.test" is SERVFAIL; else NXDOMAIN.
 */
static size_t answer(struct dns_server *server, const unsigned char *question, size_t len,
        unsigned char *out, bool *is_late)
{
        char name[256] = "";
        size_t at = 12, n = 0;
        int type, rcode = 3;
        unsigned char count = 0;
        struct in6_addr six;

        (void)server;
        while (question[at]) {
                n += (size_t)snprintf(name + n, sizeof(name) - n, "%s%.*s", n ? "." : "",
                        question[at], (const char *)question + at + 1);
                at += question[at] + 1u;
        }
        type = question[at + 2];
        at += 5;
        memcpy(out, question, at);
        if (strcmp(name, "fails.test") == 0)
                rcode = 2;
        if (strcmp(name, "unknown.test") == 0)
                rcode = 4;
        if (strcmp(name, "refuses.test") == 0)
                rcode = 5;
        if (strcmp(name, "two.test") == 0 || strcmp(name, "slow6.test") == 0 ||
                strcmp(name, type == TYPE_A ? "in.corp.test" : "") == 0 ||
                strcmp(name, type == TYPE_A ? "v4.test" : "v6.test") == 0) {
                rcode = 0;
                for (unsigned char i = 1; i <= (strcmp(name, "two.test") ? 1 : 2); i++, count++) {
                        const unsigned char four[4] = { 127, 0, 0, i };

                        inet_pton(AF_INET6, "2001:db8::1", &six);
                        six.s6_addr[15] = i;
                        at += type == TYPE_A ? add_record(out + at, TYPE_A, 60, four, 4)
                                             : add_record(out + at, TYPE_AAAA, 60, &six, 16);
                }
        } else if (strcmp(name, "v4.test") == 0 || strcmp(name, "v6.test") == 0 ||
                   strcmp(name, "empty.test") == 0) {
                rcode = 0;
        }
        *is_late = type == TYPE_AAAA && strcmp(name, "slow6.test") == 0;
        out[2] = 0x81;
        out[3] = (unsigned char)(0x80 | rcode);
        memset(out + 6, 0, 6);
        out[7] = count;
        (void)len;
        return at;
}

static void send_late(struct loop_timer *timer, uint64_t late_ns)
{
        struct dns_server *server = LIST_OWNER(timer, struct dns_server, timer);

        (void)late_ns;
        sendto(server->fd, server->late, server->late_len, 0, (struct sockaddr *)&server->late_to,
                sizeof(server->late_to));
}

static void question_came(struct loop_watch *watch, bool readable, bool writable)
{
        struct dns_server *server = LIST_OWNER(watch, struct dns_server, watch);
        unsigned char in[512], out[512];
        struct sockaddr_in from;
        socklen_t from_len = sizeof(from);
        ssize_t n = recvfrom(server->fd, in, sizeof(in), 0, (struct sockaddr *)&from, &from_len);
        bool is_late;
        size_t len;

        (void)readable;
        (void)writable;
        if (n < 17)
                return;
        server->n_questions++;
        if (server->is_mute)
                return;
        len = answer(server, in, (size_t)n, out, &is_late);
        if (!is_late) {
                sendto(server->fd, out, len, 0, (struct sockaddr *)&from, from_len);
                return;
        }
        memcpy(server->late, out, len);
        server->late_len = len;
        server->late_to = from;
        loop_timer_set(server->loop, &server->timer,
                clock_now(server->loop->clock) + 150 * NS_PER_MS);
}

/* --- the world ------------------------------------------------------------------------------- */

struct clock real_clock;

void open_world(struct world *w, const char *const *overrides)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(address);
        struct muster_error error = { 0 };
        int sys;

        memset(w, 0, sizeof(*w));
        assert_int_equal(loop_init(&w->loop, &real_clock, &sys), 0);
        w->dns.loop = &w->loop;
        w->dns.fd = socket(AF_INET, SOCK_DGRAM, 0);
        assert_int_equal(bind(w->dns.fd, (struct sockaddr *)&address, len), 0);
        getsockname(w->dns.fd, (struct sockaddr *)&address, &len);
        snprintf(w->dns.address, sizeof(w->dns.address), "127.0.0.1:%u", ntohs(address.sin_port));
        w->dns.watch.ready = question_came;
        w->dns.timer.fire = send_late;
        loop_watch_set(&w->loop, &w->dns.watch, w->dns.fd, true, false);
        if (resolver_new(&w->resolver, &w->loop,
                    &(struct resolver_options){ .servers = w->dns.address, .overrides = overrides },
                    &error) < 0)
                fail_msg("%s", error.text);
}

void close_world(struct world *w)
{
        resolver_free(w->resolver);
        loop_timer_stop(&w->loop, &w->dns.timer);
        loop_watch_set(&w->loop, &w->dns.watch, w->dns.fd, false, false);
        close(w->dns.fd);
        loop_deinit(&w->loop);
}

static void note(struct asker *asker, const struct resolve_answer *answer)
{
        asker->is_final = answer->is_final;
        asker->n = answer->n;
        memcpy(asker->addresses, answer->addresses, answer->n * sizeof(*answer->addresses));
        if (answer->error)
                asker->error = *answer->error;
}

static void told(struct resolve_waiter *waiter, const struct resolve_answer *answer)
{
        struct asker *asker = LIST_OWNER(waiter, struct asker, waiter);

        asker->n_calls++;
        note(asker, answer);
}

int ask(struct world *w, struct asker *asker, const char *host)
{
        struct resolve_answer answer;
        int r;

        memset(asker, 0, sizeof(*asker));
        asker->waiter.answered = told;
        r = resolver_ask(w->resolver, &asker->waiter, str_of(host), 80, &answer);
        if (r == 0)
                note(asker, &answer);
        assert_int_equal(asker->n_calls, 0);
        return r;
}

void wait_for(struct world *w, struct asker *asker, unsigned n_calls)
{
        uint64_t patience = clock_now(&real_clock) + 20 * NS_PER_S;

        while (asker->n_calls < n_calls && clock_now(&real_clock) < patience)
                assert_int_equal(loop_turn(&w->loop, patience), 0);
        assert_true(asker->n_calls >= n_calls);
}

void wait_for_all(struct world *w, struct asker *asker)
{
        while (!asker->is_final)
                wait_for(w, asker, asker->n_calls + 1);
}

void expect_address(const struct asker *asker, size_t i, const char *text)
{
        struct net_address expected;

        assert_true(address_parse(str_of(text), &expected));
        assert_true(i < asker->n);
        assert_true(address_eq(&asker->addresses[i], &expected));
}
