/* SPDX-License-Identifier: MIT */
#include "transfer.h"

#include <errno.h>

#include "log.h"
#include "session.h"
#include "thread.h"

/* What took so long was waited for. */
#define IDLE_NS (20 * NS_PER_US)

static void write_down(const struct transfer *t, enum watch_kind kind, int64_t value,
        uint16_t flags, const struct iovec *parts, size_t n_parts)
{
        uint64_t took_ns = shim_since(t->at_ns);
        uint32_t n_data = 0;
        struct watch_event *event;

        if (kind == WATCH_SEND || took_ns > IDLE_NS)
                this_thread.idle_ns = t->at_ns + took_ns;
        if (flags && value > 0 && n_parts > 0)
                n_data = value < WATCH_TEXT_MAX ? (uint32_t)value : WATCH_TEXT_MAX;
        event = log_begin(kind, t->fd, t->at_ns, took_ns, n_data);
        if (!event)
                return;
        event->value = value;
        event->extra = t->stamp_ns;
        event->flags = flags | (t->waits ? WATCH_FLAG_BLOCKS : 0);
        text_copy(event->data, parts, n_parts, n_data);
        log_finish(event, kind);
}

/* The marks for what begins with this, and with them what becomes of the connection. */
static uint16_t look_at(uint32_t *bits, const struct iovec *parts, size_t n_parts, size_t size)
{
        if (*bits & SLOT_H2)
                return WATCH_FLAG_H2;
        if (*bits & SLOT_TLS)
                return 0;
        switch (text_kind_of(parts, n_parts, size)) {
        case TEXT_NONE:
                return 0;
        case TEXT_MESSAGE:
                return WATCH_FLAG_TEXT;
        case TEXT_H2:
                *bits |= SLOT_H2;
                return WATCH_FLAG_H2;
        case TEXT_TLS:
                if (!(*bits & SLOT_SPOKE))
                        *bits |= SLOT_TLS;
                return 0;
        }
        return 0;
}

/* The slot as it is now. It may have been closed meanwhile, and be another's. */
static bool take_slot(const struct transfer *t, uint32_t *ret_bits, bool has_worked)
{
        uint32_t bits = slot_get(t->fd);

        if (!slot_is_followed(bits))
                return false;
        bits |= SLOT_OPEN;
        if (has_worked && bits & SLOT_CONNECTING) {
                slot_connected(t->fd, 0);
                bits &= ~(uint32_t)SLOT_CONNECTING;
        }
        *ret_bits = bits;
        return true;
}

/* What stands below this keeps errno: it makes no call of the C library that would set it. */

void transfer_sent(const struct transfer *t, ssize_t n, const struct iovec *parts, size_t n_parts)
{
        struct thread *thread = thread_own();
        uint32_t bits;
        uint16_t flags = 0;

        /* libuv has a ring for files alone. */
        if (UNLIKELY(__atomic_load_n(&shim.unseen, __ATOMIC_RELAXED) & WATCH_UNSEEN_URING))
                log_seen(WATCH_UNSEEN_URING);
        if (take_slot(t, &bits, n >= 0)) {
                if (n > 0) {
                        flags = look_at(&bits, parts, n_parts, (size_t)n);
                        if (bits & SLOT_TLS && !(bits & SLOT_SPOKE))
                                session_hello_sent(t->fd);
                        bits |= SLOT_SPOKE | SLOT_ASKED;
                        thread->used_fd = t->fd + 1;
                }
                slot_put(t->fd, bits);
        }
        write_down(t, WATCH_SEND, n >= 0 ? n : -errno, flags, parts, n_parts);
}

void transfer_received(const struct transfer *t, ssize_t n, const struct iovec *parts,
        size_t n_parts)
{
        struct thread *thread = thread_own();
        uint32_t bits;
        uint16_t flags = 0;

        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && !t->waits)
                return; /* it has only asked */
        if (take_slot(t, &bits, n >= 0)) {
                if (n > 0) {
                        flags = look_at(&bits, parts, n_parts, (size_t)n);
                        bits &= ~(uint32_t)SLOT_ASKED;
                        thread->received_fd = thread->used_fd = t->fd + 1;
                }
                slot_put(t->fd, bits);
        }
        write_down(t, WATCH_RECEIVE, n >= 0 ? n : -errno, flags, parts, n_parts);
}
