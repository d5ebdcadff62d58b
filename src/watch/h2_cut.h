/* SPDX-License-Identifier: MIT */
/*
 * Frames of HTTP/2, cut out of pieces of which only the beginnings were kept (RFC 9113 section 4.1)
 *
 * How long DATA is stands in its head, so what was not kept of it is skipped. Where anything else
 * is missing, the place in the stream is lost. A later piece that begins with what can be a frame
 * is taken for one, as most programs hand over whole frames; but compressed heads cannot be read
 * any more.
 */
#ifndef WATCH_H2_CUT_H
#define WATCH_H2_CUT_H

#include <base/buf.h>

#define H2_CUT_FRAME_MAX (64 * 1024) /* larger ones that are no DATA are not gathered */

enum h2_cut_kind {
        H2_CUT_FRAME, /* a whole one that is no DATA */
        H2_CUT_DATA,  /* a part of a DATA frame's payload, which may not be there */
};

enum h2_frame_type {
        H2_FRAME_DATA = 0,
        H2_FRAME_HEADERS = 1,
        H2_FRAME_RST_STREAM = 3,
        H2_FRAME_SETTINGS = 4,
        H2_FRAME_PUSH_PROMISE = 5,
        H2_FRAME_CONTINUATION = 9,
        H2_FRAME_LAST = 0x10,
};

#define H2_FLAG_END_STREAM  0x1
#define H2_FLAG_ACK         0x1
#define H2_FLAG_END_HEADERS 0x4
#define H2_FLAG_PADDED      0x8
#define H2_FLAG_PRIORITY    0x20

struct h2_frame {
        enum h2_cut_kind kind;
        uint8_t type, flags;
        uint32_t stream;
        struct muster_str payload; /* of a FRAME; borrowed until the next call */
        uint64_t n;                /* of DATA: bytes of this part */
        bool is_end;               /* of DATA: its last part, and it ends the stream */
};

/* One direction of a connection; zeroed it is at the beginning. */
struct h2_cut {
        struct buf kept;  /* of a frame that has begun */
        bool is_stale;    /* the last frame borrowed `kept` */
        uint64_t left;    /* of a DATA frame's payload */
        uint32_t stream;  /* its stream, */
        bool ends_stream; /* and whether it ends it */
        bool is_lost;     /* the place in the stream is not known */
        bool was_lost;    /* ... or was not: compressed heads cannot be read */
};

void h2_cut_deinit(struct h2_cut *cut);

/* A new piece begins. */
void h2_cut_begin(struct h2_cut *cut, struct muster_str data);

#define H2_CUT_MORE 1

/*
 * The next frame. `data` and `n`, the piece's bytes and how many it had, move on. H2_CUT_MORE: that
 * was the piece. MUSTER_E_RESOURCE.
 */
int h2_cut_next(struct h2_cut *cut, struct muster_str *data, uint64_t *n, struct h2_frame *ret);

#endif
