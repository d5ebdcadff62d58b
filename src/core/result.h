/* SPDX-License-Identifier: MIT */
/*
 * What came of a request
 *
 * Filled while it runs; the response's head is kept as it came, with the places of its fields, so
 * that keeping it costs two copies and no allocation once the buffers have grown.
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
        struct muster_attempt first; /* the only one, of most requests */
        unsigned n_attempts, n_redirects;

        int status, http_version;
        unsigned n_dropped_fields;
        struct buf head;   /* raw */
        struct buf fields; /* of struct field, places in `head` */
        struct buf body;
        uint64_t body_bytes, wire_bytes;
        struct buf undecoded; /* codings that the body still has, terminated; empty: none */
        struct buf warning;   /* terminated; empty: none */
        struct buf final_url; /* terminated; made when the request is finished */

        uint64_t submitted_ns, finished_ns, taken_ns;
        uint64_t planned_ns; /* the start of the first attempt; 0: none was planned yet */
        uint64_t phase_ns[MUSTER_N_PHASES];
        struct muster_conn_info conn;

        void *processed;
        void (*free_processed)(void *processed);
};

void result_deinit(struct muster_result *result);

/* Move the small buffers of `from` into the zeroed `to`, empty, and release the rest. */
void result_recycle(struct muster_result *from, struct muster_result *to, size_t keep_bytes);

/* Another attempt begins: what an earlier one was answered is no longer of interest. */
void result_clear_response(struct muster_result *result);

/* A response's head has come: keep it. MUSTER_E_RESOURCE. */
int result_set_head(struct muster_result *result, const struct http_head *head);

/* A body comes with these fields: keep what will not be decoded of it. MUSTER_E_RESOURCE. */
int result_set_undecoded(struct muster_result *result, const struct fields *fields);

/* The body was decoded: keep what was odd about it. MUSTER_E_RESOURCE. */
int result_add_decoder_warning(struct muster_result *result, const struct decoder *decoder);

/* Add to what was odd about it; without memory it stays unsaid. */
void result_add_warning(struct muster_result *result, struct muster_str text);

/* An attempt is over. Its phases join the request's. MUSTER_E_RESOURCE: it is only counted. */
int result_add_attempt(struct muster_result *result, const struct attempt *attempt,
        enum muster_code code, uint64_t conn_id);

/* The back-off after the last attempt took so long. */
void result_add_backoff(struct muster_result *result, uint64_t backoff_ns);

static inline struct fields result_fields(const struct muster_result *result)
{
        return (struct fields){ .head = result->head.at,
                .list = (const struct field *)(const void *)result->fields.at,
                .n = result->fields.len / sizeof(struct field) };
}

#endif
