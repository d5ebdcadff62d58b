/* SPDX-License-Identifier: MIT */
/*
 * Counters of this process and this machine, read before and after a run
 *
 * Most counters only grow, and their growth shows what happened during the run, to this program or
 * to others beside it. Those marked "level" are values at one moment. A counter that cannot be read
 * is -1: not every kernel, container or version of control groups has all of them.
 *
 *      process.user_us, process.system_us      processor time
 *      children.cpu_us                         ... of programs that it started, of those that have ended
 *      process.switches_wanted                 the process gave the processor up: it waited
 *      process.switches_forced                 it was taken away
 *      process.stops                           it was stopped (SIGSTOP, Ctrl-Z) and went on; the program counts
 *      process.peak_memory_kib                 level: the most memory that it ever had resident
 *      process.open_files                      level
 *      process.open_files_limit                level: RLIMIT_NOFILE
 *      tcp.connects                            connections that were begun
 *      tcp.connects_failed                     that did not come about
 *      tcp.resets_received                     connections that ended with a reset
 *      tcp.in_segments, tcp.out_segments       TCP segments
 *      tcp.retransmitted                       segments sent again
 *      tcp.syn_retransmits                     of these, requests for a connection and answers to them
 *      tcp.timeouts                            retransmissions because no acknowledgement came in time
 *      tcp.delayed_acks                        acknowledgements that were held back
 *      tcp.listen_overflows, tcp.listen_drops  connections that a server on this machine had no room for
 *      tcp.time_wait                           level: connections that are over but still hold their port
 *      tcp.time_wait_overflows                 that did not fit into the kernel's table of these
 *      ports.low, ports.high                   level: the range that local ports are taken from
 *      cgroup.periods                          periods of a processor quota
 *      cgroup.throttled                        of these, in which it was used up
 *      cgroup.throttled_us                     for how long this program had to stand still then
 *      pressure.cpu_us                         somebody on this machine waited for a processor
 *      machine.busy_us                         processors worked, added up; for whom ever
 *      machine.idle_us                         ... and had nothing to do
 *      machine.steal_us                        ... and the host of this virtual machine used them for others
 *      machine.suspended_us                    the machine slept
 *      output.stalled_us                       no result was taken, as the output had no room; the program counts
 *      workers.number                          of the program's own, that work on bodies; the program counts these
 *      workers.bodies                          on which they worked
 *      workers.busy_us                         for so long, all of them added up
 *      workers.full_us                         no result was taken, as they had all the bodies that they may have
 *      machine.processors                      level: on which this process may run
 *      machine.load_x100                       level: mean number of runnable tasks over a minute, times 100
 */
#ifndef RECORD_COUNTERS_H
#define RECORD_COUNTERS_H

#include <muster/record.h>
#include <stdint.h>

enum counter {
        COUNTER_USER,
        COUNTER_SYSTEM,
        COUNTER_CHILDREN,
        COUNTER_SWITCHES_WANTED,
        COUNTER_SWITCHES_FORCED,
        COUNTER_PEAK_MEMORY,
        COUNTER_OPEN_FILES,
        COUNTER_OPEN_FILES_LIMIT,
        COUNTER_CONNECTS,
        COUNTER_CONNECTS_FAILED,
        COUNTER_RESETS_RECEIVED,
        COUNTER_IN_SEGMENTS,
        COUNTER_OUT_SEGMENTS,
        COUNTER_RETRANSMITTED,
        COUNTER_SYN_RETRANSMITS,
        COUNTER_TIMEOUTS,
        COUNTER_DELAYED_ACKS,
        COUNTER_LISTEN_OVERFLOWS,
        COUNTER_LISTEN_DROPS,
        COUNTER_TIME_WAIT,
        COUNTER_TIME_WAIT_OVERFLOWS,
        COUNTER_PORTS_LOW,
        COUNTER_PORTS_HIGH,
        COUNTER_CGROUP_PERIODS,
        COUNTER_CGROUP_THROTTLED,
        COUNTER_CGROUP_THROTTLED_US,
        COUNTER_PRESSURE_CPU,
        COUNTER_BUSY,
        COUNTER_IDLE,
        COUNTER_STEAL,
        COUNTER_SUSPENDED,
        COUNTER_PROCESSORS,
        COUNTER_LOAD,
        COUNTER_OUTPUT_STALLED, /* the program counts these */
        COUNTER_STOPS,
        COUNTER_WORKERS,
        COUNTER_BODIES,
        COUNTER_BODIES_US,
        COUNTER_WORKERS_FULL,
        COUNTER_N,
};

#define COUNTER_FIRST_OF_PROGRAM COUNTER_OUTPUT_STALLED

struct counters {
        int64_t values[COUNTER_N];
};

/*
 * Read all counters but those of the program: a dozen files under /proc and /sys, which takes a fraction of a millisecond.
 */
void counters_read(struct counters *counters);

/* The name of a counter, as above; a constant. */
const char *counter_name(enum counter counter);

/*
 * The place of one that the program counts, from 0 at the beginning; NULL: it counts no such.
 */
int64_t *counters_of_program(struct counters *counters, enum muster_program_counter counter);

/* --- for tests: the parsers ------------------------------------------------------------------ */

/* The value below a name in the pairs of lines of /proc/net/snmp and netstat; -1: not found. */
int64_t counters_find_column(const char *text, const char *family, const char *name);
/* The number behind a word at the beginning of a line or behind a blank; -1: not found. */
int64_t counters_find_word(const char *text, const char *word);

/* Of /proc/stat: microseconds of all processors, with so many ticks a second. */
void counters_note_stat(struct counters *counters, const char *text, int64_t ticks_per_s);

#endif
