/* SPDX-License-Identifier: MIT */
#include "relay.h"

#include <assert.h>
#include <base/mem.h>

#define RELAY_BYTES_MAX (256 * 1024) /* the most that waits for the reader */
#define COMPACT_BYTES   (64 * 1024)  /* of read bytes before the rest is moved to the front */

struct relay *relay_new(struct muster_request *request)
{
        struct relay *relay = mem_zalloc(sizeof(*relay));

        if (!relay)
                return NULL;
        relay->request = request;
        pthread_mutex_init(&relay->lock, NULL);
        return relay;
}

struct relay *relay_free(struct relay *relay)
{
        if (!relay)
                return NULL;
        pthread_mutex_destroy(&relay->lock);
        buf_deinit(&relay->body);
        return mem_free(relay);
}

/* --- from the engine ------------------------------------------------------------------------- */

static size_t n_waiting(const struct relay *relay)
{
        return relay->body.len - relay->read_at;
}

bool relay_fill(struct relay *relay, struct buf *body, size_t *read_at, bool is_all)
{
        struct muster_str bytes = { body->at + *read_at, body->len - *read_at };
        bool is_added = false;

        assert(*read_at <= body->len);
        if (!bytes.len)
                return false;
        pthread_mutex_lock(&relay->lock);
        if (is_all || n_waiting(relay) < RELAY_BYTES_MAX)
                is_added = buf_add_str(&relay->body, bytes) == 0;
        relay->is_wanting = !is_added;
        pthread_mutex_unlock(&relay->lock);
        if (is_added)
                body->len = *read_at = 0;
        return is_added;
}

void relay_end(struct relay *relay)
{
        pthread_mutex_lock(&relay->lock);
        relay->is_over = true;
        pthread_mutex_unlock(&relay->lock);
}

/* --- the reader's side ----------------------------------------------------------------------- */

static void take_bytes(struct relay *relay, void *buffer, size_t n)
{
        struct buf *body = &relay->body;

        assert(n && n <= n_waiting(relay));
        memcpy(buffer, body->at + relay->read_at, n);
        relay->read_at += n;
        if (relay->read_at == body->len) {
                body->len = relay->read_at = 0;
        } else if (relay->read_at > COMPACT_BYTES) {
                buf_drop_front(body, relay->read_at);
                relay->read_at = 0;
        }
}

int relay_read(struct relay *relay, void *buffer, size_t size, size_t *ret_n, bool *ret_wakes)
{
        size_t n;
        int r = 0;

        pthread_mutex_lock(&relay->lock);
        n = n_waiting(relay);
        if (n)
                take_bytes(relay, buffer, *ret_n = n < size ? n : size);
        else
                r = relay->is_over ? RELAY_OVER : RELAY_EMPTY;
        *ret_wakes = relay->is_wanting && n_waiting(relay) <= RELAY_BYTES_MAX / 2;
        if (*ret_wakes)
                relay->is_wanting = false;
        pthread_mutex_unlock(&relay->lock);
        return r;
}

bool relay_is_empty(struct relay *relay)
{
        bool is_empty;

        pthread_mutex_lock(&relay->lock);
        is_empty = !n_waiting(relay) && !relay->is_over;
        pthread_mutex_unlock(&relay->lock);
        return is_empty;
}

bool relay_is_over(struct relay *relay)
{
        bool is_over;

        pthread_mutex_lock(&relay->lock);
        is_over = relay->is_over;
        pthread_mutex_unlock(&relay->lock);
        return is_over;
}
