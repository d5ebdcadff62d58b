/* SPDX-License-Identifier: MIT */
/*
 * Looking at connections: what is new since the last look, and in which order it came about
 *
 * The kernel counts bytes and pieces, and says how long ago the last was sent and came. A report
 * comes when bytes have come; by then the program may have sent more. People take turns on a
 * connection, so that the order can be told: what came answers what was sent before.
 */
#include "sighting_look.h"

#include "last_words.h"
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SOONER               0.8 /* of the time that an answer takes */
#define TCP_CLOSE_WAIT_STATE 8   /* of <netinet/tcp.h>, which has not all of TCP_INFO */
#define TCP_LAST_ACK_STATE   9
#define TCP_SYN_SENT_STATE   2
#define TCP_CLOSE_STATE      7

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/* --- what is noted --------------------------------------------------------------------------- */

bool sighted_was_left(const struct sighted_conn *conn)
{
        return conn->state == TCP_CLOSE_WAIT_STATE || conn->state == TCP_LAST_ACK_STATE;
}

void sighted_tell(struct sightings *seen, const struct sighted_conn *conn,
        struct outside_event event)
{
        event.fd = (int)(conn - seen->conns) + 1;
        if (!conn->is_lookup)
                outside_log_add(&seen->processes[conn->process].log, &event);
}

void sighted_over(struct sightings *seen, struct sighted_conn *conn)
{
        struct watch_tcp tcp = { .rtt_us = conn->rtt_us,
                .min_rtt_us = conn->min_rtt_us,
                .n_retransmits = conn->n_retransmits,
                .bytes_received = conn->n_received,
                .state = conn->state };

        if (conn->is_over)
                return;
        conn->is_open = false;
        conn->is_over = true;
        sighted_tell(seen, conn,
                (struct outside_event){ .kind = WATCH_CLOSE,
                        .at_ns = conn->last_ns,
                        .data = &tcp,
                        .n_data = sizeof(tcp) });
}

void sighted_gone(struct sighted_conn *conn, uint64_t at_ns)
{
        conn->is_open = false;
        if (!conn->gone_ns)
                conn->gone_ns = at_ns;
}

static void note_connected(struct sightings *seen, struct sighted_conn *conn, uint64_t at_ns,
        int sys)
{
        if (conn->connected_ns || conn->sys)
                return;
        if (sys)
                conn->sys = sys;
        else
                conn->connected_ns = at_ns;
        sighted_tell(seen, conn,
                (struct outside_event){ .kind = WATCH_CONNECTED, .at_ns = at_ns, .value = sys });
}

/* --- bytes ----------------------------------------------------------------------------------- */

int sighted_borrow(const struct sighted_process *process, int fd)
{
        int own;

        if (process->pid_fd < 0)
                return -ESRCH;
        own = (int)syscall(SYS_pidfd_getfd, process->pid_fd, fd, 0);
        return own >= 0 ? own : -errno;
}

uint64_t sighted_cookie(int fd)
{
        uint64_t cookie = 0;
        socklen_t size = sizeof(cookie);

        return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

/*
 * A moment of which the kernel says how long ago it was, in steps of a few milliseconds: the
 * earliest that it can have been, but not before what is known to have come first.
 */
static uint64_t moment_ago(const struct sightings *seen, uint32_t ago_ms, uint64_t least_ns,
        uint64_t now_ns)
{
        uint64_t ago_ns = ago_ms * NS_PER_MS + seen->tick_ns;
        uint64_t at_ns = now_ns - min_u64(now_ns, ago_ns);

        return min_u64(max_u64(at_ns, least_ns), now_ns);
}

static void note_sent(struct sightings *seen, struct sighted_conn *conn, uint64_t at_ns,
        uint64_t n_sent, unsigned n_pieces, bool is_exact)
{
        sighted_tell(seen, conn,
                (struct outside_event){ .kind = WATCH_SEND,
                        .at_ns = at_ns,
                        .value = (int64_t)(n_sent - conn->n_sent),
                        .extra = n_pieces });
        conn->sent_ns = at_ns;
        conn->n_sent = n_sent;
        conn->has_answer = false;
        conn->knows_sent = is_exact;
}

static void note_exchange(struct sighted_conn *conn, uint64_t at_ns)
{
        uint64_t took_ns = at_ns - min_u64(conn->sent_ns, at_ns);

        conn->n_exchanges++;
        if (conn->knows_sent && took_ns && (!conn->quickest_ns || took_ns < conn->quickest_ns))
                conn->quickest_ns = took_ns;
}

static void note_received(struct sightings *seen, struct sighted_conn *conn, uint64_t at_ns,
        uint64_t n_received)
{
        sighted_tell(seen, conn,
                (struct outside_event){ .kind = WATCH_RECEIVE,
                        .at_ns = at_ns,
                        .value = (int64_t)(n_received - conn->n_received) });
        if (conn->n_sent && !conn->has_answer)
                note_exchange(conn, at_ns);
        conn->has_answer = conn->n_sent > 0;
        conn->n_received = n_received;
        conn->answered_ns = at_ns;
}

/* What came is mostly the reason for its end: so it is taken as late as it can have been. */
static uint64_t came_ns(const struct sighted_conn *conn, const struct tcp_info *info,
        uint64_t now_ns)
{
        uint64_t ago_ns = info->tcpi_last_data_recv * NS_PER_MS;
        uint64_t at_ns = now_ns - min_u64(now_ns, ago_ns);

        if (conn->gone_ns)
                at_ns = min_u64(at_ns, conn->gone_ns);
        return max_u64(at_ns, conn->sent_ns);
}

/* --- turns ----------------------------------------------------------------------------------- */

/* What a look found to be new. */
struct news {
        uint64_t n_sent, n_received; /* in all */
        uint64_t sent_ns;            /* the last of it, at the earliest */
        uint64_t came_ns;
        unsigned n_pieces;    /* that were sent */
        bool was_sent_before; /* the last that was sent was so before the last that came */
};

static struct news news_of(const struct sightings *seen, const struct sighted_conn *conn,
        const struct tcp_info *info, uint64_t now_ns, bool is_last)
{
        uint64_t least_ns = max_u64(conn->connected_ns, conn->answered_ns);

        return (struct news){
                .n_sent = info->tcpi_bytes_sent -
                          min_u64(info->tcpi_bytes_sent, info->tcpi_bytes_retrans),
                .n_received = info->tcpi_bytes_received,
                .sent_ns = moment_ago(seen, info->tcpi_last_data_sent, least_ns, now_ns),
                .came_ns = is_last ? came_ns(conn, info, now_ns) : now_ns,
                .n_pieces = info->tcpi_data_segs_out - conn->n_pieces,
                .was_sent_before = info->tcpi_last_data_sent * NS_PER_MS >
                                   info->tcpi_last_data_recv * NS_PER_MS + 2 * seen->tick_ns,
        };
}

/* An answer came, and the program was quicker than we and sent the next request. */
static void note_next(struct sightings *seen, struct sighted_conn *conn, const struct news *news)
{
        uint64_t half = conn->n_received + (news->n_received - conn->n_received + 1) / 2;

        if (!news->was_sent_before) {
                note_received(seen, conn, news->came_ns, news->n_received);
                note_sent(seen, conn, news->came_ns, news->n_sent, news->n_pieces, true);
                return;
        }
        note_received(seen, conn, news->sent_ns, half); /* and that one was answered as well */
        note_sent(seen, conn, news->sent_ns, news->n_sent, news->n_pieces, false);
        note_received(seen, conn, news->came_ns, news->n_received);
}

/* A request was sent and answered since the last look; of two pieces one is the next request. */
static void note_whole(struct sightings *seen, struct sighted_conn *conn, const struct news *news)
{
        uint64_t least_ns = max_u64(conn->connected_ns, conn->answered_ns);
        uint64_t half = conn->n_sent + (news->n_sent - conn->n_sent + 1) / 2;

        if (news->was_sent_before || news->n_pieces < 2) {
                note_sent(seen, conn, news->sent_ns, news->n_sent, news->n_pieces, false);
                note_received(seen, conn, news->came_ns, news->n_received);
                return;
        }
        note_sent(seen, conn, least_ns, half, news->n_pieces / 2, false);
        note_received(seen, conn, news->came_ns, news->n_received);
        note_sent(seen, conn, news->came_ns, news->n_sent, news->n_pieces - news->n_pieces / 2,
                true);
}

/* It came sooner than answers do: it is the rest of one. */
static bool is_rest(const struct sighted_conn *conn, const struct news *news)
{
        return (double)(news->came_ns - min_u64(conn->answered_ns, news->came_ns)) <
               (double)conn->quickest_ns * SOONER;
}

/* On a connection people take turns: what came since the last look, and in which order? */
static void note_news(struct sightings *seen, struct sighted_conn *conn, const struct news *news)
{
        bool has_sent = news->n_sent > conn->n_sent,
             has_received = news->n_received > conn->n_received;
        bool is_under_way = conn->n_sent && !conn->has_answer;

        if (has_sent && has_received &&
                (is_under_way || (conn->n_sent && news->n_pieces < 2 && is_rest(conn, news))))
                note_next(seen, conn, news);
        else if (has_sent && has_received)
                note_whole(seen, conn, news);
        else if (has_sent)
                note_sent(seen, conn, news->sent_ns, news->n_sent, news->n_pieces, false);
        else if (has_received)
                note_received(seen, conn, news->came_ns, news->n_received);
}

static void note_info(struct sightings *seen, struct sighted_conn *conn,
        const struct tcp_info *info, uint64_t now_ns, bool is_last)
{
        struct news news = news_of(seen, conn, info, now_ns, is_last);

        conn->rtt_us = info->tcpi_rtt;
        conn->min_rtt_us = info->tcpi_min_rtt == UINT32_MAX ? info->tcpi_rtt : info->tcpi_min_rtt;
        conn->n_retransmits = info->tcpi_total_retrans;
        conn->n_segments_sent = info->tcpi_segs_out;
        note_news(seen, conn, &news);
        conn->n_pieces = info->tcpi_data_segs_out;
}

/* --- looking --------------------------------------------------------------------------------- */

/* SO_ERROR would be taken from the program: that there was an answer has to say enough. */
static int trouble_of(const struct tcp_info *info)
{
        return info->tcpi_segs_in ? ECONNREFUSED : ETIMEDOUT;
}

/* One round trip after connect(), unless something was sent twice: we may have heard of it later. */
static uint64_t connected_ns(const struct sighted_conn *conn, const struct tcp_info *info,
        uint64_t now_ns)
{
        if (info->tcpi_total_retrans || info->tcpi_min_rtt == UINT32_MAX)
                return now_ns;
        return min_u64(conn->opened_ns + info->tcpi_min_rtt * NS_PER_US, now_ns);
}

static void look_at_tcp(struct sightings *seen, struct sighted_conn *conn, int fd, uint64_t now_ns)
{
        struct tcp_info info = { 0 };
        socklen_t size = sizeof(info);

        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
                info.tcpi_state == TCP_SYN_SENT_STATE)
                return;
        if (info.tcpi_state == TCP_CLOSE_STATE && !conn->connected_ns && !info.tcpi_bytes_acked) {
                if (info.tcpi_segs_out) /* before that, connect() is still to come */
                        note_connected(seen, conn, now_ns, trouble_of(&info));
                return;
        }
        conn->state = info.tcpi_state;
        note_connected(seen, conn, connected_ns(conn, &info, now_ns), 0);
        note_info(seen, conn, &info, now_ns, false);
}

void sightings_look(struct sightings *seen, uint32_t number, uint64_t now_ns)
{
        struct sighted_conn *conn = sighted_at(seen, number);
        struct sighted_process *process = &seen->processes[conn->process];
        int fd;

        if (!conn->is_open)
                return;
        if (conn->is_lookup) { /* the first report says that it may send */
                if (conn->was_reported && !conn->answered_ns)
                        conn->answered_ns = now_ns;
                return;
        }
        fd = sighted_borrow(process, conn->fd);
        if (fd < 0 || sighted_cookie(fd) != conn->cookie) {
                if (fd == -EPERM || fd == -EACCES)
                        seen->refused = -fd;
                else
                        sighted_gone(conn, now_ns);
        } else {
                conn->last_ns = now_ns;
                look_at_tcp(seen, conn, fd, now_ns);
        }
        if (fd >= 0)
                close(fd);
}

/* --- last words ------------------------------------------------------------------------------ */

static size_t cookie_place(const struct sightings *seen, uint64_t cookie)
{
        size_t at = (size_t)(cookie * UINT64_C(0x9e3779b97f4a7c15) >> 20) % seen->by_cookie_size;

        while (seen->by_cookie[at] && sighted_at(seen, seen->by_cookie[at])->cookie != cookie)
                at = (at + 1) % seen->by_cookie_size;
        return at;
}

void sighted_keep_cookie(struct sightings *seen, uint32_t number)
{
        uint32_t *old = seen->by_cookie;
        size_t old_size = seen->by_cookie_size;

        if (seen->n_conns * 2 > old_size) {
                size_t size = old_size ? old_size * 2 : 256;
                uint32_t *table = mem_array(size, sizeof(*table));

                if (!table)
                        return;
                seen->by_cookie = table;
                seen->by_cookie_size = size;
                for (size_t i = 0; i < old_size; i++)
                        if (old[i])
                                table[cookie_place(seen, sighted_at(seen, old[i])->cookie)] =
                                        old[i];
                mem_free(old);
        }
        seen->by_cookie[cookie_place(seen, sighted_at(seen, number)->cookie)] = number;
}

void sightings_hear(struct sightings *seen, const struct last_words *words, uint64_t now_ns)
{
        uint32_t number =
                seen->by_cookie_size ? seen->by_cookie[cookie_place(seen, words->cookie)] : 0;
        struct sighted_conn *conn = number ? sighted_at(seen, number) : NULL;

        if (!conn || conn->is_over)
                return;
        if (!conn->connected_ns && words->info.tcpi_bytes_acked) /* it was quicker than we */
                note_connected(seen, conn, connected_ns(conn, &words->info, now_ns), 0);
        else if (!conn->connected_ns)
                note_connected(seen, conn, now_ns, trouble_of(&words->info));
        note_info(seen, conn, &words->info, now_ns, true);
        conn->last_ns = max_u64(conn->last_ns, max_u64(conn->answered_ns, conn->connected_ns));
        sighted_over(seen, conn);
}

void sightings_look_at_all(struct sightings *seen, uint64_t now_ns)
{
        size_t n = 0;

        for (size_t i = 0; i < seen->n_open; i++) {
                sightings_look(seen, seen->open[i], now_ns);
                if (sighted_at(seen, seen->open[i])->is_open)
                        seen->open[n++] = seen->open[i];
        }
        seen->n_open = n;
}
