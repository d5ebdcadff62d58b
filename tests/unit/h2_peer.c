/* SPDX-License-Identifier: MIT */
#include "h2_peer.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static void add(struct buf *to, const void *at, size_t len)
{
        assert_int_equal(buf_add(to, at, len), 0);
}

void peer_u32(struct buf *to, uint32_t value)
{
        unsigned char bytes[4] = { (unsigned char)(value >> 24), (unsigned char)(value >> 16),
                (unsigned char)(value >> 8), (unsigned char)value };

        add(to, bytes, 4);
}

void peer_frame(struct buf *to, enum peer_type type, unsigned flags, uint32_t stream,
        const void *payload, size_t len)
{
        unsigned char head[5] = { (unsigned char)(len >> 16), (unsigned char)(len >> 8),
                (unsigned char)len, (unsigned char)type, (unsigned char)flags };

        add(to, head, sizeof(head));
        peer_u32(to, stream);
        add(to, payload, len);
}

static void add_text(struct buf *block, const char *text)
{
        size_t len = strlen(text);
        unsigned char bytes[4] = { (unsigned char)len };
        size_t n = 1;

        if (len >= 127) { /* RFC 7541 section 5.1 */
                bytes[0] = 127;
                for (len -= 127; len >= 128; len >>= 7)
                        bytes[n++] = (unsigned char)(len & 127) | 128;
                bytes[n++] = (unsigned char)len;
        }
        add(block, bytes, n);
        add(block, text, strlen(text));
}

void peer_field(struct buf *block, const char *name, const char *value)
{
        add(block, "\0", 1);
        add_text(block, name);
        add_text(block, value);
}

void peer_settings(struct buf *to, uint16_t id, uint32_t value)
{
        struct buf entry = { 0 };
        unsigned char bytes[2] = { (unsigned char)(id >> 8), (unsigned char)id };

        add(&entry, bytes, 2);
        peer_u32(&entry, value);
        peer_frame(to, PEER_SETTINGS, 0, 0, entry.at, id ? entry.len : 0);
        buf_deinit(&entry);
}

void peer_headers(struct buf *to, uint32_t stream, unsigned flags, const char *const *fields)
{
        struct buf block = { 0 };

        for (; *fields; fields += 2)
                peer_field(&block, fields[0], fields[1]);
        peer_frame(to, PEER_HEADERS, flags, stream, block.at, block.len);
        buf_deinit(&block);
}

void peer_data(struct buf *to, uint32_t stream, unsigned flags, const char *text)
{
        peer_frame(to, PEER_DATA, flags, stream, text, strlen(text));
}

void peer_number(struct buf *to, enum peer_type type, uint32_t stream, uint32_t value)
{
        struct buf payload = { 0 };

        peer_u32(&payload, value);
        peer_frame(to, type, 0, stream, payload.at, payload.len);
        buf_deinit(&payload);
}

void peer_goaway(struct buf *to, uint32_t last, uint32_t code, const char *reason)
{
        struct buf payload = { 0 };

        peer_u32(&payload, last);
        peer_u32(&payload, code);
        add(&payload, reason, strlen(reason));
        peer_frame(to, PEER_GOAWAY, 0, 0, payload.at, payload.len);
        buf_deinit(&payload);
}

void peer_ping(struct buf *to, unsigned flags)
{
        peer_frame(to, PEER_PING, flags, 0, "\0\0\0\0\0\0\0\0", 8);
}

void peer_response(struct buf *to, uint32_t stream, const char *body)
{
        static const char *const fields[] = { ":status", "200", NULL };

        peer_headers(to, stream, PEER_END_HEADERS, fields);
        peer_data(to, stream, PEER_END_STREAM, body);
}

int peer_say(struct h2_world *world, struct buf *to)
{
        int r = world_feed(world, to->at, to->len);

        buf_deinit(to);
        return r;
}

unsigned peer_count(const struct h2_world *world, enum peer_type type, uint32_t stream,
        struct muster_str *ret_payload)
{
        const unsigned char *at = (const unsigned char *)world->sent.at;
        size_t left = world->sent.len, len;
        unsigned n = 0;

        if (left >= strlen(PREFACE) && memcmp(at, PREFACE, strlen(PREFACE)) == 0) {
                at += strlen(PREFACE);
                left -= strlen(PREFACE);
        }
        for (; left; at += len, left -= len) {
                assert_true(left >= 9);
                len = 9 + ((size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2]);
                assert_true(len <= left);
                if (at[3] != type || ((uint32_t)at[5] << 24 | (uint32_t)at[6] << 16 |
                                             (uint32_t)at[7] << 8 | at[8]) != stream)
                        continue;
                if (n++ == 0 && ret_payload)
                        *ret_payload = (struct muster_str){ (const char *)at + 9, len - 9 };
        }
        return n;
}
