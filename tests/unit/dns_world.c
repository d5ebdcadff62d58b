/* SPDX-License-Identifier: MIT */
#include "dns_world.h"

#include <arpa/inet.h>
#include <base/rand.h>
#include <unistd.h>

int add(struct zone *zone, const char *spec, struct muster_error *error)
{
        *error = (struct muster_error){ 0 };
        return zone_add(zone, str_of(spec), error);
}

void add_good(struct zone *zone, const char *spec)
{
        struct muster_error error;

        if (add(zone, spec, &error) < 0)
                fail_msg("\"%s\": %s", spec, error.text);
}

void add_bytes(struct message *m, const void *at, size_t len)
{
        assert_true(m->len + len <= sizeof(m->at));
        memcpy(m->at + m->len, at, len);
        m->len += len;
}

void add_name(struct message *m, const char *name)
{
        struct muster_str rest = str_of(name), label;

        while (*name && str_split(&rest, '.', &label)) {
                unsigned char len = (unsigned char)label.len;

                add_bytes(m, &len, 1);
                add_bytes(m, label.at, label.len);
        }
        add_bytes(m, "", 1);
}

struct message *query_of(unsigned id, const char *name, unsigned type, unsigned edns_bytes)
{
        static struct message m;
        const unsigned char head[12] = { (unsigned char)(id >> 8), (unsigned char)id, 1, 0, 0, 1, 0,
                0, 0, 0, 0, edns_bytes > 0 };
        const unsigned char tail[4] = { 0, (unsigned char)type, 0, 1 };
        const unsigned char opt[11] = { 0, 0, 41, (unsigned char)(edns_bytes >> 8),
                (unsigned char)edns_bytes };

        m.len = 0;
        add_bytes(&m, head, sizeof(head));
        add_name(&m, name);
        add_bytes(&m, tail, sizeof(tail));
        if (edns_bytes)
                add_bytes(&m, opt, sizeof(opt));
        return &m;
}

struct muster_str str_of_message(const struct message *m)
{
        return (struct muster_str){ (const char *)m->at, m->len };
}

unsigned id_of(const struct message *m)
{
        return (unsigned)m->at[0] << 8 | m->at[1];
}

unsigned rcode_of(const struct message *m)
{
        return m->at[3] & 15u;
}

unsigned n_records_of(const struct message *m)
{
        return (unsigned)m->at[6] << 8 | m->at[7];
}

bool is_truncated(const struct message *m)
{
        return m->at[2] & 2;
}

struct world world;

struct message reply;

void open_world(void)
{
        struct world *w = &world;
        struct muster_error error = { 0 };
        int sys;

        *w = (struct world){ .clock = { .is_manual = true, .manual_ns = START_NS },
                .address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
        rand_init(&w->rand, 1);
        assert_int_equal(loop_init(&w->loop, &w->clock, &sys), 0);
        assert_int_equal(dns_server_start(&w->server, &w->loop, &w->zone, &w->rand,
                                 (struct sockaddr *)&w->address, sizeof(w->address), &error),
                0);
        w->address.sin_port = htons(dns_server_port(&w->server));
        assert_int_not_equal(w->address.sin_port, 0);
        w->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        assert_int_equal(connect(w->udp, (struct sockaddr *)&w->address, sizeof(w->address)), 0);
}

void close_world(void)
{
        dns_server_stop(&world.server);
        dns_server_stop(&world.server);
        assert_int_equal(dns_server_port(&world.server), 0);
        assert_int_equal(world.server.n_conns, 0);
        assert_int_equal(world.server.n_delayed, 0);
        close(world.udp);
        zone_deinit(&world.zone);
        loop_deinit(&world.loop);
}

void turn(void)
{
        assert_int_equal(loop_turn(&world.loop, clock_now(&world.clock) + NS_PER_S), 0);
}

void send_udp(const struct message *m)
{
        assert_int_equal(send(world.udp, m->at, m->len, 0), m->len);
}

bool receive_udp(void)
{
        ssize_t n = recv(world.udp, reply.at, sizeof(reply.at), 0);

        reply.len = n > 0 ? (size_t)n : 0;
        return n > 0;
}

bool ask(const char *name, unsigned type, unsigned edns_bytes)
{
        static unsigned id;

        send_udp(query_of(++id & 0xffff, name, type, edns_bytes));
        for (int i = 0; i < 5; i++) {
                turn();
                if (receive_udp()) {
                        assert_int_equal(id_of(&reply), id & 0xffff);
                        return true;
                }
        }
        return false;
}

void expect_answer(const char *name, unsigned type, unsigned rcode, unsigned n_records)
{
        assert_true(ask(name, type, 0));
        assert_int_equal(rcode_of(&reply), rcode);
        assert_int_equal(n_records_of(&reply), n_records);
        assert_int_equal(reply.at[2], 0x85); /* response, authoritative, recursion desired */
        assert_int_equal(reply.at[3] & 0xf0, 0x80);
}
