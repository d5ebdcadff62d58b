/* SPDX-License-Identifier: MIT */
/*
 * Runs against servers that answer as fast under any load, or that are full
 */
#ifndef TESTS_UNIT_SERVERS_H
#define TESTS_UNIT_SERVERS_H

#include "causes.h"
#include <explain/measure/load.h>

#define MS NS_PER_MS

static const struct record_maker flat = {
        .n = 320,
        .each = { .network_ns = 50 * NS_PER_US, .server_ns = 200 * MS },
};

/* 4 workers: as many as are there wait for each other. */
static inline void queue_in_server(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        size_t n = i < maker->slots ? i + 1 : maker->slots;

        request->submit_after_ns = i; /* in this order */
        request->server_ns = (n + 3) / 4 * 20 * MS;
}

static const struct record_maker full = {
        .n = 400,
        .slots = 64,
        .each.network_ns = 50 * NS_PER_US,
        .vary = queue_in_server,
};

static inline struct load load_of(const struct record_maker *maker)
{
        struct record record;
        struct facts facts;
        struct load load;

        assert_int_equal(record_make(&record, maker), 0);
        assert_int_equal(facts_measure(&facts, &record), 0);
        load_measure(&load, &facts);
        facts_deinit(&facts);
        record_deinit(&record);
        return load;
}

#endif
