/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include "loop_backend.h"
#include <assert.h>
#include <base/fd.h>
#include <base/mem.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * On a manual clock: how long the real kernel gets to deliver loopback traffic before time jumps.
 */
#define MANUAL_PATIENCE_NS (2 * NS_PER_MS)

/*
 * The same for other threads that are going to wake the loop: longer, as the machine may be busy.
 */
#define MANUAL_THREADS_PATIENCE_NS (200 * NS_PER_MS)

/*
 * A wait of at least this length did sleep. A shorter one may only have lost the processor between
 * two calls.
 */
#define SURE_SLEEP_NS (1 * NS_PER_MS)

static struct loop_socket *socket_of(struct list *link)
{
        return LIST_OWNER(link, struct loop_socket, ready_link);
}

static struct loop_watch *watch_of(struct list *link)
{
        return LIST_OWNER(link, struct loop_watch, ready_link);
}

static struct loop_timer *timer_of(struct heap_node *node)
{
        return LIST_OWNER(node, struct loop_timer, node);
}

/* --- waking from elsewhere ------------------------------------------------------------------- */

static void wake_ready(struct loop_watch *watch, bool readable, bool writable)
{
        uint64_t n;

        (void)writable;
        if (readable && read(watch->fd, &n, sizeof(n)) == sizeof(n))
                watch->loop->was_woken = true;
}

void loop_wake(struct loop *loop)
{
        uint64_t one = 1;
        int saved = errno;
        ssize_t n = write(loop->wake_fd, &one, sizeof(one));

        (void)n; /* it fails only if the counter is full: then the loop has a wake-up already */
        errno = saved;
}

/* --- making and unmaking --------------------------------------------------------------------- */

static int init_backend(struct loop *loop, int *ret_sys)
{
        int r;

        assert(!loop->backend);
        loop->backend = &loop_backend_epoll;
        r = loop->backend->init(loop, ret_sys);
        if (r < 0)
                loop->backend = NULL;
        return r;
}

static int init_wake(struct loop *loop, int *ret_sys)
{
        assert(loop->backend && loop->wake_fd < 0);
        loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (loop->wake_fd < 0) {
                *ret_sys = errno;
                return MUSTER_E_RESOURCE;
        }
        loop->wake_watch.ready = wake_ready;
        return loop_watch_set(loop, &loop->wake_watch, loop->wake_fd, true, false);
}

static void sample_clock(struct loop *loop)
{
        loop->now_ns = clock_now(loop->clock);
        loop->realtime_offset_ns = (int64_t)(clock_ns_of(CLOCK_REALTIME) - loop->now_ns);
}

int loop_init(struct loop *loop, struct clock *clock, int *ret_sys)
{
        int r;

        assert(clock);
        *loop = (struct loop){
                .clock = clock, .wake_fd = -1, .fd = -1, .timer_fd = -1, .stamp_fd = -1
        };
        list_init(&loop->ready_sockets);
        list_init(&loop->ready_watches);
        *ret_sys = ENOMEM;
        loop->buffer = mem_alloc(LOOP_BUFFER_BYTES);
        if (!loop->buffer)
                return MUSTER_E_RESOURCE;
        r = init_backend(loop, ret_sys);
        if (r == 0)
                r = init_wake(loop, ret_sys);
        if (r < 0) {
                loop_deinit(loop);
                return r;
        }
        loop_keep_stamping(loop);
        sample_clock(loop);
        loop->wait_ended_ns = loop->now_ns;
        return 0;
}

void loop_deinit(struct loop *loop)
{
        fd_close(&loop->timer_fd);
        fd_close(&loop->wake_fd);
        fd_close(&loop->stamp_fd);
        if (loop->backend)
                loop->backend->deinit(loop);
        loop->backend = NULL;
        heap_deinit(&loop->timers);
        loop->buffer = mem_free(loop->buffer);
}

/* --- one turn -------------------------------------------------------------------------------- */

void loop_mark_ready(struct loop_socket *socket)
{
        assert(loop_socket_is_open(socket));
        if (!list_is_linked(&socket->ready_link))
                list_push_back(&socket->loop->ready_sockets, &socket->ready_link);
}

void loop_deliver(struct loop_socket *socket, const struct loop_event *event)
{
        assert(socket->loop && !socket->failed);
        if (event->kind == LOOP_FAILED)
                socket->failed = true;
        if (event->kind == LOOP_EOF || event->kind == LOOP_FAILED)
                socket->ended = true;
        socket->handle(socket, event);
}

/* Each ready socket gets one step a turn, so that a fast one does not starve the others. */
static void step_sockets(struct loop *loop)
{
        struct list round;
        struct list *link;

        list_init(&round);
        list_splice(&round, &loop->ready_sockets);
        while ((link = list_pop(&round)))
                loop->backend->step(socket_of(link));
}

static void call_watches(struct loop *loop)
{
        struct list round;
        struct list *link;

        list_init(&round);
        list_splice(&round, &loop->ready_watches);
        while ((link = list_pop(&round))) {
                struct loop_watch *watch = watch_of(link);
                bool readable = watch->is_ready_read, writable = watch->is_ready_write;

                watch->is_ready_read = watch->is_ready_write = false;
                watch->ready(watch, readable, writable);
        }
}

/*
 * Fire the timers that were due when the wait ended, and no others: a handler may set a timer to
 * the present moment, which must not keep this turn from ending.
 */
static void fire_timers(struct loop *loop)
{
        loop->is_firing = true;
        while (heap_top_key(&loop->timers) <= loop->now_ns) {
                struct heap_node *node = heap_top(&loop->timers);
                uint64_t late = loop->now_ns - heap_top_key(&loop->timers);

                heap_remove(&loop->timers, node);
                timer_of(node)->fire(timer_of(node), late);
        }
        loop->is_firing = false;
}

static uint64_t until_next(const struct loop *loop, uint64_t until_ns, uint64_t now)
{
        uint64_t next = heap_top_key(&loop->timers);

        if (until_ns < next)
                next = until_ns;
        if (next == UINT64_MAX)
                return UINT64_MAX;
        return next > now ? next - now : 0;
}

/*
 * Wait on a manual clock, which does not move by itself: look, be patient for a moment, then jump
 * to the next deadline.
 */
static int wait_manual(struct loop *loop, uint64_t until_ns)
{
        uint64_t timeout = until_next(loop, until_ns, loop->clock->manual_ns);
        uint64_t patience = timeout;
        int r;

        assert(loop->clock->is_manual);
        if (timeout && timeout != UINT64_MAX)
                patience = loop->n_elsewhere ? MANUAL_THREADS_PATIENCE_NS : MANUAL_PATIENCE_NS;
        r = loop->backend->wait(loop, patience);
        if (r == 0 && timeout != UINT64_MAX && list_is_empty(&loop->ready_sockets) &&
                list_is_empty(&loop->ready_watches))
                loop->clock->manual_ns += timeout;
        return r;
}

static int wait_real(struct loop *loop, uint64_t until_ns, uint64_t now_ns)
{
        return loop->backend->wait(loop, until_next(loop, until_ns, now_ns));
}

/* Note how long the loop has been away since its last wait. */
static void note_turn_length(struct loop *loop, uint64_t now_ns)
{
        uint64_t turn = now_ns - loop->wait_ended_ns;

        if (loop->stats.n_turns > 0 && turn > loop->stats.longest_turn_ns)
                loop->stats.longest_turn_ns = turn;
}

void loop_note_due(struct loop *loop, uint64_t at_ns)
{
        if (!loop->slept_from_ns || at_ns < loop->slept_from_ns || at_ns > loop->wait_ended_ns)
                return;
        if (!loop->due_ns || at_ns < loop->due_ns)
                loop->due_ns = at_ns;
}

int loop_turn(struct loop *loop, uint64_t until_ns)
{
        uint64_t wait_began_ns = clock_now(loop->clock);
        int r;

        assert(loop->backend);
        /*
         * The owner's work since the last turn counts as well. A foreign loop has waited in that
         * time, though.
         */
        if (loop->timer_fd < 0)
                note_turn_length(loop, wait_began_ns);
        loop->stats.n_turns++;
        if (!list_is_empty(&loop->ready_sockets))
                until_ns = 0;
        r = loop->clock->is_manual ? wait_manual(loop, until_ns)
                                   : wait_real(loop, until_ns, wait_began_ns);
        if (r < 0)
                return r;
        sample_clock(loop);
        loop->wait_ended_ns = loop->now_ns;
        loop->slept_from_ns = loop->now_ns - wait_began_ns >= SURE_SLEEP_NS ? wait_began_ns : 0;
        loop->due_ns = 0;
        loop_note_due(loop, heap_top_key(&loop->timers));
        if (list_is_empty(&loop->ready_sockets) && list_is_empty(&loop->ready_watches))
                loop->stats.n_waits_empty++;
        call_watches(loop);
        step_sockets(loop);
        if (r != LOOP_WAIT_PARTIAL)
                fire_timers(loop);
        note_turn_length(loop, clock_now(loop->clock));
        return 0;
}

/* --- a foreign loop -------------------------------------------------------------------------- */

static void mirror_deadline(struct loop *loop)
{
        uint64_t at = heap_top_key(&loop->timers);
        struct itimerspec when = { 0 };

        if (loop->timer_fd < 0)
                return;
        if (at != UINT64_MAX) {
                when.it_value.tv_sec = (time_t)(at / NS_PER_S);
                when.it_value.tv_nsec = (long)(at % NS_PER_S);
                if (!at)
                        when.it_value.tv_nsec = 1; /* zero would disarm the timer */
        }
        timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void timer_fd_ready(struct loop_watch *watch, bool readable, bool writable)
{
        uint64_t n;

        (void)writable;
        if (readable && read(watch->fd, &n, sizeof(n)) < 0)
                return; /* the timer was set anew in between */
        mirror_deadline(watch->loop);
}

int loop_pollable_fd(struct loop *loop)
{
        int r;

        if (loop->timer_fd >= 0)
                return loop->fd;
        loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        if (loop->timer_fd < 0)
                return MUSTER_E_RESOURCE;
        loop->timer_watch.ready = timer_fd_ready;
        r = loop_watch_set(loop, &loop->timer_watch, loop->timer_fd, true, false);
        if (r < 0)
                return r;
        mirror_deadline(loop);
        return loop->fd;
}

/* --- timers ---------------------------------------------------------------------------------- */

int loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t at_ns)
{
        uint64_t before = heap_top_key(&loop->timers);
        int r;

        assert(timer->fire);
        if (at_ns == UINT64_MAX) {
                loop_timer_stop(loop, timer);
                return 0;
        }
        if (loop->is_firing && at_ns == loop->now_ns)
                at_ns = loop->now_ns + 1;
        r = heap_set(&loop->timers, &timer->node, at_ns);
        if (heap_top_key(&loop->timers) != before)
                mirror_deadline(loop);
        return r;
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
        heap_remove(&loop->timers, &timer->node);
}

/* --- watches --------------------------------------------------------------------------------- */

int loop_watch_set(struct loop *loop, struct loop_watch *watch, int fd, bool want_read,
        bool want_write)
{
        bool is_new = !watch->loop;
        int r;

        assert(is_new || watch->loop == loop);
        if (is_new && !want_read && !want_write)
                return 0;
        assert(fd >= 0 && watch->ready);
        watch->loop = loop;
        watch->fd = fd;
        watch->want_read = want_read;
        watch->want_write = want_write;
        r = loop->backend->watch(watch, is_new);
        if (r < 0 || (!want_read && !want_write)) {
                list_remove(&watch->ready_link);
                watch->loop = NULL;
                watch->is_ready_read = watch->is_ready_write = false;
        }
        return r;
}
