/* SPDX-License-Identifier: MIT */
#include "sight.h"

#include "burst.h"
#include "lookups.h"
#include "talk.h"
#include <base/minmax.h>
#include <errno.h>
#include <sys/socket.h>

struct sight {
        struct watched *all;
        struct log *log;
        struct rows *heirs;
        uint32_t process;
        size_t n_links; /* that there were before */
        struct sockets sockets;
        struct sockets inherited; /* of the parent, at fork() */
        struct keys tls;          /* links by the address of their SSL */
        struct keys pending;      /* threads by that of an SSL that has no link yet */
        struct keys threads;      /* by tid */
        uint64_t last_ns;         /* of all events so far */
        bool has_exec;            /* the last event said so */
};

/* --- threads ---------------------------------------------------------------------------------- */

/* The number of the event's thread; 0: memory is out. */
static uint32_t thread_of(struct sight *sight, const struct watch_event *event)
{
        uint32_t number = keys_get(&sight->threads, (uint32_t)event->tid);
        struct thread *thread;

        if (!number) {
                thread = rows_add(&sight->all->threads);
                if (!thread)
                        return 0;
                thread->process = sight->process;
                thread->tid = event->tid;
                thread->first_ns = event->at_ns;
                number = (uint32_t)sight->all->threads.n;
                if (keys_set(&sight->threads, (uint32_t)event->tid, number) < 0)
                        return 0;
        }
        thread = watched_thread(sight->all, number);
        thread->first_ns = min_u64(thread->first_ns, event->at_ns);
        thread->last_ns = max_u64(thread->last_ns, event_end_ns(event));
        return number;
}

/* --- pieces ----------------------------------------------------------------------------------- */

static struct piece piece_of(const struct watch_event *event, uint32_t thread)
{
        return (struct piece){
                .at_ns = event->at_ns,
                .end_ns = event_end_ns(event),
                .n = event->value > 0 ? (uint64_t)event->value : 0,
                .data = event->flags & (WATCH_FLAG_TEXT | WATCH_FLAG_H2)
                                ? event_data(event)
                                : (struct muster_str){ "", 0 },
                .thread = thread,
                .n_pieces = event->kind == WATCH_SEND ? event->extra : 0,
                .is_h2 = event->flags & WATCH_FLAG_H2,
        };
}

static int note_block(struct sight *sight, const struct watch_event *event, uint32_t thread)
{
        struct block *block;

        if (!(event->flags & WATCH_FLAG_BLOCKS) || event->took_ns < 100000)
                return 0;
        block = rows_add(&sight->all->blocks);
        if (!block)
                return MUSTER_E_RESOURCE;
        *block = (struct block){ event->at_ns, event_end_ns(event), thread };
        return 0;
}

/* A connection that another process opened: it is the same one, but each has its own account. */
static void take_over(struct link *link, const struct link *parent)
{
        link->row.family = parent->row.family;
        link->row.remote = parent->row.remote;
        link->port = parent->port;
        link->is_inet = parent->is_inet;
        link->is_server = parent->is_server;
}

/* The connection of a descriptor that is used. *ret_link 0: of a descriptor that is none. */
static int link_of(struct sight *sight, const struct watch_event *event, uint32_t thread,
        uint32_t *ret_link)
{
        uint32_t parent;

        *ret_link = sockets_get(&sight->sockets, event->fd);
        if (*ret_link || event->fd < 0 || event->fd >= SOCKETS_FD_MAX)
                return 0;
        *ret_link = sockets_adopt(&sight->sockets, sight->all, event->fd, sight->process, thread,
                event->at_ns);
        if (!*ret_link)
                return MUSTER_E_RESOURCE;
        parent = sockets_get(&sight->inherited, event->fd);
        if (parent)
                take_over(watched_link(sight->all, *ret_link), watched_link(sight->all, parent));
        return 0;
}

/* May this descriptor's connection be the one of an SSL that has none yet? */
static bool is_free_for_tls(const struct sight *sight, uint32_t number)
{
        const struct link *link = number ? watched_link(sight->all, number) : NULL;

        return link && !link->tls && !link->is_server && !link->is_closed &&
               (link->speech != LINK_H1 || link->is_tunnel);
}

static int bind_tls(struct sight *sight, uint64_t tls, uint32_t number)
{
        struct link *link = watched_link(sight->all, number);

        link->tls = tls;
        link->is_tls = link->row.is_tls = true;
        return keys_set(&sight->tls, tls, number);
}

/* It has its link now, or none any more. */
static int forget_pending(struct sight *sight, uint64_t tls)
{
        uint32_t thread = keys_get(&sight->pending, tls);

        if (thread && watched_thread(sight->all, thread)->pending_tls == tls)
                watched_thread(sight->all, thread)->pending_tls = 0;
        return keys_set(&sight->pending, tls, 0);
}

/* A handshake began in memory, of the last SSL that its thread worked on. */
static int note_pending(struct sight *sight, uint64_t tls, uint32_t thread)
{
        if (forget_pending(sight, tls) < 0)
                return MUSTER_E_RESOURCE;
        watched_thread(sight->all, thread)->pending_tls = tls;
        return keys_set(&sight->pending, tls, thread);
}

/* A handshake began in memory: this is the socket that it goes out by. */
static int bind_pending(struct sight *sight, uint32_t thread_number, uint32_t link)
{
        struct thread *thread = watched_thread(sight->all, thread_number);
        uint64_t tls = thread->pending_tls;

        if (!tls || !is_free_for_tls(sight, link))
                return 0;
        if (forget_pending(sight, tls) < 0)
                return MUSTER_E_RESOURCE;
        return keys_get(&sight->tls, tls) ? 0 : bind_tls(sight, tls, link);
}

static int sent(struct sight *sight, const struct watch_event *event, uint32_t thread)
{
        struct piece piece = piece_of(event, thread);
        struct link *link;
        uint32_t number;

        if (note_block(sight, event, thread) < 0 || link_of(sight, event, thread, &number) < 0)
                return MUSTER_E_RESOURCE;
        if (!number)
                return 0;
        link = watched_link(sight->all, number);
        if (event->value <= 0) {
                if (event->value == -EPIPE || event->value == -ECONNRESET)
                        link->has_eof = true;
                return 0;
        }
        link->is_asked = false;
        sockets_connected(sight->all, number, event->at_ns, 0);
        if (bind_pending(sight, thread, number) < 0)
                return MUSTER_E_RESOURCE;
        if (!link->n_raw_sent++)
                link->first_raw_ns = piece.at_ns;
        if (!link->is_tls && talk_sent(sight->all, number, &piece) < 0)
                return MUSTER_E_RESOURCE;
        if (burst_sent(sight->all, number, &piece) < 0)
                return MUSTER_E_RESOURCE;
        if (!link->is_tls)
                return 0;
        talk_handed_over(sight->all, number, piece.end_ns);
        return 0;
}

static int was_asked(struct sight *sight, struct link *link, uint64_t at_ns)
{
        struct asked *asked;

        if (!link->is_server || link->is_asked)
                return 0;
        link->is_asked = true;
        asked = rows_add(&sight->all->asked);
        if (!asked)
                return MUSTER_E_RESOURCE;
        *asked = (struct asked){ sight->process, at_ns };
        return 0;
}

static int received(struct sight *sight, const struct watch_event *event, uint32_t thread)
{
        struct piece piece = piece_of(event, thread);
        struct link *link;
        uint32_t number;

        if (note_block(sight, event, thread) < 0 || link_of(sight, event, thread, &number) < 0)
                return MUSTER_E_RESOURCE;
        if (!number)
                return 0;
        link = watched_link(sight->all, number);
        if (event->value == 0 || event->value == -ECONNRESET) {
                link->has_eof = true;
                if (!link->is_tls || event->value < 0)
                        talk_server_ended(sight->all, number, piece.end_ns,
                                (uint16_t)-event->value);
                return 0;
        }
        if (event->value < 0)
                return 0;
        sockets_connected(sight->all, number, event->at_ns, 0);
        piece.kernel_ns = event->extra;
        link->raw_kernel_ns = event->extra;
        link->raw_read_ns = piece.end_ns;
        link->n_raw_received++;
        burst_received(sight->all, link, &piece);
        if (was_asked(sight, link, piece.end_ns) < 0)
                return MUSTER_E_RESOURCE;
        return link->is_tls ? 0 : talk_received(sight->all, number, &piece);
}

/* --- TLS -------------------------------------------------------------------------------------- */

/*
 * Was the descriptor used by this very call, or never to receive anything? Otherwise it is only the
 * one from which the thread received last.
 */
static bool is_of_call(const struct link *link, const struct watch_event *event)
{
        return event->kind != WATCH_TLS_HANDSHAKE || !link->n_raw_received || link->is_tunnel ||
               link->first_raw_ns >= event->at_ns;
}

/* The link of an SSL; *ret_link 0: not known yet. */
static int link_of_tls(struct sight *sight, const struct watch_event *event, uint32_t thread,
        uint32_t *ret_link)
{
        uint32_t number = keys_get(&sight->tls, event->extra);
        struct link *link = number ? watched_link(sight->all, number) : NULL;

        if (link && !link->is_closed && link->tls == event->extra) {
                *ret_link = number;
                return 0;
        }
        number = sockets_get(&sight->sockets, event->fd);
        *ret_link = 0;
        if (is_free_for_tls(sight, number) && is_of_call(watched_link(sight->all, number), event)) {
                *ret_link = number;
                return bind_tls(sight, event->extra, number);
        }
        if (event->kind == WATCH_TLS_HANDSHAKE)
                return note_pending(sight, event->extra, thread);
        /* What is said is worth more than by which socket. */
        *ret_link = sockets_adopt(&sight->sockets, sight->all, -1, sight->process, thread,
                event->at_ns);
        return *ret_link ? bind_tls(sight, event->extra, *ret_link) : MUSTER_E_RESOURCE;
}

/* On a socket that blocks it waits within the call, and the work is what is left. */
static uint64_t work_ns(const struct sight *sight, const struct watch_event *event, uint32_t thread)
{
        const struct rows *blocks = &sight->all->blocks;
        uint64_t ns = event->took_ns;

        for (size_t i = blocks->n; i > 0; i--) {
                const struct block *block = rows_at(blocks, i - 1);

                if (block->end_ns <= event->at_ns)
                        break;
                if (block->thread == thread && block->start_ns >= event->at_ns)
                        ns -= min_u64(block->end_ns - block->start_ns, ns);
        }
        return ns;
}

static int shook_hands(struct sight *sight, const struct watch_event *event, uint32_t thread)
{
        struct link *link;
        uint32_t number;

        if (link_of_tls(sight, event, thread, &number) < 0)
                return MUSTER_E_RESOURCE;
        if (!number)
                return 0;
        link = watched_link(sight->all, number);
        link->row.tls_work_ns += work_ns(sight, event, thread);
        if (event->value == 1 && !link->row.tls_end_ns)
                link->row.tls_end_ns = event_end_ns(event);
        return 0;
}

static int said_under_tls(struct sight *sight, const struct watch_event *event, uint32_t thread)
{
        struct piece piece = piece_of(event, thread);
        struct link *link;
        uint32_t number;

        if (event->value <= 0 && event->kind == WATCH_TLS_SEND)
                return 0;
        if (link_of_tls(sight, event, thread, &number) < 0)
                return MUSTER_E_RESOURCE;
        link = watched_link(sight->all, number);
        if (!link->row.tls_end_ns && link->was_seen_to_begin)
                link->row.tls_end_ns = event->at_ns;
        if (event->kind == WATCH_TLS_SEND)
                return talk_sent(sight->all, number, &piece);
        if (event->value == 0) {
                link->has_eof = true;
                talk_server_ended(sight->all, number, piece.end_ns, 0);
        }
        if (event->value <= 0)
                return 0;
        piece.kernel_ns = link->raw_kernel_ns;
        return talk_received(sight->all, number, &piece);
}

static int freed_tls(struct sight *sight, const struct watch_event *event)
{
        uint32_t number = keys_get(&sight->tls, event->extra);

        if (number && watched_link(sight->all, number)->tls == event->extra)
                watched_link(sight->all, number)->tls = 0;
        if (forget_pending(sight, event->extra) < 0)
                return MUSTER_E_RESOURCE;
        return keys_set(&sight->tls, event->extra, 0);
}

static int loaded_trust(struct sight *sight, const struct watch_event *event)
{
        struct program_chore *chore = rows_add(&sight->all->shim_contexts);

        if (!chore)
                return MUSTER_E_RESOURCE;
        *chore = (struct program_chore){
                .process = sight->process, .start_ns = event->at_ns, .took_ns = event->took_ns
        };
        return 0;
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int waited(struct sight *sight, const struct watch_event *event, uint32_t thread)
{
        struct wait *wait;

        watched_thread(sight->all, thread)->n_waits++;
        if (!event->took_ns)
                return 0;
        wait = rows_add(&sight->all->waits);
        if (!wait)
                return MUSTER_E_RESOURCE;
        *wait = (struct wait){ event->at_ns, event_end_ns(event), thread };
        return 0;
}

static int was_away(struct sight *sight, const struct watch_event *event, uint32_t thread)
{
        struct away *away = rows_add(&sight->all->aways);

        if (!away)
                return MUSTER_E_RESOURCE;
        *away = (struct away){ .start_ns = event->at_ns,
                .end_ns = event_end_ns(event),
                .cpu_ns = event->value > 0 ? min_u64((uint64_t)event->value, event->took_ns) : 0,
                .run_delay_ns = (int64_t)min_u64(event->extra, event->took_ns),
                .thread = thread };
        return 0;
}

/* --- events ----------------------------------------------------------------------------------- */

static int forked(struct sight *sight, const struct watch_event *event)
{
        struct inheritance *heir = rows_add(sight->heirs);

        if (!heir)
                return MUSTER_E_RESOURCE;
        heir->child = (int32_t)event->value;
        return sockets_copy(&heir->sockets, &sight->sockets);
}

/* The program said that it sends no more; what the server says after that is its answer to it. */
static int shut_down(struct sight *sight, const struct watch_event *event)
{
        bool is_tls = event->kind == WATCH_TLS_SHUTDOWN;
        uint32_t number = is_tls ? keys_get(&sight->tls, event->extra)
                                 : sockets_get(&sight->sockets, event->fd);
        struct link *link;

        if (!number || (!is_tls && event->value == SHUT_RD))
                return 0;
        link = watched_link(sight->all, number);
        link->says_goodbye = link->says_goodbye || !link->has_eof;
        return 0;
}

static int see(struct sight *sight, const struct watch_event *event)
{
        uint32_t thread = thread_of(sight, event), number;

        if (!thread)
                return MUSTER_E_RESOURCE;
        switch ((enum watch_kind)event->kind) {
        case WATCH_CONNECT:
                if (note_block(sight, event, thread) < 0)
                        return MUSTER_E_RESOURCE;
                return sockets_connect(&sight->sockets, sight->all, event, sight->process, thread);
        case WATCH_CONNECTED:
                number = sockets_get(&sight->sockets, event->fd);
                if (number)
                        sockets_connected(sight->all, number, event_end_ns(event), event->value);
                return 0;
        case WATCH_CLOSE:
                if (sockets_get(&sight->inherited, event->fd))
                        sight->inherited.links[event->fd] = 0;
                sockets_close(&sight->sockets, sight->all, event);
                return 0;
        case WATCH_SHUTDOWN:
        case WATCH_TLS_SHUTDOWN:
                return shut_down(sight, event);
        case WATCH_DUP:
                return sockets_dup(&sight->sockets, sight->all, event);
        case WATCH_ACCEPT:
                return sockets_accept(&sight->sockets, sight->all, event, sight->process, thread);
        case WATCH_SEND:
                return sent(sight, event, thread);
        case WATCH_RECEIVE:
                return received(sight, event, thread);
        case WATCH_WAIT:
                return waited(sight, event, thread);
        case WATCH_AWAY:
                return was_away(sight, event, thread);
        case WATCH_LOOKUP:
                return lookups_add(sight->all, event, sight->process, thread);
        case WATCH_TLS_HANDSHAKE:
                return shook_hands(sight, event, thread);
        case WATCH_TLS_SEND:
        case WATCH_TLS_RECEIVE:
                return said_under_tls(sight, event, thread);
        case WATCH_TLS_FREE:
                return freed_tls(sight, event);
        case WATCH_TLS_TRUST:
                return loaded_trust(sight, event);
        case WATCH_FORK:
                return forked(sight, event);
        case WATCH_NODELAY:
                number = sockets_get(&sight->sockets, event->fd);
                if (number)
                        watched_link(sight->all, number)->has_nodelay = event->value > 0;
                return 0;
        case WATCH_NONE:
        case WATCH_TLS_CONTEXT:
        case WATCH_EXEC:
        case WATCH_THREAD:
        case WATCH_SLEEP:
        case WATCH_N_KINDS:
                return 0;
        }
        return 0;
}

static int see_all(struct sight *sight)
{
        const struct watch_event *event;
        int r;

        while ((r = log_next(sight->log, &event)) == 0) {
                sight->last_ns = max_u64(sight->last_ns, event_end_ns(event));
                sight->has_exec = event->kind == WATCH_EXEC;
                if (see(sight, event) < 0)
                        return MUSTER_E_RESOURCE;
        }
        return r == LOG_END ? 0 : r;
}

/* --- the process ------------------------------------------------------------------------------ */

/* Its words, parted by blanks. */
static int keep_words(struct watched *all, const struct watch_log *head, struct process *process)
{
        char words[sizeof(head->args)];
        size_t n = head->n_args_bytes;

        while (n && !head->args[n - 1])
                n--;
        memcpy(words, head->args, n);
        for (size_t i = 0; i < n; i++)
                if (!words[i])
                        words[i] = ' ';
        return watched_keep(all, (struct muster_str){ words, n }, &process->row.words);
}

static uint32_t unseen_of(const struct watch_log *head)
{
        return (head->unseen & WATCH_UNSEEN_TLS ? PROGRAM_UNSEEN_TLS : 0) |
               (head->unseen & WATCH_UNSEEN_URING ? PROGRAM_UNSEEN_URING : 0) |
               (head->unseen & WATCH_UNSEEN_CALLS ? PROGRAM_UNSEEN_REQUESTS : 0) |
               (head->unseen & WATCH_UNSEEN_STAMPS ? PROGRAM_UNSEEN_STAMPS : 0) |
               (head->n_dropped ? PROGRAM_UNSEEN_DROPPED : 0);
}

static bool has_parent(const struct watched *all, int32_t ppid)
{
        for (uint32_t i = 1; i < all->processes.n; i++)
                if (watched_process(all, i)->row.pid == ppid)
                        return true;
        return false;
}

static int begin(struct sight *sight)
{
        const struct watch_log *head = &sight->log->head;
        struct process *process = rows_add(&sight->all->processes);

        if (!process)
                return MUSTER_E_RESOURCE;
        sight->process = (uint32_t)sight->all->processes.n;
        sight->n_links = sight->all->links.n;
        sight->last_ns = head->start_ns;
        process->has_shim = true;
        process->start_wall_ns = head->start_wall_ns;
        process->row.pid = head->pid;
        process->row.ppid = head->ppid;
        process->row.start_ns = head->start_ns;
        process->row.cpu_ns = head->end_ns ? head->end_cpu_ns : 0;
        process->row.unseen = unseen_of(head);
        if (head->language == WATCH_LANGUAGE_GO)
                process->row.language = (struct muster_str){ "Go", 2 };
        process->is_child = has_parent(sight->all, head->ppid);
        if (watched_keep(sight->all, str_of(head->exe), &process->row.exe) < 0)
                return MUSTER_E_RESOURCE;
        return keep_words(sight->all, head, process);
}

/* A child has the descriptors that its parent had at fork(). */
static void inherit(struct sight *sight)
{
        for (size_t i = sight->heirs->n; i-- > 0;) {
                struct inheritance *heir = rows_at(sight->heirs, i);

                if (heir->child != sight->log->head.pid)
                        continue;
                sight->inherited = heir->sockets;
                heir->sockets = (struct sockets){ 0 };
                heir->child = 0;
                return;
        }
}

static void end(struct sight *sight)
{
        struct process *process = watched_process(sight->all, sight->process);
        const struct watch_log *head = &sight->log->head;

        process->row.end_ns = max_u64(head->end_ns, sight->last_ns);
        process->ended = head->end_ns || sight->has_exec;
        if (sight->log->is_torn)
                process->row.unseen |= PROGRAM_UNSEEN_DROPPED;
        sockets_end(&sight->sockets, sight->all, sight->n_links, process->row.end_ns);
}

int sight_read(struct watched *all, struct log *log, struct rows *heirs)
{
        struct sight sight = { .all = all, .log = log, .heirs = heirs };
        int r;

        keys_init(&sight.tls);
        keys_init(&sight.pending);
        keys_init(&sight.threads);
        r = begin(&sight);
        if (r == 0) {
                inherit(&sight);
                r = see_all(&sight);
        }
        if (r == 0)
                end(&sight);
        sockets_deinit(&sight.sockets);
        sockets_deinit(&sight.inherited);
        keys_deinit(&sight.tls);
        keys_deinit(&sight.pending);
        keys_deinit(&sight.threads);
        return r;
}
