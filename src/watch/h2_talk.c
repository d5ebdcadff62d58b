/* SPDX-License-Identifier: MIT */
#include "h2_talk.h"

#include "h2_cut.h"
#include "head.h"
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <nghttp2/nghttp2.h>

#define PREFACE       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define PREFACE_BYTES (sizeof(PREFACE) - 1)
#define BLOCK_MAX     (256 * 1024) /* of one compressed head */
#define TABLE_MAX     (64 * 1024)  /* what a peer may allow the other to keep */
#define SETTING_TABLE 1            /* SETTINGS_HEADER_TABLE_SIZE */

/* One direction. */
struct side {
        struct h2_cut cut;
        nghttp2_hd_inflater *inflater;
        bool is_blind;    /* compressed heads cannot be read any more */
        struct buf block; /* of a head that goes on in CONTINUATION */
        uint32_t stream;  /* whose it is; 0: none */
        bool ends_stream;
};

struct h2_talk {
        struct side out, in;
        struct keys streams; /* calls by stream */
        uint32_t n_open;
        size_t preface; /* bytes of it that have passed */
};

/* What a head says. */
struct fields {
        struct muster_str method, authority, path;
        int16_t status;
        bool is_encoded, has_own, has_body;
        uint64_t retry_after_s;
};

/* Which way a frame went, and in which piece. */
struct way {
        struct watched *all;
        struct h2_talk *h2;
        struct side *side;
        uint32_t link;
        const struct piece *piece;
};

static void side_deinit(struct side *side)
{
        h2_cut_deinit(&side->cut);
        buf_deinit(&side->block);
        if (side->inflater)
                nghttp2_hd_inflate_del(side->inflater);
}

struct h2_talk *h2_talk_free(struct h2_talk *h2)
{
        if (!h2)
                return NULL;
        side_deinit(&h2->out);
        side_deinit(&h2->in);
        keys_deinit(&h2->streams);
        return mem_free(h2);
}

/* The talk of a link; NULL: memory is out. */
static struct h2_talk *talk_of(struct link *link)
{
        struct h2_talk *h2 = link->h2;

        if (h2)
                return h2;
        h2 = mem_zalloc(sizeof(*h2));
        if (!h2)
                return NULL;
        keys_init(&h2->streams);
        if (nghttp2_hd_inflate_new(&h2->out.inflater) != 0 ||
                nghttp2_hd_inflate_new(&h2->in.inflater) != 0)
                return h2_talk_free(h2);
        link->h2 = h2;
        return h2;
}

/* --- calls ------------------------------------------------------------------------------------ */

/* The call of a stream; NULL: none, or it is over. */
static struct call *call_of(const struct way *way, uint32_t stream)
{
        uint32_t number = keys_get(&way->h2->streams, stream);
        struct call *call = number ? watched_call(way->all, number) : NULL;

        return call && call->state != CALL_DONE ? call : NULL;
}

static int forget(const struct way *way, uint32_t stream)
{
        way->h2->n_open -= way->h2->n_open > 0;
        return keys_set(&way->h2->streams, stream, 0);
}

static int finish(const struct way *way, struct call *call, uint32_t stream)
{
        call->knows_end = true;
        call_finish(call, way->piece->end_ns);
        return forget(way, stream);
}

/* A call has one entry for a piece, however many frames there are in it. */
static void note_read(const struct way *way, struct call *call)
{
        if (call->row.stamps.last_byte_read_ns != way->piece->end_ns)
                call_note_read(call, way->piece);
}

static int begin_call(const struct way *way, uint32_t stream, const struct fields *fields,
        bool ends_stream)
{
        struct call *call;
        uint32_t number;

        if (talk_begin(way->all, way->link, way->piece, fields->method, fields->authority,
                    fields->path, &number) < 0)
                return MUSTER_E_RESOURCE;
        call = watched_call(way->all, number);
        call->row.stream = stream;
        call->row.n_sharing = ++way->h2->n_open;
        call->row.has_fields = fields->has_own;
        call->row.is_plain = call->row.is_plain && !fields->has_own && ends_stream;
        call->row.is_safe = call->row.is_safe && ends_stream;
        return keys_set(&way->h2->streams, stream, number);
}

static int answer_call(const struct way *way, uint32_t stream, const struct fields *fields,
        bool ends_stream)
{
        struct call *call = call_of(way, stream);

        if (!call || (fields->status && fields->status < 200))
                return 0;
        note_read(way, call);
        if (call->state == CALL_ASKED) { /* those behind the body are trailers */
                call->state = CALL_ANSWERED;
                call->row.status = fields->status;
                call->row.http_version = 20;
                call->row.is_encoded = fields->is_encoded;
                call->row.retry_after_ns = fields->retry_after_s * NS_PER_S;
        }
        return ends_stream ? finish(way, call, stream) : 0;
}

/* --- heads ------------------------------------------------------------------------------------ */

static struct muster_str text_of(const uint8_t *at, size_t len)
{
        return (struct muster_str){ (const char *)at, len };
}

static void note_field(struct fields *fields, struct muster_str name, struct muster_str value)
{
        uint64_t number = 0;

        if (str_is(name, ":method"))
                fields->method = value;
        else if (str_is(name, ":authority"))
                fields->authority = value;
        else if (str_is(name, ":path"))
                fields->path = value;
        else if (str_is(name, ":status") && str_to_u64(value, &number) && number < 1000)
                fields->status = (int16_t)number;
        else if (str_is(name, "content-encoding"))
                fields->is_encoded = !str_is_nocase(value, "identity");
        else if (str_is(name, "retry-after") && str_to_u64(value, &number))
                fields->retry_after_s = min_u64(number, 86400);
        else if (name.len && name.at[0] != ':' && !head_is_usual(name))
                fields->has_own = true;
}

/* The texts of a field are only there until the next one: they are kept in the arena. */
static int keep_fields(struct watched *all, struct fields *fields)
{
        struct muster_str *texts[] = { &fields->method, &fields->authority, &fields->path };

        for (size_t i = 0; i < 3; i++)
                if (arena_add(all->text, *texts[i], texts[i]) < 0)
                        return MUSTER_E_RESOURCE;
        return 0;
}

/* Read a compressed head. False: it cannot be read, and neither can those that follow. */
static int inflate(const struct way *way, struct fields *fields, bool *ret_is_read)
{
        const uint8_t *at = (const uint8_t *)way->side->block.at;
        size_t left = way->side->block.len;
        int flags = 0;

        *ret_is_read = false;
        if (!left)
                return 0;
        while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
                nghttp2_nv field;
                ssize_t n;

                flags = 0;
                n = nghttp2_hd_inflate_hd2(way->side->inflater, &field, &flags, at, left, 1);
                if (n < 0)
                        return n == NGHTTP2_ERR_NOMEM ? MUSTER_E_RESOURCE : 0;
                at += n;
                left -= (size_t)n;
                if (flags & NGHTTP2_HD_INFLATE_EMIT) {
                        note_field(fields, text_of(field.name, field.namelen),
                                text_of(field.value, field.valuelen));
                        if (keep_fields(way->all, fields) < 0)
                                return MUSTER_E_RESOURCE;
                } else if (!n && !(flags & NGHTTP2_HD_INFLATE_FINAL))
                        return 0;
        }
        nghttp2_hd_inflate_end_headers(way->side->inflater);
        *ret_is_read = true;
        return 0;
}

/* The statuses that have a place in the static table (RFC 7541 appendix A). */
static int16_t status_at(unsigned char first)
{
        static const int16_t statuses[] = { 200, 204, 206, 304, 400, 404, 500 };

        return first >= 0x88 && first <= 0x8e ? statuses[first - 0x88] : 0;
}

static int end_head(const struct way *way)
{
        struct side *side = way->side;
        struct fields fields = { 0 };
        bool is_read = false;
        int r = 0;

        side->is_blind = side->is_blind || side->cut.was_lost;
        if (!side->is_blind)
                r = inflate(way, &fields, &is_read);
        side->is_blind = side->is_blind || !is_read;
        if (side->is_blind)
                fields = (struct fields){
                        .status = side->block.len ? status_at((unsigned char)side->block.at[0]) : 0
                };
        side->block.len = 0;
        if (r < 0)
                return r;
        if (side == &way->h2->in)
                return answer_call(way, side->stream, &fields, side->ends_stream);
        /* A second head of a request are its trailers. */
        if (keys_get(&way->h2->streams, side->stream) || !side->stream)
                return 0;
        return begin_call(way, side->stream, &fields, side->ends_stream);
}

/* The payload without padding, and without what stands before the head. */
static struct muster_str block_of(const struct h2_frame *frame)
{
        struct muster_str rest = frame->payload;
        size_t padding = 0, before = 0;

        if (frame->type != H2_FRAME_CONTINUATION && frame->flags & H2_FLAG_PADDED && rest.len) {
                padding = (unsigned char)rest.at[0];
                rest = str_after(rest, 1);
        }
        if (frame->type == H2_FRAME_HEADERS && frame->flags & H2_FLAG_PRIORITY)
                before = 5;
        if (frame->type == H2_FRAME_PUSH_PROMISE)
                before = 4;
        if (before + padding > rest.len)
                return (struct muster_str){ "", 0 };
        rest = str_after(rest, before);
        rest.len -= padding;
        return rest;
}

static int take_head(const struct way *way, const struct h2_frame *frame)
{
        struct side *side = way->side;

        if (frame->type != H2_FRAME_CONTINUATION) {
                side->block.len = 0;
                /* What a server promises is of no request here, but its head is to be read. */
                side->stream = frame->type == H2_FRAME_PUSH_PROMISE ? 0 : frame->stream;
                side->ends_stream = frame->flags & H2_FLAG_END_STREAM;
        }
        if (side->block.len > BLOCK_MAX) {
                side->is_blind = true;
                return 0;
        }
        if (buf_add_str(&side->block, block_of(frame)) < 0)
                return MUSTER_E_RESOURCE;
        return frame->flags & H2_FLAG_END_HEADERS ? end_head(way) : 0;
}

/* --- other frames ----------------------------------------------------------------------------- */

/* What one side allows the other to keep: that one's heads are read with it. */
static void take_settings(const struct way *way, const struct h2_frame *frame)
{
        struct side *other = way->side == &way->h2->in ? &way->h2->out : &way->h2->in;
        const unsigned char *at = (const unsigned char *)frame->payload.at;

        for (size_t i = 0; !(frame->flags & H2_FLAG_ACK) && i + 6 <= frame->payload.len; i += 6) {
                uint32_t value = (uint32_t)at[i + 2] << 24 | (uint32_t)at[i + 3] << 16 |
                                 (uint32_t)at[i + 4] << 8 | at[i + 5];

                if ((at[i] << 8 | at[i + 1]) == SETTING_TABLE)
                        nghttp2_hd_inflate_change_table_size(other->inflater,
                                min_u64(value, TABLE_MAX));
        }
}

static int take_reset(const struct way *way, const struct h2_frame *frame)
{
        struct call *call = call_of(way, frame->stream);

        if (!call)
                return 0;
        if (way->side == &way->h2->out && call->state == CALL_ANSWERED) {
                call_finish(call, way->piece->end_ns);
                call->is_unread = true;
        } else
                call_fail(call, way->piece->end_ns,
                        way->side == &way->h2->in ? MUSTER_E_CLOSED : MUSTER_E_CANCELLED, 0);
        return forget(way, frame->stream);
}

static int take_data(const struct way *way, const struct h2_frame *frame)
{
        struct call *call = call_of(way, frame->stream);

        if (!call)
                return 0;
        if (way->side == &way->h2->out) {
                call->row.sent_bytes += frame->n;
                if (call->state == CALL_ASKED)
                        call->row.stamps.send_end_ns = call->last_ns = way->piece->end_ns;
                return 0;
        }
        if (frame->n)
                note_read(way, call);
        call->row.wire_bytes += frame->n;
        if (call->state == CALL_ASKED) /* its head was lost */
                call->state = CALL_ANSWERED;
        return frame->is_end ? finish(way, call, frame->stream) : 0;
}

static int take_frame(const struct way *way, const struct h2_frame *frame)
{
        if (frame->kind == H2_CUT_DATA)
                return take_data(way, frame);
        switch (frame->type) {
        case H2_FRAME_HEADERS:
        case H2_FRAME_PUSH_PROMISE:
        case H2_FRAME_CONTINUATION:
                return take_head(way, frame);
        case H2_FRAME_SETTINGS:
                take_settings(way, frame);
                return 0;
        case H2_FRAME_RST_STREAM:
                return take_reset(way, frame);
        default:
                return 0;
        }
}

/* --- pieces ----------------------------------------------------------------------------------- */

static int take_piece(struct watched *all, uint32_t link, const struct piece *piece, bool is_out,
        struct muster_str data, uint64_t n)
{
        struct h2_talk *h2 = talk_of(watched_link(all, link));
        struct way way = { all, h2, NULL, link, piece };
        struct h2_frame frame;
        int r;

        if (!h2)
                return MUSTER_E_RESOURCE;
        way.side = is_out ? &h2->out : &h2->in;
        watched_link(all, link)->last_use_ns = piece->end_ns;
        h2_cut_begin(&way.side->cut, data);
        while ((r = h2_cut_next(&way.side->cut, &data, &n, &frame)) == 0)
                if (take_frame(&way, &frame) < 0)
                        return MUSTER_E_RESOURCE;
        return r < 0 ? r : 0;
}

int h2_talk_sent(struct watched *all, uint32_t link, const struct piece *piece)
{
        struct h2_talk *h2 = talk_of(watched_link(all, link));
        size_t n;

        if (!h2)
                return MUSTER_E_RESOURCE;
        n = (size_t)min_u64(piece->n, PREFACE_BYTES - h2->preface);
        h2->preface += n;
        return take_piece(all, link, piece, true,
                str_after(piece->data, min_size(n, piece->data.len)), piece->n - n);
}

int h2_talk_received(struct watched *all, uint32_t link, const struct piece *piece)
{
        return take_piece(all, link, piece, false, piece->data, piece->n);
}
