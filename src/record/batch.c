/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <assert.h>
#include <base/minmax.h>
#include <stddef.h>

static const struct {
        size_t at, n_max;
} places[ROW_N_KINDS] = {
        [ROW_ORIGIN] = { offsetof(struct batch, origins), BATCH_HOSTS },
        [ROW_ATTEMPT] = { offsetof(struct batch, room), BATCH_ATTEMPTS },
        [ROW_CONN] = { offsetof(struct batch, conns), BATCH_HOSTS },
        [ROW_TRY] = { offsetof(struct batch, tries), BATCH_HOSTS },
        [ROW_LOOKUP] = { offsetof(struct batch, lookups), BATCH_HOSTS },
        [ROW_TURN] = { offsetof(struct batch, turns), BATCH_OTHERS },
        [ROW_SAMPLE] = { offsetof(struct batch, samples), BATCH_OTHERS },
};

void batch_reset(struct batch *batch)
{
        batch->link = (struct list){ 0 };
        batch->text_len = 0;
        for (int kind = 0; kind < ROW_N_KINDS; kind++) {
                atomic_store_explicit(&batch->n[kind], 0, memory_order_relaxed);
                batch->n_written[kind] = 0;
        }
}

const void *batch_row(const struct batch *batch, enum row_kind kind, size_t index)
{
        assert(index < places[kind].n_max);
        return (const char *)batch + places[kind].at + index * row_types[kind]->size;
}

/* Cuts the length of a text. No URL is that long; other texts might be one day. */
static size_t text_bytes(const struct muster_str *text)
{
        return min_size(text->len, BATCH_TEXT_BYTES);
}

static size_t room_left(const struct batch *batch)
{
        return BATCH_ROOM_BYTES - batch->text_len -
               atomic_load_explicit(&batch->n[ROW_ATTEMPT], memory_order_relaxed) *
                       sizeof(struct trace_attempt);
}

static size_t room_needed(enum row_kind kind, const void *row)
{
        const struct row_type *type = row_types[kind];
        struct muster_str text = { NULL, 0 };

        if (type->text_at != ROW_NO_TEXT)
                memcpy(&text, (const char *)row + type->text_at, sizeof(text));
        return text_bytes(&text) + (kind == ROW_ATTEMPT ? type->size : 0);
}

static void add_text(struct batch *batch, struct muster_str *text)
{
        char *copy;

        assert(batch->text_len + text_bytes(text) <= BATCH_ROOM_BYTES);
        text->len = text_bytes(text);
        batch->text_len += text->len;
        copy = batch->room.bytes + BATCH_ROOM_BYTES - batch->text_len;
        if (text->len)
                memcpy(copy, text->at, text->len);
        text->at = copy;
}

bool batch_add(struct batch *batch, enum row_kind kind, const void *row)
{
        size_t n = atomic_load_explicit(&batch->n[kind], memory_order_relaxed);
        size_t size = row_types[kind]->size;
        char *place = (char *)batch + places[kind].at + n * size;
        struct muster_str *text = row_text(kind, place);

        assert(kind < ROW_N_KINDS && n <= places[kind].n_max);
        if (n == places[kind].n_max || room_needed(kind, row) > room_left(batch))
                return false;
        memcpy(place, row, size);
        if (text)
                add_text(batch, text);
        atomic_store_explicit(&batch->n[kind], n + 1, memory_order_release);
        return true;
}

size_t batch_n(const struct batch *batch, enum row_kind kind)
{
        return atomic_load_explicit(&batch->n[kind], memory_order_acquire);
}

bool batch_has_news(const struct batch *batch)
{
        for (int kind = 0; kind < ROW_N_KINDS; kind++)
                if (batch_n(batch, (enum row_kind)kind) > batch->n_written[kind])
                        return true;
        return false;
}
