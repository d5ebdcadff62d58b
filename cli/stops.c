/* SPDX-License-Identifier: MIT */
#include "stops.h"

#include <signal.h>

static volatile sig_atomic_t n_stops; /* a signal handler has no argument of ours */

static void count_stop(int signal)
{
        (void)signal;
        n_stops = n_stops + 1;
}

void stops_begin(void)
{
        struct sigaction action = { .sa_handler = count_stop, .sa_flags = SA_RESTART };

        n_stops = 0;
        sigemptyset(&action.sa_mask);
        sigaction(SIGCONT, &action, NULL);
}

unsigned stops_count(void)
{
        return (unsigned)n_stops;
}
