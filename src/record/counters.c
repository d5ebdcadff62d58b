/* SPDX-License-Identifier: MIT */
#include "counters.h"

#include <base/clock.h>
#include <base/str.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILE_BYTES_MAX (32 * 1024) /* the largest, /proc/net/netstat, has 4 */

static const char *const names[COUNTER_N] = {
        [COUNTER_USER] = "process.user_us",
        [COUNTER_SYSTEM] = "process.system_us",
        [COUNTER_CHILDREN] = "children.cpu_us",
        [COUNTER_SWITCHES_WANTED] = "process.switches_wanted",
        [COUNTER_SWITCHES_FORCED] = "process.switches_forced",
        [COUNTER_PEAK_MEMORY] = "process.peak_memory_kib",
        [COUNTER_OPEN_FILES] = "process.open_files",
        [COUNTER_OPEN_FILES_LIMIT] = "process.open_files_limit",
        [COUNTER_CONNECTS] = "tcp.connects",
        [COUNTER_CONNECTS_FAILED] = "tcp.connects_failed",
        [COUNTER_RESETS_RECEIVED] = "tcp.resets_received",
        [COUNTER_IN_SEGMENTS] = "tcp.in_segments",
        [COUNTER_OUT_SEGMENTS] = "tcp.out_segments",
        [COUNTER_RETRANSMITTED] = "tcp.retransmitted",
        [COUNTER_SYN_RETRANSMITS] = "tcp.syn_retransmits",
        [COUNTER_TIMEOUTS] = "tcp.timeouts",
        [COUNTER_DELAYED_ACKS] = "tcp.delayed_acks",
        [COUNTER_LISTEN_OVERFLOWS] = "tcp.listen_overflows",
        [COUNTER_LISTEN_DROPS] = "tcp.listen_drops",
        [COUNTER_TIME_WAIT] = "tcp.time_wait",
        [COUNTER_TIME_WAIT_OVERFLOWS] = "tcp.time_wait_overflows",
        [COUNTER_PORTS_LOW] = "ports.low",
        [COUNTER_PORTS_HIGH] = "ports.high",
        [COUNTER_CGROUP_PERIODS] = "cgroup.periods",
        [COUNTER_CGROUP_THROTTLED] = "cgroup.throttled",
        [COUNTER_CGROUP_THROTTLED_US] = "cgroup.throttled_us",
        [COUNTER_PRESSURE_CPU] = "pressure.cpu_us",
        [COUNTER_BUSY] = "machine.busy_us",
        [COUNTER_IDLE] = "machine.idle_us",
        [COUNTER_STEAL] = "machine.steal_us",
        [COUNTER_SUSPENDED] = "machine.suspended_us",
        [COUNTER_PROCESSORS] = "machine.processors",
        [COUNTER_LOAD] = "machine.load_x100",
        [COUNTER_OUTPUT_STALLED] = "output.stalled_us",
        [COUNTER_STOPS] = "process.stops",
        [COUNTER_WORKERS] = "workers.number",
        [COUNTER_BODIES] = "workers.bodies",
        [COUNTER_BODIES_US] = "workers.busy_us",
        [COUNTER_WORKERS_FULL] = "workers.full_us",
};

const char *counter_name(enum counter counter)
{
        return names[counter];
}

/* --- text ------------------------------------------------------------------------------------ */

/* Read a whole small file; "" if there is none. */
static const char *read_file(const char *path, char text[FILE_BYTES_MAX])
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        size_t len = 0;
        ssize_t n = 0;

        while (fd >= 0 && len < FILE_BYTES_MAX - 1 &&
                (n = read(fd, text + len, FILE_BYTES_MAX - 1 - len)) > 0)
                len += (size_t)n;
        if (fd >= 0)
                close(fd);
        text[len] = '\0';
        return text;
}

static int64_t number_of(struct muster_str text)
{
        uint64_t number;

        return str_to_u64(text, &number) && number <= INT64_MAX ? (int64_t)number : -1;
}

/*
 * "TcpExt: A B C\nTcpExt: 1 2 3\n": two lines that begin alike have names and values in the same
 * places.
 */
int64_t counters_find_column(const char *text, const char *family, const char *name)
{
        struct muster_str rest = str_of(text), heads, values, head, value;

        while (str_split(&rest, '\n', &heads) && str_split(&rest, '\n', &values)) {
                if (!str_starts(heads, family))
                        continue;
                while (str_split(&heads, ' ', &head) && str_split(&values, ' ', &value))
                        if (str_is(head, name))
                                return number_of(value);
        }
        return -1;
}

int64_t counters_find_word(const char *text, const char *word)
{
        struct muster_str rest = str_of(text), line, part;

        while (str_split(&rest, '\n', &line))
                while (str_split(&line, ' ', &part))
                        if (str_is(part, word) && str_split(&line, ' ', &part))
                                return number_of(part);
        return -1;
}

/* --- the process ----------------------------------------------------------------------------- */

static int64_t us_of(struct timeval time)
{
        return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

static void read_usage(int64_t *values)
{
        struct rusage usage;

        if (getrusage(RUSAGE_SELF, &usage) < 0)
                return;
        values[COUNTER_USER] = us_of(usage.ru_utime);
        values[COUNTER_SYSTEM] = us_of(usage.ru_stime);
        values[COUNTER_SWITCHES_WANTED] = usage.ru_nvcsw;
        values[COUNTER_SWITCHES_FORCED] = usage.ru_nivcsw;
        values[COUNTER_PEAK_MEMORY] = usage.ru_maxrss;
        if (getrusage(RUSAGE_CHILDREN, &usage) == 0)
                values[COUNTER_CHILDREN] = us_of(usage.ru_utime) + us_of(usage.ru_stime);
}

static void read_files(int64_t *values)
{
        DIR *directory = opendir("/proc/self/fd");
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= INT64_MAX)
                values[COUNTER_OPEN_FILES_LIMIT] = (int64_t)limit.rlim_cur;
        if (!directory)
                return;
        values[COUNTER_OPEN_FILES] = -3; /* ".", "..", and the directory itself */
        while (readdir(directory))
                values[COUNTER_OPEN_FILES]++;
        closedir(directory);
}

/* --- the network ----------------------------------------------------------------------------- */

/* The counters of this process' network namespace. */
static void read_tcp(int64_t *values, char *text)
{
        static const struct {
                enum counter counter;
                const char *path, *family, *name;
        } columns[] = {
                { COUNTER_CONNECTS, "/proc/net/snmp", "Tcp:", "ActiveOpens" },
                { COUNTER_CONNECTS_FAILED, "/proc/net/snmp", "Tcp:", "AttemptFails" },
                { COUNTER_RESETS_RECEIVED, "/proc/net/snmp", "Tcp:", "EstabResets" },
                { COUNTER_IN_SEGMENTS, "/proc/net/snmp", "Tcp:", "InSegs" },
                { COUNTER_OUT_SEGMENTS, "/proc/net/snmp", "Tcp:", "OutSegs" },
                { COUNTER_RETRANSMITTED, "/proc/net/snmp", "Tcp:", "RetransSegs" },
                { COUNTER_SYN_RETRANSMITS, "/proc/net/netstat", "TcpExt:", "TCPSynRetrans" },
                { COUNTER_TIMEOUTS, "/proc/net/netstat", "TcpExt:", "TCPTimeouts" },
                { COUNTER_DELAYED_ACKS, "/proc/net/netstat", "TcpExt:", "DelayedACKs" },
                { COUNTER_LISTEN_OVERFLOWS, "/proc/net/netstat", "TcpExt:", "ListenOverflows" },
                { COUNTER_LISTEN_DROPS, "/proc/net/netstat", "TcpExt:", "ListenDrops" },
                { COUNTER_TIME_WAIT_OVERFLOWS, "/proc/net/netstat",
                        "TcpExt:", "TCPTimeWaitOverflow" },
        };
        const char *path = "";

        for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
                if (strcmp(path, columns[i].path) != 0)
                        read_file(path = columns[i].path, text);
                values[columns[i].counter] =
                        counters_find_column(text, columns[i].family, columns[i].name);
        }
        values[COUNTER_TIME_WAIT] = counters_find_word(read_file("/proc/net/sockstat", text), "tw");
}

static void read_ports(int64_t *values, char *text)
{
        long long low, high;

        read_file("/proc/sys/net/ipv4/ip_local_port_range", text);
        if (sscanf(text, "%lld %lld", &low, &high) != 2)
                return;
        values[COUNTER_PORTS_LOW] = low;
        values[COUNTER_PORTS_HIGH] = high;
}

/* --- the processors -------------------------------------------------------------------------- */

/*
 * Read cpu.stat of our control group, below the mount point. A container may show only its own part
 * of the hierarchy: then it is in the mount point itself.
 */
static const char *read_cpu_stat(const char *mount, struct muster_str group, char *text)
{
        char path[512];
        int n = snprintf(path, sizeof(path), "%s%.*s/cpu.stat", mount, STR_ARGS(group));

        if (n > 0 && (size_t)n < sizeof(path) && *read_file(path, text))
                return text;
        snprintf(path, sizeof(path), "%s/cpu.stat", mount);
        return read_file(path, text);
}

static void note_throttling(int64_t *values, const char *text)
{
        int64_t us = counters_find_word(text, "throttled_usec"); /* version 2 */
        int64_t ns_of_version_1 = counters_find_word(text, "throttled_time");

        values[COUNTER_CGROUP_PERIODS] = counters_find_word(text, "nr_periods");
        values[COUNTER_CGROUP_THROTTLED] = counters_find_word(text, "nr_throttled");
        values[COUNTER_CGROUP_THROTTLED_US] =
                us < 0 && ns_of_version_1 >= 0 ? ns_of_version_1 / 1000 : us;
}

/* Does a list such as "cpu,cpuacct" have "cpu"? */
static bool has_cpu(struct muster_str controllers)
{
        struct muster_str part;

        while (str_split(&controllers, ',', &part))
                if (str_is(part, "cpu"))
                        return true;
        return false;
}

/*
 * /proc/self/cgroup: "0::/PATH" is version 2, "4:cpu,cpuacct:/PATH" version 1; both may be there.
 */
static void read_cgroup(int64_t *values, char *text)
{
        char groups[4096];
        struct muster_str rest, line, number, controllers;

        snprintf(groups, sizeof(groups), "%s", read_file("/proc/self/cgroup", text));
        rest = str_of(groups);
        while (values[COUNTER_CGROUP_PERIODS] < 0 && str_split(&rest, '\n', &line)) {
                if (!str_split(&line, ':', &number) || !str_split(&line, ':', &controllers))
                        continue;
                if (str_is(line, "/"))
                        line.len = 0;
                if (!controllers.len)
                        note_throttling(values, read_cpu_stat("/sys/fs/cgroup", line, text));
                else if (has_cpu(controllers))
                        note_throttling(values, read_cpu_stat("/sys/fs/cgroup/cpu", line, text));
        }
}

static void read_pressure(int64_t *values, char *text)
{
        const char *total = strstr(read_file("/proc/pressure/cpu", text), "total=");

        if (total)
                values[COUNTER_PRESSURE_CPU] = strtoll(total + strlen("total="), NULL, 10);
}

static int64_t n_processors(void)
{
        cpu_set_t set;

        if (sched_getaffinity(0, sizeof(set), &set) == 0)
                return CPU_COUNT(&set);
        return sysconf(_SC_NPROCESSORS_ONLN);
}

/* The columns of the line "cpu": man 5 proc_stat. Guests are in the first two as well. */
enum {
        STAT_USER,
        STAT_NICE,
        STAT_SYSTEM,
        STAT_IDLE,
        STAT_IOWAIT,
        STAT_IRQ,
        STAT_SOFTIRQ,
        STAT_STEAL,
        STAT_N
};

void counters_note_stat(struct counters *counters, const char *text, int64_t ticks_per_s)
{
        struct muster_str rest = str_of(text), line, part;
        int64_t us[STAT_N];

        if (ticks_per_s <= 0 || !str_split(&rest, '\n', &line) || !str_split(&line, ' ', &part) ||
                !str_is(part, "cpu"))
                return;
        for (int i = 0; i < STAT_N;) {
                if (!str_split(&line, ' ', &part))
                        return;
                if (!part.len) /* two blanks follow the name */
                        continue;
                us[i] = number_of(part);
                if (us[i] < 0 || us[i] > INT64_MAX / 1000000)
                        return;
                us[i] = us[i] * 1000000 / ticks_per_s;
                i++;
        }
        counters->values[COUNTER_BUSY] =
                us[STAT_USER] + us[STAT_NICE] + us[STAT_SYSTEM] + us[STAT_IRQ] + us[STAT_SOFTIRQ];
        counters->values[COUNTER_IDLE] = us[STAT_IDLE] + us[STAT_IOWAIT];
        counters->values[COUNTER_STEAL] = us[STAT_STEAL];
}

/* While the machine sleeps, only one of both clocks goes on. */
static void read_suspended(int64_t *values)
{
        uint64_t monotonic_ns = clock_monotonic(), boot_ns = clock_ns_of(CLOCK_BOOTTIME);

        values[COUNTER_SUSPENDED] =
                boot_ns > monotonic_ns ? (int64_t)((boot_ns - monotonic_ns) / NS_PER_US) : 0;
}

static void read_processors(int64_t *values)
{
        double load;

        values[COUNTER_PROCESSORS] = n_processors();
        if (getloadavg(&load, 1) == 1)
                values[COUNTER_LOAD] = (int64_t)(load * 100);
}

void counters_read(struct counters *counters)
{
        char text[FILE_BYTES_MAX];

        for (int i = 0; i < COUNTER_N; i++)
                counters->values[i] = -1;
        read_usage(counters->values);
        read_files(counters->values);
        read_tcp(counters->values, text);
        read_ports(counters->values, text);
        read_cgroup(counters->values, text);
        read_pressure(counters->values, text);
        counters_note_stat(counters, read_file("/proc/stat", text), sysconf(_SC_CLK_TCK));
        read_suspended(counters->values);
        read_processors(counters->values);
}

int64_t *counters_of_program(struct counters *counters, enum muster_program_counter counter)
{
        switch (counter) {
        case MUSTER_PROGRAM_OUTPUT_STALLED_US:
                return &counters->values[COUNTER_OUTPUT_STALLED];
        case MUSTER_PROGRAM_STOPS:
                return &counters->values[COUNTER_STOPS];
        case MUSTER_PROGRAM_WORKERS:
                return &counters->values[COUNTER_WORKERS];
        case MUSTER_PROGRAM_BODIES:
                return &counters->values[COUNTER_BODIES];
        case MUSTER_PROGRAM_BODIES_US:
                return &counters->values[COUNTER_BODIES_US];
        case MUSTER_PROGRAM_WORKERS_FULL_US:
                return &counters->values[COUNTER_WORKERS_FULL];
        }
        return NULL;
}
