/* SPDX-License-Identifier: MIT */
/*
 * The HTTP/2 session and servers that break the rules: what they send, what is said of it, and what
 * it costs. An error of a stream leaves the others alone, one of the connection ends all.
 */
#include "h2_peer.h"

#define HEADERS(stream, more, text)                                                                \
        {                                                                                          \
                .type = PEER_HEADERS, .id = stream, .flags = PEER_END_HEADERS | (more),            \
                .fields = text                                                                     \
        }
#define FRAME(kind, stream, what, bytes)                                                           \
        {                                                                                          \
                .type = kind, .id = stream, .flags = what, .payload = BYTES(bytes)                 \
        }
#define END PEER_END_STREAM

struct frame {
        enum peer_type type;
        unsigned flags;
        uint32_t id;
        struct muster_str payload;
        const char *fields; /* "name=value|name=value" instead of a payload */
};

struct fault {
        struct frame frames[4];
        uint32_t code; /* of our RST_STREAM or GOAWAY */
        const char *text;
};

/* --- frames ---------------------------------------------------------------------------------- */

static void write_fields(struct buf *block, const char *fields)
{
        char copy[512], *rest = copy, *one;

        assert_true(strlen(fields) < sizeof(copy));
        strcpy(copy, fields);
        while ((one = strsep(&rest, "|"))) {
                char *value = strchr(one, '=');

                assert_non_null(value);
                *value = '\0';
                peer_field(block, one, value + 1);
        }
}

static void write_frame(struct buf *to, const struct frame *frame)
{
        struct buf block = { 0 };

        if (frame->fields)
                write_fields(&block, frame->fields);
        else
                buf_add_str(&block, frame->payload);
        peer_frame(to, frame->type, frame->flags, frame->id, block.at, block.len);
        buf_deinit(&block);
}

static void write_fault(struct buf *to, const struct fault *fault)
{
        for (size_t i = 0; i < LENGTH(fault->frames); i++)
                if (fault->frames[i].fields || fault->frames[i].payload.at)
                        write_frame(to, &fault->frames[i]);
}

static uint32_t read_u32(struct muster_str bytes, size_t at)
{
        const unsigned char *p = (const unsigned char *)bytes.at + at;

        assert_true(bytes.len >= at + 4);
        return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* --- of a stream ----------------------------------------------------------------------------- */

#define OK             ":status=200"
#define BROKEN         "protocol: the HTTP/2 response is malformed: "
#define LENGTH_DIFFERS BROKEN "the body is longer or shorter than its head says"
#define FIELD(name)    BROKEN "field \"" name "\" is not valid"
#define MESSAGE        BROKEN "Violation in HTTP messaging rule"

/* On stream 1. */
static const struct fault stream_faults[] = {
        /* fields (RFC 9113 section 8.2) */
        { { HEADERS(1, 0, OK "|X-Upper=a") }, 1, FIELD("X-Upper") },
        { { HEADERS(1, 0, OK "|a b=a") }, 1, FIELD("a b") },
        { { HEADERS(1, 0, OK "|a\x7f=a") }, 1, FIELD("a?") },
        { { HEADERS(1, 0, OK "|=a") }, 1, FIELD("") },
        { { HEADERS(1, 0, OK "|a=b\rc") }, 1, FIELD("a") },
        { { HEADERS(1, 0, OK "|a=b\nc") }, 1, FIELD("a") },
        { { HEADERS(1, 0, OK "|a= b") }, 1, FIELD("a") },
        { { HEADERS(1, 0, OK "|connection=close") }, 1, FIELD("connection") },
        { { HEADERS(1, 0, OK "|keep-alive=5") }, 1, FIELD("keep-alive") },
        { { HEADERS(1, 0, OK "|proxy-connection=a") }, 1, FIELD("proxy-connection") },
        { { HEADERS(1, 0, OK "|transfer-encoding=chunked") }, 1, FIELD("transfer-encoding") },
        { { HEADERS(1, 0, OK "|upgrade=h3") }, 1, FIELD("upgrade") },
        { { HEADERS(1, 0, OK "|te=gzip") }, 1, FIELD("te") },
        /* pseudo-fields (section 8.3) */
        { { HEADERS(1, 0, "a=b|" OK) }, 1, FIELD(":status") },
        { { HEADERS(1, 0, OK "|" OK) }, 1, FIELD(":status") },
        { { HEADERS(1, 0, OK "|:path=/") }, 1, FIELD(":path") },
        { { HEADERS(1, 0, OK "|:unknown=a") }, 1, FIELD(":unknown") },
        { { HEADERS(1, 0, ":status=20") }, 1, FIELD(":status") },
        { { HEADERS(1, 0, ":status=2000") }, 1, FIELD(":status") },
        { { HEADERS(1, 0, ":status=099") }, 1, FIELD(":status") },
        { { HEADERS(1, 0, ":status=abc") }, 1, FIELD(":status") },
        { { HEADERS(1, 0, ":status=") }, 1, FIELD(":status") },
        { { HEADERS(1, 0, ":status=101") }, 1, FIELD(":status") },
        { { HEADERS(1, 0, "a=b") }, 1, MESSAGE },
        /* trailers */
        { { HEADERS(1, 0, OK), HEADERS(1, END, ":status=200") }, 1, FIELD(":status") },
        { { HEADERS(1, 0, OK), HEADERS(1, 0, "a=b") }, 1, MESSAGE },
        { { HEADERS(1, 0, OK), HEADERS(1, END, "A=b") }, 1, FIELD("A") },
        /* the order of a response */
        { { HEADERS(1, END, ":status=100") }, 1, MESSAGE },
        { { HEADERS(1, 0, ":status=103"), FRAME(PEER_DATA, 1, 0, "early") }, 1,
                BROKEN "a body before the final head" },
        /* lengths */
        { { HEADERS(1, 0, OK "|content-length=4"), FRAME(PEER_DATA, 1, END, "hel") }, 1,
                LENGTH_DIFFERS },
        { { HEADERS(1, 0, OK "|content-length=4"), FRAME(PEER_DATA, 1, 0, "hello") }, 1,
                LENGTH_DIFFERS },
        { { HEADERS(1, END, OK "|content-length=4") }, 1, MESSAGE },
        { { HEADERS(1, 0, OK "|content-length=4|content-length=5") }, 1, FIELD("content-length") },
        { { HEADERS(1, 0, OK "|content-length=-4") }, 1, FIELD("content-length") },
        { { HEADERS(1, 0, OK "|content-length=4 4") }, 1, FIELD("content-length") },
        { { HEADERS(1, 0, OK "|content-length=99999999999999999999") }, 1,
                FIELD("content-length") },
        { { HEADERS(1, 0, ":status=204"), FRAME(PEER_DATA, 1, 0, "hello") }, 1, LENGTH_DIFFERS },
        /* flow control (section 6.9.1) */
        { { FRAME(PEER_WINDOW_UPDATE, 1, 0, "\x7f\xff\xff\xff") }, 3,
                "protocol: the server broke the rules of HTTP/2 on this stream: FLOW_CONTROL_ERROR" },
};

/*
 * Both streams are open, the first gets what the fault is; then the second is answered, and a third
 * is begun.
 */
static void run_stream_fault(const struct fault *fault, bool byte_by_byte)
{
        struct h2_world world;
        struct exchange first, second, third;
        struct buf say = { 0 };
        struct muster_str reset = { 0 };

        world_open(&world, NULL);
        world.byte_by_byte = byte_by_byte;
        world_get(&world, &first);
        world_get(&world, &second);
        assert_int_equal(world_pull(&world), 0);
        peer_settings(&say, 0, 0);
        write_fault(&say, fault);
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_failed(&first, MUSTER_E_PROTOCOL, fault->text);
        assert_false(first.is_unprocessed);
        exchange_close(&world, &first);

        world_get(&world, &third);
        assert_int_equal(world_pull(&world), 0);
        assert_int_equal(peer_count(&world, PEER_RST_STREAM, 1, &reset), 1);
        assert_int_equal(read_u32(reset, 0), fault->code);
        peer_data(&say, 1, 0, "late");
        peer_response(&say, 3, "second");
        peer_response(&say, 5, "third");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_response(&second, 200, "second");
        expect_response(&third, 200, "third");
        exchange_close(&world, &second);
        exchange_close(&world, &third);
        assert_int_equal(h2_n_open(world.h2), 0);
        world_close(&world);
}

static void test_stream_faults(void **state)
{
        /*
         * [9113 5.5 extensions] [9113 6.9.1 window-overflow] [9113 8.1 trailers]
         * [9113 8.1 second-head] [9113 8.1.1 malformed] [9113 8.1.1 length] [9113 8.2.1 names]
         * [9113 8.2.1 values] [9113 8.2.2 connection-fields] [9113 8.3 pseudo-fields]
         * [9113 8.3.2 status]
         */
        (void)state;
        for (size_t i = 0; i < LENGTH(stream_faults); i++) {
                run_stream_fault(&stream_faults[i], false);
                run_stream_fault(&stream_faults[i], true);
        }
}

/* --- of the connection ----------------------------------------------------------------------- */

#define RULES "protocol: the server broke the rules of HTTP/2: "
#define PROTO RULES "PROTOCOL_ERROR, "
#define SIZE  RULES "FRAME_SIZE_ERROR"

static const struct fault connection_faults[] = {
        /* frames where they do not belong */
        { { FRAME(PEER_DATA, 0, 0, "hello") }, 1, PROTO "DATA: stream_id == 0" },
        { { FRAME(PEER_DATA, 5, 0, "hello") }, 1, PROTO "DATA: stream in idle" },
        { { HEADERS(0, 0, OK) }, 1, PROTO "request HEADERS: stream_id == 0" },
        { { HEADERS(5, 0, OK) }, 1, PROTO "request HEADERS: client received request" },
        { { HEADERS(2, 0, OK) }, 1, PROTO "request HEADERS: client received request" },
        { { FRAME(PEER_RST_STREAM, 0, 0, "\0\0\0\1") }, 1, PROTO "RST_STREAM: stream_id == 0" },
        { { FRAME(PEER_RST_STREAM, 5, 0, "\0\0\0\1") }, 1, PROTO "RST_STREAM: stream in idle" },
        { { FRAME(PEER_SETTINGS, 1, 0, "") }, 1, PROTO "SETTINGS: stream_id != 0" },
        { { FRAME(PEER_PING, 1, 0, "12345678") }, 1, PROTO "PING: stream_id != 0" },
        { { FRAME(PEER_GOAWAY, 1, 0, "\0\0\0\0\0\0\0\0") }, 1, PROTO "GOAWAY: stream_id != 0" },
        { { FRAME(PEER_WINDOW_UPDATE, 5, 0, "\0\0\0\1") }, 1,
                PROTO "WINDOW_UPDATE to idle stream" },
        { { FRAME(PEER_SETTINGS, 0, PEER_ACK, ""),
                  FRAME(PEER_PUSH_PROMISE, 1, PEER_END_HEADERS, "\0\0\0\2\x82") },
                1, PROTO "PUSH_PROMISE: push disabled" },
        { { FRAME(PEER_DATA, 1, 0, "early") }, 1, PROTO "DATA: stream not opened" },
        { { FRAME(PEER_CONTINUATION, 1, PEER_END_HEADERS, "\x88") }, 1,
                PROTO "CONTINUATION: unexpected" },
        { { FRAME(PEER_HEADERS, 1, 0, "\x88"), FRAME(PEER_DATA, 1, 0, "hello") }, 1,
                PROTO "unexpected non-CONTINUATION frame or stream_id is invalid" },
        { { FRAME(PEER_HEADERS, 1, 0, "\x88"), FRAME(PEER_CONTINUATION, 3, 4, "") }, 1,
                PROTO "unexpected non-CONTINUATION frame or stream_id is invalid" },
        /* sizes */
        { { FRAME(PEER_RST_STREAM, 1, 0, "\0\0\1") }, 6, SIZE },
        { { FRAME(PEER_SETTINGS, 0, 0, "12345") }, 6, SIZE },
        { { FRAME(PEER_SETTINGS, 0, PEER_ACK, "123456") }, 6, SIZE },
        { { FRAME(PEER_PING, 0, 0, "1234567") }, 6, SIZE },
        { { FRAME(PEER_GOAWAY, 0, 0, "1234567") }, 6, SIZE },
        { { FRAME(PEER_WINDOW_UPDATE, 0, 0, "123") }, 6, SIZE },
        { { FRAME(PEER_PRIORITY, 1, 0, "1234") }, 6, SIZE },
        /* padding */
        { { HEADERS(1, 0, OK), FRAME(PEER_DATA, 1, PEER_PADDED, "") }, 1,
                PROTO "DATA: insufficient padding space" },
        { { HEADERS(1, 0, OK), FRAME(PEER_DATA, 1, PEER_PADDED, "\x05hell") }, 1,
                PROTO "DATA: invalid padding" },
        { { FRAME(PEER_HEADERS, 1, PEER_PADDED | PEER_END_HEADERS, "\x05\x88") }, 1,
                PROTO "HEADERS: invalid padding" },
        /* settings */
        { { FRAME(PEER_SETTINGS, 0, 0, "\0\2\0\0\0\1") }, 1,
                PROTO "SETTINGS: server attempted to enable push" },
        { { FRAME(PEER_SETTINGS, 0, 0, "\0\4\x80\0\0\0") }, 3,
                RULES "FLOW_CONTROL_ERROR, SETTINGS: too large SETTINGS_INITIAL_WINDOW_SIZE" },
        { { FRAME(PEER_SETTINGS, 0, 0, "\0\5\0\0\0\1") }, 1,
                PROTO "SETTINGS: invalid SETTINGS_MAX_FRAME_SIZE" },
        { { FRAME(PEER_SETTINGS, 0, PEER_ACK, ""), FRAME(PEER_SETTINGS, 0, PEER_ACK, "") }, 1,
                PROTO "SETTINGS: unexpected ACK" },
        /* flow control */
        { { FRAME(PEER_WINDOW_UPDATE, 0, 0, "\0\0\0\0") }, 1,
                PROTO "WINDOW_UPDATE: window_size_increment == 0" },
        { { FRAME(PEER_WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff") }, 3,
                RULES "FLOW_CONTROL_ERROR, Flow control error" },
        { { FRAME(PEER_WINDOW_UPDATE, 1, 0, "\0\0\0\0") }, 1,
                PROTO "WINDOW_UPDATE: window_size_increment == 0" },
        /* GOAWAY (section 6.8) */
        { { FRAME(PEER_GOAWAY, 0, 0, "\0\0\0\3\0\0\0\0"),
                  FRAME(PEER_GOAWAY, 0, 0, "\0\0\0\5\0\0\0\0") },
                1, PROTO "GOAWAY: invalid last_stream_id" },
        { { FRAME(PEER_GOAWAY, 0, 0, "\0\0\0\2\0\0\0\0") }, 1,
                PROTO "GOAWAY: invalid last_stream_id" },
        /* field compression (RFC 7541) */
        { { FRAME(PEER_HEADERS, 1, PEER_END_HEADERS, "\x80") }, 9, RULES "COMPRESSION_ERROR" },
        { { FRAME(PEER_HEADERS, 1, PEER_END_HEADERS, "\xff\xff\xff\xff\xff\xff\xff\x01") }, 9,
                RULES "COMPRESSION_ERROR" },
        { { FRAME(PEER_HEADERS, 1, PEER_END_HEADERS, "\xbf") }, 9, RULES "COMPRESSION_ERROR" },
        { { FRAME(PEER_HEADERS, 1, PEER_END_HEADERS, "\x88\x00\x85") }, 9,
                RULES "COMPRESSION_ERROR" },
        { { FRAME(PEER_HEADERS, 1, PEER_END_HEADERS, "\x3f\xe2\x1f\x88") }, 9,
                RULES "COMPRESSION_ERROR" },
        { { FRAME(PEER_HEADERS, 1, PEER_END_HEADERS, "\x88\x00\x81\xff\x81\xff") }, 9,
                RULES "COMPRESSION_ERROR" },
};

static void run_connection_fault(const struct fault *fault, bool byte_by_byte)
{
        struct h2_world world;
        struct exchange first, second;
        struct buf say = { 0 };
        struct muster_str goaway = { 0 };

        world_open(&world, NULL);
        world.byte_by_byte = byte_by_byte;
        world_get(&world, &first);
        world_get(&world, &second);
        assert_int_equal(world_pull(&world), 0);
        peer_settings(&say, 0, 0);
        write_fault(&say, fault);
        assert_int_equal(peer_say(&world, &say), MUSTER_E_PROTOCOL);
        assert_string_equal(world.error.text, fault->text);
        assert_false(first.has_failed || second.has_failed || second.is_done);
        assert_int_equal(h2_room(world.h2), 0);
        assert_true(h2_is_closing(world.h2));
        assert_false(h2_is_unprocessed(world.h2, first.stream));

        /* What is left to say is pulled without another error; then nothing more happens. */
        assert_int_equal(h2_pull(world.h2, &world.sent, SIZE_MAX, 0, NULL), 0);
        assert_int_equal(peer_count(&world, PEER_GOAWAY, 0, &goaway), 1);
        assert_int_equal(read_u32(goaway, 4), fault->code);
        assert_false(h2_wants_send(world.h2));
        peer_response(&say, 3, "second");
        assert_int_equal(peer_say(&world, &say), MUSTER_E_PROTOCOL);
        assert_int_equal(h2_eof(world.h2, NULL), MUSTER_E_PROTOCOL);
        exchange_close(&world, &first);
        exchange_close(&world, &second);
        world_close(&world);
}

static void test_connection_faults(void **state)
{
        /*
         * [9113 4.2 frame-size-error] [9113 4.3 contiguous] [9113 4.3 compression-error]
         * [9113 5.1 idle-streams] [9113 5.1.1 unexpected-numbers] [9113 5.4 told]
         * [9113 5.4.1 closes] [9113 5.5 extensions] [9113 6.1 data-on-stream]
         * [9113 6.1 data-padding] [9113 6.2 headers-on-stream] [9113 6.2 headers-padding]
         * [9113 6.2 continued] [9113 6.3 priority-size]
         * [9113 6.4 reset-on-stream] [9113 6.4 reset-size] [9113 6.5 settings-ack]
         * [9113 6.5 settings-stream] [9113 6.5 settings-size] [9113 6.5.2 push-off]
         * [9113 6.5.2 push-on] [9113 6.5.2 window-range] [9113 6.5.2 frame-size-range]
         * [9113 6.7 ping-stream] [9113 6.7 ping-size] [9113 6.8 goaway-stream]
         * [9113 6.8 last-stream] [9113 6.9 window-of-zero] [9113 6.9 window-size]
         * [9113 6.9.1 window-overflow] [9113 6.10 continuation]
         */
        /*
         * [9113 4.2 frame-size-error] [9113 4.3 contiguous] [9113 4.3 compression-error]
         * [9113 5.1 idle-streams] [9113 5.1.1 unexpected-numbers] [9113 5.4 told]
         * [9113 5.4.1 closes] [9113 5.5 extensions] [9113 6.1 data-on-stream]
         * [9113 6.1 data-padding] [9113 6.2 headers-on-stream] [9113 6.2 headers-padding]
         * [9113 6.2 continued] [9113 6.3 priority-size]
         * [9113 6.4 reset-on-stream] [9113 6.4 reset-size] [9113 6.5 settings-ack]
         * [9113 6.5 settings-stream] [9113 6.5 settings-size] [9113 6.5.2 push-off]
         * [9113 6.5.2 push-on] [9113 6.5.2 window-range] [9113 6.5.2 frame-size-range]
         * [9113 6.7 ping-stream] [9113 6.7 ping-size] [9113 6.8 goaway-stream]
         * [9113 6.8 last-stream] [9113 6.9 window-of-zero] [9113 6.9 window-size]
         * [9113 6.9.1 window-overflow] [9113 6.10 continuation]
         */
        (void)state;
        for (size_t i = 0; i < LENGTH(connection_faults); i++) {
                run_connection_fault(&connection_faults[i], false);
                run_connection_fault(&connection_faults[i], true);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stream_faults),
                cmocka_unit_test(test_connection_faults),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
