/* SPDX-License-Identifier: MIT */
/*
 * The beginning of a message of HTTP/1, as far as a log has it
 *
 * Others have read the message; here only what the account needs is picked out. The text may be cut
 * anywhere, and what is behind the cut is not known.
 */
#ifndef WATCH_HEAD_H
#define WATCH_HEAD_H

#include <base/str.h>
#include <core/trace.h>

#define HEAD_LENGTH_UNKNOWN UINT64_MAX

struct head {
        struct muster_str method, target; /* of a request; borrowed from the text */
        int16_t status;                   /* of a response; 0: it is a request */
        uint8_t version;                  /* 10 or 11 */
        bool is_whole;                    /* the empty line is there */
        size_t bytes;                     /* to the empty line and with it, or all of the text */
        /* fields */
        struct muster_str host, location;
        uint64_t length; /* Content-Length; HEAD_LENGTH_UNKNOWN: there is none, or it was cut off */
        bool is_chunked, is_encoded, closes, keeps_alive, expects;
        bool has_own; /* a request has fields that libraries do not send by themselves */
        uint64_t retry_after_s;
};

/* Read it. False: the text does not begin a message. */
bool head_read(struct head *head, struct muster_str text);

/* Do libraries send such a field by themselves? */
bool head_is_usual(struct muster_str name);

enum trace_method head_method(struct muster_str method);

#endif
