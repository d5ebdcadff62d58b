/* SPDX-License-Identifier: MIT */
#include "h1_read.h"

#include "h1_error.h"
#include "h1_framing.h"
#include "h1_head.h"
#include "h1_untidy.h"
#include <assert.h>
#include <base/error.h>

#define KEEP_BYTES 4096 /* the most that the reader of an idle connection keeps */

void h1_read_begin(struct h1_reader *reader, bool is_head, size_t head_bytes_max)
{
        struct buf kept = reader->kept;

        buf_recycle(&kept, KEEP_BYTES);
        *reader = (struct h1_reader){ .state = H1_AT_HEAD,
                .kept = kept,
                .head_bytes_max = head_bytes_max ? head_bytes_max : H1_HEAD_BYTES_MAX,
                .is_head = is_head };
}

void h1_read_deinit(struct h1_reader *reader)
{
        buf_deinit(&reader->kept);
        *reader = (struct h1_reader){ 0 };
}

bool h1_read_has_begun(const struct h1_reader *reader)
{
        return reader->state != H1_AT_HEAD || reader->kept.len > 0 || reader->n_interim > 0;
}

static int out_of_memory(struct muster_error *error)
{
        return error_set_memory(error, MUSTER_PHASE_RECEIVE);
}

static struct muster_str take_front(struct muster_str *in, size_t n)
{
        struct muster_str taken = { in->at, n };

        in->at += n;
        in->len -= n;
        return taken;
}

static int keep_all(struct h1_reader *reader, struct muster_str *in, struct muster_error *error)
{
        if (buf_add_str(&reader->kept, *in) < 0)
                return out_of_memory(error);
        take_front(in, in->len);
        return H1_MORE;
}

/* --- the head -------------------------------------------------------------------------------- */

/*
 * Decide about a head whose end is not in reach: wait for it, or refuse it as too large or as no
 * HTTP.
 */
static int check_partial(const struct h1_reader *reader, struct muster_str text,
        struct muster_error *error)
{
        if (!h1_may_begin(text))
                return h1_not_http(error, text);
        if (text.len > reader->head_bytes_max)
                return error_set(error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_RECEIVE, 0,
                        "too_large: the head has more than %zu bytes (max_header_bytes)",
                        reader->head_bytes_max);
        return H1_MORE;
}

/*
 * Take a whole head, in place or gathered in `kept`. Text that does not begin like a head is
 * refused at once.
 */
static int take_raw_head(struct h1_reader *reader, struct muster_str *in,
        struct muster_str *ret_raw, struct muster_error *error)
{
        size_t before = reader->kept.len, end;
        struct muster_str text = *in;
        int r;

        assert(reader->state == H1_AT_HEAD && !reader->kept_is_stale);
        if (before) {
                r = keep_all(reader, in, error);
                if (r < 0)
                        return r;
                text = buf_str(&reader->kept);
        }
        end = h1_head_end(text, &reader->scanned);
        if (!end || end > reader->head_bytes_max) {
                r = check_partial(reader, text, error);
                return r == H1_MORE && !before ? keep_all(reader, in, error) : r;
        }
        *ret_raw = (struct muster_str){ text.at, end };
        if (before) {
                /* The bytes behind the head are the last ones of the input: give them back. */
                size_t n_behind = reader->kept.len - end;

                in->at -= n_behind;
                in->len = n_behind;
                reader->kept_is_stale = true;
        } else {
                take_front(in, end);
        }
        reader->scanned = 0;
        return 0;
}

/* Find out how the body ends, and set the next state. */
static int read_framing(struct h1_reader *reader, struct http_head *head,
        struct muster_error *error)
{
        enum h1_framing framing;
        int r;

        assert(reader->state == H1_AT_HEAD);
        if (reader->is_connect && head->status < 300) {
                reader->state = H1_AT_DONE;
                return 0;
        }
        head->is_in_doubt |= reader->is_in_doubt;
        r = h1_framing_read(head, reader->is_head, &framing, error);
        if (r < 0)
                return r;
        reader->keeps_alive = head->keeps_alive;
        switch (framing) {
        case H1_NO_BODY:
                reader->state = H1_AT_DONE;
                return 0;
        case H1_CHUNKED:
                reader->state = H1_AT_SIZE;
                return 0;
        case H1_LENGTH:
                reader->state = H1_AT_FIXED;
                reader->left = head->length;
                return 0;
        case H1_CLOSE:
                reader->state = H1_AT_UNTIL_CLOSE;
                return 0;
        }
        return MUSTER_E_INTERNAL;
}

static int check_interim(struct h1_reader *reader, struct http_head *head,
        struct muster_error *error)
{
        enum h1_framing none;
        int r = h1_framing_read(head, reader->is_head, &none, error);

        assert(head->status < 200);
        if (r < 0)
                return r;
        reader->is_in_doubt |= head->is_in_doubt;
        if (head->status == 101)
                return h1_protocol_error(error,
                        "a change of protocol (101) that the request did not ask for", head->raw);
        if (++reader->n_interim > H1_INTERIM_MAX)
                return error_set(error, MUSTER_E_PROTOCOL, MUSTER_PHASE_RECEIVE, 0,
                        "protocol: more than %d interim responses (1xx)", H1_INTERIM_MAX);
        return 0;
}

/* Parse the head once more in our own copy, which may be changed. */
static int read_untidy(struct h1_reader *reader, struct h1_scratch *scratch, struct muster_str raw,
        struct http_head *ret_head, struct muster_error *error)
{
        if (!reader->kept_is_stale && buf_add_str(&reader->kept, raw) < 0)
                return out_of_memory(error);
        reader->kept_is_stale = true;
        return h1_untidy_parse(reader->kept.at, raw.len, reader->is_head, scratch, ret_head, error);
}

static int read_head(struct h1_reader *reader, struct h1_scratch *scratch, struct muster_str *in,
        struct http_event *ret_event, struct muster_error *error)
{
        struct muster_str raw;
        int r = take_raw_head(reader, in, &raw, error);

        if (r != 0)
                return r;
        r = h1_head_parse(raw, scratch, &ret_event->head, error);
        if (r == H1_UNTIDY)
                r = read_untidy(reader, scratch, raw, &ret_event->head, error);
        if (r < 0)
                return r;
        if (ret_event->head.status < 200) {
                ret_event->kind = HTTP_INTERIM;
                return check_interim(reader, &ret_event->head, error);
        }
        ret_event->kind = HTTP_HEAD;
        return read_framing(reader, &ret_event->head, error);
}

/* --- bodies ---------------------------------------------------------------------------------- */

static int body_event(struct http_event *ret_event, struct muster_str body)
{
        ret_event->kind = HTTP_BODY;
        ret_event->body = body;
        return 0;
}

/* Deliver what there is of the rest of a body or chunk. */
static int read_left(struct h1_reader *reader, struct muster_str *in, struct http_event *ret_event)
{
        size_t n = in->len < reader->left ? in->len : (size_t)reader->left;

        assert(reader->state == H1_AT_FIXED || reader->state == H1_AT_DATA);
        if (n == 0)
                return H1_MORE;
        reader->left -= n;
        return body_event(ret_event, take_front(in, n));
}

uint64_t h1_read_body_left(const struct h1_reader *reader)
{
        return reader->state == H1_AT_FIXED ? reader->left : 0;
}

void h1_read_skip_body(struct h1_reader *reader, uint64_t n)
{
        assert(n <= h1_read_body_left(reader));
        reader->left -= n;
}

/* --- chunks (RFC 9112 section 7.1) ----------------------------------------------------------- */

/*
 * Take a whole line with its CRLF, in place or gathered in `kept`, which is stale then. Only CRLF
 * ends it: two readers must never disagree about chunks.
 */
static int take_crlf_line(struct h1_reader *reader, struct muster_str *in, size_t bytes_max,
        struct muster_str *ret_line, struct muster_error *error)
{
        const char *lf = in->len ? memchr(in->at, '\n', in->len) : NULL;
        size_t n = lf ? (size_t)(lf - in->at) + 1 : in->len;
        struct muster_str line = take_front(in, n);

        assert(!reader->kept_is_stale);
        if (reader->kept.len + n > bytes_max)
                return h1_protocol_error(error, "a line of the chunked coding is too long", line);
        if (!lf || reader->kept.len) {
                if (buf_add_str(&reader->kept, line) < 0)
                        return out_of_memory(error);
                line = buf_str(&reader->kept);
                reader->kept_is_stale = lf != NULL;
        }
        if (!lf)
                return H1_MORE;
        if (line.len < 2 || line.at[line.len - 2] != '\r')
                return h1_protocol_error(error, "a line of the chunked coding does not end in CRLF",
                        line);
        *ret_line = (struct muster_str){ line.at, line.len - 2 };
        return 0;
}

/*
 * Parse hexadecimal digits, blanks, and perhaps an extension, which is ignored. A NUL or a CR in it
 * is refused, as some readers could take that for its end.
 */
static int parse_chunk_size(struct muster_str line, uint64_t *ret_size, struct muster_error *error)
{
        struct muster_str extension;
        uint64_t size = 0;
        size_t n = 0;

        while (n < line.len && char_hex(line.at[n]) >= 0) {
                if (size >> 59)
                        return h1_protocol_error(error, "a chunk size that is too large", line);
                size = size << 4 | (unsigned)char_hex(line.at[n]);
                n++;
        }
        extension = str_trim((struct muster_str){ line.at + n, line.len - n });
        if (n == 0 || (extension.len && extension.at[0] != ';') || str_has_char(line, '\0') ||
                str_has_char(line, '\r'))
                return h1_protocol_error(error, "not a valid chunk size", line);
        *ret_size = size;
        return 0;
}

static int read_size(struct h1_reader *reader, struct muster_str *in, struct muster_error *error)
{
        struct muster_str line;
        int r = take_crlf_line(reader, in, H1_CHUNK_LINE_MAX, &line, error);

        assert(reader->state == H1_AT_SIZE);
        if (r == 0)
                r = parse_chunk_size(line, &reader->left, error);
        if (r != 0)
                return r;
        reader->state = H1_AT_DATA;
        if (reader->left == 0) {
                reader->state = H1_AT_TRAILER;
                reader->left = reader->head_bytes_max;
        }
        return 0;
}

static int read_data_end(struct h1_reader *reader, struct muster_str *in,
        struct muster_error *error)
{
        struct muster_str line;
        int r = take_crlf_line(reader, in, 2, &line, error);

        assert(reader->left == 0);
        if (r == 0)
                reader->state = H1_AT_SIZE;
        return r;
}

/*
 * Drop trailer fields: nothing here uses them, and merging them into the head would be wrong. Their
 * form does not matter as long as their end is certain.
 */
static int read_trailer(struct h1_reader *reader, struct muster_str *in, struct muster_error *error)
{
        struct muster_str line;
        int r = take_crlf_line(reader, in, (size_t)reader->left, &line, error);

        assert(reader->left <= reader->head_bytes_max);
        if (r != 0)
                return r;
        reader->left -= line.len + 2;
        if (!line.len)
                reader->state = H1_AT_DONE;
        else if (!h1_untidy_is_harmless(line))
                return h1_protocol_error(error, "not a valid trailer field", line);
        return 0;
}

/* --- all of it ------------------------------------------------------------------------------- */

static int read_step(struct h1_reader *reader, struct h1_scratch *scratch, struct muster_str *in,
        struct http_event *ret_event, bool *ret_is_event, struct muster_error *error)
{
        *ret_is_event = true;
        switch (reader->state) {
        case H1_AT_HEAD:
                return in->len ? read_head(reader, scratch, in, ret_event, error) : H1_MORE;
        case H1_AT_FIXED:
                if (reader->left)
                        return read_left(reader, in, ret_event);
                reader->state = H1_AT_DONE;
                break;
        case H1_AT_SIZE:
                *ret_is_event = false;
                return read_size(reader, in, error);
        case H1_AT_DATA:
                if (reader->left)
                        return read_left(reader, in, ret_event);
                reader->state = H1_AT_DATA_END;
                break;
        case H1_AT_DATA_END:
                *ret_is_event = false;
                return read_data_end(reader, in, error);
        case H1_AT_TRAILER:
                *ret_is_event = false;
                return read_trailer(reader, in, error);
        case H1_AT_UNTIL_CLOSE:
                return in->len ? body_event(ret_event, take_front(in, in->len)) : H1_MORE;
        case H1_AT_DONE:
                buf_recycle(&reader->kept, KEEP_BYTES);
                ret_event->kind = HTTP_DONE;
                return 0;
        case H1_AT_ERROR:
                return MUSTER_E_PROTOCOL;
        }
        *ret_is_event = false;
        return 0;
}

int h1_read_next(struct h1_reader *reader, struct h1_scratch *scratch, struct muster_str *in,
        struct http_event *ret_event, struct muster_error *error)
{
        bool is_event = false;
        int r = 0;

        while (r == 0 && !is_event) {
                if (reader->kept_is_stale) {
                        reader->kept.len = 0;
                        reader->kept_is_stale = false;
                }
                r = read_step(reader, scratch, in, ret_event, &is_event, error);
        }
        if (r < 0)
                reader->state = H1_AT_ERROR;
        return r;
}

int h1_read_eof(struct h1_reader *reader, struct muster_error *error)
{
        const char *peer = reader->is_of_proxy ? "it" : "the server";

        switch (reader->state) {
        case H1_AT_UNTIL_CLOSE:
                reader->state = H1_AT_DONE;
                return 0;
        case H1_AT_DONE:
                return 0;
        case H1_AT_HEAD:
                return error_set(error, MUSTER_E_CLOSED, MUSTER_PHASE_WAIT, 0,
                        reader->kept.len
                                ? "closed: %s ended the connection within the head of the response"
                                : "closed: %s ended the connection without a response",
                        peer);
        case H1_AT_FIXED:
                return error_set(error, MUSTER_E_CLOSED, MUSTER_PHASE_RECEIVE, 0,
                        "closed: %s ended the connection with %llu bytes of the body still missing",
                        peer, (unsigned long long)reader->left);
        case H1_AT_SIZE:
        case H1_AT_DATA:
        case H1_AT_DATA_END:
        case H1_AT_TRAILER:
                return error_set(error, MUSTER_E_CLOSED, MUSTER_PHASE_RECEIVE, 0,
                        "closed: %s ended the connection before the last chunk of the body", peer);
        case H1_AT_ERROR:
                break;
        }
        return MUSTER_E_PROTOCOL;
}
