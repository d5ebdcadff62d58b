/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <base/clock.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static unsigned terminal_width(void)
{
        struct winsize size;

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static void add_eta(char *text, size_t size, double elapsed_s, double share)
{
        size_t at = strlen(text);
        double left_s = elapsed_s / share - elapsed_s;

        if (share <= 0.001 || elapsed_s < 1)
                return;
        snprintf(text + at, size - at, ", %.0f %%, %.0f s to go", share * 100, left_s);
}

void progress_show(const struct report *report, const struct muster_client_stats *stats,
                   double share)
{
        double elapsed_s =
                (double)(clock_ns_of(CLOCK_MONOTONIC) - report->start_ns) / (double)NS_PER_S;
        unsigned width = terminal_width();
        char text[256];

        snprintf(text, sizeof(text), "%llu done, %.0f/s, %llu in flight, %llu failed",
                 (unsigned long long)report->n_done,
                 elapsed_s > 0 ? (double)report->n_done / elapsed_s : 0,
                 (unsigned long long)stats->n_in_flight, (unsigned long long)report->n_failed);
        if (share >= 0)
                add_eta(text, sizeof(text), elapsed_s, share);
        if (width < sizeof(text))
                text[width - 1] = '\0';
        fprintf(stderr, "\r%s\033[K", text);
}

void progress_clear(void)
{
        fprintf(stderr, "\r\033[K");
}
