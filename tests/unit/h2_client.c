/* SPDX-License-Identifier: MIT */
#include "h2_client.h"

#include <errno.h>

static struct h2c_answer *answer_of(struct h2c *client, int32_t id)
{
        assert_true(id > 0 && id / 2 < H2C_STREAMS);
        return &client->answers[id / 2];
}

static int take_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *data)
{
        struct h2c_answer *answer = answer_of(data, frame->hd.stream_id);

        (void)session;
        (void)flags;
        if (name_len == 7 && memcmp(name, ":status", 7) == 0)
                answer->status = atoi((const char *)value);
        (void)buf_add(&answer->fields, (const char *)name, name_len);
        (void)buf_add_text(&answer->fields, ": ");
        (void)buf_add(&answer->fields, (const char *)value, value_len);
        return buf_add_char(&answer->fields, '\n');
}

static int take_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
        struct h2c *client = data;

        (void)session;
        switch (frame->hd.type) {
        case NGHTTP2_GOAWAY:
                client->has_goaway = true;
                client->last_id = frame->goaway.last_stream_id;
                client->goaway_code = frame->goaway.error_code;
                return 0;
        case NGHTTP2_PING:
                client->n_pongs += frame->hd.flags & NGHTTP2_FLAG_ACK;
                return 0;
        case NGHTTP2_SETTINGS:
                client->n_settings += !(frame->hd.flags & NGHTTP2_FLAG_ACK);
                return 0;
        case NGHTTP2_HEADERS: {
                struct h2c_answer *answer = answer_of(client, frame->hd.stream_id);

                if (answer->status < 200) {
                        answer->n_interim++;
                        answer->fields.len = 0;
                }
                return 0;
        }
        case NGHTTP2_DATA:
                answer_of(client, frame->hd.stream_id)->n_pieces += frame->hd.length > 0;
                return 0;
        default:
                return 0;
        }
}

static int take_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *at,
        size_t len, void *data)
{
        (void)session;
        (void)flags;
        return buf_add(&answer_of(data, id)->body, (const char *)at, len);
}

static int stream_closed(nghttp2_session *session, int32_t id, uint32_t code, void *data)
{
        struct h2c_answer *answer = answer_of(data, id);

        (void)session;
        answer->is_closed = true;
        answer->code = code;
        return 0;
}

void h2c_open(struct h2c *client)
{
        nghttp2_session_callbacks *callbacks;

        *client = (struct h2c){ 0 };
        open_client_at(&client->socket, listener()->port, 0);
        settle();
        assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, take_field);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, take_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
        assert_int_equal(nghttp2_session_client_new(&client->session, callbacks, client), 0);
        nghttp2_session_callbacks_del(callbacks);
        assert_int_equal(nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
}

void h2c_close(struct h2c *client)
{
        close_client(&client->socket);
        nghttp2_session_del(client->session);
        for (size_t i = 0; i < H2C_STREAMS; i++) {
                buf_deinit(&client->answers[i].fields);
                buf_deinit(&client->answers[i].body);
        }
        *client = (struct h2c){ .socket.fd = -1 };
}

static bool send_some(struct h2c *client)
{
        const uint8_t *at;
        ssize_t n = nghttp2_session_mem_send(client->session, &at);

        if (n > 0)
                (void)!send(client->socket.fd, at, (size_t)n, MSG_NOSIGNAL);
        settle();
        return n > 0;
}

static bool receive_some(struct h2c *client)
{
        static uint8_t bytes[256 * 1024];
        ssize_t n = recv(client->socket.fd, bytes, sizeof(bytes), 0);

        if (n == 0)
                client->socket.is_ended = true;
        if (n < 0 && errno != EAGAIN)
                client->socket.is_reset = true;
        if (n > 0)
                (void)nghttp2_session_mem_recv(client->session, bytes, (size_t)n);
        settle();
        return n > 0;
}

void h2c_settle(struct h2c *client)
{
        for (int n_idle = 0; n_idle < 2;) {
                bool has_sent = send_some(client), has_received = receive_some(client);

                n_idle = has_sent || has_received ? 0 : n_idle + 1;
        }
}

static ssize_t give_upload(nghttp2_session *session, int32_t id, uint8_t *to, size_t size,
        uint32_t *flags, nghttp2_data_source *source, void *data)
{
        struct h2c_answer *answer = answer_of(data, id);
        size_t n = answer->n_upload < size ? answer->n_upload : size;

        (void)session;
        (void)source;
        memset(to, 'x', n);
        answer->n_upload -= n;
        if (!answer->n_upload)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (ssize_t)n;
}

static nghttp2_nv nv(const char *name, const char *value)
{
        return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
                .value = (uint8_t *)(uintptr_t)value,
                .namelen = strlen(name),
                .valuelen = strlen(value) };
}

struct h2c_answer *h2c_ask(struct h2c *client, const char *method, const char *path,
        long body_bytes)
{
        nghttp2_nv fields[] = { nv(":method", method), nv(":scheme", "http"),
                nv(":authority", "lab"), nv(":path", path), nv("cookie", "a=b"),
                nv("cookie", "c=d"), nv("authorization", "Bearer me") };
        nghttp2_data_provider body = { .read_callback = give_upload };
        int32_t id = nghttp2_submit_request(client->session, NULL, fields, LENGTH(fields),
                body_bytes < 0 ? NULL : &body, NULL);

        answer_of(client, id)->n_upload = body_bytes < 0 ? 0 : (size_t)body_bytes;
        return answer_of(client, id);
}

struct h2c_answer *h2c_get(struct h2c *client, const char *path)
{
        struct h2c_answer *answer = h2c_ask(client, "GET", path, -1);

        h2c_settle(client);
        return answer;
}

void h2c_answered(const struct h2c_answer *answer, int status, const char *body)
{
        assert_int_equal(answer->status, status);
        assert_true(answer->is_closed);
        assert_int_equal(answer->code, NGHTTP2_NO_ERROR);
        if (body && !str_is(buf_str(&answer->body), body))
                fail_msg("\"%.*s\"", (int)answer->body.len, answer->body.at);
}

bool h2c_has_field(const struct h2c_answer *answer, const char *line)
{
        return memmem(answer->fields.at, answer->fields.len, line, strlen(line)) != NULL;
}
