/* SPDX-License-Identifier: MIT */
/*
 * A field block into a head
 *
 * nghttp2 has checked the fields. They are written as lines, as HTTP/1 would have them, which is
 * also what a user is shown.
 */
#include "h2_internal.h"

#include "h1_framing.h"
#include "h1_read.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>

/* What is kept of a head's memory for the next one. */
#define KEEP_BYTES 4096

void h2_head_begin(struct h2_head *head, int32_t stream_id, struct h2_stream *stream)
{
        struct buf raw = head->raw;

        buf_recycle(&raw, KEEP_BYTES);
        *head = (struct h2_head){ .stream_id = stream_id,
                .stream = stream,
                .raw = raw,
                .fields = head->fields,
                .fields_size = head->fields_size };
}

void h2_head_deinit(struct h2_head *head)
{
        buf_deinit(&head->raw);
        head->fields = mem_free(head->fields);
        head->n_fields = head->fields_size = 0;
}

static int add_status(struct h2_head *head, struct muster_str value)
{
        assert(value.len == 3); /* nghttp2 has made sure of that */
        head->status = (value.at[0] - '0') * 100 + (value.at[1] - '0') * 10 + (value.at[2] - '0');
        if (buf_add_text(&head->raw, "HTTP/2 ") < 0 || buf_add_str(&head->raw, value) < 0 ||
                buf_add(&head->raw, "\r\n", 2) < 0)
                return MUSTER_E_RESOURCE;
        return head->status < 100 ? H2_MALFORMED : 0; /* nghttp2 takes 099 for a status */
}

/* As buf_reserve(); mostly there is room. */
static inline int reserve(struct buf *raw, size_t bytes)
{
        return raw->size - raw->len >= bytes ? 0 : buf_reserve(raw, bytes);
}

static char *put(char *to, struct muster_str text)
{
        memcpy(to, text.at, text.len);
        return to + text.len;
}

static int add_line(struct h2_head *head, struct muster_str name, struct muster_str value)
{
        struct buf *raw = &head->raw;
        size_t bytes = name.len + value.len + 4;
        char *to;

        if (reserve(raw, bytes) < 0)
                return MUSTER_E_RESOURCE;
        head->fields[head->n_fields++] = (struct field){ .name_at = (uint32_t)raw->len,
                .name_len = (uint32_t)name.len,
                .value_at = (uint32_t)(raw->len + name.len + 2),
                .value_len = (uint32_t)value.len };
        to = put(raw->at + raw->len, name);
        *to++ = ':';
        *to++ = ' ';
        to = put(to, value);
        *to++ = '\r';
        *to = '\n';
        raw->len += bytes;
        return 0;
}

static int reserve_field(struct h2_head *head)
{
        size_t size = head->fields_size ? 2 * head->fields_size : 32;
        struct field *fields;

        if (head->n_fields < head->fields_size)
                return 0;
        fields = mem_realloc(head->fields, size * sizeof(*fields));
        if (!fields)
                return MUSTER_E_RESOURCE;
        head->fields = fields;
        head->fields_size = size;
        return 0;
}

int h2_head_add(struct h2_head *head, size_t bytes_max, struct muster_str name,
        struct muster_str value)
{
        if (name.len + value.len + 4 > bytes_max - min_size(head->raw.len, bytes_max))
                return H2_HEAD_TOO_LARGE;
        if (name.len && name.at[0] == ':')
                return add_status(head, value);
        if (head->n_fields == H1_FIELDS_MAX)
                return H2_TOO_MANY_FIELDS;
        if (name.len == strlen("content-length") && str_is(name, "content-length"))
                head->has_length = str_to_u64(value, &head->length);
        return reserve_field(head) < 0 ? MUSTER_E_RESOURCE : add_line(head, name, value);
}

int h2_head_end(struct h2_head *head)
{
        return buf_add(&head->raw, "\r\n", 2);
}

void h2_head_get(const struct h2_head *head, bool is_head, struct http_head *ret_head)
{
        *ret_head = (struct http_head){ .status = head->status,
                .version = 20,
                .reason = { "", 0 },
                .raw = buf_str(&head->raw),
                .fields = { .head = head->raw.at, .list = head->fields, .n = head->n_fields },
                .has_length = head->has_length,
                .length = head->length,
                .has_body = h1_has_body(head->status, is_head),
                .keeps_alive = true };
        if (head->ends_stream && !head->has_length && ret_head->has_body)
                ret_head->has_length = true; /* of 0 bytes */
}
