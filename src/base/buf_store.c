/* SPDX-License-Identifier: MIT */
#include "buf_store.h"

#include "mem.h"
#include <assert.h>

/* Lies at the beginning of each piece of memory that is kept. */
struct buf_store_piece {
        struct buf_store_piece *next;
};

void buf_store_init(struct buf_store *store, size_t max_bytes)
{
        *store = (struct buf_store){ .max_bytes = max_bytes };
        pthread_mutex_init(&store->lock, NULL);
}

void buf_store_deinit(struct buf_store *store)
{
        buf_store_empty(store);
        pthread_mutex_destroy(&store->lock);
}

static void free_all(struct buf_store_piece *piece)
{
        while (piece) {
                struct buf_store_piece *next = piece->next;

                mem_free(piece);
                piece = next;
        }
}

void buf_store_empty(struct buf_store *store)
{
        struct buf_store_piece *pieces[BUF_STORE_N_CLASSES];

        pthread_mutex_lock(&store->lock);
        memcpy(pieces, store->pieces, sizeof(pieces));
        memset(store->pieces, 0, sizeof(store->pieces));
        store->n_bytes = 0;
        pthread_mutex_unlock(&store->lock);
        for (int i = 0; i < BUF_STORE_N_CLASSES; i++)
                free_all(pieces[i]);
}

/* The class whose buffers hold `size` bytes, and the size of its buffers. */
static int class_for(size_t size, size_t *ret_class_bytes)
{
        size_t class_bytes = BUF_STORE_LEAST_BYTES;
        int class = 0;

        while (class_bytes < size) {
                class_bytes *= 2;
                class ++;
        }
        *ret_class_bytes = class_bytes;
        return class;
}

static char *pop(struct buf_store *store, int class, size_t class_bytes)
{
        struct buf_store_piece *piece;

        pthread_mutex_lock(&store->lock);
        piece = store->pieces[class];
        if (piece) {
                store->pieces[class] = piece->next;
                store->n_bytes -= class_bytes;
        }
        pthread_mutex_unlock(&store->lock);
        return (char *)piece;
}

int buf_store_take(struct buf_store *store, struct buf *buf, size_t size)
{
        size_t class_bytes;
        int class;

        assert(!buf->at && !buf->len);
        if (size < BUF_STORE_LEAST_BYTES || size > BUF_STORE_MOST_BYTES)
                return buf_reserve(buf, size);
        class = class_for(size, &class_bytes);
        buf->at = pop(store, class, class_bytes);
        if (!buf->at)
                return buf_reserve(buf, class_bytes);
        buf->size = class_bytes;
        return 0;
}

/* False: the store is full. */
static bool push(struct buf_store *store, int class, size_t class_bytes, void *at)
{
        struct buf_store_piece *piece = at;
        bool has_room;

        pthread_mutex_lock(&store->lock);
        has_room = class_bytes <= store->max_bytes - store->n_bytes;
        if (has_room) {
                piece->next = store->pieces[class];
                store->pieces[class] = piece;
                store->n_bytes += class_bytes;
        }
        pthread_mutex_unlock(&store->lock);
        return has_room;
}

void buf_store_give(struct buf_store *store, struct buf *buf)
{
        size_t class_bytes;
        int class;

        if (buf->size >= BUF_STORE_LEAST_BYTES && buf->size <= BUF_STORE_MOST_BYTES) {
                class = class_for(buf->size, &class_bytes);
                if (buf->size == class_bytes && push(store, class, class_bytes, buf->at))
                        *buf = (struct buf){ 0 };
        }
        buf_deinit(buf);
}
