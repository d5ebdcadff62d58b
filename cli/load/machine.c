/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <base/clock.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>

/* Time ready to run without a processor: the second figure of schedstat(5), for each thread. */
static uint64_t delayed_ns(void)
{
        DIR *tasks = opendir("/proc/self/task");
        uint64_t sum_ns = 0;
        struct dirent *task;

        while (tasks && (task = readdir(tasks))) {
                unsigned long long used_ns, thread_ns;
                char path[300];
                FILE *file;

                if (task->d_name[0] == '.')
                        continue;
                snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", task->d_name);
                file = fopen(path, "re");
                if (file && fscanf(file, "%llu %llu", &used_ns, &thread_ns) == 2)
                        sum_ns += thread_ns;
                if (file)
                        fclose(file);
        }
        if (tasks)
                closedir(tasks);
        return sum_ns;
}

static uint64_t ns_of(struct timeval time)
{
        return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_usec * 1000;
}

struct machine_time machine_now(void)
{
        struct machine_time time = { .delayed_ns = delayed_ns() };
        struct rusage usage;

        if (getrusage(RUSAGE_SELF, &usage) == 0)
                time.used_ns = ns_of(usage.ru_utime) + ns_of(usage.ru_stime);
        return time;
}

static double of_loops(const struct machine *machine, uint64_t ns)
{
        double all_ns = (double)machine->wall_ns * machine->n_loops;

        return all_ns > 0 ? (double)ns / all_ns : 0;
}

double machine_busy(const struct machine *machine)
{
        return of_loops(machine, machine->time.used_ns);
}

double machine_delayed(const struct machine *machine)
{
        return of_loops(machine, machine->time.delayed_ns);
}

double machine_lag(const struct machine *machine)
{
        return machine->request_ns ? (double)machine->lag_ns / (double)machine->request_ns : 0;
}

enum machine_limit machine_limit(const struct machine *machine)
{
        if (machine_busy(machine) >= MACHINE_BUSY)
                return MACHINE_LIMIT_BUSY;
        if (machine_delayed(machine) >= MACHINE_DELAYED)
                return MACHINE_LIMIT_DELAYED;
        if (machine_lag(machine) >= MACHINE_LAG_SHARE)
                return MACHINE_LIMIT_LAG;
        if (machine->n_late_with_slots > 1 &&
                (double)machine->n_late_with_slots >= MACHINE_LATE * (double)machine->n_started)
                return MACHINE_LIMIT_LATE;
        if (machine->longest_turn_ns >= MACHINE_AWAY_NS)
                return MACHINE_LIMIT_AWAY;
        return MACHINE_FINE;
}
