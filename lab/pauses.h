/* SPDX-License-Identifier: MIT */
/*
 * Pauses: times in which a listener answers nothing
 *
 * As a program does that collects garbage, or whose disk or lock keeps all of it waiting: whatever
 * would be answered in a pause, or be done by a worker, waits for its end.
 *
 *      started ──── every_ns ────▶ ┃ for_ns ┃ ─────── ▶ ┃ for_ns ┃ ───
 *                                  └─── every_ns ─────▶ ┘
 */
#ifndef LAB_PAUSES_H
#define LAB_PAUSES_H

#include <stdint.h>

/* Zeroed: there are none. */
struct pauses {
        uint64_t every_ns; /* from the begin of one to that of the next */
        uint64_t for_ns;   /* shorter than that */
        uint64_t since_ns; /* the first one begins `every_ns` later */
};

/* This moment, or the end of the pause that it falls into. */
uint64_t pauses_over_ns(const struct pauses *pauses, uint64_t at_ns);

#endif
