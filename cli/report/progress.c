/* SPDX-License-Identifier: MIT */
/*
 * The progress line, made of pieces with a figure each
 *
 * Where the terminal is too narrow for all of them the last ones are left out, whole: a figure that
 * is cut looks like another one.
 */
#include "report.h"

#include <base/clock.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TERMINAL_COLUMNS 80 /* of one that does not say */

struct line {
        char *text;
        size_t len, room; /* `room`: what it may be long, in bytes, which are columns here */
        bool is_full;
};

/* Another piece; after one that does not fit there is none. */
__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
        char piece[64];
        va_list arguments;
        size_t len;

        va_start(arguments, format);
        vsnprintf(piece, sizeof(piece), format, arguments);
        va_end(arguments);
        len = strlen(piece);
        line->is_full |= len > line->room - line->len;
        if (line->is_full)
                return;
        memcpy(line->text + line->len, piece, len + 1);
        line->len += len;
}

void progress_words(const struct progress *progress, unsigned columns,
        char text[PROGRESS_BYTES_MAX])
{
        struct line line = { .text = text,
                .room = columns < PROGRESS_BYTES_MAX ? columns : PROGRESS_BYTES_MAX - 1 };
        double elapsed_s = progress->elapsed_s, share = progress->share;

        text[0] = '\0';
        add(&line, "%llu done", (unsigned long long)progress->n_done);
        add(&line, ", %.0f/s", elapsed_s > 0 ? (double)progress->n_done / elapsed_s : 0);
        add(&line, ", %llu in flight", (unsigned long long)progress->n_in_flight);
        if (progress->n_refused)
                add(&line, ", %llu answered 4xx or 5xx", (unsigned long long)progress->n_refused);
        add(&line, ", %llu failed", (unsigned long long)progress->n_failed);
        if (progress->hold_s >= 1)
                add(&line, ", waiting %.0f s as a server asked", progress->hold_s);
        if (share <= 0.001 || elapsed_s < 1)
                return;
        add(&line, ", %.0f %%", share * 100);
        add(&line, ", %.0f s left", elapsed_s / share - elapsed_s);
}

static unsigned terminal_columns(void)
{
        struct winsize size;

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col
                                                                           : TERMINAL_COLUMNS;
}

void progress_show(const struct report *report, const struct muster_client_stats *stats,
        double share)
{
        uint64_t elapsed_ns = clock_monotonic() - report->start_ns;
        struct progress progress = { .n_done = report->n_done,
                .n_refused = report_n_refused(report),
                .n_failed = report->n_failed,
                .n_in_flight = stats->n_in_flight,
                .hold_s = (double)stats->hold_ns / (double)NS_PER_S,
                .elapsed_s = (double)elapsed_ns / (double)NS_PER_S,
                .share = share };
        char text[PROGRESS_BYTES_MAX];

        progress_words(&progress, terminal_columns() - 1, text); /* the cursor has one, too */
        fprintf(stderr, "\r%s\033[K", text);
}

void progress_clear(void)
{
        fprintf(stderr, "\r\033[K");
}
