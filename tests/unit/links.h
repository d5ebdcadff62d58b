/* SPDX-License-Identifier: MIT */
/*
 * Runs over a network, which may lose packets
 */
#ifndef TESTS_UNIT_LINKS_H
#define TESTS_UNIT_LINKS_H

#include "causes.h"

#define MS  NS_PER_MS
#define KIB 1024

/* On this machine nothing gets lost, and no link is full. */
static inline void move_away(struct record *record)
{
        for (size_t i = 0; i < record->n_conns; i++)
                record->conns[i].remote = str_of("192.0.2.1:80");
}

static inline void make_lossy(struct record *record, const struct record_maker *maker)
{
        make(record, maker);
        move_away(record);
        for (size_t i = 0; i < record->n_conns; i++)
                record->conns[i].n_out_of_order = 100;
}

#endif
