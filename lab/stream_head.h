/* SPDX-License-Identifier: MIT */
/*
 * Field lines of HTTP/1 as a head of HTTP/2
 */
#ifndef LAB_STREAM_HEAD_H
#define LAB_STREAM_HEAD_H

#include <base/buf.h>
#include <nghttp2/nghttp2.h>

#define H2_FIELDS_MAX 256 /* in the head of a response; more are left out */

/* Zeroed is empty. */
struct stream_head {
        char status[4];
        nghttp2_nv list[H2_FIELDS_MAX];
        size_t n;
};

/*
 * Fill in a status and these lines, whose names become lower case where they are. Fields that only
 * a connection of HTTP/1 has (RFC 9113 section 8.2.2) are left out. The lines are borrowed.
 */
void stream_head_make(struct stream_head *fields, int status, char *lines, size_t len);

#endif
