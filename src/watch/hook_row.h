/* SPDX-License-Identifier: MIT */
/* One row of a hook's log (hook_log.h): a line, cut at its tabs, and what its fields say */
#ifndef WATCH_HOOK_ROW_H
#define WATCH_HOOK_ROW_H

#include <base/buf.h>
#include <base/str.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOOK_ROW_FIELDS_MAX 16
#define HOOK_ROW_NS_MAX     (UINT64_C(1) << 61) /* beyond any clock, and safe to add */

/* It borrows the line. */
struct hook_row {
        struct muster_str fields[HOOK_ROW_FIELDS_MAX];
        size_t n;
        bool is_good; /* no field was read that does not say what it should */
};

void hook_row_cut(struct hook_row *row, struct muster_str line);

/* As it stands there; empty where the row has no such field. */
struct muster_str hook_row_text(const struct hook_row *row, size_t i);

/* 0 where it is no number, or more than that; the row is not good then. */
uint64_t hook_row_number(struct hook_row *row, size_t i, uint64_t max);
uint64_t hook_row_ns(struct hook_row *row, size_t i);
uint32_t hook_row_count(struct hook_row *row, size_t i);

/* The same of nanoseconds that need not be known: -1. */
int64_t hook_row_known(struct hook_row *row, size_t i);

/* A text without its escapes. MUSTER_E_RESOURCE. */
int hook_row_unescape(struct muster_str text, struct buf *to);

#endif
