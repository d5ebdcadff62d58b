/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the logs of a watched program: they become a record, whose accounts add up
 *
 * The input is a log of a shim whose head was left out, as nothing in it but the lengths matters, or
 * one of a hook. A byte says which; both belong to one process. Events get sizes that fit, so that
 * most changes reach what the events say.
 */
#include "fuzz.h"

#include <base/buf.h>
#include <explain/facts_measure.h>
#include <string.h>
#include <watch/event.h>
#include <watch/read.h>

#define HOOK_HEAD "muster-hook\t1\tpython\t3\t7\n"

/* What is at the front of each event of an input; its data follows. */
struct small {
        uint8_t kind, flags, tid, fd, at_ms, took_ms, extra, value;
        uint8_t n_data[2], more[2]; /* more: bytes that were not kept */
};

static void put_events(struct buf *log, const uint8_t *data, size_t size)
{
        uint64_t now_ns = 1000;
        struct small small;

        while (size >= sizeof(small)) {
                struct watch_event event = { 0 };
                static const char zeros[8];
                size_t n, room;

                memcpy(&small, data, sizeof(small));
                data += sizeof(small);
                size -= sizeof(small);
                n = (size_t)small.n_data[0] + 256 * (small.n_data[1] & 7);
                n = n < size ? n : size;
                room = (sizeof(event) + n + 7) / 8 * 8;
                now_ns += small.at_ms * UINT64_C(1000000);
                event = (struct watch_event){ .size = (uint32_t)room,
                        .kind = small.kind % (WATCH_N_KINDS + 1),
                        .flags = small.flags,
                        .tid = 7 + small.tid % 4,
                        .fd = small.fd % 16 - 1,
                        .at_ns = now_ns,
                        .took_ns = small.took_ms * UINT64_C(100000),
                        .value = small.value ? (int8_t)small.value
                                             : (int64_t)n + small.more[0] + 256 * small.more[1],
                        .extra = small.flags & 0x80 ? now_ns - small.extra : small.extra,
                        .n_data = (uint32_t)n };
                if (buf_add(log, &event, sizeof(event)) < 0 || buf_add(log, data, n) < 0 ||
                        buf_add(log, zeros, room - sizeof(event) - n) < 0)
                        abort();
                data += n;
                size -= n;
        }
}

static void put_head(struct buf *log, uint8_t how)
{
        struct watch_log head = { .magic = WATCH_MAGIC,
                .version = WATCH_VERSION,
                .header_size = sizeof(head),
                .pid = 7,
                .ppid = 1,
                .start_ns = 1000,
                .end_ns = how & 1 ? UINT64_C(60000000000) : 0,
                .capacity = UINT64_C(1) << 30,
                .used = how & 2 ? UINT64_C(1) << 20 : 0,
                .exe = "/usr/bin/python3",
                .args = "a" };

        if (buf_add(log, &head, sizeof(head)) < 0)
                abort();
}

static void check(const struct record *record, bool explains)
{
        struct facts facts;
        uint64_t chain_ns = 0, share_ns = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *row = &record->attempts[i];
                uint64_t phase_ns[MUSTER_N_PHASES], sum_ns = 0;

                if (row->number != i + 1 || row->conn > record->n_conns ||
                        row->origin > record->n_origins || row->path > record->n_paths ||
                        row->stamps.end_ns < row->stamps.start_ns || row->slot_from == row->number)
                        abort();
                attempt_phases(row, phase_ns);
                for (size_t k = 0; k < MUSTER_N_PHASES; k++)
                        sum_ns += phase_ns[k];
                if (sum_ns != row->stamps.end_ns - row->stamps.start_ns)
                        abort();
        }
        if (!explains || !record->n_attempts || facts_measure(&facts, record) < 0)
                return;
        for (size_t i = 0; i < PART_N; i++) {
                chain_ns += facts.chain_ns[i];
                share_ns += facts.share_ns[i];
        }
        if (chain_ns != facts_told_wall_ns(&facts) || share_ns != chain_ns)
                abort();
        facts_deinit(&facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct watch_text texts[2] = { { .start_ns = 1000 },
                { .is_hook = true, .start_ns = 1001 } };
        struct buf log = { 0 }, hook = { 0 };
        struct record record;
        size_t n_hook;

        if (size < 3)
                return 0;
        n_hook = (size_t)(data[1] + 256 * data[2]);
        n_hook = n_hook < size - 3 ? n_hook : size - 3;
        put_head(&log, data[0]);
        if (data[0] & 4) {
                if (buf_add(&log, data + 3, size - 3 - n_hook) < 0)
                        abort();
        } else
                put_events(&log, data + 3, size - 3 - n_hook);
        if (!(data[0] & 2))
                ((struct watch_log *)(void *)log.at)->used = log.len - sizeof(struct watch_log);
        if (buf_add_text(&hook, HOOK_HEAD) < 0 || buf_add(&hook, data + size - n_hook, n_hook) < 0)
                abort();
        texts[0].bytes = buf_str(&log);
        texts[1].bytes = buf_str(&hook);
        if (watch_read_texts(&record, texts, 2) == 0) {
                check(&record, data[0] & 8 || size % 8 == 0); /* which takes most of the time */
                record_deinit(&record);
        }
        buf_deinit(&log);
        buf_deinit(&hook);
        return 0;
}
