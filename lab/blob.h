/* SPDX-License-Identifier: MIT */
/*
 * Bodies that are made once and served often: compressed ones, JSON documents
 *
 * Kept under a text that says how they were made, never changed, never freed before the lab ends.
 */
#ifndef LAB_BLOB_H
#define LAB_BLOB_H

#include <base/buf.h>
#include <base/map.h>

#define BLOBS_BYTES_MAX                                                                            \
        (512u * 1024 *                                                                             \
                1024) /* all of them; a client may not fill the machine by asking for new ones */
#define BLOBS_MAX 4096

struct blob {
        struct map_node node;
        char *key;
        struct buf bytes;
};

struct blobs {
        struct map map;
        size_t n_bytes;
};

void blobs_init(struct blobs *blobs);
void blobs_deinit(struct blobs *blobs);

/* The body of that key; NULL: there is none. */
const struct blob *blobs_find(const struct blobs *blobs, const char *key);

/* Keep bytes, which are taken, also when it fails. NULL when memory or the bounds above are out. */
const struct blob *blobs_add(struct blobs *blobs, const char *key, struct buf *take_bytes);

#endif
