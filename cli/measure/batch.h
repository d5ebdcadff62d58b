/* SPDX-License-Identifier: MIT */
/*
 * A list of requests that is run several times
 *
 * The same input as fetch's, read to its end and kept as text: a request that was submitted is
 * gone, so each is made anew from its line. What may change something on the server is refused
 * unless it was asked for, and what cannot be read is left out and counted.
 */
#ifndef CLI_MEASURE_BATCH_H
#define CLI_MEASURE_BATCH_H

#include "../option/request_options.h"

/* some million URLs; nobody needs more of them to measure with */
#define BATCH_BYTES_MAX (256 * 1024 * 1024)

struct batch_item;

struct batch {
        const struct request_options *options; /* borrowed */
        struct buf text;
        struct batch_item *items;
        size_t n, size;
        size_t n_left_out;
        struct muster_error left_out; /* why the first of them was */
};

/*
 * Read what the options name, standard input where they name nothing. MUSTER_E_INVALID: a method
 * that is not safe (and not allowed), or nothing at all; MUSTER_E_INPUT: a file cannot be read, or
 * all is more than BATCH_BYTES_MAX; MUSTER_E_RESOURCE. *error says it.
 */
int batch_read(struct batch *batch, const struct request_options *options, bool allows_unsafe,
        struct muster_error *error);
void batch_deinit(struct batch *batch);

/* Say on standard error what could not be read, if there is such. */
void batch_tell_left_out(const struct batch *batch);

/*
 * Make it `n` items: fewer are spread evenly over the list, more go through it again.
 * MUSTER_E_RESOURCE.
 */
int batch_resize(struct batch *batch, size_t n);

/* Text that each thread which submits has for itself; zeroed is empty. */
struct batch_scratch {
        struct buf url, id, own;
};
void batch_scratch_deinit(struct batch_scratch *scratch);

/*
 * Hand item `i` to a client whose queue has room. Negative: it could not be made, and there will be
 * no result.
 */
int batch_submit(const struct batch *batch, size_t i, struct muster_client *client,
        struct batch_scratch *scratch, void *userdata);

#endif
