/* SPDX-License-Identifier: MIT */
/*
 * The parts of a response, whatever its protocol: interim heads, a head, pieces of the body, the
 * end
 */
#ifndef HTTP_EVENT_H
#define HTTP_EVENT_H

#include "field.h"

enum http_event_kind {
        /*
         * a 1xx response (RFC 9110 section 15.2); the final one follows. 101 is a protocol error,
         * as we never ask for it
         */
        HTTP_INTERIM,
        HTTP_HEAD, /* status line and fields */
        HTTP_BODY, /* a piece of the body */
        HTTP_DONE, /* the response is complete */
};

struct http_head {
        int status;
        int version;              /* 10, 11 or 20 */
        struct muster_str reason; /* may be empty */
        /*
         * The whole head as received, from the status line to the empty line; fields point into it.
         */
        struct muster_str raw;
        struct fields fields;
        unsigned n_dropped; /* lines that are no fields and were ignored */
        bool has_length;    /* Content-Length framing */
        uint64_t length;    /* of the body, if has_length */
        bool has_body;      /* false for HEAD, 1xx, 204, 304 */
        /* it is uncertain where the response ends: do not use the connection again */
        bool is_in_doubt;
        /* HTTP/1: the connection may be used again after HTTP_DONE (RFC 9112 section 9.3) */
        bool keeps_alive;
};

struct http_event {
        enum http_event_kind kind;
        struct http_head head;  /* HEAD, INTERIM: borrowed until the next event */
        struct muster_str body; /* BODY: borrowed from what was fed */
};

#endif
