/* SPDX-License-Identifier: MIT */
/*
 * The page of a load run: for people, and as one JSON object
 *
 * Members of the object may be added, those that are there keep their meaning. Times are
 * microseconds, as in result lines.
 */
#ifndef CLI_LOAD_PAGE_H
#define CLI_LOAD_PAGE_H

#include "../report/report.h"
#include "load.h"

struct load_page {
        const struct load *load;
        const struct report *report;
        const struct muster_client_stats *stats;
        const char *verdict; /* "": none */
        bool has_charts;
};

/* The percentiles that a page has. */
#define LOAD_N_PERCENTILES 7
struct load_percentile {
        const char *name; /* "p99.9" */
        double share;
        uint64_t n_needed; /* with fewer requests none is beyond it, and it is no figure */
};
extern const struct load_percentile load_percentiles[LOAD_N_PERCENTILES];

void load_page_print(const struct load_page *page, const struct page *to);

/* Sentences: up to which rate a server kept up; whose figures they are. */
#define LOAD_WORDS_MAX 500
void load_words_ramp(const struct load_page *page, char text[LOAD_WORDS_MAX]);
void load_words_machine(const struct load_page *page, char text[LOAD_WORDS_MAX]);
void load_words_late(const struct load_page *page, char text[LOAD_WORDS_MAX]);

/* Write the object to a file, "-" for standard output. MUSTER_E_RESOURCE with *error. */
int load_page_write_json(const struct load_page *page, const char *path,
        struct muster_error *error);

#endif
