/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "raw.h"
#include "thread.h"

#define LOG_BYTES_MAX   (UINT64_C(1) << 30)
#define LOG_BYTES_FIXED (UINT64_C(16) << 20) /* where the file cannot be filled step by step */
#define LOG_BYTES_MIN   (UINT64_C(64) << 10)
#define LOG_MEMORY_PART 8 /* of all memory at most this part: it may lie in memory */
#define LOG_DISK_PART                                                                              \
        4 /* of what is free there at most this part: the program may need some, too */

/* How much is made ready at a time: for a short program little, for others so much that it costs nothing. */
#define LOG_STEP_FIRST (UINT64_C(32) << 10)
#define LOG_STEP_MAX   (UINT64_C(256) << 10)
/* For how long a thread waits until another has made the log: a disk may be slow, but not stuck. */
#define LOG_PATIENCE_NS (100 * NS_PER_MS)

/* How much is made ready before a filter comes. */
#define LOG_SEALED_BYTES (UINT64_C(8) << 20)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

enum { STAGE_NONE, STAGE_MAKING, STAGE_MADE, STAGE_FAILED };

struct shim shim;

/* Where the kernel cannot wipe a page (before 4.14), this one is wiped by the hook of fork(). */
static struct process process_fallback;
struct process *process = &process_fallback;

static uint32_t n_generations;
static bool is_filled; /* the file has all of its room on disk */

/* --- processes ------------------------------------------------------------------------------- */

static uint64_t clock_ns(clockid_t clock)
{
        struct timespec t;

        clock_gettime(clock, &t);
        return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

void process_init(void)
{
        long page = raw6(SYS_mmap, 0, shim.page_size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (page < 0 && page > -4096)
                return;
        if (raw3(SYS_madvise, page, shim.page_size, MADV_WIPEONFORK) == 0)
                process = (struct process *)(uintptr_t)page;
        else
                raw3(SYS_munmap, page, shim.page_size, 0);
}

void process_adopt(void)
{
        uint32_t none = 0;

        process->pid = (int32_t)raw1(SYS_getpid, 0);
        process->start_ns = shim_now();
        process->start_wall_ns = clock_ns(CLOCK_REALTIME);
        process->generation = __atomic_add_fetch(&n_generations, 1, __ATOMIC_RELAXED);
        __atomic_compare_exchange_n(&process->is_alive, &none, 1, false, __ATOMIC_RELEASE,
                __ATOMIC_RELAXED);
}

void process_adopt_child(void)
{
        if (process == &process_fallback)
                process_fallback = (struct process){ 0 };
        process_own();
}

bool process_is_itself(void)
{
        return shim.is_sealed || process_own()->pid == raw1(SYS_getpid, 0);
}

/* --- making it ------------------------------------------------------------------------------- */

static char *put_text(char *at, const char *text)
{
        size_t size = strlen(text);

        memcpy(at, text, size);
        return at + size;
}

static char *put_number(char *at, uint64_t number)
{
        char digits[20];
        unsigned n = 0;

        do
                digits[n++] = (char)('0' + number % 10);
        while (number /= 10);
        while (n > 0)
                *at++ = digits[--n];
        return at;
}

/* FOLDER/shim.PID.START */
static void put_path(char *path)
{
        path = put_text(path, shim.folder);
        path = put_text(path, "/shim.");
        path = put_number(path, (uint64_t)process->pid);
        path = put_text(path, ".");
        path = put_number(path, process->start_ns);
        *path = '\0';
}

static bool limit_of(int resource, uint64_t *ret_limit)
{
        struct rlimit limit;

        if (raw4(SYS_prlimit64, 0, resource, 0, raw_address(&limit)) < 0 ||
                limit.rlim_cur == RLIM_INFINITY)
                return false;
        *ret_limit = limit.rlim_cur;
        return true;
}

static uint64_t least(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

/* How large the file may become; 0: there is no room for one. */
static uint64_t bytes_allowed(void)
{
        uint64_t bytes = LOG_BYTES_MAX, limit;
        struct sysinfo memory;

        if (raw1(SYS_sysinfo, raw_address(&memory)) == 0)
                bytes = least(bytes, memory.totalram * (memory.mem_unit ? memory.mem_unit : 1) /
                                             LOG_MEMORY_PART);
        if (limit_of(RLIMIT_FSIZE, &limit)) /* to go beyond would be a SIGXFSZ */
                bytes = least(bytes, limit);
        if (limit_of(RLIMIT_AS, &limit)) /* what is mapped here is not the program's any more */
                bytes = least(bytes, limit / 64);
        bytes -= bytes % (uint64_t)shim.page_size;
        return bytes >= LOG_BYTES_MIN ? bytes : 0;
}

/* The bytes from `from` to `to` of the file, which lies at `base`, can be written to from now on. */
static bool make_ready(uintptr_t base, uint64_t from, uint64_t to)
{
        from -= from % (uint64_t)shim.page_size;
        if (raw3(SYS_mprotect, (long)(base + from), (long)(to - from), PROT_READ | PROT_WRITE) < 0)
                return false;
        if (is_filled)
                return true;
        /* Gives an error where a store would be a SIGBUS: the disk is full, the quota is used up. */
        return raw3(SYS_madvise, (long)(base + from), (long)(to - from), MADV_POPULATE_WRITE) == 0;
}

/* What is free where the file lies, or more than anybody needs. */
static uint64_t bytes_free(int fd)
{
        struct statfs disk;

        if (raw3(SYS_fstatfs, fd, raw_address(&disk), 0) < 0 || disk.f_bsize <= 0)
                return LOG_BYTES_MAX * LOG_DISK_PART;
        return (uint64_t)disk.f_bavail * (uint64_t)disk.f_bsize;
}

static bool is_error(long result)
{
        return result < 0 && result > -4096;
}

/* The file, mapped, its header and the first step ready; NULL: it cannot be. */
static struct watch_log *map_file(int fd, uint64_t bytes)
{
        uint64_t first = least(bytes, sizeof(struct watch_log) + LOG_STEP_FIRST), mapped = bytes;
        long base;

        if (raw3(SYS_ftruncate, fd, (long)bytes, 0) < 0)
                return NULL;
        base = raw6(SYS_mmap, 0, (long)bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);
        if (is_error(base))
                return NULL;
        raw3(SYS_madvise, base, (long)bytes, MADV_DONTDUMP);
        is_filled = false;
        if (!make_ready((uintptr_t)base, 0, first)) {
                /* An older kernel, which cannot be asked: all the room is taken at once, so less of it. */
                bytes = least(bytes, LOG_BYTES_FIXED);
                is_filled = raw4(SYS_fallocate, fd, 0, 0, (long)bytes) == 0;
                if (!is_filled || raw3(SYS_ftruncate, fd, (long)bytes, 0) < 0 ||
                        !make_ready((uintptr_t)base, 0, first)) {
                        raw3(SYS_munmap, base, (long)mapped, 0);
                        return NULL;
                }
        }
        process->ready = first - sizeof(struct watch_log);
        ((struct watch_log *)(uintptr_t)base)->capacity = bytes - sizeof(struct watch_log);
        return (struct watch_log *)(uintptr_t)base;
}

static uint32_t read_args(char *args, size_t size)
{
        long fd = raw4(SYS_openat, AT_FDCWD, raw_address("/proc/self/cmdline"),
                O_RDONLY | O_CLOEXEC, 0);
        long n;

        if (fd < 0)
                return 0;
        n = raw3(SYS_read, fd, raw_address(args), (long)size);
        raw1(SYS_close, fd);
        return n > 0 ? (uint32_t)n : 0;
}

static void fill_header(struct watch_log *log)
{
        memcpy(log->magic, WATCH_MAGIC, sizeof log->magic);
        log->version = WATCH_VERSION;
        log->header_size = sizeof *log;
        log->pid = process->pid;
        log->ppid = (int32_t)raw1(SYS_getppid, 0);
        log->start_ns = process->start_ns;
        log->start_wall_ns = process->start_wall_ns;
        log->unseen = __atomic_load_n(&shim.unseen, __ATOMIC_RELAXED);
        log->n_args_bytes = read_args(log->args, sizeof log->args);
        raw4(SYS_readlinkat, AT_FDCWD, raw_address("/proc/self/exe"), raw_address(log->exe),
                sizeof log->exe - 1);
}

static struct watch_log *make(void)
{
        char path[sizeof shim.folder + 64];
        uint64_t bytes = bytes_allowed();
        struct watch_log *log;
        long fd;

        if (bytes == 0)
                return NULL;
        put_path(path);
        fd = raw4(SYS_openat, AT_FDCWD, raw_address(path),
                O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return NULL;
        raw3(SYS_fchmod, fd, 0600, 0); /* whatever the umask took away */
        bytes = least(bytes, bytes_free((int)fd) / LOG_DISK_PART);
        bytes -= bytes % (uint64_t)shim.page_size;
        log = bytes >= LOG_BYTES_MIN ? map_file((int)fd, bytes) : NULL;
        raw1(SYS_close, fd);
        if (log)
                fill_header(log);
        else
                raw3(SYS_unlinkat, AT_FDCWD, raw_address(path), 0);
        return log;
}

struct watch_log *log_get(void)
{
        return __atomic_load_n(&process_own()->log, __ATOMIC_ACQUIRE);
}

/*
 * Another thread makes it, which is soon done; but not if this is a handler in the midst of that, or one that lets
 * no other have the processor. Nobody waits any more then, though the log may still come.
 */
static void await_made(void)
{
        uint32_t making = STAGE_MAKING;
        uint64_t until_ns = shim_now() + LOG_PATIENCE_NS;

        while (!this_thread.is_making && shim_now() < until_ns) {
                if (__atomic_load_n(&process->stage, __ATOMIC_ACQUIRE) != STAGE_MAKING)
                        return;
                raw1(SYS_sched_yield, 0);
        }
        if (!this_thread.is_making)
                __atomic_compare_exchange_n(&process->stage, &making, STAGE_FAILED, false,
                        __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

struct watch_log *log_make(void)
{
        uint32_t none = STAGE_NONE;
        struct watch_log *log = log_get();

        if (log || shim.is_sealed)
                return log;
        if (!__atomic_compare_exchange_n(&process->stage, &none, STAGE_MAKING, false,
                    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
                await_made();
                return log_get();
        }
        this_thread.is_making = true;
        log = make();
        this_thread.is_making = false;
        if (log) {
                log->n_dropped = __atomic_load_n(&process->n_missed, __ATOMIC_RELAXED);
                __atomic_store_n(&process->log, log, __ATOMIC_RELEASE);
        }
        __atomic_store_n(&process->stage, log ? STAGE_MADE : STAGE_FAILED, __ATOMIC_RELEASE);
        return log;
}

/* --- events ---------------------------------------------------------------------------------- */

/* The folder is removed when the watching is over: a program that goes on is not to fill memory. */
static bool is_over(void)
{
        return raw3(SYS_faccessat, AT_FDCWD, raw_address(shim.folder), F_OK) < 0;
}

/* Make the next steps ready, up to `end`. Threads may do the same beside each other: it does no harm. */
static bool grow(struct watch_log *log, uint64_t end)
{
        uint64_t ready = __atomic_load_n(&process->ready, __ATOMIC_ACQUIRE);

        while (ready < end) {
                uint64_t to = least(ready + least(ready, LOG_STEP_MAX), log->capacity);

                if (end > log->capacity || shim.is_sealed ||
                        __atomic_load_n(&process->is_full, __ATOMIC_RELAXED))
                        return false;
                if (is_over() ||
                        !make_ready((uintptr_t)log, sizeof *log + ready, sizeof *log + to)) {
                        __atomic_store_n(&process->is_full, 1, __ATOMIC_RELAXED);
                        return false;
                }
                if (__atomic_compare_exchange_n(&process->ready, &ready, to, false,
                            __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
                        ready = to;
        }
        return true;
}

static void drop(struct watch_log *log)
{
        __atomic_add_fetch(log ? &log->n_dropped : &process->n_missed, 1, __ATOMIC_RELAXED);
}

static struct watch_event *take(enum watch_kind kind, uint32_t n_data)
{
        uint32_t size = (uint32_t)(sizeof(struct watch_event) + ((n_data + 7u) & ~7u));
        struct watch_log *log = log_get();
        struct watch_event *event;
        uint64_t at;

        /* What every process does before it becomes another one is not worth a log. */
        if (!log && kind != WATCH_EXEC)
                log = log_make();
        if (UNLIKELY(!log)) {
                drop(NULL);
                return NULL;
        }
        at = __atomic_fetch_add(&log->used, size, __ATOMIC_RELAXED);
        if (at + size > __atomic_load_n(&process->ready, __ATOMIC_ACQUIRE) &&
                !grow(log, at + size)) {
                drop(log);
                return NULL;
        }
        event = (struct watch_event *)((uintptr_t)log + sizeof *log + at);
        __atomic_store_n(&event->size, size, __ATOMIC_RELAXED);
        return event;
}

struct watch_event *log_begin(enum watch_kind kind, int fd, uint64_t at_ns, uint64_t took_ns,
        uint32_t n_data)
{
        const struct thread *thread = thread_own();
        struct watch_event *event = take(kind, n_data);

        if (!event)
                return NULL;
        event->tid = thread->tid;
        event->fd = fd;
        event->at_ns = at_ns;
        event->took_ns = took_ns;
        event->n_data = n_data;
        return event;
}

void log_event(enum watch_kind kind, int fd, uint64_t at_ns, uint64_t took_ns, int64_t value,
        uint64_t extra)
{
        struct watch_event *event = log_begin(kind, fd, at_ns, took_ns, 0);

        if (!event)
                return;
        event->value = value;
        event->extra = extra;
        log_finish(event, kind);
}

void log_data(enum watch_kind kind, int fd, uint64_t at_ns, uint64_t took_ns, int64_t value,
        const void *data, size_t size)
{
        uint32_t n_data = (uint32_t)least(size, WATCH_TEXT_MAX);
        struct watch_event *event = log_begin(kind, fd, at_ns, took_ns, n_data);

        if (!event)
                return;
        event->value = value;
        if (n_data > 0)
                memcpy(event->data, data, n_data);
        log_finish(event, kind);
}

void log_unseen(uint32_t what)
{
        struct watch_log *log;

        if ((__atomic_load_n(&shim.unseen, __ATOMIC_RELAXED) & what) == what)
                return;
        __atomic_or_fetch(&shim.unseen, what, __ATOMIC_RELAXED);
        log = log_get();
        if (log)
                __atomic_or_fetch(&log->unseen, what, __ATOMIC_RELAXED);
}

void log_seen(uint32_t what)
{
        struct watch_log *log = log_get();

        __atomic_and_fetch(&shim.unseen, ~what, __ATOMIC_RELAXED);
        if (log)
                __atomic_and_fetch(&log->unseen, ~what, __ATOMIC_RELAXED);
}

void log_end(void)
{
        struct watch_log *log = log_get();

        if (!log || shim.is_sealed)
                return;
        log->end_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        log->end_ns = shim_now();
}

void log_seal(bool is_strict)
{
        struct watch_log *log = log_make();

        if (log && !shim.is_sealed) {
                uint64_t end = __atomic_load_n(&log->used, __ATOMIC_RELAXED) + LOG_SEALED_BYTES;

                grow(log, least(end, log->capacity));
        }
        shim.is_sealed = true;
        if (is_strict)
                shim.is_on = false;
}
