/* SPDX-License-Identifier: MIT */
/*
 * A server that stops: all that would have happened after a moment happens later
 */
#ifndef TESTS_UNIT_STANDSTILL_H
#define TESTS_UNIT_STANDSTILL_H

#include <record/record.h>

static inline void stop_moment(uint64_t *moment, uint64_t from_ns, uint64_t for_ns)
{
        if (*moment > from_ns)
                *moment += for_ns;
}

/*
 * One of them, by its origin's number; 0: all. The record's samples are left alone: no loop has more
 * to do.
 */
static inline void stop_host(struct record *record, uint32_t origin, uint64_t from_ns,
        uint64_t for_ns)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];
                struct attempt *stamps = &attempt->stamps;
                uint64_t *moments[] = { &stamps->start_ns, &stamps->slot_ns, &stamps->dns_end_ns,
                        &stamps->tcp_end_ns, &stamps->tls_end_ns, &stamps->send_start_ns,
                        &stamps->send_end_ns, &stamps->first_byte_kernel_ns,
                        &stamps->first_byte_read_ns, &stamps->last_byte_kernel_ns,
                        &stamps->last_byte_read_ns, &stamps->end_ns, &attempt->finished_ns,
                        &attempt->taken_ns, &attempt->submitted_ns };

                if (origin && attempt->origin != origin)
                        continue;
                for (size_t k = 0; k < sizeof(moments) / sizeof(moments[0]); k++)
                        stop_moment(moments[k], from_ns, for_ns);
        }
        for (size_t i = 0; i < record->n_conns; i++) {
                stop_moment(&record->conns[i].opened_ns, from_ns, for_ns);
                stop_moment(&record->conns[i].tcp_end_ns, from_ns, for_ns);
                stop_moment(&record->conns[i].closed_ns, from_ns, for_ns);
        }
        stop_moment(&record->run.end_ns, from_ns, for_ns);
}

static inline void stop_server(struct record *record, uint64_t from_ns, uint64_t for_ns)
{
        stop_host(record, 0, from_ns, for_ns);
}

#endif
