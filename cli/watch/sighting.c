/* SPDX-License-Identifier: MIT */
#include "sighting_look.h"

#include "proc_status.h"
#include <base/clock.h>
#include <base/fd.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define JUDGED_FOR_NS (100 * NS_PER_MS) /* a process may become another program */
#define FDS_MAX       (1 << 20)
#define NAMES_PORT    53

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

void sightings_init(struct sightings *seen, const char *folder)
{
        struct timespec tick = { 0 };

        clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
        *seen = (struct sightings){ .folder = folder,
                .tick_ns = (uint64_t)tick.tv_nsec + NS_PER_MS };
}

void sightings_deinit(struct sightings *seen)
{
        for (size_t i = 0; i < seen->n_processes; i++) {
                struct sighted_process *process = &seen->processes[i];

                outside_log_end(&process->log, process->log.head.start_ns);
                fd_close(&process->pid_fd);
                mem_free(process->conns);
        }
        mem_free(seen->processes);
        mem_free(seen->tids);
        mem_free(seen->owners);
        mem_free(seen->conns);
        mem_free(seen->open);
        mem_free(seen->by_cookie);
        *seen = (struct sightings){ 0 };
}

/* --- processes ------------------------------------------------------------------------------- */

static size_t place_of(const struct sightings *seen, pid_t tid)
{
        size_t at = (size_t)tid * 2654435761u % seen->tids_size;

        while (seen->tids[at] && seen->tids[at] != tid)
                at = (at + 1) % seen->tids_size;
        return at;
}

static bool grow_tids(struct sightings *seen)
{
        struct sightings old = *seen;

        seen->tids_size = old.tids_size ? old.tids_size * 2 : 256;
        seen->tids = mem_array(seen->tids_size, sizeof(*seen->tids));
        seen->owners = mem_array(seen->tids_size, sizeof(*seen->owners));
        if (!seen->tids || !seen->owners) {
                mem_free(seen->tids);
                mem_free(seen->owners);
                *seen = old;
                return false;
        }
        for (size_t i = 0; i < old.tids_size; i++)
                if (old.tids[i]) {
                        size_t at = place_of(seen, old.tids[i]);

                        seen->tids[at] = old.tids[i];
                        seen->owners[at] = old.owners[i];
                }
        mem_free(old.tids);
        mem_free(old.owners);
        return true;
}

static struct sighted_process *add_process(struct sightings *seen, pid_t pid)
{
        struct sighted_process *list =
                mem_realloc(seen->processes, (seen->n_processes + 1) * sizeof(*list));

        if (!list)
                return NULL;
        seen->processes = list;
        list[seen->n_processes] = (struct sighted_process){
                .pid = pid,
                .pid_fd = (int)syscall(SYS_pidfd_open, pid, 0),
        };
        return &list[seen->n_processes++];
}

/* The newest with that number: an older one is over. */
static struct sighted_process *find_process(struct sightings *seen, pid_t pid)
{
        for (size_t i = seen->n_processes; i-- > 0;)
                if (seen->processes[i].pid == pid)
                        return &seen->processes[i];
        return add_process(seen, pid);
}

/* Whose thread it is. NULL: memory is out, or it is gone. */
static struct sighted_process *owner_of(struct sightings *seen, pid_t tid)
{
        struct sighted_process *process;
        size_t at;
        pid_t pid;

        if (seen->n_tids * 2 >= seen->tids_size && !grow_tids(seen))
                return NULL;
        at = place_of(seen, tid);
        if (seen->tids[at])
                return &seen->processes[seen->owners[at] - 1];
        pid = proc_process_of(tid);
        process = pid ? find_process(seen, pid) : NULL;
        if (!process)
                return NULL;
        seen->tids[at] = tid;
        seen->owners[at] = (uint32_t)(process - seen->processes) + 1;
        seen->n_tids++;
        return process;
}

static void keep_name(struct sighted_process *process, const char *path)
{
        char target[PATH_MAX];
        ssize_t n = readlink(path, target, sizeof(target) - 1);
        const char *slash;

        target[n > 0 ? n : 0] = '\0';
        slash = strrchr(target, '/');
        snprintf(process->name, sizeof(process->name), "%.63s", slash ? slash + 1 : target);
}

/* What takes the shim is seen by it, and better. */
static void judge(struct sightings *seen, struct sighted_process *process, uint64_t now_ns)
{
        struct executable executable;
        char path[40];

        if (process->judged_ns && now_ns < process->judged_ns + JUDGED_FOR_NS)
                return;
        process->judged_ns = now_ns;
        snprintf(path, sizeof(path), "/proc/%d/exe", (int)process->pid);
        executable = executable_look(path);
        process->is_outside = executable_is_seen_outside(executable.kind);
        if (process->is_outside && process->kind != executable.kind) {
                process->kind = executable.kind;
                keep_name(process, path);
        }
        if (process->is_outside && !process->log.is_begun)
                outside_log_begin(&process->log, seen->folder, process->pid,
                        executable.kind == EXECUTABLE_GO ? WATCH_LANGUAGE_GO
                                                         : WATCH_LANGUAGE_UNKNOWN,
                        now_ns);
}

/* --- connections ----------------------------------------------------------------------------- */

static bool grow(void **list, size_t n, size_t *size, size_t each)
{
        size_t wanted = *size ? *size * 2 : 64;
        void *larger;

        if (n < *size)
                return true;
        larger = mem_realloc(*list, wanted * each);
        if (!larger)
                return false;
        *list = larger;
        *size = wanted;
        return true;
}

static uint32_t add_conn(struct sightings *seen, const struct sighted_conn *conn)
{
        void *conns = seen->conns, *open = seen->open;
        bool has_room = seen->n_conns < SIGHTINGS_MAX &&
                        grow(&conns, seen->n_conns, &seen->conns_size, sizeof(*seen->conns)) &&
                        grow(&open, seen->n_open, &seen->open_size, sizeof(*seen->open));

        seen->conns = conns;
        seen->open = open;
        if (!has_room) {
                seen->n_lost++;
                return 0;
        }
        seen->conns[seen->n_conns++] = *conn;
        seen->open[seen->n_open++] = (uint32_t)seen->n_conns;
        return (uint32_t)seen->n_conns;
}

/* The last connection that a descriptor was of. NULL: memory is out. */
static uint32_t *slot_of(struct sighted_process *process, int fd)
{
        size_t n = max_u64(64, process->n_conns);
        uint32_t *conns;

        if (fd < 0 || fd >= FDS_MAX)
                return NULL;
        if ((size_t)fd < process->n_conns)
                return &process->conns[fd];
        while (n <= (size_t)fd)
                n *= 2;
        conns = mem_realloc(process->conns, n * sizeof(*conns));
        if (!conns)
                return NULL;
        memset(conns + process->n_conns, 0, (n - process->n_conns) * sizeof(*conns));
        process->conns = conns;
        process->n_conns = n;
        return &conns[fd];
}

/* --- opening --------------------------------------------------------------------------------- */

static bool read_address(const struct filter_call *call, struct sighted_conn *conn)
{
        socklen_t size = (socklen_t)min_u64(call->arguments[2], sizeof(conn->address));
        struct iovec ours = { &conn->address, size };
        struct iovec theirs = { (void *)(uintptr_t)call->arguments[1], size };

        conn->address_size = size;
        return size > sizeof(sa_family_t) &&
               process_vm_readv(call->tid, &ours, 1, &theirs, 1, 0) == (ssize_t)size;
}

static int socket_type(int fd)
{
        int type = 0;
        socklen_t size = sizeof(type);

        return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 ? type : 0;
}

static bool is_of_tcp(const struct sighted_conn *conn, int fd)
{
        return (conn->address.family == AF_INET || conn->address.family == AF_INET6) &&
               (fd < 0 || socket_type(fd) == SOCK_STREAM);
}

static bool is_of_names(const struct sighted_conn *conn, int fd)
{
        in_port_t port = conn->address.family == AF_INET ? conn->address.v4.sin_port
                                                         : conn->address.v6.sin6_port;

        return fd >= 0 && (conn->address.family == AF_INET || conn->address.family == AF_INET6) &&
               socket_type(fd) == SOCK_DGRAM && port == htons(NAMES_PORT);
}

static void follow(int sockets_fd, int fd, uint32_t number)
{
        /* With EPOLLOUT a report is made even where the program was quicker and has read it all. */
        struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                .data.u64 = number };

        epoll_ctl(sockets_fd, EPOLL_CTL_ADD, fd, &event);
}

/* The same socket calls again: it asks how its connecting goes. */
static bool is_again(const struct sightings *seen, uint32_t before, uint64_t cookie)
{
        return before && sighted_at(seen, before)->is_open && cookie &&
               sighted_at(seen, before)->cookie == cookie;
}

static uint32_t open_conn(struct sightings *seen, struct sighted_process *process,
        struct sighted_conn *conn, int fd, int sockets_fd)
{
        uint32_t *slot = slot_of(process, conn->fd);
        uint32_t number;

        if (!slot || is_again(seen, *slot, conn->cookie))
                return 0;
        if (*slot)
                sighted_gone(sighted_at(seen, *slot), conn->opened_ns - 1);
        number = add_conn(seen, conn);
        if (!number)
                return 0;
        *slot = number;
        if (conn->cookie && !conn->is_lookup)
                sighted_keep_cookie(seen, number);
        if (fd >= 0)
                follow(sockets_fd, fd, number);
        sighted_tell(seen, sighted_at(seen, number),
                (struct outside_event){ .kind = WATCH_CONNECT,
                        .at_ns = conn->opened_ns,
                        .value = EINPROGRESS,
                        .data = &conn->address,
                        .n_data = conn->address_size });
        return number;
}

uint32_t sightings_connect(struct sightings *seen, int listener, const struct filter_call *call,
        int sockets_fd, uint64_t now_ns)
{
        struct sighted_process *process = owner_of(seen, call->tid);
        struct sighted_conn conn = { .fd = (int)call->arguments[0],
                .is_open = true,
                .opened_ns = now_ns,
                .last_ns = now_ns };
        uint32_t number = 0;
        int fd;

        if (!process)
                return 0;
        process->listener = listener;
        judge(seen, process, now_ns);
        if (!process->is_outside || !read_address(call, &conn))
                return 0;
        fd = sighted_borrow(process, conn.fd);
        if (fd == -EPERM || fd == -EACCES)
                seen->refused = -fd;
        conn.process = (uint32_t)(process - seen->processes);
        conn.cookie = fd >= 0 ? sighted_cookie(fd) : 0;
        conn.is_lookup = is_of_names(&conn, fd);
        if ((conn.is_lookup || is_of_tcp(&conn, fd)) && filter_waits(listener, call->id))
                number = open_conn(seen, process, &conn, fd, sockets_fd);
        if (fd >= 0)
                close(fd);
        return number;
}

void sightings_leave(struct sightings *seen, int listener)
{
        for (size_t i = 0; i < seen->n_processes; i++)
                if (seen->processes[i].listener == listener)
                        fd_close(&seen->processes[i].pid_fd);
}

/* --- the end --------------------------------------------------------------------------------- */

static bool is_awaited(const struct sighted_conn *conn)
{
        return !conn->is_over && !conn->is_lookup && conn->cookie;
}

bool sightings_are_open(const struct sightings *seen)
{
        for (size_t i = seen->n_conns; i-- > 0;)
                if (is_awaited(&seen->conns[i]))
                        return true;
        return false;
}

uint64_t sightings_farthest_ns(const struct sightings *seen)
{
        uint64_t most_us = 0;

        for (size_t i = 0; i < seen->n_conns; i++)
                if (is_awaited(&seen->conns[i]))
                        most_us = max_u64(most_us, seen->conns[i].rtt_us);
        return most_us * NS_PER_US;
}

void sightings_end(struct sightings *seen, uint64_t now_ns)
{
        for (size_t i = 0; i < seen->n_conns; i++)
                sighted_over(seen, &seen->conns[i]);
        for (size_t i = 0; i < seen->n_processes; i++)
                outside_log_end(&seen->processes[i].log, now_ns);
}
