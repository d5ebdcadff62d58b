/* SPDX-License-Identifier: MIT */
/*
 * Logs of programs that never ran
 *
 *      struct log_maker log;
 *
 *      maker_begin(&log, 7, 1);
 *      maker_connect(&log, 3, 10, 8080);                        descriptor 3, 10 ms after the start
 *      maker_send(&log, 3, 11, "GET / HTTP/1.1\r\n\r\n");
 *      maker_receive(&log, 3, 31, "HTTP/1.1 200 OK\r\n...");
 *      maker_end(&log, 40);
 *
 * Each call takes 10 us. What is not said by a function's arguments is set in `next`, which counts
 * for the next event only.
 */
#ifndef TESTS_UNIT_LOG_MAKER_H
#define TESTS_UNIT_LOG_MAKER_H

#include <base/buf.h>
#include <base/clock.h>
#include <record/record.h>
#include <watch/event.h>

#define LOG_START_NS (1000 * NS_PER_S) /* of the first process */
#define LOG_CALL_NS  (10 * NS_PER_US)  /* a call takes so long */

struct log_maker {
        struct buf bytes;
        int32_t pid;
        struct {
                uint64_t took_ns, extra;
                int32_t tid;
                uint16_t flags;
        } next; /* 0 is as usual */
};

void maker_begin(struct log_maker *log, int32_t pid, int32_t ppid);
void maker_deinit(struct log_maker *log);
/* It ends properly, so many milliseconds after LOG_START_NS; 0: it was killed. */
void maker_end(struct log_maker *log, uint64_t at_ms);
struct watch_log *maker_head(struct log_maker *log);

/* Any event. */
void maker_add(struct log_maker *log, enum watch_kind kind, int32_t fd, uint64_t at_us,
        int64_t value, const void *data, size_t n);

void maker_connect(struct log_maker *log, int32_t fd, uint64_t at_ms, uint16_t port);
void maker_close(struct log_maker *log, int32_t fd, uint64_t at_ms);
/* Text that the shim keeps, up to WATCH_TEXT_MAX. */
void maker_send(struct log_maker *log, int32_t fd, uint64_t at_ms, const char *text);
void maker_receive(struct log_maker *log, int32_t fd, uint64_t at_ms, const char *text);
/* Bytes of which nothing is kept. */
void maker_receive_more(struct log_maker *log, int32_t fd, uint64_t at_ms, int64_t n);

/* A GET and its response with a body of 5 bytes. */
void maker_exchange(struct log_maker *log, int32_t fd, uint64_t from_ms, uint64_t to_ms,
        const char *path);

/* Reads one log, or two, into a record, which must work. `hook` may be NULL. */
void maker_read(struct record *record, const struct log_maker *log, const struct log_maker *other,
        const char *hook);

#endif
