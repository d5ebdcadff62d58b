/* SPDX-License-Identifier: MIT */
#include "log_maker.h"

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <watch/read.h>

struct watch_log *maker_head(struct log_maker *log)
{
        return (struct watch_log *)(void *)log->bytes.at;
}

void maker_begin(struct log_maker *log, int32_t pid, int32_t ppid)
{
        static const char args[] = "python3\0script.py";
        struct watch_log head = { .magic = WATCH_MAGIC,
                .version = WATCH_VERSION,
                .header_size = sizeof(head),
                .pid = pid,
                .ppid = ppid,
                .start_ns = LOG_START_NS + (uint64_t)pid,
                .start_wall_ns = NS_PER_S,
                .capacity = UINT64_C(1) << 30,
                .n_args_bytes = sizeof(args),
                .exe = "/usr/bin/python3.11" };

        memcpy(head.args, args, sizeof(args));
        *log = (struct log_maker){ .pid = pid };
        assert_int_equal(buf_add(&log->bytes, &head, sizeof(head)), 0);
}

void maker_deinit(struct log_maker *log)
{
        buf_deinit(&log->bytes);
}

void maker_end(struct log_maker *log, uint64_t at_ms)
{
        struct watch_log *head = maker_head(log);

        head->end_ns = at_ms ? LOG_START_NS + at_ms * NS_PER_MS : 0;
        head->end_cpu_ns = at_ms * NS_PER_MS / 2;
        head->used = log->bytes.len - sizeof(*head);
}

void maker_add(struct log_maker *log, enum watch_kind kind, int32_t fd, uint64_t at_us,
        int64_t value, const void *data, size_t n)
{
        static const char zeros[8] = { 0 };
        const size_t size = (sizeof(struct watch_event) + n + 7) / 8 * 8;
        const struct watch_event event = { .size = (uint32_t)size,
                .kind = (uint16_t)kind,
                .flags = log->next.flags,
                .tid = log->next.tid ? log->next.tid : log->pid,
                .fd = fd,
                .at_ns = LOG_START_NS + at_us * NS_PER_US,
                .took_ns = log->next.took_ns ? log->next.took_ns : LOG_CALL_NS,
                .value = value,
                .extra = log->next.extra,
                .n_data = (uint32_t)n };

        assert_int_equal(buf_add(&log->bytes, &event, sizeof(event)), 0);
        assert_int_equal(buf_add(&log->bytes, data, n), 0);
        assert_int_equal(buf_add(&log->bytes, zeros, size - sizeof(event) - n), 0);
        memset(&log->next, 0, sizeof(log->next));
}

void maker_connect(struct log_maker *log, int32_t fd, uint64_t at_ms, uint16_t port)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

        maker_add(log, WATCH_CONNECT, fd, at_ms * 1000, 0, &address, sizeof(address));
}

void maker_close(struct log_maker *log, int32_t fd, uint64_t at_ms)
{
        struct watch_tcp tcp = { .rtt_us = 50, .min_rtt_us = 40 };

        maker_add(log, WATCH_CLOSE, fd, at_ms * 1000, 0, &tcp, sizeof(tcp));
}

static void add_text(struct log_maker *log, enum watch_kind kind, int32_t fd, uint64_t at_ms,
        const char *text)
{
        size_t n = strlen(text);

        log->next.flags |= WATCH_FLAG_TEXT;
        maker_add(log, kind, fd, at_ms * 1000, (int64_t)n, text,
                n < WATCH_TEXT_MAX ? n : WATCH_TEXT_MAX);
}

void maker_send(struct log_maker *log, int32_t fd, uint64_t at_ms, const char *text)
{
        add_text(log, WATCH_SEND, fd, at_ms, text);
}

void maker_receive(struct log_maker *log, int32_t fd, uint64_t at_ms, const char *text)
{
        add_text(log, WATCH_RECEIVE, fd, at_ms, text);
}

void maker_receive_more(struct log_maker *log, int32_t fd, uint64_t at_ms, int64_t n)
{
        maker_add(log, WATCH_RECEIVE, fd, at_ms * 1000, n, NULL, 0);
}

void maker_exchange(struct log_maker *log, int32_t fd, uint64_t from_ms, uint64_t to_ms,
        const char *path)
{
        char text[256];

        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: example.test:8080\r\n\r\n", path);
        maker_send(log, fd, from_ms, text);
        maker_receive(log, fd, to_ms, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
}

void maker_read(struct record *record, const struct log_maker *log, const struct log_maker *other,
        const char *hook)
{
        struct watch_text texts[3];
        size_t n = 0;

        texts[n++] = (struct watch_text){ .bytes = buf_str(&log->bytes),
                .start_ns = LOG_START_NS + (uint64_t)log->pid };
        if (other)
                texts[n++] = (struct watch_text){ .bytes = buf_str(&other->bytes),
                        .start_ns = LOG_START_NS + (uint64_t)other->pid };
        if (hook)
                texts[n++] = (struct watch_text){
                        .bytes = str_of(hook), .is_hook = true, .start_ns = LOG_START_NS + NS_PER_MS
                };
        assert_int_equal(watch_read_texts(record, texts, n), 0);
}
