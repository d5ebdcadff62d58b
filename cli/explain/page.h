/* SPDX-License-Identifier: MIT */
/*
 * An explanation, as it is shown: a page for people, an object for machines
 */
#ifndef CLI_EXPLAIN_PAGE_H
#define CLI_EXPLAIN_PAGE_H

#include "../text/layout.h"
#include "assertion.h"
#include "confirm.h"
#include <base/buf.h>
#include <muster/explain.h>

/* The verdict, the numbers behind it, and what to change. */
void page_print(const struct page *page, const struct muster_explanation *explanation);

/* The part of it that tells of programs that were watched; nothing where none was. */
void page_print_programs(const struct page *page, const struct muster_explanation *explanation);

/* Predicted beside measured. */
void page_print_confirmation(const struct page *page, const struct confirmation *confirmation);

/*
 * The same as one JSON object and a line end. `confirmation` NULL: nothing was tried.
 * MUSTER_E_RESOURCE.
 */
int page_json(struct buf *to, const struct muster_explanation *explanation,
        const struct confirmation *confirmation, const struct assertions *assertions);

#endif
