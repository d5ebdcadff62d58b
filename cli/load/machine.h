/* SPDX-License-Identifier: MIT */
/*
 * Are the figures the server's, or this machine's?
 *
 * A client that is short of processor time sends late and reads late, and its figures say so of the
 * server. What tells: how busy its loops were, how long threads that could run waited for a
 * processor, how long responses lay here unread, and starts that were late although slots were free.
 */
#ifndef CLI_LOAD_MACHINE_H
#define CLI_LOAD_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_BUSY 0.85 /* of the time a loop worked: queues grow here from about that on */
#define MACHINE_DELAYED                                                                            \
        0.05 /* of the time it could have run and did not: p95 is not the server's */
#define MACHINE_LAG_SHARE 0.10     /* of the time that requests took */
#define MACHINE_LATE      0.01     /* of the starts: p99 is not the server's */
#define MACHINE_AWAY_NS   20000000 /* the loop was away: what the library gives back to timeouts */

/* Of all threads of this process; ns. */
struct machine_time {
        uint64_t used_ns, delayed_ns;
};

struct machine_time machine_now(void);

/* What one run came to. */
struct machine {
        unsigned n_loops;
        uint64_t wall_ns;
        struct machine_time time;
        uint64_t longest_turn_ns;
        uint64_t lag_ns, request_ns; /* of all requests: they lay here unread; they took */
        uint64_t n_started, n_late_with_slots;
};

enum machine_limit {
        MACHINE_FINE,
        MACHINE_LIMIT_BUSY,    /* its loops */
        MACHINE_LIMIT_DELAYED, /* other programs have its processors */
        MACHINE_LIMIT_LAG,
        MACHINE_LIMIT_LATE,
        MACHINE_LIMIT_AWAY,
};

double machine_busy(const struct machine *machine);
double machine_delayed(const struct machine *machine);
double machine_lag(const struct machine *machine);

/* The first of these that holds: what to mend first. */
enum machine_limit machine_limit(const struct machine *machine);

#endif
