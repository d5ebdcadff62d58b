/* SPDX-License-Identifier: MIT */
#include "lab_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <http/h1_read.h>
#include <lab/scenario.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* --- the lab --------------------------------------------------------------------------------- */

struct lab_world world;

void settle(void)
{
        for (int i = 0; i < 4; i++) {
                assert_int_equal(loop_turn(&world.loop, 0), 0);
                lab_reap(&world.lab);
        }
}

void pass(uint64_t ns)
{
        uint64_t end = world.clock.manual_ns + ns, next;

        settle();
        while ((next = heap_top_key(&world.loop.timers)) <= end) {
                if (next > world.clock.manual_ns)
                        world.clock.manual_ns = next;
                settle();
        }
        world.clock.manual_ns = end;
        settle();
}

void open_world(const char *settings)
{
        struct muster_error error = { 0 };
        int sys = 0;

        world.clock = (struct clock){ .is_manual = true, .manual_ns = START_NS };
        assert_int_equal(loop_init(&world.loop, &world.clock, &sys), 0);
        assert_int_equal(config_init(&world.config), 0);
        if (scenario_parse("test", str_of(settings), &world.config, &error) < 0 ||
                config_check(&world.config, &error) < 0 ||
                lab_start(&world.lab, &world.loop, &world.config, &error) < 0)
                fail_msg("%s", error.text);
}

void close_world(void)
{
        lab_stop(&world.lab);
        lab_stop(&world.lab);
        config_deinit(&world.config);
        loop_deinit(&world.loop);
}

struct listener *listener(void)
{
        return &world.lab.listeners[0];
}

const struct listener_stats *stats(void)
{
        return &listener()->stats;
}

/* --- clients --------------------------------------------------------------------------------- */

struct client clients[16];

void open_client_at(struct client *client, uint16_t port, int receive_bytes)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                .sin_port = htons(port) };
        int yes = 1;

        *client = (struct client){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
        assert_true(client->fd >= 0);
        if (receive_bytes)
                setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(int));
        assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        fcntl(client->fd, F_SETFL, O_NONBLOCK);
}

struct client *open_client(int i)
{
        open_client_at(&clients[i], listener()->port, 0);
        settle();
        return &clients[i];
}

void close_client(struct client *client)
{
        if (client->fd > 0)
                close(client->fd);
        buf_deinit(&client->got);
        buf_deinit(&client->body_bytes);
        *client = (struct client){ .fd = -1 };
        settle();
}

void pull(struct client *client)
{
        static char bytes[256 * 1024];

        for (int n_empty = 0; n_empty < 2 && !client->is_ended && !client->is_reset;) {
                ssize_t n = recv(client->fd, bytes, sizeof(bytes), 0);

                n_empty = n < 0 ? n_empty + 1 : 0;
                if (n > 0)
                        assert_int_equal(buf_add(&client->got, bytes, (size_t)n), 0);
                else if (n == 0)
                        client->is_ended = true;
                else if (errno != EAGAIN)
                        client->is_reset = true;
                settle();
        }
}

void pull_to_end(struct client *client)
{
        struct pollfd waiting = { .fd = client->fd, .events = POLLIN };

        for (unsigned n_idle = 0; !client->is_ended && !client->is_reset;) {
                pull(client);
                settle(); /* the kernel asks only now and then whether there is room again */
                n_idle = poll(&waiting, 1, 10) > 0 ? 0 : n_idle + 1;
                assert_true(n_idle < 1000);
        }
}

void ask(struct client *client, const char *text)
{
        assert_int_equal(send(client->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
        settle();
        pull(client);
}

void get(struct client *client, const char *path)
{
        char text[400];

        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: lab\r\n\r\n", path);
        ask(client, text);
}

bool take_of(struct client *client, bool is_head)
{
        static struct h1_scratch scratch;
        struct muster_str in = { client->got.at + client->used, client->got.len - client->used };
        struct h1_reader reader = { 0 };
        struct http_event event = { 0 };
        struct muster_error error = { 0 };
        int r;

        if (!in.len)
                return false;
        h1_read_begin(&reader, is_head, 0);
        client->n_interim = 0;
        client->body_bytes.len = 0;
        while ((r = h1_read_next(&reader, &scratch, &in, &event, &error)) == 0 &&
                event.kind != HTTP_DONE) {
                if (event.kind == HTTP_INTERIM)
                        client->n_interim++;
                if (event.kind == HTTP_HEAD) {
                        client->status = event.head.status;
                        client->head = event.head.raw;
                }
                if (event.kind == HTTP_BODY)
                        assert_int_equal(buf_add_str(&client->body_bytes, event.body), 0);
        }
        if (r < 0)
                fail_msg("not a response: %s", error.text);
        if (r == H1_MORE && client->is_ended)
                r = h1_read_eof(&reader, NULL);
        h1_read_deinit(&reader);
        if (r != 0)
                return false;
        buf_terminate(&client->body_bytes);
        client->body = buf_str(&client->body_bytes);
        client->used = (size_t)(in.at - client->got.at);
        return true;
}

bool take(struct client *client)
{
        pull(client);
        return take_of(client, false);
}

void answered(struct client *client, int status)
{
        if (!take(client))
                fail_msg("no response; got \"%.*s\"",
                        client->got.at ? (int)(client->got.len - client->used) : 0,
                        client->got.at ? client->got.at + client->used : "");
        if (client->status != status)
                fail_msg("%.*s%.*s", STR_ARGS(client->head), STR_ARGS(client->body));
}

bool has_field(const struct client *client, const char *line)
{
        return memmem(client->head.at, client->head.len, line, strlen(line)) != NULL;
}

bool is_closed(struct client *client)
{
        pull(client);
        return client->is_ended && client->used == client->got.len;
}

json_t *json_of(const struct client *client)
{
        json_t *json = json_loadb(client->body.at, client->body.len, 0, NULL);

        assert_non_null(json);
        return json;
}

const char *text_in(const json_t *json, const char *name)
{
        const char *text = json_string_value(json_object_get(json, name));

        return text ? text : "(not there)";
}

long long count_in(const json_t *json, const char *name)
{
        json_t *value = json_object_get(json, name);

        assert_true(json_is_integer(value));
        return json_integer_value(value);
}
