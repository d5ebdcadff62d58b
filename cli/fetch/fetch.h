/* SPDX-License-Identifier: MIT */
/*
 * A run of `muster fetch`, and the steps that its loop consists of
 *
 *      fetch_submit()   input ──▶ items ──▶ client          as much as there is room for
 *      fetch_take()     client ──▶ result lines, body files, report
 *      fetch_wait()     until the client, or the input, has something new
 *      fetch_finish()   the last lines, the summary, the account that is given of the run
 *
 * Everything is bounded by the ring of items: input is not read faster than results are written.
 */
#ifndef CLI_FETCH_FETCH_H
#define CLI_FETCH_FETCH_H

#include "../input/input.h"
#include "../load/load.h"
#include "../output/body_files.h"
#include "../output/item.h"
#include "../output/output.h"
#include "../report/report.h"
#include "../report/story.h"
#include "account.h"
#include "options.h"

struct fetch {
        struct fetch_options options;
        struct muster_client *client;
        struct input input;
        struct input_item next; /* what was read last */
        bool has_next;          /* `next` is still to be accepted */
        bool is_passing;        /* there are more items, and some stood: go on at once */
        bool input_has_ended, input_waits, input_has_failed;
        bool has_told_left_out; /* that an option does not hold for a line */
        struct items items;
        struct process process;
        struct output output;
        bool output_stalls;  /* when it was last offered something */
        uint64_t stalled_ns; /* no result was taken meanwhile */
        struct resume resume;
        struct body_files body_files;
        struct report report;
        struct load load; /* with is_on, where the run is one of load */
        struct story story;
        struct account account;
        uint64_t n_outstanding;
        bool has_progress, progress_is_shown;
        uint64_t progress_ns, flushed_ns, reader_ns;
        bool is_stopping;
        uint64_t stop_ns;
        struct muster_error error;
};

/*
 * Read what input there is, as far as there is room, and submit it. Negative with fetch->error: the
 * run cannot go on.
 */
int fetch_submit(struct fetch *fetch);

/* Take what is finished, and write it. As fetch_submit(). */
int fetch_take(struct fetch *fetch);

/*
 * An item has its result, or its error: write it now, or in its place with --in-order. As
 * fetch_submit().
 */
int fetch_item_done(struct fetch *fetch, struct item *item);

/*
 * The progress line, where there is one: show how things stand, if that is due; clear it, for what
 * else is to be seen.
 */
void fetch_show_progress(struct fetch *fetch, uint64_t now_ns);
void fetch_hide_progress(struct fetch *fetch);

/* Pass on the lines that are here; those that have lain here for long. As fetch_submit(). */
int fetch_flush(struct fetch *fetch);
int fetch_flush_when_due(struct fetch *fetch, uint64_t now_ns);

/* Now and then: has whoever reads the results gone away? As fetch_submit(). */
int fetch_check_reader(struct fetch *fetch, uint64_t now_ns);

/* Does nobody take the results, of which there are enough? Then none is made. */
bool fetch_output_stalls(const struct fetch *fetch);

/* Until something has happened, or there is something else to do. As fetch_submit(). */
int fetch_wait(struct fetch *fetch);

/*
 * All is over, with what the last step returned. Returns an exit status, after telling all that
 * there is to tell.
 */
int fetch_finish(struct fetch *fetch, int r);

bool fetch_shows_summary(const struct fetch *fetch);

#endif
