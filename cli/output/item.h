/* SPDX-License-Identifier: MIT */
/*
 * Input items on their way to the output
 *
 * Each has a place in a ring from the moment it is read until its line is written, so that lines
 * can come out in order and memory is bounded by the ring: when it is full nothing more is read.
 */
#ifndef CLI_OUTPUT_ITEM_H
#define CLI_OUTPUT_ITEM_H

#include <base/buf.h>
#include <muster/muster.h>

struct item {
        uint64_t n;      /* counts input items from 1 */
        uint64_t digest; /* of its request, where there is more than method and URL */
        uint64_t line;   /* in its file; 0: an argument */
        char *id;        /* JSON; NULL: none */
        char *own;       /* JSON: the members of its line that are the caller's own; NULL: none */
        struct buf sent_files;          /* paths, each with its zero, of what its line sends */
        bool omits_headers, omits_body; /* its request has such, and the result line does not */
        struct muster_result *result;
        struct muster_error *error; /* it could not even be asked for */
        bool is_written;
};

struct items {
        struct item *ring;
        size_t size;         /* a power of two */
        uint64_t n_begun;    /* items that have been given a place */
        uint64_t n_released; /* the oldest ones that need theirs no more */
};

/* MUSTER_E_RESOURCE. */
int items_init(struct items *items, size_t size);
void items_deinit(struct items *items);

static inline bool items_are_full(const struct items *items)
{
        return items->n_begun - items->n_released == items->size;
}

/* Give an item a place; there is one. It takes over what the item holds. */
struct item *items_begin(struct items *items, const struct item *take_item);

/* Release what an item holds that has no place. */
void item_deinit(struct item *item);

/* The item that is to be written next if order counts, NULL when there is none. */
struct item *items_oldest(struct items *items);

/*
 * An item's line is written: release what it holds, and its place as soon as the older ones are
 * released.
 */
void items_written(struct items *items, struct item *item);

#endif
