/* SPDX-License-Identifier: MIT */
/*
 * Rows that are compared byte by byte
 */
#ifndef TESTS_UNIT_ROW_GAPS_H
#define TESTS_UNIT_ROW_GAPS_H

#include <core/trace.h>
#include <record/row.h>
#include <stddef.h>
#include <string.h>

/*
 * What lies between two members of a struct is nobody's, and a compiler may leave anything there.
 */
#define GAP(kind, type, member, next)                                                              \
        {                                                                                          \
                kind, offsetof(struct type, member) + sizeof(((struct type *)NULL)->member),       \
                        offsetof(struct type, next)                                                \
        }

static inline void row_clear_gaps(enum row_kind kind, void *row)
{
        static const struct {
                enum row_kind kind;
                size_t from, to;
        } gaps[] = {
                GAP(ROW_ORIGIN, trace_origin, number, key),
                GAP(ROW_ATTEMPT, trace_attempt, stamps.stage, process_end_ns),
                GAP(ROW_ATTEMPT, trace_attempt, code, sys),
                GAP(ROW_ATTEMPT, trace_attempt, has_fields, url),
                GAP(ROW_CONN, trace_conn, origin, opened_ns),
                GAP(ROW_CONN, trace_conn, had_ticket, tls_work_ns),
                GAP(ROW_CONN, trace_conn, max_rtt_us, delivery_rate),
                GAP(ROW_TRY, trace_try, fate, address),
                GAP(ROW_LOOKUP, trace_lookup, code, n_addresses),
                GAP(ROW_LOOKUP, trace_lookup, n_addresses, name),
                { ROW_TURN, offsetof(struct trace_turn, engine) + 1, sizeof(struct trace_turn) },
                GAP(ROW_SAMPLE, trace_sample, engine, n_in_flight),
                GAP(ROW_SAMPLE, trace_sample, is_full, n_submitted),
        };

        for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
                if (gaps[i].kind == kind)
                        memset((char *)row + gaps[i].from, 0, gaps[i].to - gaps[i].from);
}

#endif
