/* SPDX-License-Identifier: MIT */
#include "thread_time.h"

#include "clock.h"
#include "fd.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define LINE_BYTES 64 /* three numbers of 64 bits */

static _Thread_local char here; /* its address tells threads apart, without a system call */

void thread_meter_deinit(struct thread_meter *meter)
{
        if (meter->thread)
                fd_close(&meter->fd);
        meter->thread = NULL;
}

static void use_here(struct thread_meter *meter)
{
        thread_meter_deinit(meter);
        meter->fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
        meter->thread = &here;
}

int64_t thread_time_parse(const char *text)
{
        const char *second = strchr(text, ' ');
        char *end;
        unsigned long long ns;

        if (!second || second[1] < '0' || second[1] > '9')
                return -1;
        ns = strtoull(second, &end, 10);
        return ns <= INT64_MAX ? (int64_t)ns : -1;
}

static int64_t read_run_delay(const struct thread_meter *meter)
{
        char line[LINE_BYTES];
        ssize_t n = meter->fd < 0 ? -1 : pread(meter->fd, line, sizeof(line) - 1, 0);

        if (n <= 0)
                return -1;
        line[n] = '\0';
        return thread_time_parse(line);
}

int thread_meter_read(struct thread_meter *meter, struct thread_time *ret_time)
{
        bool is_new = meter->thread != &here;
        int64_t run_delay_ns = is_new ? -1 : read_run_delay(meter);
        struct rusage usage;

        /* A thread that has ended may have had this one's place in memory; its file has no text. */
        if (is_new || (run_delay_ns < 0 && meter->fd >= 0)) {
                use_here(meter);
                is_new = true;
                run_delay_ns = read_run_delay(meter);
        }
        *ret_time = (struct thread_time){ .cpu_ns = clock_ns_of(CLOCK_THREAD_CPUTIME_ID),
                .run_delay_ns = run_delay_ns,
                .n_forced = -1,
                .n_major_faults = -1 };
        if (getrusage(RUSAGE_THREAD, &usage) == 0) {
                ret_time->n_forced = usage.ru_nivcsw;
                ret_time->n_major_faults = usage.ru_majflt;
        }
        return is_new ? THREAD_METER_NEW : 0;
}
