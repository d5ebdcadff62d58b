/* SPDX-License-Identifier: MIT */
#include "talk.h"

#include "h2_talk.h"
#include "head.h"
#include <base/clock.h>
#include <base/minmax.h>

#define SEGMENT_BYTES 1400 /* Nagle holds back what is less (RFC 9293 section 3.7.4) */

/* --- calls ------------------------------------------------------------------------------------ */

/* The moment at which the kernel had a piece; where it did not say, when it was read. */
static uint64_t kernel_moment(const struct piece *piece)
{
        return piece->kernel_ns ? min_u64(piece->kernel_ns, piece->end_ns) : piece->end_ns;
}

void call_note_read(struct call *call, const struct piece *piece)
{
        struct attempt *stamps = &call->row.stamps;
        uint64_t kernel_ns = kernel_moment(piece);

        if (!stamps->first_byte_read_ns) {
                stamps->first_byte_kernel_ns = kernel_ns;
                stamps->first_byte_read_ns = piece->end_ns;
        } else if (kernel_ns > stamps->last_byte_kernel_ns &&
                   kernel_ns - stamps->last_byte_kernel_ns > call->row.gap_ns) {
                call->row.gap_ns = kernel_ns - stamps->last_byte_kernel_ns;
                call->row.gap_bytes = call->row.wire_bytes;
        }
        stamps->last_byte_kernel_ns = max_u64(stamps->last_byte_kernel_ns, kernel_ns);
        stamps->last_byte_read_ns = piece->end_ns;
        call->last_ns = piece->end_ns;
        call->row.n_receives++;
}

void call_finish(struct call *call, uint64_t end_ns)
{
        if (call->state == CALL_DONE)
                return;
        call->state = CALL_DONE;
        call->row.stamps.end_ns = max_u64(end_ns, call->row.stamps.send_start_ns);
        call->row.stage = MUSTER_PHASE_RECEIVE;
        call->row.outcome = TRACE_RESULT;
        call->row.body_bytes = call->row.wire_bytes;
}

void call_fail(struct call *call, uint64_t end_ns, int code, uint16_t sys)
{
        if (call->state == CALL_DONE)
                return;
        call_finish(call, end_ns);
        if (!call->row.stamps.first_byte_read_ns)
                call->row.stage = MUSTER_PHASE_WAIT;
        call->row.outcome = TRACE_FAILED;
        call->row.code = (int8_t)code;
        call->row.sys = sys;
}

/* The oldest call that is not over; NULL: none. */
static struct call *oldest(struct watched *all, struct link *link)
{
        while (link->calls && watched_call(all, link->calls)->state == CALL_DONE)
                link->calls = watched_call(all, link->calls)->next;
        return link->calls ? watched_call(all, link->calls) : NULL;
}

/* --- requests --------------------------------------------------------------------------------- */

/* Append "http://host/path". */
static int put_url(struct watched *all, const struct link *link, struct muster_str host,
        struct muster_str target)
{
        struct buf *scratch = &all->scratch;

        scratch->len = 0;
        if (str_starts(target, "http://") || str_starts(target, "https://"))
                return buf_add_str(scratch, target);
        if (buf_add_text(scratch, link->is_tls ? "https://" : "http://") < 0 ||
                buf_add_str(scratch, host.len ? host : link->row.remote) < 0)
                return MUSTER_E_RESOURCE;
        if (!target.len || target.at[0] != '/') /* "*" of OPTIONS */
                return buf_add_char(scratch, '/');
        return buf_add_str(scratch, target);
}

static int name_call(struct watched *all, struct link *link, struct call *call,
        struct muster_str host, struct muster_str target)
{
        struct muster_str text;
        bool is_proxied =
                call->is_tunnel || str_starts(target, "http://") || str_starts(target, "https://");

        if (put_url(all, link, host, target) < 0 ||
                arena_add(all->text, buf_str(&all->scratch), &text) < 0 ||
                watched_keep_url(all, text, &call->row.url, &call->origin) < 0)
                return MUSTER_E_RESOURCE;
        if (is_proxied && !link->proxy_origin.len) {
                struct muster_str url;

                if (put_url(all, link, (struct muster_str){ "", 0 },
                            (struct muster_str){ "/", 1 }) < 0 ||
                        arena_add(all->text, buf_str(&all->scratch), &text) < 0)
                        return MUSTER_E_RESOURCE;
                return watched_keep_url(all, text, &url, &link->proxy_origin);
        }
        return 0;
}

static void append(struct watched *all, struct link *link, struct call *call, uint32_t number)
{
        call->row.is_reused = link->n_calls > 0 || !link->was_seen_to_begin;
        if (!call->is_tunnel && !link->n_calls++)
                link->first_call = number;
        if (link->last)
                watched_call(all, link->last)->next = number;
        link->last = number;
        if (!link->calls)
                link->calls = number;
}

int talk_begin(struct watched *all, uint32_t link_number, const struct piece *piece,
        struct muster_str method, struct muster_str host, struct muster_str target,
        uint32_t *ret_call)
{
        struct link *link = watched_link(all, link_number);
        struct call *call = rows_add(&all->calls);

        if (!call || watched_keep(all, method, &call->method) < 0)
                return MUSTER_E_RESOURCE;
        *ret_call = (uint32_t)all->calls.n;
        call->process = link->process;
        call->thread = piece->thread;
        call->link = link_number;
        call->is_tunnel = str_is(method, "CONNECT");
        call->row.method = head_method(method);
        call->row.n = 1;
        call->row.is_last = true;
        call->row.is_safe = call->row.method != TRACE_METHOD_OTHER;
        call->row.is_plain = call->row.method == TRACE_METHOD_GET;
        call->row.conn_idle_ns = link->n_calls && link->last_use_ns < piece->at_ns
                                         ? piece->at_ns - link->last_use_ns
                                         : 0;
        call->row.stamps.send_start_ns = piece->at_ns;
        call->row.stamps.send_end_ns = call->last_ns = piece->end_ns;
        append(all, link, call, *ret_call);
        if (piece->thread)
                watched_thread(all, piece->thread)->has_calls = true;
        return name_call(all, link, call, host, target);
}

static void note_body(struct call *call, const struct head *head)
{
        bool has_body = head->is_chunked || (head->length != HEAD_LENGTH_UNKNOWN && head->length);

        if (has_body)
                call->row.is_safe = call->row.is_plain = false;
        call->asks_close = head->closes || (head->version == 10 && !head->keeps_alive);
        call->row.has_fields = head->has_own || !head->is_whole;
        if (call->row.has_fields)
                call->row.is_plain = false;
}

/* A response that lasts until the next request is over when that comes. */
static void end_before(struct watched *all, struct link *link)
{
        struct call *call = oldest(all, link);

        if (call && call->state == CALL_ANSWERED && !call->knows_end)
                call_finish(call, call->row.stamps.last_byte_read_ns);
}

/* How much of the data belongs to the message that begins there. */
static size_t message_bytes(const struct head *head, size_t n)
{
        size_t rest = n - head->bytes;

        if (!head->is_whole || head->is_chunked)
                return n;
        return head->length == HEAD_LENGTH_UNKNOWN
                       ? head->bytes
                       : head->bytes + (size_t)min_u64(head->length, rest);
}

static int begin_all(struct watched *all, uint32_t number, const struct piece *piece,
        uint64_t *ret_left)
{
        struct muster_str data = piece->data;
        struct head head;

        while (data.len && head_read(&head, data) && !head.status) {
                size_t n = message_bytes(&head, data.len);
                uint32_t call;

                if (talk_begin(all, number, piece, head.method, head.host, head.target, &call) < 0)
                        return MUSTER_E_RESOURCE;
                note_body(watched_call(all, call), &head);
                watched_call(all, call)->row.sent_bytes = min_u64(n, *ret_left);
                *ret_left -= min_u64(n, *ret_left);
                data = str_after(data, n);
        }
        return 0;
}

int talk_sent(struct watched *all, uint32_t number, const struct piece *piece)
{
        struct link *link = watched_link(all, number);
        uint64_t left = piece->n;
        struct call *call;

        if (link->is_server)
                return 0;
        if (link->speech == LINK_H2 || str_starts(piece->data, "PRI * HTTP/2.0")) {
                link->speech = LINK_H2;
                return h2_talk_sent(all, number, piece);
        }
        if (piece->data.len && !str_starts(piece->data, "HTTP/")) {
                end_before(all, link);
                if (begin_all(all, number, piece, &left) < 0)
                        return MUSTER_E_RESOURCE;
        }
        call = link->last ? watched_call(all, link->last) : NULL;
        if (link->speech == LINK_SILENT)
                link->speech = call ? LINK_H1 : LINK_OTHER;
        if (!call || call->state == CALL_DONE)
                return 0;
        call->row.sent_bytes += left;
        if (call->state == CALL_ASKED) {
                call->row.stamps.send_end_ns = call->last_ns = piece->end_ns;
                call->n_small_sends += piece->n < SEGMENT_BYTES;
        }
        link->last_use_ns = piece->end_ns;
        return 0;
}

void talk_handed_over(struct watched *all, uint32_t number, uint64_t end_ns)
{
        struct link *link = watched_link(all, number);
        struct call *call = link->last ? watched_call(all, link->last) : NULL;

        if (link->speech == LINK_H1 && call && call->state == CALL_ASKED &&
                !call->row.stamps.first_byte_read_ns)
                call->row.stamps.send_end_ns = call->last_ns = end_ns;
}

/* --- responses -------------------------------------------------------------------------------- */

static int note_head(struct watched *all, struct link *link, struct call *call,
        const struct head *head)
{
        bool is_empty = call->row.method == TRACE_METHOD_HEAD || head->status == 204 ||
                        head->status == 304 || (call->is_tunnel && head->status / 100 == 2);

        call->row.status = head->status;
        call->row.http_version = head->version;
        call->row.is_encoded = head->is_encoded;
        call->row.retry_after_ns = head->retry_after_s * NS_PER_S;
        call->state = CALL_ANSWERED;
        call->knows_end = is_empty || (!head->is_chunked && head->length != HEAD_LENGTH_UNKNOWN);
        call->body_left = is_empty ? 0 : head->length;
        if (head->closes || (head->version == 10 && !head->keeps_alive))
                link->says_close = true;
        return head->location.len ? watched_keep(all, head->location, &call->location) : 0;
}

/*
 * The beginning of a response. Returns how many bytes of the piece belong to its head; all of them
 * if the end of the head is not in the log.
 */
static int take_head(struct watched *all, struct link *link, struct call *call,
        const struct piece *piece, struct muster_str data, uint64_t n, uint64_t *ret_n)
{
        struct head head;

        *ret_n = n;
        if (!data.len || !head_read(&head, data) || !head.status) {
                if (!call->row.stamps.first_byte_read_ns)
                        call_note_read(call, piece);
                return 0;
        }
        if (head.is_whole)
                *ret_n = min_u64(head.bytes, n);
        if (head.status / 100 == 1 && head.status != 101)
                return 0;
        call_note_read(call, piece);
        return note_head(all, link, call, &head);
}

static uint64_t take_body(struct call *call, const struct piece *piece, struct muster_str data,
        uint64_t n, bool is_first)
{
        uint64_t taken = call->knows_end ? min_u64(n, call->body_left) : n;

        if (taken && !is_first)
                call_note_read(call, piece);
        call->row.wire_bytes += taken;
        if (call->knows_end) {
                call->body_left -= taken;
                return taken;
        }
        /* The last chunk, where all of the piece was kept. */
        if (data.len == n && n >= 5 && memcmp(data.at + n - 5, "0\r\n\r\n", 5) == 0) {
                call->knows_end = true;
                call->body_left = 0;
        }
        return taken;
}

static struct muster_str data_after(struct muster_str data, uint64_t n)
{
        return str_after(data, (size_t)min_u64(n, data.len));
}

static void end_tunnel(struct link *link, const struct call *call)
{
        if (!call->is_tunnel || call->row.status / 100 != 2)
                return;
        link->is_tunnel = true;
        link->row.tunnel_end_ns = call->row.stamps.end_ns;
}

int talk_received(struct watched *all, uint32_t number, const struct piece *piece)
{
        struct link *link = watched_link(all, number);
        struct muster_str data = piece->data;
        uint64_t left = piece->n;
        struct call *call;

        if (link->is_server)
                return 0;
        if (link->speech == LINK_H2)
                return h2_talk_received(all, number, piece);
        link->last_use_ns = piece->end_ns;
        while (left && (call = oldest(all, link))) {
                bool is_first = false;
                uint64_t n;

                if (call->state == CALL_ASKED) {
                        if (take_head(all, link, call, piece, data, left, &n) < 0)
                                return MUSTER_E_RESOURCE;
                        left -= n;
                        data = data_after(data, n);
                        if (call->state == CALL_ASKED)
                                continue;
                        is_first = true;
                }
                n = take_body(call, piece, data, left, is_first);
                left -= n;
                data = data_after(data, n);
                if (call->knows_end && !call->body_left) {
                        call_finish(call, piece->end_ns);
                        end_tunnel(link, call);
                } else if (!n)
                        break;
        }
        return 0;
}

/* --- ends -------------------------------------------------------------------------------------- */

/* A response whose length nobody told ends with the connection. */
static bool ends_by_closing(const struct call *call)
{
        return call->state == CALL_ANSWERED && !call->knows_end;
}

bool talk_is_idle(struct watched *all, uint32_t number)
{
        const struct call *call = oldest(all, watched_link(all, number));

        return !call || ends_by_closing(call);
}

void talk_server_ended(struct watched *all, uint32_t number, uint64_t at_ns, uint16_t sys)
{
        struct link *link = watched_link(all, number);
        struct call *call;

        while ((call = oldest(all, link))) {
                if (ends_by_closing(call) && !sys)
                        call_finish(call, at_ns);
                else
                        call_fail(call, at_ns, MUSTER_E_CLOSED, sys);
        }
}

void talk_closed(struct watched *all, uint32_t number, uint64_t at_ns)
{
        struct link *link = watched_link(all, number);
        struct call *call;

        while ((call = oldest(all, link))) {
                if (ends_by_closing(call)) {
                        call_finish(call, call->row.stamps.last_byte_read_ns);
                } else if (call->state == CALL_ANSWERED) {
                        call_finish(call, at_ns);
                        call->is_unread = true;
                } else
                        call_fail(call, at_ns, MUSTER_E_CANCELLED, 0);
        }
}
