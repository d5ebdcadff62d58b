/* SPDX-License-Identifier: MIT */
/*
 * The result of a request
 *
 * It is filled in while the request runs. The response's head is kept as received, with the places
 * of its fields: that costs two copies, and no allocation once the buffers have grown.
 */
#ifndef CORE_RESULT_H
#define CORE_RESULT_H

#include "attempt.h"
#include <base/buf.h>
#include <http/event.h>
#include <muster/result.h>

struct decoder;

struct muster_result {
        struct muster_error error;
        /* The last MUSTER_ATTEMPTS_KEPT; NULL until there is a second one. */
        struct muster_attempt *attempts;
        struct muster_attempt first; /* for most requests the only one */
        unsigned n_attempts, n_redirects;

        int status, http_version;
        unsigned n_dropped_fields;
        struct buf head;   /* raw */
        struct buf fields; /* array of struct field: places in `head` */
        struct buf body;
        uint64_t body_bytes, wire_bytes;
        struct buf undecoded; /* codings that the body still has, zero-terminated; empty: none */
        struct buf warning;   /* zero-terminated; empty: none */
        struct buf heads;     /* of all attempts, zero-terminated: see heads.h; empty: not kept */
        struct buf final_url; /* zero-terminated; set when the request is finished */

        uint64_t submitted_ns, finished_ns, taken_ns;
        uint64_t planned_ns; /* planned start of the first attempt; 0: not planned yet */
        uint64_t phase_ns[MUSTER_N_PHASES];
        struct muster_conn_info conn;

        void *processed;
        void (*free_processed)(void *processed);
};

void result_deinit(struct muster_result *result);

/* Empty it for the next request, keeping its small buffers and releasing the rest. */
void result_recycle(struct muster_result *result, size_t keep_bytes);

/* Drop the response of an earlier attempt, as another attempt begins. */
void result_clear_response(struct muster_result *result);

/* Keep a response's head. MUSTER_E_RESOURCE. */
int result_set_head(struct muster_result *result, const struct http_head *head);

/* Keep the names of the codings that will stay in a body with these fields. MUSTER_E_RESOURCE. */
int result_set_undecoded(struct muster_result *result, const struct fields *fields);

/* Keep the decoder's warning about a decoded body. MUSTER_E_RESOURCE. */
int result_add_decoder_warning(struct muster_result *result, const struct decoder *decoder);

/* Add a warning; without memory it is left out. */
void result_add_warning(struct muster_result *result, struct muster_str text);

/*
 * Keep a finished attempt and add its phases to the request's. MUSTER_E_RESOURCE: only the phases
 * are added.
 */
int result_add_attempt(struct muster_result *result, const struct attempt *attempt,
        enum muster_code code, uint64_t conn_id);

/* Add the length of the back-off after the last attempt. */
void result_add_backoff(struct muster_result *result, uint64_t backoff_ns);

static inline struct fields result_fields(const struct muster_result *result)
{
        return (struct fields){ .head = result->head.at,
                .list = (const struct field *)(const void *)result->fields.at,
                .n = result->fields.len / sizeof(struct field) };
}

#endif
