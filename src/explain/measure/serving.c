/* SPDX-License-Identifier: MIT */
#include "serving.h"

#include "conns.h"
#include "dialling.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/facts/sort.h>

#define UNSERVED_MOST 10000 /* each is held against all that were served */

/* A connection that was answered: the first request on it, and what became of it. */
struct served {
        uint64_t asked_ns, first_ns; /* began to wait; its first answer */
        uint64_t used_ns,
                ended_ns;  /* its last answer; its end: UINT64_MAX where the run's was first */
        uint64_t slack_ns; /* within which the end of another one lets it in */
        uint64_t
                handing_ns; /* ... and what the server may take for that beyond it, after its end */
        bool is_ended_by_server;
};

struct books {
        const struct facts *facts;
        struct served *served; /* by connection, and then those alone that were answered */
        size_t n;
        uint64_t *kept_ns; /* answers on connections that were served */
        size_t n_kept;
        uint64_t least_tcp_ns;
        bool were_dropped;                            /* first packets, by the server's kernel */
        uint64_t first_unserved_ns, last_unserved_ns; /* when they began to wait, and gave up */
};

static bool is_first(const struct trace_attempt *attempt)
{
        return !attempt->is_reused && attempt->http_version < 20;
}

static bool is_at_host(const struct books *books, const struct trace_attempt *attempt)
{
        return attempt->origin == books->facts->hosts[0].origin;
}

/*
 * When it began to wait. While the kernel dropped its first packets it waited as well; else what
 * connecting took was our own or the network's.
 */
static uint64_t asked_ns(const struct trace_conn *conn, uint64_t least_tcp_ns)
{
        if (!conn_n_syns_again(conn, least_tcp_ns))
                return conn->tcp_end_ns;
        return conn->dns_end_ns ? conn->dns_end_ns : conn->opened_ns;
}

static void note_attempt(struct books *books, const struct trace_attempt *attempt)
{
        const struct record *record = books->facts->record;
        const struct trace_conn *conn = conn_of_attempt(record, attempt);
        struct served *served;

        if (!conn || !trace_is_answered(attempt) || !attempt->stamps.slot_ns ||
                attempt->stamps.first_byte_read_ns < attempt->stamps.slot_ns ||
                !is_at_host(books, attempt))
                return;
        served = &books->served[conn - record->conns];
        if (is_first(attempt)) {
                served->asked_ns = asked_ns(conn, books->least_tcp_ns);
                served->first_ns = attempt->stamps.first_byte_read_ns;
        } else {
                books->kept_ns[books->n_kept++] =
                        attempt->stamps.first_byte_read_ns - attempt->stamps.slot_ns;
        }
        if (life_end_ns(attempt) > served->used_ns)
                served->used_ns = life_end_ns(attempt);
}

/* Those that were answered, in the order of their first answers. */
static int put_in_order(struct books *books)
{
        const struct record *record = books->facts->record;
        struct sort_pair *pairs = mem_array(record->n_conns, sizeof(*pairs));
        struct served *in_order = mem_array(record->n_conns, sizeof(*in_order));

        for (size_t i = 0; pairs && in_order && i < record->n_conns; i++)
                if (books->served[i].first_ns)
                        pairs[books->n++] = (struct sort_pair){ books->served[i].first_ns, i };
        if (pairs && in_order)
                sort_pairs(pairs, books->n);
        for (size_t i = 0; i < books->n; i++)
                in_order[i] = books->served[pairs[i].value];
        mem_free(pairs);
        if (!in_order)
                return MUSTER_E_RESOURCE;
        mem_free(books->served);
        books->served = in_order;
        return books->n || !record->n_conns ? 0 : MUSTER_E_RESOURCE;
}

static int open_books(struct books *books, const struct facts *facts)
{
        const struct record *record = facts->record;
        struct dialling dialling;

        dialling_of(&dialling, facts);
        *books = (struct books){ .facts = facts,
                .least_tcp_ns = dialling.tcp_ns.min,
                .were_dropped = dialling.n_syns_again > 0,
                .first_unserved_ns = UINT64_MAX,
                .served = mem_array(record->n_conns, sizeof(*books->served)),
                .kept_ns = mem_array(record->n_attempts, sizeof(*books->kept_ns)) };
        if (!books->served || !books->kept_ns)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < record->n_attempts; i++)
                note_attempt(books, &record->attempts[i]);
        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];
                bool is_open = conn->closer == TRACE_CLOSED_BY_END;

                books->served[i].ended_ns = is_open ? UINT64_MAX : conn->closed_ns;
                books->served[i].is_ended_by_server = conn->closer == TRACE_CLOSED_BY_SERVER;
        }
        return put_in_order(books);
}

static void close_books(struct books *books)
{
        mem_free(books->served);
        mem_free(books->kept_ns);
}

/* --- who waited ------------------------------------------------------------------------------ */

static uint64_t wait_ns(const struct served *served)
{
        return served->first_ns > served->asked_ns ? served->first_ns - served->asked_ns : 0;
}

static void measure_waits(struct serving *serving, const struct books *books)
{
        struct spread kept;
        uint64_t least_ns = UINT64_MAX, far_ns;

        spread_of(&kept, books->kept_ns, books->n_kept);
        for (size_t i = 0; i < books->n; i++) {
                uint64_t ns = wait_ns(&books->served[i]);

                serving->longest_ns = ns > serving->longest_ns ? ns : serving->longest_ns;
                least_ns = ns < least_ns ? ns : least_ns;
        }
        serving->typical_ns = kept.n ? kept.p50 : least_ns;
        far_ns = whole_of(FIRST_FAR_LONGER * (double)(kept.n ? kept.p90 : least_ns));
        serving->late_ns = whole_of((double)serving->longest_ns * WAITED_LEAST);
        if (far_ns > serving->late_ns)
                serving->late_ns = far_ns;
        if (serving->late_ns < WAITED_LEAST_NS)
                serving->late_ns = WAITED_LEAST_NS;
}

/*
 * Where the kernel dropped first packets, a connection comes in only with the next one that it
 * sends, and in between these are ever longer pauses.
 */
static void measure_slack(const struct serving *serving, struct books *books)
{
        uint64_t slack_ns =
                2 * serving->typical_ns + books->facts->longest_turn_ns + CLOSED_AT_ONCE_NS;

        for (size_t i = 0; i < books->n; i++)
                books->served[i].slack_ns =
                        slack_ns + (books->were_dropped ? wait_ns(&books->served[i]) / 2 : 0);
}

/*
 * How soon after an end its worker has another connection depends on when it gets a processor, on a
 * busy machine beyond any bound. What tells is that nobody was let in for long, until the end. So the
 * answer may come a part of that time later. Where ends come in a burst they share the time before
 * the first of them. At a full server somebody is let in all the time.
 */
static void measure_handing(const struct books *books, const struct sort_pair *ends, size_t n_ends)
{
        uint64_t last_ns = 0, burst_ns = 0, handing_ns = 0;
        size_t first = 0;

        for (size_t e = 0; e < n_ends; e++) {
                uint64_t end_ns = ends[e].key;

                for (; first < books->n && books->served[first].first_ns <= end_ns; first++)
                        last_ns = max_u64(last_ns, books->served[first].first_ns);
                if (!burst_ns || end_ns > burst_ns + handing_ns) {
                        burst_ns = end_ns;
                        handing_ns =
                                last_ns ? whole_of((double)(end_ns - last_ns) * WAITED_LEAST) : 0;
                }
                books->served[ends[e].value].handing_ns = handing_ns;
                last_ns = max_u64(last_ns, end_ns);
        }
}

static bool is_waiter(const struct serving *serving, const struct served *served)
{
        return wait_ns(served) > serving->late_ns;
}

static void take_end(struct serving *serving, const struct served *end, uint64_t *idle_ns)
{
        uint64_t unused_ns = end->ended_ns > end->used_ns ? end->ended_ns - end->used_ns : 0;

        serving->n_ended_by_server += end->is_ended_by_server;
        if (unused_ns >= CLOSED_AT_ONCE_NS)
                idle_ns[serving->n_idle_ends++] = unused_ns;
}

/* The end came too long before to have let that one in. */
static bool is_over(const struct books *books, const struct sort_pair *end,
        const struct served *waiter)
{
        const struct served *ended = &books->served[end->value];

        return end->key + waiter->slack_ns + ended->handing_ns < waiter->first_ns;
}

/*
 * Each that waited takes the first end that came just before its answer and that no other one has
 * taken. Returns how many found one. `ends` are in their order.
 */
static size_t match_ends(struct serving *serving, const struct books *books,
        const struct sort_pair *ends, size_t n_ends, uint64_t *idle_ns)
{
        uint64_t turn_ns = books->facts->longest_turn_ns;
        size_t n = 0, e = 0;

        for (size_t i = 0; i < books->n; i++) {
                const struct served *waiter = &books->served[i];

                if (!is_waiter(serving, waiter))
                        continue;
                serving->n_waited++;
                while (e < n_ends && is_over(books, &ends[e], waiter))
                        e++;
                if (e == n_ends || ends[e].key > waiter->first_ns + turn_ns)
                        continue;
                take_end(serving, &books->served[ends[e++].value], idle_ns);
                n++;
        }
        spread_of(&serving->idle_ns, idle_ns, serving->n_idle_ends);
        return n;
}

static size_t match(struct serving *serving, const struct books *books, uint64_t *idle_ns)
{
        struct sort_pair *ends = mem_array(books->n, sizeof(*ends));
        size_t n = 0, n_matched;

        for (size_t i = 0; ends && i < books->n; i++)
                if (books->served[i].ended_ns != UINT64_MAX)
                        ends[n++] = (struct sort_pair){ books->served[i].ended_ns, i };
        if (ends) {
                sort_pairs(ends, n);
                measure_handing(books, ends, n);
        }
        n_matched = match_ends(serving, books, ends, n, idle_ns);
        mem_free(ends);
        return n_matched;
}

/* --- how many -------------------------------------------------------------------------------- */

/* Starts count a turn of the loop later: it may have seen an end after what that let in. */
static uint64_t most_at_once(const struct books *books)
{
        struct sort_pair *events = mem_array(2 * books->n, sizeof(*events));
        uint64_t now = 0, most = 0;

        if (!events)
                return 0;
        for (size_t i = 0; i < books->n; i++) {
                const struct served *served = &books->served[i];
                uint64_t from_ns = served->first_ns + books->facts->longest_turn_ns;

                events[2 * i] = (struct sort_pair){ from_ns, 1 };
                events[2 * i + 1] =
                        (struct sort_pair){ served->ended_ns > from_ns ? served->ended_ns : from_ns,
                                served->ended_ns > from_ns ? 0 : 2 };
        }
        sort_pairs(events, 2 * books->n);
        for (size_t i = 0; i < 2 * books->n; i++) {
                if (events[i].value == 1)
                        most = ++now > most ? now : most;
                else if (now)
                        now--;
        }
        mem_free(events);
        return most;
}

/* Answers to requests that were made later than that of one that waited, and came before its. */
static size_t count_overtaking(const struct serving *serving, const struct books *books)
{
        const struct record *record = books->facts->record;
        uint64_t from_ns = books->first_unserved_ns, to_ns = books->last_unserved_ns;
        size_t n = 0;

        for (size_t i = 0; i < books->n; i++) {
                const struct served *waiter = &books->served[i];

                if (!is_waiter(serving, waiter))
                        continue;
                from_ns = waiter->asked_ns < from_ns ? waiter->asked_ns : from_ns;
                to_ns = waiter->first_ns > to_ns ? waiter->first_ns : to_ns;
        }
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                n += trace_is_answered(attempt) && !is_first(attempt) &&
                     is_at_host(books, attempt) && attempt->stamps.slot_ns > from_ns &&
                     attempt->stamps.first_byte_read_ns < to_ns;
        }
        return n;
}

/* --- who was never served -------------------------------------------------------------------- */

static bool was_given_up(const struct trace_attempt *attempt)
{
        return attempt->code == MUSTER_E_TIMEOUT && !trace_is_answered(attempt) &&
               attempt->stamps.send_end_ns && !attempt->stamps.first_byte_read_ns;
}

/* Connections that were served at a moment; with `idle_ns`, those alone that had been idle so long. */
static size_t n_served_at(const struct books *books, uint64_t at_ns, uint64_t idle_ns)
{
        size_t n = 0;

        for (size_t i = 0; i < books->n && books->served[i].first_ns <= at_ns; i++)
                n += books->served[i].ended_ns > at_ns &&
                     books->served[i].used_ns + idle_ns <= at_ns;
        return n;
}

/*
 * Those without an answer until a time limit, if there is no such on a connection that was served,
 * and if as many were served then as ever were. A request that hangs does so anywhere.
 */
static void count_unserved(struct serving *serving, struct books *books)
{
        const struct record *record = books->facts->record;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                uint64_t end_ns = life_end_ns(attempt), wait_ns;

                if (!is_at_host(books, attempt) || !was_given_up(attempt))
                        continue;
                wait_ns = end_ns - attempt->stamps.send_end_ns;
                if (!is_first(attempt) || n_served_at(books, end_ns, 0) < serving->most) {
                        serving->n_unserved = serving->n_failed = 0;
                        return;
                }
                serving->n_unserved++;
                serving->n_failed += attempt->is_last;
                serving->n_idle_then = n_served_at(books, end_ns, wait_ns / 2);
                serving->longest_ns = wait_ns > serving->longest_ns ? wait_ns : serving->longest_ns;
                if (attempt->stamps.slot_ns < books->first_unserved_ns)
                        books->first_unserved_ns = attempt->stamps.slot_ns;
                if (end_ns > books->last_unserved_ns)
                        books->last_unserved_ns = end_ns;
                if (serving->n_unserved == UNSERVED_MOST) /* that is proof enough */
                        return;
        }
}

/* --- all of it ------------------------------------------------------------------------------- */

static void measure(struct serving *serving, struct books *books, uint64_t *idle_ns)
{
        size_t n_matched;

        serving->n_conns = books->n;
        serving->least_tcp_ns = books->least_tcp_ns;
        measure_waits(serving, books);
        measure_slack(serving, books);
        n_matched = match(serving, books, idle_ns);
        serving->most = most_at_once(books);
        if (!serving->most)
                return;
        count_unserved(serving, books);
        /* Two that never get a response may hang by themselves. */
        if (serving->n_waited + serving->n_unserved < (serving->n_waited ? 2 : HABIT_LEAST) ||
                (double)n_matched < (double)serving->n_waited * NEARLY_ALL)
                return;
        serving->n_overtook = count_overtaking(serving, books);
        serving->is_limited =
                serving->most < serving->n_conns + serving->n_unserved &&
                (serving_is_idle(serving) ||
                        serving->n_overtook > serving->n_waited + serving->n_unserved);
}

void serving_of(struct serving *serving, const struct facts *facts)
{
        uint64_t *idle_ns = mem_array(facts->record->n_conns, sizeof(*idle_ns));
        struct books books = { 0 };

        *serving = (struct serving){ 0 };
        if (idle_ns && facts->n_hosts && open_books(&books, facts) == 0)
                measure(serving, &books, idle_ns);
        close_books(&books);
        mem_free(idle_ns);
}

bool serving_is_limited(const struct facts *facts)
{
        struct serving serving;

        serving_of(&serving, facts);
        return serving.is_limited;
}

bool serving_is_idle(const struct serving *serving)
{
        if (!serving->n_waited)
                return (double)serving->n_idle_then > (double)serving->most * MOST_OF_THEM;
        return (double)serving->n_idle_ends > (double)serving->n_waited * MOST_OF_THEM;
}

bool serving_waited(const struct serving *serving, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);

        if (serving->n_unserved && is_first(attempt) && was_given_up(attempt))
                return true;
        return conn && is_first(attempt) && trace_is_answered(attempt) &&
               attempt->stamps.first_byte_read_ns >
                       asked_ns(conn, serving->least_tcp_ns) + serving->late_ns;
}
