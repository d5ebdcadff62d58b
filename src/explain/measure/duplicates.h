/* SPDX-License-Identifier: MIT */
/*
 * Duplicates: requests of a list that ask for what an earlier one has asked for
 *
 * Only such count of which the record has all that was asked: a GET of a URL and nothing more. And
 * only where the answers were alike: what changes from answer to answer is asked for again on
 * purpose.
 */
#ifndef EXPLAIN_DUPLICATES_H
#define EXPLAIN_DUPLICATES_H

#include <explain/facts/facts.h>

struct duplicates {
        size_t n, n_urls; /* requests that ask again; different URLs of those asked for */
        size_t n_most;    /* requests for the one that was asked for most often */
        const struct trace_attempt *most; /* one of these; NULL: there are no duplicates */
        bool *is_again;                   /* by index of a request's last attempt */
};

/* MUSTER_E_RESOURCE; duplicates_deinit() in any case. */
int duplicates_find(struct duplicates *duplicates, const struct facts *facts);
void duplicates_deinit(struct duplicates *duplicates);

#endif
