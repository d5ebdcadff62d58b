/* SPDX-License-Identifier: MIT */
/*
 * Runs that open many connections
 */
#ifndef TESTS_UNIT_CONNECTING_H
#define TESTS_UNIT_CONNECTING_H

#include "causes.h"

#define MS NS_PER_MS

/* 5 rounds of 20; connecting is half of each. */
static const struct record_maker closing = {
        .n = 100,
        .slots = 20,
        .no_reuse = true,
        .each = { .tcp_ns = 40 * MS, .network_ns = 40 * MS },
};

static inline void last_third_later(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        if (i >= maker->slots * 2 / 3)
                request->tcp_ns = (i % 2 ? 1016 : 3061) * MS;
}

static const struct record_maker dropped = {
        .n = 30,
        .slots = 30,
        .vary = last_third_later,
        .rtt_ns = MS,
        .each = { .tcp_ns = MS, .network_ns = MS, .server_ns = 5 * MS },
};

#endif
