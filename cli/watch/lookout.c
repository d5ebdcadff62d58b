/* SPDX-License-Identifier: MIT */
#include "lookout.h"

#include "last_words.h"
#include "reception.h"
#include <base/clock.h>
#include <base/fd.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <errno.h>
#include <muster/error.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#define PAUSE_LEAST_NS NS_PER_MS
#define PAUSE_MOST_NS  (200 * NS_PER_MS)
#define PAUSE_TIMES    50                /* as long as a look took, the next one waits */
#define ROUND_NS       (100 * NS_PER_MS) /* then all are looked at: one that was closed makes no report */
#define REPORTS_MAX    256
#define LISTENERS_MAX  200 /* at once: each takes two descriptors, of 1,024 that we may have */
#define LAST_WORDS_NS  (20 * NS_PER_MS) /* so long they are waited for */

/* In poll_fds; listeners stand behind them. */
enum { POLL_STOP, POLL_DOOR, POLL_SOCKETS, POLL_WORDS, N_OWN };

/* --- listeners ------------------------------------------------------------------------------- */

/* Room for one more to be polled. */
static bool make_room(struct lookout *lookout)
{
        size_t size = lookout->polled_size ? lookout->polled_size * 2 : 16;
        struct pollfd *poll_fds;
        struct stand_in *stand_ins;

        if (lookout->n_polled < lookout->polled_size)
                return true;
        poll_fds = mem_realloc(lookout->poll_fds, size * sizeof(*poll_fds));
        lookout->poll_fds = poll_fds ? poll_fds : lookout->poll_fds;
        stand_ins = mem_realloc(lookout->stand_ins, size * sizeof(*stand_ins));
        lookout->stand_ins = stand_ins ? stand_ins : lookout->stand_ins;
        if (!poll_fds || !stand_ins)
                return false;
        lookout->polled_size = size;
        return true;
}

static void add_polled(struct lookout *lookout, int fd)
{
        lookout->stand_ins[lookout->n_polled] = (struct stand_in){ .lifeline = -1 };
        lookout->poll_fds[lookout->n_polled++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* What looking needs is there with the first listener: most programs have none. */
static void begin_to_look(struct lookout *lookout)
{
        if (lookout->sockets_fd >= 0)
                return;
        lookout->sockets_fd = epoll_create1(EPOLL_CLOEXEC);
        lookout->words_fd = last_words_open();
        lookout->poll_fds[POLL_WORDS].fd = lookout->words_fd;
        lookout->round_ns = clock_monotonic() + ROUND_NS;
}

/* Somebody has to answer it: where there is no stand-in for us, it is we alone. */
static bool add_listener(struct lookout *lookout, int listener)
{
        if (!make_room(lookout))
                return false;
        begin_to_look(lookout);
        filter_init(listener);
        add_polled(lookout, listener);
        stand_in_init(&lookout->stand_ins[lookout->n_polled - 1], listener);
        return true;
}

static void remove_listener(struct lookout *lookout, size_t i)
{
        sightings_leave(&lookout->seen, lookout->poll_fds[i].fd);
        stand_in_deinit(&lookout->stand_ins[i], lookout->poll_fds[i].fd);
        close(lookout->poll_fds[i].fd);
        lookout->n_polled--;
        lookout->poll_fds[i] = lookout->poll_fds[lookout->n_polled];
        lookout->stand_ins[i] = lookout->stand_ins[lookout->n_polled];
}

/* --- the door -------------------------------------------------------------------------------- */

static void note_unseen(struct lookout *lookout, const struct visitor *visitor)
{
        enum executable_kind kind = executable_kind_of((enum image_kind)visitor->knock.kind);
        size_t i = 0;

        while (i < lookout->n_unseen && strcmp(lookout->unseen[i].name, visitor->knock.name) != 0)
                i++;
        if (i == UNSEEN_MAX) {
                lookout->n_more_unseen++;
                return;
        }
        if (i == lookout->n_unseen) {
                lookout->unseen[i] = (struct unseen_program){ .kind = kind, .why = visitor->why };
                memcpy(lookout->unseen[i].name, visitor->knock.name, DOOR_NAME_MAX);
                lookout->n_unseen++;
        }
        lookout->unseen[i].n_times++;
}

/* Who was started by a program that has our filter has that already, and is seen by it. */
static bool has_ours(const struct lookout *lookout, const struct visitor *visitor)
{
        return visitor->why == EBUSY && lookout->n_polled > N_OWN;
}

static void open_door(struct lookout *lookout)
{
        bool is_full = lookout->n_polled - N_OWN >= LISTENERS_MAX;
        struct visitor visitor;

        if (!reception_meet(lookout->door, lookout->is_wanted && !is_full, &visitor))
                return;
        if (lookout->is_wanted && is_full)
                visitor.why = EMFILE;
        if (visitor.listener >= 0 && !add_listener(lookout, visitor.listener)) {
                visitor.why = ENOMEM;
                fd_close(&visitor.listener);
        }
        if (visitor.listener < 0 && !has_ours(lookout, &visitor))
                note_unseen(lookout, &visitor);
        reception_let_go(&visitor);
}

/* --- the thread ------------------------------------------------------------------------------ */

static void answer(struct lookout *lookout, size_t i)
{
        struct stand_in_desk alone, *desk = lookout->stand_ins[i].desk;
        int listener = lookout->poll_fds[i].fd;
        struct filter_call call;

        desk = desk ? desk : &alone;
        if (!filter_take(listener, &desk->room, &call))
                return;
        __atomic_add_fetch(&desk->n_taken, 1, __ATOMIC_ACQ_REL);
        sightings_connect(&lookout->seen, listener, &call, lookout->sockets_fd, clock_monotonic());
        filter_let_go(listener, call.id);
        __atomic_add_fetch(&desk->n_let_go, 1, __ATOMIC_ACQ_REL);
}

/* From the last on, as one that is over has the last in its place. */
static void answer_all(struct lookout *lookout)
{
        for (size_t i = lookout->n_polled; i-- > N_OWN;) {
                if (lookout->poll_fds[i].revents & POLLIN)
                        answer(lookout, i);
                else if (lookout->poll_fds[i].revents) /* nobody has the filter any more */
                        remove_listener(lookout, i);
        }
}

static void read_reports(struct lookout *lookout)
{
        struct epoll_event reports[REPORTS_MAX];
        uint64_t now_ns = clock_monotonic();
        int n = epoll_wait(lookout->sockets_fd, reports, REPORTS_MAX, 0);

        for (int i = 0; i < n; i++) {
                uint32_t number = (uint32_t)reports[i].data.u64;

                sightings_look(&lookout->seen, number, now_ns);
                lookout->seen.conns[number - 1].was_reported = true;
        }
}

static void hear(struct lookout *lookout)
{
        uint64_t now_ns = clock_monotonic();
        struct last_words words;

        while (lookout->words_fd >= 0 && last_words_read(lookout->words_fd, &words))
                sightings_hear(&lookout->seen, &words, now_ns);
}

static void pause_after(struct lookout *lookout, uint64_t start_ns)
{
        uint64_t now_ns = clock_monotonic();

        lookout->look_ns = now_ns + clamp_u64((now_ns - start_ns) * PAUSE_TIMES, PAUSE_LEAST_NS,
                                            PAUSE_MOST_NS);
}

static struct timespec until(uint64_t at_ns, uint64_t now_ns)
{
        uint64_t ns = at_ns - min_u64(at_ns, now_ns);

        return (struct timespec){ .tv_sec = (time_t)(ns / NS_PER_S),
                .tv_nsec = (long)(ns % NS_PER_S) };
}

/* Wait until something is to be done. False: this cannot be. */
static bool await(struct lookout *lookout)
{
        uint64_t now_ns = clock_monotonic();
        bool has_begun = lookout->sockets_fd >= 0, may_look = now_ns >= lookout->look_ns;
        struct timespec rest =
                until(may_look ? lookout->round_ns : min_u64(lookout->look_ns, lookout->round_ns),
                        now_ns);

        /* While it pauses, nobody waits for reports, and nobody is woken by them. */
        lookout->poll_fds[POLL_SOCKETS].fd = may_look ? lookout->sockets_fd : -1;
        lookout->poll_fds[POLL_WORDS].fd = may_look ? lookout->words_fd : -1;
        for (size_t i = 0; i < lookout->n_polled; i++)
                lookout->poll_fds[i].revents = 0;
        return ppoll(lookout->poll_fds, lookout->n_polled, has_begun ? &rest : NULL, NULL) >= 0 ||
               errno == EINTR;
}

static void look(struct lookout *lookout)
{
        const struct pollfd *poll_fds = lookout->poll_fds;
        bool has_reports = poll_fds[POLL_SOCKETS].revents, has_words = poll_fds[POLL_WORDS].revents;
        uint64_t now_ns = clock_monotonic();

        if (has_reports)
                read_reports(lookout);
        if (has_words)
                hear(lookout);
        if (now_ns >= lookout->round_ns) {
                sightings_look_at_all(&lookout->seen, now_ns);
                lookout->round_ns = clock_monotonic() + ROUND_NS;
                has_reports = true;
        }
        if (has_reports || has_words)
                pause_after(lookout, now_ns);
}

static void *look_out(void *data)
{
        struct lookout *lookout = data;

        prctl(PR_SET_NAME, "lookout");
        while (await(lookout)) {
                bool is_knocked_at = lookout->poll_fds[POLL_DOOR].revents;

                answer_all(lookout);
                if (lookout->poll_fds[POLL_STOP].revents)
                        return NULL;
                if (lookout->sockets_fd >= 0)
                        look(lookout);
                if (is_knocked_at)
                        open_door(lookout);
        }
        return NULL;
}

/* --- from outside ---------------------------------------------------------------------------- */

int lookout_begin(struct lookout *lookout, bool is_wanted, const char *folder)
{
        *lookout = (struct lookout){ .is_wanted = is_wanted,
                .door = reception_open(folder),
                .stop_fd = eventfd(0, EFD_CLOEXEC),
                .sockets_fd = -1,
                .words_fd = -1 };
        sightings_init(&lookout->seen, folder);
        if (lookout->stop_fd < 0 || !make_room(lookout))
                return MUSTER_E_RESOURCE;
        add_polled(lookout, lookout->stop_fd);
        add_polled(lookout, lookout->door);
        add_polled(lookout, -1);
        add_polled(lookout, -1);
        if (pthread_create(&lookout->thread, NULL, look_out, lookout) != 0)
                return MUSTER_E_RESOURCE;
        lookout->is_begun = true;
        return 0;
}

/* The kernel takes sockets away when the other side has heard that they end. */
static void wait_for_last_words(struct lookout *lookout)
{
        struct pollfd poll_fd = { .fd = lookout->words_fd, .events = POLLIN };
        uint64_t now_ns = clock_monotonic(), end_ns;

        sightings_look_at_all(&lookout->seen, now_ns);
        end_ns = now_ns + LAST_WORDS_NS +
                 2 * min_u64(sightings_farthest_ns(&lookout->seen), NS_PER_S / 4);
        for (; lookout->words_fd >= 0 && now_ns < end_ns; now_ns = clock_monotonic()) {
                hear(lookout);
                if (!sightings_are_open(&lookout->seen))
                        return;
                poll(&poll_fd, 1, (int)((end_ns - now_ns) / NS_PER_MS) + 1);
        }
}

void lookout_end(struct lookout *lookout)
{
        uint64_t one = 1;

        if (lookout->is_begun) {
                (void)!write(lookout->stop_fd, &one, sizeof(one));
                pthread_join(lookout->thread, NULL);
                lookout->is_begun = false;
                if (lookout->sockets_fd >= 0)
                        wait_for_last_words(lookout);
                sightings_end(&lookout->seen, clock_monotonic());
        }
        while (lookout->n_polled > N_OWN)
                remove_listener(lookout, lookout->n_polled - 1);
        fd_close(&lookout->door);
        fd_close(&lookout->stop_fd);
        fd_close(&lookout->sockets_fd);
        fd_close(&lookout->words_fd);
}

void lookout_deinit(struct lookout *lookout)
{
        lookout_end(lookout);
        sightings_deinit(&lookout->seen);
        mem_free(lookout->poll_fds);
        mem_free(lookout->stand_ins);
        lookout->poll_fds = NULL;
        lookout->stand_ins = NULL;
}
