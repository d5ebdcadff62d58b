/* SPDX-License-Identifier: MIT */
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "log.h"
#include "raw.h"
#include "thread.h"

#define AWAY_NS        NS_PER_MS         /* what is shorter is not told */
#define SHORT_NS       (20 * NS_PER_US)  /* a wait that took so long took nothing */
#define CPU_EVERY_NS   (200 * NS_PER_US) /* a look at the thread's processor time is a system call */
#define DELAY_EVERY_NS (5 * NS_PER_MS)   /* a look at this is three */

/* The thread's processor time. */
static uint64_t look_at_cpu(void)
{
        struct timespec t;

        if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) < 0)
                return 0;
        return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* For how long it was ready and had no processor, since it began. */
static uint64_t look_at_delay(void)
{
        char text[96];
        uint64_t delay_ns = 0;
        long n, i = 0;
        long fd = raw4(SYS_openat, AT_FDCWD, raw_address("/proc/thread-self/schedstat"),
                O_RDONLY | O_CLOEXEC, 0);

        if (fd < 0)
                return 0;
        n = raw3(SYS_read, fd, raw_address(text), sizeof text);
        raw1(SYS_close, fd);
        while (i < n && text[i] != ' ')
                i++;
        for (i++; i < n && text[i] >= '0' && text[i] <= '9'; i++)
                delay_ns = delay_ns * 10 + (uint64_t)(text[i] - '0');
        return delay_ns;
}

static uint64_t since(uint64_t now, uint64_t before, uint64_t most)
{
        uint64_t gone = now > before ? now - before : 0;

        return gone < most ? gone : most;
}

/* A wait begins: where the thread was since the last one. */
static bool tell_away(struct thread *thread, uint64_t now)
{
        uint64_t took_ns = now - thread->wait_end_ns, cpu_ns, delay_ns;

        if (thread->wait_end_ns == 0 || took_ns <= AWAY_NS)
                return false;
        if (shim.is_sealed) {
                log_event(WATCH_AWAY, -1, thread->wait_end_ns, took_ns, 0, 0);
                return true;
        }
        cpu_ns = look_at_cpu();
        delay_ns = look_at_delay();
        log_event(WATCH_AWAY, -1, thread->wait_end_ns, took_ns,
                (int64_t)since(cpu_ns, thread->cpu_ns, took_ns),
                since(delay_ns, thread->delay_ns, took_ns));
        thread->cpu_ns = cpu_ns;
        thread->delay_ns = delay_ns;
        thread->cpu_at_ns = thread->delay_at_ns = now;
        return true;
}

/*
 * It is over: what the next tell_away() is to begin from. Not each time, for looking costs something: in a wait
 * that took nothing, nothing has changed.
 */
static void note_time(struct thread *thread, uint64_t now, uint64_t took_ns)
{
        thread->wait_end_ns = now;
        if (shim.is_sealed)
                return;
        if (took_ns >= AWAY_NS) /* it may have waited for a processor at its end */
                thread->delay_at_ns = 0;
        if (now - thread->cpu_at_ns > CPU_EVERY_NS) {
                thread->cpu_ns = look_at_cpu();
                thread->cpu_at_ns = now;
        }
        if (now - thread->delay_at_ns > DELAY_EVERY_NS) {
                thread->delay_ns = look_at_delay();
                thread->delay_at_ns = now;
        }
}

bool wait_begin(struct wait *w, bool is_sleep)
{
        int sys = errno;

        if (!shim_watches())
                return false;
        w->at_ns = shim_now();
        w->was_away = !is_sleep && tell_away(thread_own(), w->at_ns);
        errno = sys;
        return true;
}

void wait_end(const struct wait *w, int fd, int n, int64_t timeout_ns)
{
        int sys = errno;
        uint64_t now = shim_now(), took_ns = now > w->at_ns ? now - w->at_ns : 0;
        uint64_t timeout_ms = ((uint64_t)timeout_ns + NS_PER_MS - 1) / NS_PER_MS;

        note_time(thread_own(), now, took_ns);
        if (took_ns >= SHORT_NS)
                this_thread.idle_ns = now;
        if (n != 0 || took_ns >= SHORT_NS || w->was_away)
                log_event(WATCH_WAIT, fd, w->at_ns, took_ns, n >= 0 ? n : -sys,
                        timeout_ns < 0 ? 0 : timeout_ms + 1);
        errno = sys;
}

void wait_slept(const struct wait *w)
{
        int sys = errno;
        uint64_t took_ns = shim_since(w->at_ns);

        if (took_ns >= SHORT_NS)
                log_event(WATCH_SLEEP, -1, w->at_ns, took_ns, 0, 0);
        errno = sys;
}
